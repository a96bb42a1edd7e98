// SPDX-License-Identifier: GPL-2.0-only
//
// Turns what a console recorded into a file for `iommufd-wasm replay`, and replays it here first, so that whoever saves it knows
// what the command will say.
//
// Some calls cannot be in a recording: of other threads, on other files, through memory that is not known, of commands that
// only this page has, and those that this thread refused because it must not wait. They are counted by reason and left out.
//
// The file begins with the calls that make what was there before the first recorded one (prelude.ts); their answers are
// those of a second kernel. The kernel's warnings at the end, when the replay closes the file, are also its: here the file
// is still open.

import { Errno, type Fields, type IoctlCommand, Iommufd, IOMMU_DESTROY } from "../../index.js";
import { defineLab, readRecording, replay } from "../../replay/index.js";
import type { LabCall, LabSession } from "../session.js";
import type { CallRecorder } from "./call-recorder.js";
import { ConsoleMemory } from "./console-memory.js";
import { preludeOf } from "./prelude.js";
import { type RecordedIoctl, type RecordedKernel, writeRecording } from "./recording-writer.js";

/** Why calls are not in an export, and how many. */
export interface LeftOut {
  /** Before the file was opened, or before the oldest call that is kept. */
  readonly older: number;
  readonly otherThread: number;
  readonly otherFile: number;
  /** Of commands that a replay does not know. */
  readonly ownCommand: number;
  /** Through memory whose content or protection is not known. */
  readonly unknownMemory: number;
  /** Refused because the thread must not block, or given up. */
  readonly notWaited: number;
}

/** A recording of a console's file. */
export interface TraceExport {
  /** The file's content: JSON lines. */
  readonly text: string;
  /** Calls of this session that are in it. */
  readonly calls: number;
  /** Calls before them, which make what was there at the start. */
  readonly prelude: number;
  readonly leftOut: LeftOut;
  /** False when something was there at the start that the lab's ioctls cannot make. */
  readonly complete: boolean;
  /** What replaying it here came to. */
  readonly replayed: { readonly matched: number; readonly differed: number };
}

/** Answers in fs/ioctl.c, before any driver; a replay skips them. */
const VFS_REQUESTS: readonly number[] = [0x2, 0x5421, 0x5450, 0x5451, 0x5452];
const NOT_WAITED: readonly number[] = [Errno.EAGAIN, Errno.ETIMEDOUT, Errno.EINTR, Errno.ENOSYS];
/** A trace event has at most so many bytes: an argument of as many may have been longer. */
const EVENT_BYTES = 4096;
const SECOND_KERNEL_BYTES = 16 * 2 ** 20;

/** Writes down what was recorded. @throws IommufdError ENOMEM when there is no room for a second kernel */
export async function exportTrace(recorder: CallRecorder): Promise<TraceExport> {
  const { session, start, forgotten, foreign } = recorder;
  const { fd } = session.context;
  const calls = [...recorder.calls]; // more are made, and others forgotten, while this waits
  const lab = await hasLab(session);
  const leftOut = { otherFile: 0, ownCommand: 0, unknownMemory: 0, notWaited: 0 };
  const ioctls: RecordedIoctl[] = [];
  for (const call of calls) {
    const recorded = recordedOf(recorder, call, fd, lab);
    if (typeof recorded === "string") leftOut[recorded]++;
    else ioctls.push(recorded);
  }
  const prelude = start === undefined || (start.length > 0 && !lab) ? undefined : preludeOf(start, session.commands);
  const before = await answersOf(prelude ?? []);
  const { readOnly, scratch } = ConsoleMemory.of(session.iommufd);
  const kernel: RecordedKernel = {
    abi: session.iommufd.abi,
    lab,
    regions: [
      { address: readOnly.va, length: readOnly.bytes.length, prot: "r" },
      { address: scratch.va, length: scratch.bytes.length, prot: "rw" },
    ],
  };
  const all = [...before, ...ioctls];
  const { warnings } = await replayed(writeRecording(kernel, all, []));
  const text = writeRecording(kernel, all, warnings);
  const { matched, differed } = await replayed(text);
  return {
    text,
    calls: ioctls.length,
    prelude: before.length,
    leftOut: { ...leftOut, older: forgotten, otherThread: foreign },
    complete: prelude !== undefined,
    replayed: { matched, differed },
  };
}

