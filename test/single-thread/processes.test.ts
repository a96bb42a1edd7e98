// SPDX-License-Identifier: GPL-2.0-only
//
// Processes: address spaces of their own, credentials and limits, who a call acts for, and what an exit takes away.

import type { Capability, UserSpace, UserSpaceOptions } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { errnoOf, errnoOfAsync } from "../support/answer.ts";
import { boot, otherThread } from "../support/boot.ts";
import { make, plainType } from "../support/objects.ts";

const PAGE = 4096;
const VA = 0x4000_0000n;
const MAX_PROCESSES = 64;
const MIB = 1024 * 1024;

/** A process with a page at VA that is filled with `value`. */
function filled(space: UserSpace, value: number): UserSpace {
  space.map(PAGE, { va: VA }).bytes.fill(value);
  return space;
}

const first = (space: UserSpace): number | undefined => space.read(VA, 1)[0];

describe("address spaces", () => {
  test("the same address is another page in each process", async () => {
    const { iommufd } = await boot();
    const spaces = [iommufd.userSpace, iommufd.createUserSpace(), iommufd.createUserSpace()];
    spaces.forEach((space, index) => filled(space, index + 1));
    expect(spaces.map(first)).toEqual([1, 2, 3]);
    spaces[1]?.protect(VA, PAGE, "none");
    expect(spaces.map((space) => errnoOf(() => first(space)))).toEqual(["no error", "EFAULT", "no error"]);
    spaces.forEach((space) => expect(space.mappings().map(({ va }) => va)).toEqual([VA]));
    for (const mapping of spaces[0]?.mappings() ?? []) spaces[0]?.unmap(mapping);
    expect(spaces.map((space) => space.mappings().length)).toEqual([0, 1, 1]);
    expect(first(spaces[2] as UserSpace)).toBe(3);
    expect(iommufd.stats()).toMatchObject({ mappings: 2, processes: { alive: 3, max: MAX_PROCESSES } });
  });

  test("a mapping of one process cannot be unmapped by another", async () => {
    const { iommufd } = await boot();
    const [one, two] = [iommufd.createUserSpace(), iommufd.createUserSpace()];
    const mapping = one.map(PAGE);
    expect(two.map(PAGE).va).toBe(mapping.va); // the first gap of each
    expect(errnoOf(() => two.unmap(mapping))).toBe("EINVAL");
    one.unmap(mapping);
  });

  test("an address above user space reaches no other process", async () => {
    const { iommufd } = await boot();
    const space = filled(iommufd.createUserSpace(), 7);
    for (let index = 0n; index < 4n; index++) {
      const odd = (index << 48n) | VA;
      expect(errnoOf(() => iommufd.userSpace.read(odd, 1))).toBe("EFAULT");
      expect(errnoOf(() => iommufd.userSpace.write(odd, Uint8Array.of(1)))).toBe("EFAULT");
      if (index > 0n) expect(errnoOf(() => iommufd.userSpace.protect(odd, PAGE, "r"))).toBe("ENOMEM");
      if (index > 0n) expect(errnoOf(() => iommufd.userSpace.map(PAGE, { va: odd }))).toBe("EINVAL");
    }
    expect(first(space)).toBe(7);
  });

  test("pages of one process are found by it alone up to both ends of user space", async () => {
    const { iommufd } = await boot();
    const last = 0x7fff_ffff_f000n - BigInt(PAGE);
    const spaces = [iommufd.userSpace, iommufd.createUserSpace(), iommufd.createUserSpace()];
    spaces[0]?.map(PAGE, { va: last });
    spaces[2]?.map(PAGE, { va: 0x1000n });
    const middle = spaces[1] as UserSpace;
    expect(errnoOf(() => middle.read(last, 1))).toBe("EFAULT");
    expect(errnoOf(() => middle.read(0x1000n, 1))).toBe("EFAULT");
    expect(errnoOf(() => middle.protect(0x1000n, PAGE, "r"))).toBe("ENOMEM");
    expect(middle.mappings()).toEqual([]);
    middle.map(PAGE, { va: last });
    middle.map(PAGE, { va: 0x1000n });
    expect(iommufd.stats().mappings).toBe(4);
  });
});

