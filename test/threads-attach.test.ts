// SPDX-License-Identifier: GPL-2.0-only
//
// Threads that come and go: slots of the shared memory, handles that belong to one thread, and what is left when one leaves.

import { Iommufd } from "iommufd-wasm";
import { expect, test } from "vitest";
import { errnoOf } from "./support/answer.ts";
import { otherThread } from "./support/boot.ts";
import { expectNothingLeft, startCrew, takeLog, until } from "./support/crew.ts";
import { counts, plainType } from "./support/objects.ts";

const MAX_THREADS = 64;

test("threads that attach, work and leave at the same time each have a slot of their own", async () => {
  const crew = await startCrew("crowd.js", 4);
  const rounds = 150;
  expect(await crew.all("comeAndGo", { rounds, threads: 4, meeting: true })).toEqual([rounds, rounds, rounds, rounds]);
  expect(crew.iommufd.stats().threads.attached).toBe(5);
  expectNothingLeft(crew.iommufd);
});

test("threads that attach and leave as fast as they can reuse the slots and lose nothing", async () => {
  const crew = await startCrew("crowd.js", 4);
  const rounds = 600;
  await crew.all("comeAndGo", { rounds, threads: 4, meeting: false });
  const destroyed = takeLog(crew.board).map(([, value]) => value);
  const made = [0, 1, 2, 3].flatMap((n) => Array.from({ length: rounds }, (_, round) => n * 0x100000 + round));
  expect(destroyed.sort((a, b) => a - b)).toEqual(made);
  expect(Math.max(...crew.iommufd.stats().threads.list.map(({ number }) => number))).toBe(4);
  expect(crew.iommufd.stats().threads.attached).toBe(5);
  expectNothingLeft(crew.iommufd);
});

test("exactly 64 threads get in, however many try at once, and each that leaves makes room for one", async () => {
  const crew = await startCrew("crowd.js", 3);
  const sums = await crew.all<number[]>("crowdIn", { rounds: 6, threads: 3 });
  const room = MAX_THREADS - 1 - 3;
  for (const sum of sums) expect(sum).toEqual([room, room, room, room, room, room]);
  expect(crew.iommufd.stats().threads.attached).toBe(4);
});

test("a worker is EAGAIN while the test's thread has all slots, and gets in when one is free", async () => {
  const crew = await startCrew("member.js", 1);
  const [worker] = crew.members;
  const others = Array.from({ length: MAX_THREADS - 2 }, () => otherThread(crew.iommufd));
  expect(errnoOf(() => Iommufd.attachSync(crew.iommufd.share))).toBe("EAGAIN");
  expect(await worker?.call("attachMore", { count: 1 })).toBe(0);
  others[7]?.detach();
  others[40]?.detach();
  expect(await worker?.call("attachMore", { count: 3 })).toBe(2);
  expect(crew.iommufd.stats().threads.attached).toBe(MAX_THREADS);
  expect(errnoOf(() => Iommufd.attachSync(crew.iommufd.share))).toBe("EAGAIN");
  expect(await worker?.call("detachMore", { count: 2 })).toBe(0);
  expect(crew.iommufd.stats().threads.attached).toBe(MAX_THREADS - 2);
  otherThread(crew.iommufd);
});

test("a handle of another thread is EINVAL for everything, and its owner's lock stays", async () => {
  const { iommufd, members } = await startCrew("member.js", 2);
  const [owner, stranger] = members;
  const context = iommufd.open();
  const object = context.alloc(plainType(iommufd));
  const id = object.finalize();
  const { fd } = context;
  const handle = await owner?.call<number>("lock", { fd, id });
  expect(handle).toBeGreaterThan(0);
  const answers = await stranger?.call<unknown[]>("misuse", { fd, handle });
  expect(answers).toEqual(Array.from({ length: 8 }, () => "EINVAL"));
  expect(errnoOf(() => context.put(handle ?? 0))).toBe("EINVAL");
  expect(counts(context, id)).toBe("2/1 live");
  expect(await owner?.call("put", { handle })).toBe("put");
  expect(counts(context, id)).toBe("1/0 live");
  context.close();
});

test("a handle of a thread that left is EINVAL for the thread that has its slot now", async () => {
  const { iommufd, board, members } = await startCrew("member.js", 2);
  const [leaver, heir] = members;
  const context = iommufd.open();
  const { fd } = context;
  const id = context.alloc(plainType(iommufd)).finalize();
  const handle = await leaver?.call<number>("lock", { fd, id });
  const numbers = iommufd.stats().threads.list.map(({ number }) => number);
  await leaver?.call("detach");
  await heir?.call("detach");
  await heir?.call("attach", { share: iommufd.share, buffer: board.buffer, number: 1 });
  expect(iommufd.stats().threads.list.map(({ number }) => number)).toEqual(numbers.slice(0, 2));
  expect(await heir?.call("misuse", { fd, handle })).toEqual(Array.from({ length: 8 }, () => "EINVAL"));
  expect(counts(context, id)).toBe("1/0 live");
  context.close();
  expectNothingLeft(iommufd);
});

test("a thread that leaves puts its locks: a destroy that waits for them in another thread goes on", async () => {
  const { iommufd, members } = await startCrew("member.js", 2);
  const [leaver, destroyer] = members;
  const context = iommufd.open();
  const { fd } = context;
  const id = context.alloc(plainType(iommufd)).finalize();
  expect(await leaver?.call("lock", { fd, id })).toBeGreaterThan(0);
  destroyer?.begin("destroy", { fd, id });
  await until(() => context.inspect(id)?.state === "destroying");
  expect(await leaver?.call("detach")).toBe("detached");
  expect(await destroyer?.next()).toBe(0);
  expect(iommufd.stats().warnings["detach:held"]).toBe(1);
  context.close();
  expectNothingLeft(iommufd);
});

test("a thread that leaves gives its reservations and its references to files back", async () => {
  const { iommufd, members } = await startCrew("member.js", 1);
  const [leaver] = members;
  const context = iommufd.open();
  const { fd } = context;
  await leaver?.call("type", { name: "plain" });
  expect(await leaver?.call("fget", { fd })).toBe(fd);
  expect(await leaver?.call("reserve", { fd, type: "plain" })).toBe(1);
  context.close();
  expect(iommufd.stats()).toMatchObject({ files: { open: 1 }, objects: { reserved: 1 } });
  await leaver?.call("detach");
  expectNothingLeft(iommufd);
});
