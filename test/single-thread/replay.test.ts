// SPDX-License-Identifier: GPL-2.0-only
//
// The replay: every recorded answer of the real kernel is matched, and whatever is not as recorded is noticed.

import { describe, expect, test } from "vitest";
import {
  readRecording,
  replay,
  replayAll,
  type Difference,
  type ReplayOptions,
  type ReplayStart,
  type ReplayTotals,
  type ScenarioResult,
} from "iommufd-wasm/replay";
import {
  address,
  ARG,
  ARG_BYTES,
  AUX,
  type Call,
  call,
  failure,
  hexWords,
  META,
  READ_ONLY,
  recording,
  SPLIT,
} from "../support/recording.ts";
import { loadVector, type VectorName } from "../support/vectors.ts";

/** A mainline kernel. */
const MAINLINE = { ...META, release: "6.12.117-oracle" };

const ALLOC = 0xa0;
const KEEP = 0xa2;
const DROP = 0xa3;
const LOG = 0xa5;
const STATE = 0xa6;
const ECHO = 0xa7;
const DESTROY = 0x80;

/** ALLOC of a type with up to two holds, and the ID that it gets. */
function alloc(fd: number, id: number, type: number, hold0 = 0, hold1 = 0): Call {
  const words = [28, type, hold0, hold1, 0, 0, 0];
  return call.ioctl(fd, ALLOC, words, { out: hexWords([28, type, hold0, hold1, 0, id, 0]) });
}

/** LOG into AUX, which must then hold these type, ID pairs. */
function log(fd: number, entries: readonly number[]): Call {
  const words = (count: number): number[] => [24, 16, Number(AUX & 0xffff_ffffn), Number(AUX >> 32n), count, 0];
  return call.ioctl(fd, LOG, words(0), {
    out: hexWords(words(entries.length / 2)),
    mem: [{ va: address(AUX), len: 128, in: "", out: hexWords(entries) }],
  });
}

function state(fd: number, id: number, users: number, type: number): Call {
  return call.ioctl(fd, STATE, [16, id, 0, 0], { out: hexWords([16, id, users, type]) });
}

async function run(
  calls: readonly Call[],
  options: ReplayOptions = {},
  meta: object = META,
): Promise<{ scenarios: ScenarioResult[]; totals: ReplayTotals; differences: Difference[] }> {
  const { scenarios, totals } = await replayAll(readRecording(recording(calls, meta)), options);
  return { scenarios, totals, differences: scenarios.flatMap(({ differences }) => differences) };
}

async function expectAllToMatch(calls: readonly Call[], matched = calls.length): Promise<void> {
  const { totals, differences } = await run(calls);
  expect(differences).toEqual([]);
  expect(totals).toMatchObject({ matched, differed: 0, skipped: calls.length - matched });
}

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

describe("what is compared", () => {
  const findings = async (calls: readonly Call[]): Promise<object[]> => {
    const { differences, totals } = await run(calls);
    expect(totals.differed).toBe(1);
    return differences.flatMap((difference) => [...difference.findings]);
  };

  test("the result", async () => {
    const wrong = call.ioctl(0, DESTROY, [8, 1], failure("EBUSY"));
    expect(await findings([call.open(0), wrong])).toEqual([{ what: "result", expected: -16, got: -2 }]);
  });

  test("each byte of the argument, also the ones that must not change", async () => {
    const wrong = call.ioctl(0, DESTROY, [8, 1], { ...failure("ENOENT"), out: hexWords([8, 0x0100_0001]) });
    expect(await findings([call.open(0), wrong])).toMatchObject([
      { what: "argument", address: ARG + 4096n, offset: 0, count: 1, expected: { 7: 1 }, got: { 7: 0 } },
    ]);
  });

  test("a difference far behind the argument's start, by a window around it", async () => {
    const addr = address(ARG);
    const far = { addr, len: 5000, in: hexWords([8, 1]), out: `${hexWords([8, 1]).padEnd(2 * 4000, "0")}11` };
    const [finding] = await findings([call.open(0), call.ioctl(0, DESTROY, [], { ...far, ...failure("ENOENT") })]);
    expect(finding).toMatchObject({ offset: 4000, count: 1, expected: { 0: 0x11 }, got: { 0: 0 } });
  });

  test("other memory", async () => {
    const right = log(0, []);
    const wrong = { ...right, mem: [{ va: address(AUX), len: 8, in: "", out: "01" }] };
    expect(await findings([call.open(0), wrong])).toMatchObject([{ what: "memory", address: AUX, count: 1 }]);
  });

  test("the guard behind the argument", async () => {
    const wrong = call.ioctl(0, DESTROY, [8, 1], { ...failure("ENOENT"), past_end: "00" });
    expect(await findings([call.open(0), wrong])).toMatchObject([{ what: "guard", address: ARG + 4104n, count: 64 }]);
  });

  test("warnings that were recorded and do not come", async () => {
    const wrong = call.close(0, { warn: ["release:users"] });
    expect(await findings([call.open(0), wrong])).toEqual([{ what: "warnings", expected: ["release:users"], got: [] }]);
  });

  test("warnings that come and were not recorded, even where the closing itself was not", async () => {
    const kept = [call.open(0), alloc(0, 1, 2), call.ioctl(0, KEEP, [12, 1, 0])];
    const unrecorded = [{ what: "warnings", expected: [], got: ["release:users"] }];
    expect(await findings([...kept, call.close(0)])).toEqual(unrecorded);
    expect(await findings(kept)).toEqual(unrecorded);
    await expectAllToMatch([...kept, { op: "implicit_close", warn: ["release:users"] }]);
  });
});