describe("run and enter", () => {
  test("an ioctl reads and answers in the memory of the process that it is made for", async () => {
    const { iommufd } = await boot();
    const command = iommufd.defineIoctl({
      name: "PEEK",
      nr: 0xc0,
      fields: { address: "u64", value: "u32" },
      execute(cmd) {
        cmd.fields.value = cmd.copyFromUser(cmd.fields.address, 1)[0] ?? 0;
        cmd.respond();
      },
    });
    const context = iommufd.open();
    const peek = (): number => context.call(command, { address: VA }).value;
    const [one, two] = [filled(iommufd.createUserSpace(), 11), filled(iommufd.createUserSpace(), 22)];
    expect(errnoOf(peek)).toBe("EFAULT");
    expect([one.run(peek), two.run(peek), one.run(() => two.run(peek) + peek())]).toEqual([11, 22, 33]);
    iommufd.enter(two);
    expect(peek()).toBe(22);
    iommufd.enter(iommufd.userSpace);
    expect(errnoOf(peek)).toBe("EFAULT");
  });

  test("run gives its value back, and the process that was before, also when it throws", async () => {
    const { iommufd } = await boot();
    const [one, two] = [filled(iommufd.userSpace, 1), filled(iommufd.createUserSpace(), 2)];
    const context = iommufd.open();
    const command = iommufd.defineIoctl({ name: "NOP", nr: 0xc1, fields: { x: "u32" }, execute: () => undefined });
    const byAddress = (): number => context.tryIoctl(command.request, VA);
    one.map(PAGE, { va: VA + 0x1_0000n });
    expect(two.run(() => "value")).toBe("value");
    expect(() =>
      two.run(() => {
        throw new RangeError("no");
      }),
    ).toThrow(RangeError);
    one.write(VA, command.encode({}));
    expect(byAddress()).toBe(0);
    expect(two.run(byAddress)).not.toBe(0); // its first word is 0x02020202
  });

  test("an entered process stays the thread's, another thread's is its own", async () => {
    const { iommufd } = await boot();
    const space = filled(iommufd.createUserSpace(), 5);
    const other = otherThread(iommufd);
    const theirs = other.userSpaceOf(space.pid);
    expect(theirs.read(VA, 1)).toEqual(Uint8Array.of(5));
    other.enter(theirs);
    expect(errnoOf(() => iommufd.userSpace.read(VA, 1))).toBe("EFAULT");
    expect(other.userSpaceOf(1)).toBe(other.userSpace);
  });

  test("an ioctlAsync that waits is traced with the memory of the process that it began in", async () => {
    const { iommufd } = await boot();
    const space = iommufd.createUserSpace();
    const context = iommufd.open();
    const id = make(context, plainType(iommufd));
    const lock = context.get(id);
    const struct = new Uint32Array([8, id]);
    space.map(PAGE, { va: VA }).bytes.set(new Uint8Array(struct.buffer));
    const traced: Uint8Array[] = [];
    iommufd.onTrace(({ bytes }) => traced.push(bytes));
    const pending = space.run(async () => context.ioctlAsync(0x3b80, VA));
    lock.put();
    await expect(pending).resolves.toBe(0);
    expect(traced).toEqual([new Uint8Array(struct.buffer)]);
  });

  test.each([undefined, null, 2, {}, { pid: 1 }])("enter of %o is EINVAL", async (value) => {
    const { iommufd } = await boot();
    expect(errnoOf(() => iommufd.enter(value as never))).toBe("EINVAL");
  });

  test.each([0, -1, 2, 66, 2 ** 31, 1.5, NaN, "1", undefined])("no process has the number %o: ESRCH", async (pid) => {
    const { iommufd } = await boot();
    expect(errnoOf(() => iommufd.userSpaceOf(pid as number))).toBe("ESRCH");
  });
});

