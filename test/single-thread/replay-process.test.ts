// SPDX-License-Identifier: GPL-2.0-only
//
// The replay is the recorded process: its files by their labels, fault queues, rights and limits; and it leaves to others what is not the
// library's.

import { describe, expect, test } from "vitest";
import type { Difference, ReplayStart, ReplayTotals } from "iommufd-wasm/replay";
import { type Call, call, failure, hexWords } from "../support/recording.ts";
import { alloc, DESTROY, DROP, expectAllToMatch, KEEP, log, MAINLINE, run, STATE, state } from "../support/replayed.ts";

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
