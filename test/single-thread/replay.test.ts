// SPDX-License-Identifier: GPL-2.0-only
//
// The replay: every recorded answer of the real kernel is matched; what its options say; which recordings it refuses.
// What is compared is in replay-answers.test.ts, what becomes of the recorded process in replay-process.test.ts.

import { describe, expect, test } from "vitest";
import { readRecording, replay, replayAll, type ReplayOptions, type ReplayTotals } from "iommufd-wasm/replay";
import { type Call, call, failure, META, recording } from "../support/recording.ts";
import { alloc, DESTROY, MAINLINE, run } from "../support/replayed.ts";
import { loadVector, type VectorName } from "../support/vectors.ts";

test.each<[name: VectorName, expected: ReplayTotals]>([
  [
    "rfc-core",
    {
      scenarios: 193,
      matched: 43_419,
      differed: 0,
      skipped: 240,
      skippedBy: { vfs: 40, compat32: 170, syscall: 14, fork: 16 },
    },
  ],
  [
    "rfc-pure",
    { scenarios: 49, matched: 14_279, differed: 0, skipped: 224, skippedBy: { vfs: 40, compat32: 170, syscall: 14 } },
  ],
  [
    // Of 22,617 records 59 are not ours, 0.26 %: 38 that the VFS answers, 16 system calls that it answers for /dev/iommu or any
    // anonymous file, a fork and what its child did to the file, and an open of /dev/vfio/vfio. The test below has the list.
    "mainline-core",
    {
      scenarios: 94,
      matched: 22_558,
      differed: 0,
      skipped: 59,
      skippedBy: { vfs: 38, path: 1, syscall: 16, fork: 4 },
    },
  ],
])("every answer of the kernel in %s is matched, byte for byte", { timeout: 120_000 }, async (name, expected) => {
  const bytes = await loadVector(name);
  const { scenarios, totals } = await replayAll(readRecording(bytes));
  expect(scenarios.flatMap(({ differences }) => differences)).toEqual([]);
  expect(totals).toEqual(expected);
  // Every line but the first is accounted for.
  const lines = bytes.reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0);
  expect(totals.matched + totals.skipped).toBe(lines - 1);
});

test("what is not replayed of the mainline recording is this, and nothing else", { timeout: 60_000 }, async () => {
  const skipped: string[] = [];
  await replayAll(readRecording(await loadVector("mainline-core")), {
    onRecord({ record, outcome }) {
      if (outcome === "skipped")
        skipped.push(record.op === "named" ? record.name : `${record.op} of ${record.scenario}`);
    },
  });
  expect([...new Set(skipped)]).toEqual([
    "ioctl of dispatch.vfs_common",
    "open of fd.bad",
    ...["read16", "write16", "read0", "pread", "lseek0", "lseek_end", "lseek5", "mmap", "ftruncate", "fsync"],
    ...["poll", "poll_revents"],
    ...["fault_lseek", "fault_ioctl", "fault_cloexec", "fault_getfl_accmode"],
    "fork_child_alloc_id_x2_plus_destroyfail",
    "ioctl of fd.fork",
  ]);
});

