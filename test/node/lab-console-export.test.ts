// SPDX-License-Identifier: GPL-2.0-only
//
// What the console saves, the built command replays: every answer is the one that was given, also of calls that were broken
// on purpose; and what a recording cannot say is counted.

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Fields, Iommufd, type IoctlCommand } from "../../bindings/index.ts";
import { defineLab } from "../../bindings/replay/index.ts";
import { CallRecorder } from "../../bindings/lab/console/call-recorder.ts";
import { ConsoleMemory } from "../../bindings/lab/console/console-memory.ts";
import { draftOf, reshape, type FileNumber, type Pointer, type Shape } from "../../bindings/lab/console/draft.ts";
import { saidOf } from "../../bindings/lab/console/export-message.ts";
import { runDraft } from "../../bindings/lab/console/run-draft.ts";
import { exportTrace } from "../../bindings/lab/console/trace-export.ts";
import { LabSession } from "../../bindings/lab/session.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const SHAPES: readonly Shape[] = ["exact", "short", "zeros", "garbage", "lying"];
const POINTERS: readonly Pointer[] = ["memory", "readonly", "unmapped", "null"];
const FILES: readonly FileNumber[] = ["open", "closed"];

let folder: string;
let session: LabSession;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-console-"));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  session = await LabSession.create();
  return () => session.close();
});

interface Totals {
  readonly matched: number;
  readonly differed: number;
  readonly skipped: number;
}

/** What the built command says of a recording. */
async function replayByCommand(text: string): Promise<Totals> {
  const file = join(folder, "console.jsonl");
  await writeFile(file, text);
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [CLI, "replay", "--json", file]).catch(
    (failed: { stdout: string }) => failed,
  );
  const { files } = JSON.parse(stdout) as { files: Totals[] };
  const { matched, differed, skipped } = files[0] as Totals;
  return { matched, differed, skipped };
}

