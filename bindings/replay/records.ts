// SPDX-License-Identifier: GPL-2.0-only
//
// The records of a recording, as the reader (recording.ts) delivers them and the replay (replay.ts) takes them.
//
// Vocabulary: a *scenario* is a sequence of calls that starts from nothing, without an open file; a *label* is the
// recording's name for an open file (not its number); the *argument* is the memory at the pointer of an ioctl, `how`
// says how it was prepared; *other memory* is what the call may touch besides.

import type { KernelRelease } from "../index.js";

/** A piece of a region with one protection. */
export interface RegionPart {
  /** Bytes, a multiple of the page size. */
  readonly length: number;
  readonly prot: "rw" | "r" | "none";
}

/** A range of the recorded process' addresses. Nothing is mapped behind its end. */
export interface Region {
  readonly name: string;
  readonly address: bigint;
  /** Bytes; 0 for a region that is only an address. */
  readonly length: number;
  /** Its parts in address order; none when the region is not mapped at all. */
  readonly parts: readonly RegionPart[];
}

/** The first line: which kernel answered, and its process' memory. */
export interface MetaRecord {
  readonly op: "meta";
  readonly line: number;
  readonly release: string;
  /** `core`: the seed with the lab ioctls, or a mainline kernel; `pure`: the seed alone. */
  readonly mode: string;
  /** The profile whose rules the recorded kernel follows. */
  readonly abi: "rfc" | "mainline";
  /** In mainline, the kernel whose table of commands it has; undefined: none that is known by name, so the newest. */
  readonly kernel: KernelRelease | undefined;
  /** Whether the kernel had the lab ioctls (lab.ts). */
  readonly lab: boolean;
  readonly regions: readonly Region[];
}

/** Where a line stands. */
export interface RecordedCall {
  /** Line in the file, from 1. */
  readonly line: number;
  readonly scenario: string;
  /** Position in the scenario. */
  readonly n: number;
}

/** A call with what it returned. */
export interface AnsweredCall extends RecordedCall {
  /** What the call returned: a value of 0 or more, or a negative errno. */
  readonly result: number;
  /** The kernel's warnings during the call, in order. */
  readonly warnings: readonly string[];
}

/** open(path, flags): from now on `fd` labels the file, if the call succeeded. */
export interface OpenRecord extends AnsweredCall {
  readonly op: "open";
  readonly fd: number;
  readonly path: string;
  readonly flags: number;
}

/** close(fd). */
export interface CloseRecord extends AnsweredCall {
  readonly op: "close";
  readonly fd: number;
}

/** dup(fd): `newFd` labels the same file. */
export interface DupRecord extends AnsweredCall {
  readonly op: "dup";
  readonly fd: number;
  readonly newFd: number;
}

/** The recorder closed all files of the scenario, in label order. */
export interface ImplicitCloseRecord extends RecordedCall {
  readonly op: "implicit_close";
  readonly warnings: readonly string[];
}

/** Memory before and after a call. */
export interface RecordedBytes {
  readonly before: Uint8Array;
  /** The same array as `before` when the call changed nothing. */
  readonly after: Uint8Array;
}

/** Other memory that an ioctl may touch. */
export interface OtherMemory extends RecordedBytes {
  readonly address: bigint;
}

/** How an argument's memory was prepared; `raw`: not at all, the pointer is what matters. */
export type ArgumentKind = "buf" | "odd" | "edge" | "ro" | "split" | "raw";

/** ioctl(fd, request, address). */
export interface IoctlRecord extends AnsweredCall {
  readonly op: "ioctl";
  readonly fd: number;
  readonly request: number;
  readonly address: bigint;
  readonly how: ArgumentKind;
  /** The argument's bytes; undefined for `raw`. */
  readonly argument: RecordedBytes | undefined;
  /** How many bytes from the address on are writable (`split`). */
  readonly cut: number | undefined;
  /** The guard behind the argument after the call, when it was not left alone. */
  readonly pastEnd: Uint8Array | undefined;
  readonly memory: readonly OtherMemory[];
}

/** Any other system call, and what a forked child did. */
export interface NamedRecord extends RecordedCall {
  readonly op: "named";
  readonly name: string;
  /** A value of 0 or more, or a negative errno; undefined where the recorder only says what it did. */
  readonly result: number | undefined;
}

/** One line of a recording, without the first. */
export type CallRecord = OpenRecord | CloseRecord | DupRecord | ImplicitCloseRecord | IoctlRecord | NamedRecord;

/** One line of a recording. */
export type RecordingRecord = MetaRecord | CallRecord;

/** 64 guard bytes of this value follow an argument of kind `buf` and `odd`. */
export const GUARD_BYTE = 0xa5;
/** Length of the guard in bytes. */
export const GUARD_LENGTH = 64;