describe("credentials and limits", () => {
  test.each<[UserSpaceOptions | undefined, number, Capability[], number]>([
    [undefined, 1000, [], 8 * MIB],
    [{ uid: 0 }, 0, ["CAP_IPC_LOCK", "CAP_SYS_RAWIO", "CAP_SYS_RESOURCE"], 8 * MIB],
    [{ uid: 0, capabilities: [] }, 0, [], 8 * MIB],
    [{ uid: 2 ** 32 - 2, capabilities: ["CAP_SYS_RESOURCE"], memlockBytes: 0 }, 2 ** 32 - 2, ["CAP_SYS_RESOURCE"], 0],
    [{ memlockBytes: Infinity }, 1000, [], Infinity],
    [{ memlockBytes: 2n ** 40n }, 1000, [], 2 ** 40],
  ])("of a process made with %o", async (options, uid, capabilities, memlockBytes) => {
    const { iommufd } = await boot();
    const space = iommufd.createUserSpace(options);
    expect(space.credentials).toEqual({ uid, capabilities });
    expect(space.memlockBytes).toBe(memlockBytes);
    expect(space.memlock).toEqual({ lockedPages: 0, userLockedPages: 0, pinnedPages: 0 });
  });

  test("the default process may do everything", async () => {
    const { iommufd } = await boot();
    const { userSpace } = iommufd;
    expect(userSpace.pid).toBe(1);
    expect(userSpace.credentials.uid).toBe(0);
    expect(userSpace.credentials.capabilities).toHaveLength(3);
    expect(userSpace.memlockBytes).toBe(Infinity);
  });

  test("change one by one, for every thread", async () => {
    const { iommufd } = await boot();
    const space = iommufd.createUserSpace({ uid: 0 });
    const theirs = otherThread(iommufd).userSpaceOf(space.pid);
    space.setCredentials({ uid: 1000 });
    expect(theirs.credentials).toMatchObject({ uid: 1000, capabilities: { length: 3 } });
    space.setCredentials({ capabilities: ["CAP_IPC_LOCK"] });
    expect(theirs.credentials).toEqual({ uid: 1000, capabilities: ["CAP_IPC_LOCK"] });
    theirs.setMemlock(12_345);
    expect(space.memlockBytes).toBe(12_345);
  });

  test.each<[string, UserSpaceOptions]>([
    ["a negative uid", { uid: -1 }],
    ["uid -1 of 32 bits", { uid: 2 ** 32 - 1 }],
    ["a fraction", { uid: 0.5 }],
    ["an unknown capability", { capabilities: ["CAP_KILL" as Capability] }],
    ["a name that every object has", { capabilities: ["constructor" as Capability] }],
    ["capabilities that are no list", { capabilities: 3 as never }],
    ["a negative limit", { memlockBytes: -1 }],
    ["a limit beyond 64 bits", { memlockBytes: 2n ** 64n }],
    ["a limit that is no number", { memlockBytes: "8" as never }],
  ])("%s is EINVAL, and no process is made or changed", async (_name, options) => {
    const { iommufd } = await boot();
    expect(errnoOf(() => iommufd.createUserSpace(options))).toBe("EINVAL");
    expect(iommufd.stats().processes.alive).toBe(1);
    const space = iommufd.createUserSpace();
    if (options.memlockBytes === undefined) expect(errnoOf(() => space.setCredentials(options))).toBe("EINVAL");
    else expect(errnoOf(() => space.setMemlock(options.memlockBytes ?? 0))).toBe("EINVAL");
    expect(space.credentials).toEqual({ uid: 1000, capabilities: [] });
    expect(space.memlockBytes).toBe(8 * MIB);
  });
});

describe("exit", () => {
  test("takes all mappings, and nothing of other processes", async () => {
    const { iommufd } = await boot();
    const before = iommufd.stats().bytes.used;
    const space = iommufd.createUserSpace();
    for (let index = 0n; index < 20n; index++) space.map(3 * PAGE, { va: VA + index * 0x1_0000n });
    filled(iommufd.userSpace, 9);
    space.exit();
    expect(iommufd.stats()).toMatchObject({ mappings: 1, processes: { alive: 1 }, bytes: { used: before + PAGE } });
    expect(first(iommufd.userSpace)).toBe(9);
  });

  test("afterwards its memory is EFAULT and everything else ESRCH, also for a thread that is in it", async () => {
    const { iommufd } = await boot();
    const space = filled(iommufd.createUserSpace(), 1);
    const other = otherThread(iommufd);
    other.enter(other.userSpaceOf(space.pid));
    const context = other.open();
    space.exit();
    expect(errnoOf(() => space.exit())).toBe("ESRCH");
    expect(errnoOf(() => space.run(() => 0))).toBe("ESRCH");
    expect(errnoOf(() => space.map(PAGE))).toBe("ESRCH");
    expect(errnoOf(() => space.credentials)).toBe("ESRCH");
    expect(errnoOf(() => space.memlockBytes)).toBe("ESRCH");
    expect(errnoOf(() => space.memlock)).toBe("ESRCH");
    expect(errnoOf(() => space.setMemlock(1))).toBe("ESRCH");
    expect(errnoOf(() => space.setCredentials({}))).toBe("ESRCH");
    expect(errnoOf(() => iommufd.enter(space))).toBe("ESRCH");
    expect(errnoOf(() => iommufd.userSpaceOf(space.pid))).toBe("ESRCH");
    expect(errnoOf(() => space.read(VA, 1))).toBe("EFAULT");
    expect(errnoOf(() => space.write(VA, Uint8Array.of(1)))).toBe("EFAULT");
    expect(errnoOf(() => space.protect(VA, PAGE, "r"))).toBe("ENOMEM");
    expect(space.mappings()).toEqual([]);
    expect(errnoOf(() => context.ioctl(0x3b80, VA))).toBe("EFAULT");
    expect(errnoOf(() => context.ioctl(0x3b80, new Uint32Array([8, 1])))).toBe("ENOENT"); // a buffer is nobody's
  });

  test("the default process never ends", async () => {
    const { iommufd } = await boot();
    filled(iommufd.userSpace, 3);
    expect(errnoOf(() => iommufd.userSpace.exit())).toBe("EINVAL");
    expect(first(iommufd.userSpace)).toBe(3);
  });

  test("a run whose own process ends before it is over goes on without memory, and so does who was outside", async () => {
    const { iommufd } = await boot();
    filled(iommufd.userSpace, 8);
    const [outer, inner] = [filled(iommufd.createUserSpace(), 1), filled(iommufd.createUserSpace(), 2)];
    const context = iommufd.open();
    const look = (): string => errnoOf(() => context.ioctl(0x3b80, VA));
    outer.run(() => {
      inner.run(() => {
        inner.exit();
        expect(look()).toBe("EFAULT");
        outer.exit();
      });
      expect(look()).toBe("EFAULT");
      for (let made = 0; made < 10; made++) filled(iommufd.createUserSpace(), 4); // nobody else's memory instead
      expect(look()).toBe("EFAULT");
    });
    expect(first(iommufd.userSpace)).toBe(8);
    expect(look()).not.toBe("EFAULT");
  });

  test("a number is never given twice, and the row is used again", async () => {
    const { iommufd } = await boot();
    const pids = new Set<number>();
    for (let round = 0; round < 300; round++) {
      const space = iommufd.createUserSpace({ uid: round });
      pids.add(space.pid);
      expect(space.credentials.uid).toBe(round);
      expect(space.mappings()).toEqual([]);
      space.map(PAGE);
      space.exit();
    }
    expect(pids.size).toBe(300);
    expect(iommufd.stats().processes.alive).toBe(1);
  });
});

