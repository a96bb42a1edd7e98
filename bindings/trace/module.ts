// SPDX-License-Identifier: GPL-2.0-only
//
// The one instance of trace.wasm in this thread, made when it is first needed.
//
// as-bind binds the exports of assembly/trace/index.ts by the types that its transform recorded in the module, but says
// nothing about them to TypeScript. The interface below is that list once more; it is the only place where the types of the
// two sides meet. The bytes are inlined, so no bundler has to find a file.
//
// The memory is private to the instance and not shared: strings are built in it, and `TextDecoder` refuses shared views.

import { instantiateSync } from "as-bind/dist/as-bind.esm.js";
import { TRACE_TEXT } from "../generated/trace-bytes.js";
import { bytesOfText } from "../wasm-text.js";

/** What trace.wasm exports. `i32` and `u32` parameters wrap as in C; a handle of 0 means "none". */
export interface TraceModule {
  decode(
    handle: number,
    fd: number,
    request: number,
    known: boolean,
    address: bigint,
    bytes: Uint8Array,
    result: number,
  ): string;
  /** Returns 0 when the table is full. */
  defineCommand(name: string, request: number, size: number): number;
  defineField(handle: number, name: string, type: string, offset: number, size: number): number;
  forgetCommands(): void;
  errnoName(errno: number): string | null;
  errnoText(errno: number): string | null;
  readonly memory: { readonly buffer: ArrayBuffer };
}

let instance: TraceModule | undefined;

/** The bound exports. The first call compiles and instantiates the module, synchronously. */
export function traceModule(): TraceModule {
  instance ??= instantiateSync(bytesOfText(TRACE_TEXT)).exports as TraceModule;
  return instance;
}

/** Bytes of the module's memory; 0 while it is not instantiated. */
export function traceMemoryBytes(): number {
  return instance === undefined ? 0 : instance.memory.buffer.byteLength;
}