describe("how an argument's memory is prepared", () => {
  const ENOENT = failure("ENOENT");

  test("buf and odd are followed by guard bytes, which a larger declared size runs into", async () => {
    await expectAllToMatch([
      call.open(0),
      call.ioctl(0, DESTROY, [8, 1], ENOENT),
      call.ioctl(0, DESTROY, [9, 1], failure("E2BIG")),
      call.ioctl(0, DESTROY, [8, 1], { how: "odd", addr: address(ARG + 4097n), ...ENOENT }),
      call.ioctl(0, DESTROY, [9, 1], { how: "odd", addr: address(ARG + 4097n), ...failure("E2BIG") }),
    ]);
  });

  test("behind the edge nothing is accessible", async () => {
    const addr = address(ARG + BigInt(ARG_BYTES - 8));
    await expectAllToMatch([
      call.open(0),
      call.ioctl(0, DESTROY, [8, 1], { how: "edge", addr, ...ENOENT }),
      call.ioctl(0, DESTROY, [9, 1], { how: "edge", addr, ...failure("EFAULT") }),
      call.ioctl(0, DESTROY, [], { how: "edge", addr: address(ARG + BigInt(ARG_BYTES)), ...failure("EFAULT") }),
    ]);
  });

  test("a read-only argument can be read, zeros follow, and no reply fits", async () => {
    const at = { how: "ro", addr: address(READ_ONLY) };
    await expectAllToMatch([
      call.open(0),
      call.ioctl(0, DESTROY, [12, 1, 7], { ...at, ...failure("E2BIG") }),
      call.ioctl(0, DESTROY, [200, 1], { ...at, ...ENOENT }),
      call.ioctl(0, ALLOC, [28, 1, 0, 0, 0, 0, 0], { ...at, ...failure("EFAULT") }),
      alloc(0, 1, 1),
    ]);
  });

  test("a split argument is writable up to its cut; what a failed reply left there is no promise", async () => {
    const words = [56, 1, ...Array<number>(12).fill(0)];
    const split = (cut: number, more: object): Call =>
      call.ioctl(0, ECHO, words, { how: "split", cut, addr: address(SPLIT + 4096n - BigInt(cut)), ...more });
    const inverted = hexWords([56, 1, ...Array<number>(12).fill(0xffff_ffff)]);
    await expectAllToMatch([
      call.open(0),
      split(56, { out: inverted }),
      split(20, failure("EFAULT")),
      split(20, { out: inverted, ...failure("EFAULT") }),
    ]);
  });

  test("a raw pointer is passed as it is", async () => {
    const raw = (addr: string): Call => ({
      ...{ op: "ioctl", fd: 0, cmd: "0x00003b80", how: "raw", addr },
      ...failure("EFAULT"),
    });
    const addresses = ["0x0", "0x10300000000", "0x10500000000", "0x8000000000000000", "0xffffffffffffffff"];
    await expectAllToMatch([call.open(0), ...addresses.map(raw)]);
  });
});

