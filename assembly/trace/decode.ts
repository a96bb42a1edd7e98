// SPDX-License-Identifier: GPL-2.0-only
//
// One ioctl as one line, in the manner of strace:
//
//   ioctl(3, IOMMU_DESTROY, {size=8, id=1}) = -1 EBUSY (Device or resource busy)
//
// Vocabulary. *given*: the bytes that the caller of decode() has, from the start of the struct. *declared*: the size that
// the struct claims in its first word. *visible*: what is printed: the given bytes, cut to the declared size, because the
// kernel looks at no byte behind it; the size word itself is always visible.
//
// Bits and values that have names are printed by them, `A|B|0x8` where some have none. A request that takes a number shows that
// number, by its name where it has one.
//
// Numbers are decimal, except 64-bit unsigned ones from 0x10000 on, which are nearly always addresses or IOVAs and are
// hex. Visible bytes that no shown field covers, a field cut in two or a tail that the command does not know, follow as a
// comment with their offsets. Fields behind the visible bytes are left out.
//
// Invariant: every read is checked against the given bytes. Any request, any bytes and any layout give a line, never a trap.

import * as line from "./line";
import { Command, Field, Kind, Meaning, anonymous, findCommand } from "./command";
import { errnoName } from "./errno_name";
import { errnoText } from "./errno_text";
import { quote, unnamed } from "./quote";
import { encoding, hasDeclaredSize, requestName } from "./request";

/** 64-bit unsigned numbers from here on are printed in hex. */
const HEX_FROM: u64 = 0x10000;

/**
 * Decodes one call.
 * @param handle   a described command, or 0
 * @param known    whether `bytes` holds the argument; if not, `address` is all there is to show
 * @param result   what the call returned: >= 0, or -errno
 */
export function decode(
  handle: i32,
  fd: i32,
  request: u32,
  known: bool,
  address: u64,
  bytes: Uint8Array,
  result: i32,
): string {
  const command = findCommand(handle, request);
  line.begin();
  line.text("ioctl(");
  line.signed(fd);
  line.text(", ");
  putRequest(request, command);
  line.text(", ");
  if (command !== null && command.isByValue && (!known || address != 0)) {
    putOneOf(address, command.values, sizeof<u64>());
  } else if (known) putArgument(request, command, bytes);
  else if (address == 0) line.text("NULL");
  else line.hex(address);
  line.text(") = ");
  putResult(result);
  return line.take();
}

function putRequest(request: u32, command: Command | null): void {
  const name = command !== null ? command.name : requestName(request);
  if (name !== null) line.text(name);
  else encoding(request);
}

function putArgument(request: u32, command: Command | null, bytes: Uint8Array): void {
  const base = bytes.dataStart;
  const given = <u32>bytes.length;
  if (command !== null && !command.isByValue) putStruct(command, base, given);
  else if (hasDeclaredSize(request)) putStruct(anonymous, base, given);
  else quote(base, given);
}

function putStruct(command: Command, base: usize, given: u32): void {
  let visible = given;
  if (given >= sizeof<u32>()) visible = min(given, max<u32>(load<u32>(base), sizeof<u32>()));

  // From here on the bytes are not covered by the command; moved down to a field that is only partly visible.
  let rest: u32 = command.isCut ? 0 : command.size;
  let separator = "";
  line.unit(0x7b);
  const fields = command.fields;
  for (let i = 0, n = fields.length; i < n; ++i) {
    const field = fields[i];
    if (field.offset >= visible) break;
    if (field.end > visible) {
      rest = field.offset;
      break;
    }
    rest = max(rest, <u32>field.end);
    line.text(separator);
    putField(field, base + field.offset);
    separator = ", ";
  }
  if (rest < visible) {
    line.text(separator);
    unnamed(base, rest, visible);
  }
  line.unit(0x7d);
}

function putField(field: Field, pointer: usize): void {
  line.text(field.name);
  line.unit(0x3d);
  switch (field.kind) {
    case Kind.UNSIGNED:
      putUnsigned(loadUnsigned(pointer, field.size), field.size);
      break;
    case Kind.FLAGS:
      putFlags(loadUnsigned(pointer, field.size), field.meanings);
      break;
    case Kind.ONE_OF:
      putOneOf(loadUnsigned(pointer, field.size), field.meanings, field.size);
      break;
    case Kind.SIGNED: {
      // Shifting the sign bit to the top and back extends it.
      const unused = 64 - <i64>field.size * 8;
      line.signed(((<i64>loadUnsigned(pointer, field.size)) << unused) >> unused);
      break;
    }
    default:
      quote(pointer, field.size);
  }
}

function putUnsigned(value: u64, size: u32): void {
  if (size == sizeof<u64>() && value >= HEX_FROM) line.hex(value);
  else line.decimal(value);
}

function putOneOf(value: u64, meanings: Meaning[], size: u32): void {
  for (let i = 0, n = meanings.length; i < n; ++i) {
    if (meanings[i].value != value) continue;
    line.text(meanings[i].name);
    return;
  }
  putUnsigned(value, size);
}

function putFlags(value: u64, meanings: Meaning[]): void {
  if (value == 0) {
    line.decimal(0);
    return;
  }
  let separator = "";
  for (let i = 0, n = meanings.length; i < n; ++i) {
    const bit = meanings[i].value;
    if ((value & bit) == 0) continue;
    value &= ~bit;
    line.text(separator);
    line.text(meanings[i].name);
    separator = "|";
  }
  if (value == 0) return;
  line.text(separator);
  line.hex(value);
}

function loadUnsigned(pointer: usize, size: u32): u64 {
  switch (size) {
    case 1:
      return load<u8>(pointer);
    case 2:
      return load<u16>(pointer);
    case 4:
      return load<u32>(pointer);
    default:
      return load<u64>(pointer);
  }
}

function putResult(result: i32): void {
  if (result >= 0) {
    line.decimal(result);
    return;
  }
  // 64 bits, because -(-2^31) does not fit into an i32.
  const number = -(<i64>result);
  const name = errnoName(-result);
  const description = errnoText(-result);
  line.text("-1 ");
  if (name !== null && description !== null) {
    line.text(name);
    line.text(" (");
    line.text(description);
  } else {
    line.text("(errno ");
    line.signed(number);
  }
  line.unit(0x29);
}
