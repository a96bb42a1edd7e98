// SPDX-License-Identifier: GPL-2.0-only
//
// Recorded calls as lines of text, as strace prints them: `close(0) = 0`. A file is named by its label in the
// recording.

import type { CallRecord } from "../replay/index.js";
import { type Decoder, errnoName, errnoText } from "../trace.js";
import { hex } from "./text.js";

/** `0`, or `-1 EBUSY (Device or resource busy)`. */
function resultText(result: number): string {
  if (result >= 0) return String(result);
  return `-1 ${errnoName(result) ?? `errno ${-result}`} (${errnoText(result) ?? "unknown"})`;
}

/**
 * One call with a result. `argument`: an ioctl's bytes after the call, where they are known; else the recorded ones.
 * What is not the library's to reproduce has a name and no result; other system calls are shown by the recorder's name for them.
 */
export function callText(decoder: Decoder, record: CallRecord, result?: number, argument?: Uint8Array): string {
  const tail = result === undefined ? "" : ` = ${resultText(result)}`;
  switch (record.op) {
    case "open":
      return `open(${JSON.stringify(record.path)}, ${hex(record.flags)})${tail}`;
    case "close":
      return `close(${record.fd})${tail}`;
    case "dup":
      return `dup(${record.fd})${tail}`;
    case "implicit_close":
      return "close of all files";
    case "named":
      return `${record.name}${tail}`;
    case "ioctl": {
      const bytes = record.argument === undefined ? null : (argument ?? record.argument.after);
      const options = { fd: record.fd, address: record.address };
      return decoder.decode(record.request, bytes, result ?? record.result, options);
    }
  }
}