describe("options", () => {
  const TWO = [
    call.open(0, { s: "first" }),
    { ...call.ioctl(0, DESTROY, [8, 1]), s: "first" },
    { ...call.ioctl(0, DESTROY, [8, 2]), s: "first" },
    call.open(0, { s: "second" }),
  ];

  test("differences are kept up to the limit and counted beyond", async () => {
    const { scenarios } = await run(TWO, { differencesPerScenario: 1 });
    expect(scenarios[0]).toMatchObject({ scenario: "first", matched: 1, differed: 2 });
    expect(scenarios[0]?.differences.map(({ record }) => record.line)).toEqual([3]);
  });

  test("onStart tells the profile and the commands, the lab's only where the kernel had it", async () => {
    const names: string[][] = [];
    const onStart: ReplayOptions["onStart"] = ({ commands }) => names.push(commands.map(({ name }) => name));
    await run(TWO, { onStart });
    await run(TWO, { onStart }, { ...META, mode: "pure" });
    expect(names[0]).toContain("LAB_ECHO");
    expect(names[1]).toEqual(["IOMMU_DESTROY"]);
  });

  test("onRecord sees each record with its outcome and the argument's bytes", async () => {
    const seen: object[] = [];
    const calls = [call.open(0), alloc(0, 1, 2), call.ioctl(0, DESTROY, [8, 9]), { op: "poll", ret: 1, errno: "" }];
    await run(calls, {
      onRecord: (replayed) => seen.push({ ...replayed, argument: replayed.argument?.slice() }),
    });
    expect(seen).toMatchObject([
      { outcome: "matched", result: 0, record: { op: "open" } },
      { outcome: "matched", result: 0, argument: { length: 28, 20: 1 } },
      { outcome: "differed", result: -2 },
      { outcome: "skipped", reason: "syscall" },
    ]);
  });

  test("a signal stops the replay between two calls", async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const running = run(TWO, {
      signal: controller.signal,
      onRecord: ({ record }) => {
        seen.push(record.line);
        controller.abort(new Error("enough"));
      },
    });
    await expect(running).rejects.toThrow("enough");
    expect(seen).toEqual([2]);
  });

  test("the profile follows the recorded kernel unless it is overridden", async () => {
    const short = [call.open(0), call.ioctl(0, DESTROY, [4, 1], failure("EINVAL"))];
    const mainline = { ...META, release: "6.12.117" };
    expect((await run(short, {}, mainline)).totals.differed).toBe(0);
    expect((await run(short, { abi: "rfc" }, mainline)).totals.differed).toBe(1);
    expect((await run(short, {}, META)).totals.differed).toBe(1);
  });

  test("a mainline recording has the table of its kernel's release, the newest where that is not known", async () => {
    const mapFile = (errno: string): Call => call.ioctl(0, 0x8f, [8, 0], failure(errno));
    expect((await run([call.open(0), mapFile("ENOTTY")], {}, MAINLINE)).totals.differed).toBe(0);
    const newest = { ...MAINLINE, release: "7.3.0" };
    expect((await run([call.open(0), mapFile("EINVAL")], {}, newest)).totals.differed).toBe(0);
    // 6.120 is not 6.12.
    expect(
      (await run([call.open(0), mapFile("EINVAL")], {}, { ...MAINLINE, release: "6.120.1" })).totals.differed,
    ).toBe(0);
    // Under the seed's rules a release means nothing.
    expect((await run([call.open(0), mapFile("ENOTTY")], { abi: "rfc" }, MAINLINE)).totals.differed).toBe(0);
  });
});

describe("recordings that cannot be replayed", () => {
  test("regions that overlap are refused with the meta line", async () => {
    const meta = { ...META, regions: { A: ["0x10000", 8192, "rw"], B: ["0x11000", 4096, "r"] } };
    await expect(run([call.open(0)], {}, meta)).rejects.toThrow(/^recording:1: cannot map region "B".*EEXIST/);
  });

  test("regions that do not fit into the memory are refused", async () => {
    const running = run(
      [call.open(0)],
      { memoryBytes: 4 << 20 },
      { ...META, regions: { A: ["0x10000", 8 << 20, "rw"] } },
    );
    await expect(running).rejects.toThrow(/^recording:1: cannot map region "A".*ENOMEM/);
  });

  test("records without a meta line, or with two, are refused", async () => {
    const records = [];
    for await (const record of readRecording(recording([call.open(0)]))) records.push(record);
    const [meta, open] = records;
    if (meta === undefined || open === undefined) throw new Error("two records were written");
    await expect(replayAll([open])).rejects.toThrow(/before the recording's meta line/);
    await expect(replayAll([meta, open, meta])).rejects.toThrow(/second recording/);
  });
});

test("scenarios are yielded one by one, and stopping early is fine", async () => {
  const text = recording([call.open(0, { s: "first" }), call.open(0, { s: "second" })]);
  const names: string[] = [];
  for await (const { scenario } of replay(readRecording(text))) {
    names.push(scenario);
    break;
  }
  expect(names).toEqual(["first"]);
});