/** One call as it is recorded, or why it cannot be. */
function recordedOf(
  recorder: CallRecorder,
  call: LabCall,
  fd: number,
  lab: boolean,
): RecordedIoctl | keyof Omit<LeftOut, "older" | "otherThread"> {
  const { session } = recorder;
  const run = recorder.runOf(call);
  const { request, result } = call;
  if (run === undefined && call.fd !== fd) return "otherFile";
  if (NOT_WAITED.includes(-result)) return "notWaited";
  if (!isReplayable(session, request, lab)) return "ownCommand";
  const common = { request, result, memory: run?.scratch === undefined ? [] : [run.scratch] };
  if (run !== undefined) {
    const { file, pointer, bytes: before } = run.draft;
    if (pointer === "memory") return { ...common, file, argument: { how: "edge", before, after: run.after } };
    const address = run.address ?? 0n;
    if (pointer === "readonly") return { ...common, file, argument: { how: "ro", address, before } };
    return { ...common, file, argument: { how: "raw", address } };
  }
  if (call.address === null) return { ...common, file: "open", argument: { how: "raw", address: 0n } };
  if (call.address !== undefined || call.before.length >= EVENT_BYTES) return "unknownMemory";
  return { ...common, file: "open", argument: { how: "edge", before: call.before, after: call.bytes } };
}

/** Whether a replay answers that request as this kernel does: it has the same command, or neither has one. */
function isReplayable({ iommufd }: LabSession, request: number, lab: boolean): boolean {
  if (VFS_REQUESTS.includes(request)) return false;
  const { name } = iommufd.commands().find(({ nr }) => nr === (request & 0xff)) ?? {};
  return name === undefined || name === IOMMU_DESTROY.name || (lab && name.startsWith("LAB_"));
}

/** Whether the session has exactly the lab's ioctls, which a replay defines anew. */
async function hasLab({ iommufd }: LabSession): Promise<boolean> {
  if (iommufd.abi !== "rfc") return false;
  const known = iommufd.commands();
  return withLab(({ commands }) =>
    commands.every((command) =>
      known.some(({ name, nr, minSize, size }) => {
        return name === command.name && nr === command.nr && minSize === command.minSize && size === command.size;
      }),
    ),
  );
}

/** The calls with what a kernel answers that starts from nothing. */
async function answersOf(
  calls: readonly { request: number; bytes: Uint8Array<ArrayBuffer> }[],
): Promise<RecordedIoctl[]> {
  if (calls.length === 0) return [];
  return withLab(({ iommufd }) => {
    const context = iommufd.open();
    return calls.map(({ request, bytes: before }) => {
      const after = before.slice();
      const result = context.tryIoctl(request, after);
      return { file: "open", request, result, argument: { how: "edge", before, after }, memory: [] };
    });
  });
}

/** Does something with a second kernel that has the lab's ioctls. */
async function withLab<T>(
  act: (lab: { iommufd: Iommufd; commands: readonly IoctlCommand<Fields>[] }) => T,
): Promise<T> {
  const iommufd = await Iommufd.create({ memoryBytes: SECOND_KERNEL_BYTES });
  try {
    return act({ iommufd, commands: defineLab(iommufd).commands });
  } finally {
    iommufd.detach();
  }
}

/** What a replay says of a recording: the counts, and the warnings of its end. */
async function replayed(text: string): Promise<{ matched: number; differed: number; warnings: readonly string[] }> {
  let matched = 0;
  let differed = 0;
  let warnings: readonly string[] = [];
  // The end is the last record: all differences before it are wanted too.
  for await (const result of replay(readRecording(text), { differencesPerScenario: Infinity })) {
    matched += result.matched;
    differed += result.differed;
    const end = result.differences.find(({ record }) => record.op === "implicit_close");
    const finding = end?.findings.find(({ what }) => what === "warnings");
    if (finding?.what === "warnings") warnings = finding.got;
  }
  return { matched, differed, warnings };
}
