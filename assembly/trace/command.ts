// SPDX-License-Identifier: GPL-2.0-only
//
// Commands: a name, a request and the layout of the struct behind it.
//
// The built-in commands (built_in.ts) are known from the start. Others are described once by the JavaScript side, field by field,
// and called by their handle from then on: a handle is 1 + the index in `commands`, 0 means "none". Who describes a built-in command
// gets the built-in one, which knows more.
//
// A description is a caller's word and is not trusted. Names are cut and cleaned, so that a line stays one line, and may be
// missing; the number of fields and commands is bounded, so that memory is; offsets and sizes may be any u32, and decode()
// checks each field against the bytes that are really there. A field whose size contradicts its type is shown as raw bytes.
//
// Invariant: the fields of a command stand in the order of their offsets, whatever the order of their description.

import { builtIn } from "./built_in";

/** More than the 128 numbers that iommufd has for user commands. */
const MAX_COMMANDS: i32 = 256;

const MAX_FIELDS: i32 = 128;

/** UTF-16 units kept of a name. */
const MAX_NAME: i32 = 64;

/** How a field's bytes are printed. */
export const enum Kind {
  /** A quoted string. */
  BYTES,
  /** An unsigned number. */
  UNSIGNED,
  /** A signed number. */
  SIGNED,
  /** A set of bits with names. */
  FLAGS,
  /** One of several numbers with names. */
  ONE_OF,
}

/** The name of a value, or of a bit. */
export class Meaning {
  constructor(
    readonly name: string,
    readonly value: u64,
  ) {}
}

export class Field {
  constructor(
    readonly name: string,
    readonly offset: u32,
    readonly size: u32,
    readonly kind: Kind,
  ) {}

  /** For FLAGS and ONE_OF. */
  readonly meanings: Meaning[] = [];

  /** The offset behind the field. 64 bits: offset and size may each be near 2^32. */
  get end(): u64 {
    return <u64>this.offset + this.size;
  }
}

export class Command {
  readonly fields: Field[] = [];

  /** Fields were left out: what lies behind the last one is not covered, though it belongs to the struct. */
  isCut: bool = false;

  /** The argument is a number, not a pointer. */
  isByValue: bool = false;

  /** What the numbers mean. */
  readonly values: Meaning[] = [];

  /** @param size  Bytes of the whole struct, padding included. */
  constructor(
    readonly name: string,
    readonly request: u32,
    readonly size: u32,
  ) {}

  /** Adds a field at the place of its offset. False when the command is full. */
  add(field: Field): bool {
    const fields = this.fields;
    if (fields.length == MAX_FIELDS) {
      this.isCut = true;
      return false;
    }
    let at = fields.push(field) - 1;
    for (; at > 0 && fields[at - 1].offset > field.offset; --at) fields[at] = fields[at - 1];
    fields[at] = field;
    return true;
  }
}

/** What is known of a struct from iommufd's range when nothing else is: it starts with its size. */
export const anonymous = new Command("", 0, sizeof<u32>());
anonymous.add(new Field("size", 0, sizeof<u32>(), Kind.UNSIGNED));

let commands: Command[] = [];

/** The command behind a handle, else the built-in one with this request, else null. */
export function findCommand(handle: i32, request: u32): Command | null {
  if (handle > 0 && handle <= commands.length) return commands[handle - 1];
  return builtIn(request);
}

/** Starts the description of a command. Returns its handle, or 0 when no more fit until forgetCommands(). */
export function defineCommand(name: string | null, request: u32, size: u32): i32 {
  if (commands.length == MAX_COMMANDS) return 0;
  const known = builtIn(request);
  if (known !== null) {
    if (known.name == name && known.size == size) return commands.push(known);
  }
  return commands.push(new Command(clean(name), request, size));
}

/** Adds a field to a command. False when the handle is unknown or the command is full. */
export function defineField(handle: i32, name: string | null, type: string | null, offset: u32, size: u32): bool {
  if (handle <= 0 || handle > commands.length) return false;
  const command = commands[handle - 1];
  if (command == builtIn(command.request)) return true; // it has the field
  return command.add(new Field(clean(name), offset, size, kindOf(type, size)));
}

/** Forgets all described commands; their handles are given out again. */
export function forgetCommands(): void {
  commands = [];
}

function kindOf(type: string | null, size: u32): Kind {
  if (type == "u8") return size == 1 ? Kind.UNSIGNED : Kind.BYTES;
  if (type == "u16") return size == 2 ? Kind.UNSIGNED : Kind.BYTES;
  if (type == "u32") return size == 4 ? Kind.UNSIGNED : Kind.BYTES;
  if (type == "u64") return size == 8 ? Kind.UNSIGNED : Kind.BYTES;
  if (type == "s8") return size == 1 ? Kind.SIGNED : Kind.BYTES;
  if (type == "s16") return size == 2 ? Kind.SIGNED : Kind.BYTES;
  if (type == "s32") return size == 4 ? Kind.SIGNED : Kind.BYTES;
  if (type == "s64") return size == 8 ? Kind.SIGNED : Kind.BYTES;
  return Kind.BYTES;
}

/** A name without blanks, control characters and line separators, and not longer than MAX_NAME. */
function clean(name: string | null): string {
  if (name === null) return "?";
  const length = min(name.length, MAX_NAME);
  const units = new StaticArray<u16>(length);
  for (let i = 0; i < length; ++i) {
    const code = name.charCodeAt(i);
    const visible = (code > 0x20 && code < 0x7f) || (code > 0xa0 && code != 0x2028 && code != 0x2029);
    units[i] = visible ? <u16>code : 0x3f;
  }
  return String.UTF16.decodeUnsafe(changetype<usize>(units), <usize>length * sizeof<u16>());
}