describe("files", () => {
  test("a label that was never opened, was closed, or whose open failed is a bad file number", async () => {
    const bad = failure("EBADF");
    await expectAllToMatch([
      call.ioctl(-1, DESTROY, [8, 1], bad),
      call.ioctl(7, DESTROY, [8, 1], bad),
      call.open(0),
      call.close(0),
      call.ioctl(0, DESTROY, [8, 1], bad),
      call.close(0, bad),
      call.dup(0, 1, bad),
      call.ioctl(1, DESTROY, [8, 1], bad),
      call.open(2, { flags: 0x4002, ...failure("EINVAL") }),
      call.ioctl(2, DESTROY, [8, 1], bad),
    ]);
  });

  test("a path that was only looked up has no ioctls", async () => {
    const O_PATH = 0x20_0000;
    await expectAllToMatch([
      call.open(0, { flags: O_PATH }),
      call.ioctl(0, DESTROY, [8, 1], failure("EBADF")),
      call.dup(0, 1),
      call.close(0),
      call.ioctl(1, DESTROY, [8, 1], failure("EBADF")),
      call.close(1),
    ]);
  });

  test("a duplicate is the same file, and only the last close releases it", async () => {
    await expectAllToMatch([
      call.open(0),
      call.open(9),
      alloc(0, 1, 3),
      call.dup(0, 1),
      state(1, 1, 1, 3),
      call.close(0),
      state(1, 1, 1, 3),
      call.dup(1, 2),
      call.close(1),
      call.ioctl(1, STATE, [16, 1, 0, 0], failure("EBADF")),
      alloc(2, 2, 1, 1),
      log(9, []),
      call.close(2),
      log(9, [1, 2, 3, 1]),
    ]);
  });

  test("a label that is given to another file leaves its first one open until the scenario ends", async () => {
    await expectAllToMatch([
      call.open(0, { s: "first" }),
      { ...alloc(0, 1, 2), s: "first" },
      call.open(0, { s: "first" }),
      { ...call.ioctl(0, DESTROY, [8, 1], failure("ENOENT")), s: "first" },
      { ...log(0, []), s: "first" },
      call.open(0, { s: "second" }),
      { ...log(0, []), s: "second" },
    ]);
  });

  test("an implicit close takes the files in the order of their labels", async () => {
    const leaked = "release:users";
    const wrongWay = [call.open(1), alloc(1, 1, 1), alloc(1, 2, 3, 1)];
    const kept = [call.open(0), alloc(0, 1, 2), call.ioctl(0, KEEP, [12, 1, 0])];
    const warn = [leaked, leaked, "refcount:decrement_hit_0_leaking_memory"];
    await expectAllToMatch([...wrongWay, ...kept, { op: "implicit_close", warn }]);
  });

  test("a scenario starts without files and with an empty log, whatever the one before left", async () => {
    await expectAllToMatch([
      call.open(0, { s: "first" }),
      { ...alloc(0, 1, 1), s: "first" },
      { ...alloc(0, 2, 2), s: "first" },
      { ...call.ioctl(0, DESTROY, [8, 1]), s: "first" },
      { ...call.ioctl(0, DESTROY, [8, 2], failure("EBADF")), s: "second" },
      call.open(0, { s: "second" }),
      { ...log(0, []), s: "second" },
      { ...alloc(0, 1, 1), s: "second" },
    ]);
  });

  test("a kept reference is dropped as often as it was taken", async () => {
    await expectAllToMatch([
      call.open(0),
      alloc(0, 1, 2),
      alloc(0, 2, 1, 1),
      call.ioctl(0, DROP, [8, 1], failure("EINVAL")),
      call.ioctl(0, KEEP, [12, 1, 0]),
      state(0, 1, 3, 2),
      call.ioctl(0, DROP, [8, 1]),
      call.ioctl(0, DROP, [8, 1], failure("EINVAL")),
      state(0, 1, 2, 2),
    ]);
  });
});