describe("exhaustion", () => {
  test("one process too many is EAGAIN, changes nothing, and fits when another has ended", async () => {
    const { iommufd } = await boot();
    const spaces = Array.from({ length: MAX_PROCESSES - 1 }, (_, uid) => iommufd.createUserSpace({ uid: 5000 + uid }));
    const before = iommufd.stats();
    expect(errnoOf(() => iommufd.createUserSpace())).toBe("EAGAIN");
    expect(iommufd.stats()).toEqual(before);
    spaces[17]?.exit();
    expect(iommufd.createUserSpace().credentials.uid).toBe(1000);
    expect(spaces[16]?.credentials.uid).toBe(5016);
  });

  test("a process that has ended keeps its row while a thread acts for it, and no longer", async () => {
    const { iommufd } = await boot();
    const spaces = Array.from({ length: MAX_PROCESSES - 1 }, () => iommufd.createUserSpace());
    const [space] = spaces as [UserSpace];
    iommufd.enter(space);
    space.exit();
    expect(errnoOf(() => iommufd.createUserSpace())).toBe("EAGAIN");
    iommufd.enter(iommufd.userSpace);
    iommufd.createUserSpace();
  });

  test("a thread that leaves is in no process any more", async () => {
    const { iommufd } = await boot();
    const spaces = Array.from({ length: MAX_PROCESSES - 1 }, () => iommufd.createUserSpace());
    const [space] = spaces as [UserSpace];
    const other = otherThread(iommufd);
    other.enter(other.userSpaceOf(space.pid));
    space.exit();
    expect(errnoOf(() => iommufd.createUserSpace())).toBe("EAGAIN");
    other.detach();
    iommufd.createUserSpace();
  });

  test("rows of mappings are shared by all processes: ENOMEM for the next, and an exit gives them back", async () => {
    const { iommufd } = await boot({ memoryBytes: 16 * MIB });
    const [one, two] = [iommufd.createUserSpace(), iommufd.createUserSpace()];
    for (let made = 0; made < 1024; made++) (made % 2 === 0 ? one : two).map(PAGE);
    expect(errnoOf(() => iommufd.userSpace.map(PAGE))).toBe("ENOMEM");
    one.exit();
    expect(iommufd.stats().mappings).toBe(512);
    for (let made = 0; made < 512; made++) iommufd.userSpace.map(PAGE);
    expect(errnoOf(() => two.map(PAGE))).toBe("ENOMEM");
  });
});

test("a thread that detached gets ESRCH from all of it", async () => {
  const { iommufd } = await boot();
  const other = otherThread(iommufd);
  const space = other.createUserSpace();
  other.detach();
  expect(errnoOf(() => other.createUserSpace())).toBe("ESRCH");
  expect(errnoOf(() => other.enter(space))).toBe("ESRCH");
  expect(errnoOf(() => space.run(() => 0))).toBe("ESRCH");
  expect(errnoOf(() => space.exit())).toBe("ESRCH");
  expect(await errnoOfAsync(Promise.resolve())).toBe("no error");
  expect(iommufd.userSpaceOf(space.pid).credentials.uid).toBe(1000); // the process lives on
});
