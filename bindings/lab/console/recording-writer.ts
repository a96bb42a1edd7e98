// SPDX-License-Identifier: GPL-2.0-only
//
// Writes a recording: the lines that readRecording() reads, see test/vectors/README.md.
//
// A call's argument lies where the format has a kind for it: a buffer at the end of a writable region (`edge`: one byte
// further is nothing), read-only memory at the start of its page (`ro`), and a pointer without memory as it is (`raw`).
// Everything is one scenario on one file, which starts from nothing.

import { errnoName } from "../../trace.js";

/** A range of the recorded process' memory. */
export interface RecordedRegion {
  readonly address: bigint;
  /** Bytes, whole pages. */
  readonly length: number;
  readonly prot: "rw" | "r";
}

/** Memory before and after a call. */
export interface MemoryChange {
  readonly address: bigint;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** One ioctl with its answer. */
export interface RecordedIoctl {
  readonly file: "open" | "closed";
  readonly request: number;
  readonly result: number;
  /** Where the argument is; a buffer has no address of its own. */
  readonly argument:
    | { readonly how: "edge"; readonly before: Uint8Array; readonly after: Uint8Array }
    | { readonly how: "ro"; readonly address: bigint; readonly before: Uint8Array }
    | { readonly how: "raw"; readonly address: bigint };
  readonly memory: readonly MemoryChange[];
}

/** What a recording says of its kernel. */
export interface RecordedKernel {
  readonly abi: "rfc" | "mainline";
  /** Whether it has the lab's ioctls. */
  readonly lab: boolean;
  /** Regions besides the one that buffers lie in. */
  readonly regions: readonly RecordedRegion[];
}

const SCENARIO = "console";
const OPEN_FILE = 0;
const NO_FILE = -1;
const PAGE = 4096;
/** Where buffers end, unless something else is there. */
const BUFFERS = 0x100_0000_0000n;
/** Room for the longest buffer. */
const BUFFER_BYTES = PAGE;

/** The text of a recording. `warnings` are the kernel's when the file is closed at the end. */
export function writeRecording(
  kernel: RecordedKernel,
  calls: readonly RecordedIoctl[],
  warnings: readonly string[],
): string {
  let buffers = BUFFERS;
  for (const { address, length } of kernel.regions) {
    const meets = address < buffers + BigInt(BUFFER_BYTES) && address + BigInt(length) > buffers;
    if (meets) buffers = address + BigInt(length);
  }
  const regions: Record<string, [string, number, string]> = {
    BUFFERS: [hex(buffers), BUFFER_BYTES, "rw"],
  };
  kernel.regions.forEach(({ address, length, prot }, index) => {
    regions[`MEMORY${index}`] = [hex(address), length, prot];
  });
  let n = 0;
  const lines: object[] = [
    {
      op: "meta",
      release: `iommufd-wasm-${kernel.abi}`,
      mode: kernel.lab ? "core" : "pure",
      page_size: PAGE,
      regions,
    },
    { s: SCENARIO, n: n++, op: "open", fd: OPEN_FILE, path: "/dev/iommu", flags: 2, ret: 0, errno: "" },
    ...calls.map((call) => ioctlLine(n++, call, buffers + BigInt(BUFFER_BYTES))),
    { s: SCENARIO, n: n++, op: "implicit_close", ...(warnings.length > 0 && { warn: warnings }) },
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

function ioctlLine(n: number, { file, request, result, argument, memory }: RecordedIoctl, end: bigint): object {
  const address = argument.how === "edge" ? end - BigInt(argument.before.length) : argument.address;
  const after = argument.how === "edge" ? argument.after : undefined;
  return {
    s: SCENARIO,
    n,
    op: "ioctl",
    fd: file === "open" ? OPEN_FILE : NO_FILE,
    cmd: `0x${request.toString(16).padStart(8, "0")}`,
    how: argument.how,
    addr: hex(address),
    ...(argument.how !== "raw" && memoryMembers(argument.before, after ?? argument.before)),
    ret: result < 0 ? -1 : result,
    errno: result < 0 ? (errnoName(result) ?? "") : "",
    ...(memory.length > 0 && {
      mem: memory.map((change) => ({ va: hex(change.address), ...memoryMembers(change.before, change.after) })),
    }),
  };
}

function memoryMembers(before: Uint8Array, after: Uint8Array): object {
  const changed = before.some((byte, at) => byte !== after[at]);
  return { len: before.length, in: trimmedHex(before), ...(changed && { out: trimmedHex(after) }) };
}

/** Without trailing zeros: the length stands beside it. */
function trimmedHex(bytes: Uint8Array): string {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length--;
  return Array.from(bytes.subarray(0, length), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}