function command(name: string): IoctlCommand<Fields> {
  const found = session.commands.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

/** Runs one call as the console does. */
async function call(
  recorder: CallRecorder,
  name: string,
  fields: Record<string, number | bigint> = {},
  mistake: { shape?: Shape; pointer?: Pointer; file?: FileNumber } = {},
): Promise<number> {
  const draft = draftOf(command(name), fields);
  const { shape = "exact", pointer = "memory", file = "open" } = mistake;
  const bytes = reshape(draft.bytes, command(name), shape);
  const run = await runDraft(session, { ...draft, bytes, pointer, file }, new AbortController().signal);
  recorder.remember(run);
  return run.result;
}

async function expectReplayed(recorder: CallRecorder): Promise<void> {
  const saved = await exportTrace(recorder);
  const inFile = saved.calls + saved.prelude + 2; // open, and the close at the end
  expect(saved.replayed).toEqual({ matched: inFile, differed: 0 });
  expect(await replayByCommand(saved.text)).toEqual({ matched: inFile, differed: 0, skipped: 0 });
}

describe("all mistakes", () => {
  test("of every command in every shape, memory and file are replayed alike", async () => {
    const recorder = new CallRecorder(session);
    const results = new Set<number>();
    await call(recorder, "LAB_ALLOC", { type: 3 });
    for (const { name, fields } of session.commands) {
      for (const shape of SHAPES) {
        for (const pointer of POINTERS) {
          for (const file of FILES) {
            const values = Object.keys(fields).includes("type") ? { type: 3 } : {};
            results.add(await call(recorder, name, values, { shape, pointer, file }));
          }
        }
      }
    }
    expect([...results].sort((a, b) => b - a)).toEqual([0, -2, -7, -9, -14, -95].sort((a, b) => b - a));
    const saved = await exportTrace(recorder);
    expect(saved.calls).toBe(1 + session.commands.length * SHAPES.length * POINTERS.length * FILES.length);
    await expectReplayed(recorder);
  });

  test("requests that nobody has are ENOTTY in the replay, too", async () => {
    const recorder = new CallRecorder(session);
    for (const request of [0x3b99, 0x3b7f, 0, 0xffff_ffff, 0xc0083b80]) {
      const draft = { request, bytes: new Uint8Array(8).fill(8, 0, 1), pointer: "memory", file: "open" } as const;
      const run = await runDraft(session, draft, new AbortController().signal);
      recorder.remember(run);
      expect(run.result).toBe(-25);
    }
    await expectReplayed(recorder);
  });

  test("a pointer inside the struct is replayed with what was written through it", async () => {
    const recorder = new CallRecorder(session);
    const { scratch } = ConsoleMemory.of(session.iommufd);
    await call(recorder, "LAB_ALLOC", { type: 1 });
    await call(recorder, "IOMMU_DESTROY", { id: 1 });
    await call(recorder, "LAB_LOG", { capacity: 4, uptr: 0n }); // EFAULT, and the log keeps its entry
    expect(await call(recorder, "LAB_LOG", { capacity: 4, uptr: scratch.va })).toBe(0);
    expect([...scratch.bytes.subarray(0, 8)]).toEqual([1, 0, 0, 0, 1, 0, 0, 0]);
    const { text } = await exportTrace(recorder);
    expect(text).toContain('"mem":[{"va":"0x');
    await expectReplayed(recorder);
  });
});

describe("what was there before", () => {
  test("objects under scattered IDs, their holds and kept references are made again", async () => {
    for (let n = 0; n < 6; n++) session.context.call(command("LAB_ALLOC"), { type: 3 });
    session.context.destroy(2);
    session.context.destroy(5);
    session.context.call(command("LAB_ALLOC"), { type: 2, hold_id0: 6, hold_id1: 6 }); // takes 2, holds a higher ID
    session.context.call(command("LAB_KEEP"), { id: 4 });
    session.context.call(command("LAB_LOG"), {});
    const recorder = new CallRecorder(session);
    expect(await call(recorder, "IOMMU_DESTROY", { id: 6 })).toBe(-16);
    expect(await call(recorder, "IOMMU_DESTROY", { id: 4 })).toBe(-16);
    expect(await call(recorder, "LAB_STATE", { id: 6 })).toBe(0);
    expect(await call(recorder, "LAB_ALLOC", { type: 1 })).toBe(0);
    expect(await call(recorder, "LAB_DROP", { id: 4 })).toBe(0);
    await expectReplayed(recorder);
  });

  test("objects of a type that the lab does not have are said to be missing", async () => {
    session.context.alloc(session.iommufd.defineObjectType({ name: "MINE", payloadBytes: 4 })).finalize();
    const recorder = new CallRecorder(session);
    const saved = await exportTrace(recorder);
    expect(saved.complete).toBe(false);
    expect(saidOf(saved, "x.jsonl")).toContain("cannot be made by ioctls");
  });

  test("more objects than a trace could make are said to be missing, too", async () => {
    for (let n = 0; n < 4_100; n++) session.context.call(command("LAB_ALLOC"), { type: 3 });
    const recorder = new CallRecorder(session);
    expect(recorder.start).toBe(undefined);
    await call(recorder, "LAB_GET", { id: 4_000 });
    const saved = await exportTrace(recorder);
    expect(saved.complete).toBe(false);
    expect(saved.replayed.differed).toBe(1);
  });

  test("a change without an ioctl shows as a difference, here and in the command", async () => {
    const recorder = new CallRecorder(session);
    await call(recorder, "LAB_ALLOC", { type: 3 });
    session.context.get(1).putKeepUser();
    expect(await call(recorder, "IOMMU_DESTROY", { id: 1 })).toBe(-16);
    const saved = await exportTrace(recorder);
    expect(saved.replayed.differed).toBe(1);
    expect((await replayByCommand(saved.text)).differed).toBe(1);
    expect(saidOf(saved, "x.jsonl")).toContain(
      "1 differed. Something changed the objects that is not in the trace, or",
    );
  });

  test("a kept reference at the end is the warning that closing the file gives", async () => {
    const recorder = new CallRecorder(session);
    await call(recorder, "LAB_ALLOC", { type: 3 });
    await call(recorder, "LAB_KEEP", { id: 1 });
    const { text } = await exportTrace(recorder);
    expect(text.trimEnd().split("\n").at(-1)).toContain('"warn":["release:users"]');
    await expectReplayed(recorder);
  });

  test("after the file was opened again, only its own calls are saved", async () => {
    const recorder = new CallRecorder(session);
    await call(recorder, "LAB_ALLOC", { type: 3 });
    session.reopen();
    session.context.tryIoctl(command("LAB_LOG").request, command("LAB_LOG").encode({}));
    expect(await call(recorder, "LAB_ALLOC", { type: 2 })).toBe(0);
    const saved = await exportTrace(recorder);
    expect([saved.calls, saved.leftOut.older]).toEqual([2, 1]);
  });
});

describe("what a recording cannot say is counted", () => {
  test("by reason", async () => {
    const own = session.iommufd.defineIoctl({ name: "MY_OWN", nr: 0xb0, fields: { id: "u32" }, execute: () => 7 });
    const recorder = new CallRecorder(session);
    const other = session.iommufd.open();
    const mapping = session.iommufd.userSpace.map(4096);
    const { request } = command("LAB_GET");
    await call(recorder, "LAB_ALLOC", { type: 3 });
    session.context.tryIoctl(own.request, own.encode({})); // ownCommand
    session.context.tryIoctl(0x5421, new Uint8Array(8)); // ownCommand: Linux answers it before any driver
    other.tryIoctl(request, command("LAB_GET").encode({})); // otherFile
    session.context.tryIoctl(request, mapping.va); // unknownMemory
    session.context.tryIoctl(request, null);
    session.addCalls([{ ...recorder.calls[0]!, thread: "worker 1" }]); // otherThread
    const saved = await exportTrace(recorder);
    expect(saved.leftOut).toEqual({
      ...{ older: 0, otherThread: 1, otherFile: 1, ownCommand: 2, unknownMemory: 1, notWaited: 0 },
    });
    expect(saved.calls).toBe(2);
    expect(saidOf(saved, "x.jsonl")).toBe(
      "Saved 2 calls as x.jsonl. Left out: 1 call of other threads; 1 call on another file; 2 calls of requests that a " +
        "replay does not know; 1 call with a pointer into memory of unknown content. Replayed here: 4 matched, 0 differed.",
    );
    await expectReplayed(recorder);
    other.close();
  });

  test("the list is bounded, and begins again with what is there then", async () => {
    const recorder = new CallRecorder(session);
    await call(recorder, "LAB_ALLOC", { type: 3 });
    const get = command("LAB_GET").encode({ id: 1 });
    for (let n = 0; n < 1_500; n++) session.context.tryIoctl(command("LAB_GET").request, get);
    expect(recorder.calls.length).toBeLessThanOrEqual(1_000);
    expect(recorder.calls.length + recorder.forgotten).toBe(1_501);
    await expectReplayed(recorder);
  });

  test("a session without the lab's ioctls saves what it has", async () => {
    const iommufd = await Iommufd.create({ memoryBytes: 16 * 2 ** 20 });
    const plain = LabSession.of(iommufd, iommufd.open());
    const recorder = new CallRecorder(plain);
    plain.context.tryIoctl(0x3ba0, new Uint8Array(28).fill(28, 0, 1)); // no LAB_ALLOC here
    plain.context.tryIoctl(0x3b80, null);
    plain.context.tryDestroy(1);
    await expectReplayed(recorder);
    plain.close();
  });

  test("so does one of the mainline profile", async () => {
    const iommufd = await Iommufd.create({ abi: "mainline", memoryBytes: 16 * 2 ** 20 });
    const { commands } = defineLab(iommufd);
    const mainline = LabSession.of(iommufd, iommufd.open(), commands);
    const recorder = new CallRecorder(mainline);
    mainline.context.tryIoctl(0x3b80, new Uint8Array(4).fill(4, 0, 1));
    mainline.context.tryIoctl(0x3ba1, new Uint8Array(12).fill(12, 0, 1));
    const saved = await exportTrace(recorder);
    expect([saved.calls, saved.leftOut.ownCommand]).toEqual([1, 1]);
    await expectReplayed(recorder);
    mainline.close();
  });
});

test("any sequence of calls is replayed alike", async () => {
  const small = fc.integer({ min: 0, max: 4 });
  const step = fc.record({
    name: fc.constantFrom(...session.commands.map(({ name }) => name)),
    id: small,
    type: small,
    hold: small,
    flags: fc.constantFrom(0, 0, 1, 2, 3, 4),
    shape: fc.constantFrom<Shape>("exact", "exact", "exact", ...SHAPES),
    pointer: fc.constantFrom<Pointer>("memory", "memory", "memory", ...POINTERS),
    file: fc.constantFrom<FileNumber>("open", "open", "open", "open", "closed"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      session.reopen();
      session.context.tryIoctl(command("LAB_LOG").request, command("LAB_LOG").encode({}));
      const recorder = new CallRecorder(session);
      for (const { name, shape, pointer, file, ...values } of steps) {
        const { fields } = command(name);
        const wanted: Record<string, number> = {
          id: values.id,
          type: values.type,
          hold_id0: values.hold,
          flags: values.flags,
        };
        const given = Object.fromEntries(Object.entries(wanted).filter(([field]) => field in fields));
        await call(recorder, name, given, { shape, pointer, file });
      }
      const saved = await exportTrace(recorder);
      recorder.stop();
      expect(saved.replayed).toEqual({ matched: steps.length + 2, differed: 0 });
    }),
    { numRuns: 40 },
  );
});
