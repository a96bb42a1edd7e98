// SPDX-License-Identifier: GPL-2.0-only
//
// Entry "./trace": ioctls and errnos in words, as strace prints them.
//
//   ioctl(3, IOMMU_DESTROY, {size=8, id=1}) = -1 EBUSY (Device or resource busy)
//
// The decoder is a Wasm module of its own, bound by as-bind; it shares nothing with the core and needs no isolated page. It
// is compiled at the first call, synchronously: a few milliseconds. Decoding is for logs and tools, a few microseconds per
// line, and never on the way of an ioctl unless a trace listener asks for it.
//
// How a line is written
// - The fields of the struct, as far as bytes were given and the struct declares them by its first word. A field cut in two
//   and a tail beyond the known struct follow as `/* bytes 8..15 */ "\x00…"`.
// - Numbers are decimal; 64-bit unsigned ones from 0x10000 on are hex. Byte arrays are C strings, hex unless all bytes are
//   printable ASCII, cut after 32 bytes by `...`.
// - Flags and values that have names are printed by them: `flags=IOMMU_IOAS_MAP_READABLE|0x8`, `op=IOMMU_OPTION_OP_GET`. VFIO's requests that
//   take a number show it: `ioctl(3, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) = 1`.
// - A request without a name is `_IOC(_IOC_NONE, 0x3b, 0x99, 0)`: direction, type, number, size.
// - A null pointer is `NULL`; an argument whose bytes are not known is its address.
// - A result is a number, or `-1 ENAME (text)`, or `-1 (errno 999)` for a number that Linux has no name for.

import { handleOf, type TraceCommand } from "./trace/commands.js";
import { traceMemoryBytes, traceModule } from "./trace/module.js";

export type { TraceCommand, TraceField } from "./trace/commands.js";
export { traceMemoryBytes };

/** How one call was made, as far as its request, bytes and result do not tell. */
export interface CallOptions {
  /** The file number; default 3. */
  readonly fd?: number | undefined;
  /** The pointer that was passed, printed where its bytes are not known; `null` or 0 is the null pointer. */
  readonly address?: bigint | null | undefined;
}

/** Options of {@link decode}. */
export interface DecodeOptions extends CallOptions {
  /** Commands to know besides the built-in ones; the first whose request matches is taken, before a built-in one. */
  readonly commands?: Iterable<TraceCommand> | undefined;
}

/** Bytes of one argument that are looked at. More of a struct never reaches a line. */
const MAX_BYTES = 65_536;

const DEFAULT_FD = 3;
const NO_BYTES = new Uint8Array(0);

/**
 * Decodes one ioctl to one line, like strace.
 *
 * Any request, bytes, layout and result give a line. All numbers wrap to 32 bits as in C.
 *
 * @param request the 32-bit request
 * @param bytes the argument's bytes from the struct's start, as many as are known; where none are, `null`, or no bytes
 *   together with an address
 * @param result what the call returned: a number from 0 on, or `-errno`
 * @throws WebAssembly.CompileError at the first call, where the host forbids compiling
 */
export function decode(request: number, bytes: Uint8Array | null, result: number, options: DecodeOptions = {}): string {
  return decodeAs(findCommand(options.commands, request), request, bytes, result, options);
}

/**
 * {@link decode} with a fixed set of commands, which is searched by request instead of one by one. Of several commands
 * with one request the first is taken, as `decode` does.
 */
export class Decoder {
  readonly #commands = new Map<number, TraceCommand>();

  /** @param commands commands to know besides the built-in ones */
  constructor(commands: Iterable<TraceCommand> = []) {
    for (const command of commands) {
      const request = command.request >>> 0;
      if (!this.#commands.has(request)) this.#commands.set(request, command);
    }
  }

  /** Decodes one ioctl to one line; parameters and errors as for {@link decode}. */
  decode(request: number, bytes: Uint8Array | null, result: number, options: CallOptions = {}): string {
    return decodeAs(this.#commands.get(request >>> 0), request, bytes, result, options);
  }
}

/**
 * The name of a Linux errno, such as `"EBUSY"` for 16 and -16 alike, or `undefined` where Linux has none.
 * Where a number has two names, it is the one that strace prints: `EAGAIN`, `EDEADLK`, `EOPNOTSUPP`.
 */
export function errnoName(errno: number): string | undefined {
  return traceModule().errnoName(Math.abs(errno)) ?? undefined;
}

/** The text of a Linux errno in glibc's English, such as `"Device or resource busy"` for 16 and -16 alike. */
export function errnoText(errno: number): string | undefined {
  return traceModule().errnoText(Math.abs(errno)) ?? undefined;
}

function findCommand(commands: Iterable<TraceCommand> | undefined, request: number): TraceCommand | undefined {
  for (const command of commands ?? []) {
    if (command.request >>> 0 === request >>> 0) return command;
  }
  return undefined;
}

function decodeAs(
  command: TraceCommand | undefined,
  request: number,
  bytes: Uint8Array | null,
  result: number,
  options: CallOptions,
): string {
  const wasm = traceModule();
  const handle = command === undefined ? 0 : handleOf(wasm, command);
  const address = BigInt.asUintN(64, options.address ?? 0n);
  const known = bytes !== null && (bytes.length > 0 || options.address === undefined);
  const visible = bytes === null ? NO_BYTES : bytes.subarray(0, MAX_BYTES);
  return wasm.decode(handle, options.fd ?? DEFAULT_FD, request, known, address, visible, result);
}
