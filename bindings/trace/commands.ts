// SPDX-License-Identifier: GPL-2.0-only
//
// Commands described by the caller, and what the Wasm side knows of them.
//
// Describing a command costs one call per field, so it happens once per command object: its handle is kept beside the
// object, weakly. The Wasm side has room for a bounded number of commands. When that is used up, all of them are forgotten,
// and those that are still in use are described again at their next decode.

import type { TraceModule } from "./module.js";

/** Where one field of a command's struct lies. */
export interface TraceField {
  /** Bytes from the start of the struct. */
  readonly offset: number;
  /** Bytes of the field. */
  readonly size: number;
  /** `u8` … `u64`, `s8` … `s64` (little endian), or `u8[n]`; anything else is shown as raw bytes. */
  readonly type: string;
}

/** What the decoder needs to know of a command; every `IoctlCommand` is one. Read once, at the first use. */
export interface TraceCommand {
  /** Printed in place of the request's number; at most 64 characters are kept. */
  readonly name: string;
  /** The whole 32-bit request that the command answers to. */
  readonly request: number;
  /** Bytes of the struct; what a caller passes beyond is shown as an unnamed tail. */
  readonly size: number;
  /** The struct's fields by name, printed in the order of their offsets. Bytes of more than 128 are shown without names. */
  readonly fields: Readonly<Record<string, TraceField>>;
}

let handles = new WeakMap<TraceCommand, number>();

/** The Wasm side's handle of a command, which is described to it now if it was not before. */
export function handleOf(wasm: TraceModule, command: TraceCommand): number {
  let handle = handles.get(command);
  if (handle === undefined) {
    handle = describe(wasm, command);
    handles.set(command, handle);
  }
  return handle;
}

function describe(wasm: TraceModule, command: TraceCommand): number {
  const { name, request, size } = command;
  const fields = Object.entries(command.fields);
  let handle = wasm.defineCommand(name, request, size);
  if (handle === 0) {
    wasm.forgetCommands();
    handles = new WeakMap();
    handle = wasm.defineCommand(name, request, size);
  }
  for (const [field, { type, offset, size: bytes }] of fields) wasm.defineField(handle, field, type, offset, bytes);
  return handle;
}