describe("what is not the library's to reproduce", () => {
  const skips = async (calls: readonly Call[], skippedBy: object, matched: number): Promise<void> => {
    const { totals, differences } = await run(calls);
    expect(differences).toEqual([]);
    expect(totals).toMatchObject({ skippedBy, matched });
  };

  test("requests that Linux answers before the driver", async () => {
    const requests = ["0x00000002", "0x00005421", "0x00005450", "0x00005451", "0x00005452"];
    const calls = requests.map((cmd) => call.ioctl(0, 0, [], { cmd, len: 4 }));
    await skips([call.open(0), ...calls, call.ioctl(-1, 0, [], { cmd: "0x00005450" })], { vfs: 6 }, 1);
    const s = "dispatch.vfs_common";
    await skips([call.open(0, { s }), { ...call.ioctl(0, 0, [], { cmd: "0x00005401" }), s }], { vfs: 1 }, 1);
  });

  test("32-bit callers and other system calls", async () => {
    const compat = { ...call.ioctl(0, DESTROY, [8, 1], failure("ENOTTY")), op: "ioctl_compat32" };
    const poll = { op: "poll_revents", fd: 0, ret: 5, errno: "" };
    await skips([call.open(0), compat, poll], { compat32: 1, syscall: 1 }, 1);
  });

  test("a forked child, what follows it in the scenario, and its closing, but not the next scenario", async () => {
    const calls = [
      call.open(0, { s: "first" }),
      { ...alloc(0, 1, 2), s: "first" },
      { ...call.ioctl(0, KEEP, [12, 1, 0]), s: "first" },
      { op: "fork_child_does_things", ret: 4, errno: "", s: "first" },
      { ...call.ioctl(0, DESTROY, [8, 1], failure("ENOENT")), s: "first" },
      call.open(0, { s: "second" }),
    ];
    await skips(calls, { fork: 2 }, 4);
  });

  test("another device node and the files that it gives", async () => {
    const calls = [
      call.open(0, { path: "/dev/vfio/vfio" }),
      call.ioctl(0, 0x64, [0]),
      call.dup(0, 1),
      call.close(0),
      call.ioctl(1, 0x64, [0]),
      call.close(1),
      call.ioctl(1, 0x64, [0], failure("EBADF")),
      call.open(0),
    ];
    await skips(calls, { path: 6 }, 2);
  });
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

describe("fault queues", () => {
  const queue = (id: number): Call => call.ioctl(0, 0x8e, [16, 0, 0, 0], { out: hexWords([16, 0, id, 5]) }); // 5: a number of the recorded process
  const named = (op: string, ret: number, errno = ""): Call => ({ op, ret, errno });
  const destroy = (id: number, more: object = {}): Call => call.ioctl(0, DESTROY, [8, id], more);
  const replayed = async (calls: readonly Call[]): Promise<ReplayTotals & { differences: Difference[] }> => {
    const { totals, differences } = await run(calls, {}, MAINLINE);
    return { ...totals, differences };
  };

  test("are read, written, polled and closed by the calls that the recorder named", async () => {
    const calls = [
      call.open(0),
      queue(1),
      named("fault_read0", 0),
      named("fault_read40", 0),
      named("fault_read41", -1, "ESPIPE"),
      named("fault_write8", -1, "EINVAL"),
      named("fault_poll", 1),
      named("fault_revents", 4),
      destroy(1, failure("EBUSY")),
      { ...named("close_raw_fd", 0), what: "out_fault_fd" },
      destroy(1),
    ];
    expect(await replayed(calls)).toMatchObject({ matched: calls.length, differences: [] });
  });

  test("that answer otherwise than recorded differ", async () => {
    const calls = [
      call.open(0),
      queue(1),
      named("fault_read40", 40),
      named("fault_write8", 8),
      named("fault_revents", 5),
    ];
    expect(await replayed(calls)).toMatchObject({
      differed: 3,
      differences: [
        { findings: [{ what: "result", expected: 40, got: 0 }] },
        { findings: [{ what: "result", expected: 8, got: -22 }] },
        { findings: [{ what: "result", expected: 5, got: 4 }] },
      ],
    });
  });

  test("are closed when the scenario ends, and the next one begins without", async () => {
    const first = [call.open(0), queue(1), queue(2)].map((each) => ({ ...each, s: "first" }));
    const second = [call.open(0), named("fault_read40", 0), queue(1)].map((each) => ({ ...each, s: "second" }));
    expect(await replayed([...first, ...second])).toMatchObject({
      matched: 5,
      skippedBy: { syscall: 1 },
      differences: [],
    });
  });

  test("other calls on their files are not the library's", async () => {
    const calls = [call.open(0), queue(1), named("fault_cloexec", 1), named("fault_lseek", -1, "ESPIPE")];
    expect(await replayed(calls)).toMatchObject({ matched: 2, skippedBy: { syscall: 2 } });
  });
});

describe("the recorded process", () => {
  const option = (value: number, more: object = {}): Call => call.ioctl(0, 0x87, [24, 0, 0, 0, value, 0], more);
  const dropped = { op: "drop_privileges_to_uid_1000" };

  test("is root until it drops its privileges, and root again in the next scenario", async () => {
    const calls = [
      ...[call.open(0), option(1), dropped, option(0, failure("EPERM"))].map((each) => ({ ...each, s: "first" })),
      ...[call.open(0), option(1)].map((each) => ({ ...each, s: "second" })),
    ];
    const { totals, differences } = await run(calls, {}, MAINLINE);
    expect(differences).toEqual([]);
    expect(totals).toMatchObject({ matched: 6, skipped: 0 });
  });

  test("has the limit that it set", async () => {
    const limits: number[] = [];
    let iommufd: ReplayStart["iommufd"] | undefined;
    const calls = [{ op: "setrlimit_memlock", ret: 65_536, errno: "", s: "first" }, call.open(0, { s: "second" })];
    await run(
      calls,
      {
        onStart: (start) => (iommufd = start.iommufd),
        onRecord: () => limits.push(iommufd?.userSpace.memlockBytes ?? -1),
      },
      MAINLINE,
    );
    expect(limits).toEqual([65_536, Infinity]);
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
