// SPDX-License-Identifier: GPL-2.0-only
//
// Files that several threads use: a file is released once, after its last use, by the thread where that ends.
//
// Destroy callbacks write into the board's log which thread ran them, so the log says who released.

import { describe, expect, test } from "vitest";
import { errnoOf } from "./support/answer.ts";
import { words } from "./support/bytes.ts";
import { type Crew, expectNothingLeft, startCrew, takeLog } from "./support/crew.ts";
import { counts } from "./support/objects.ts";

const SEED = 20220318;
/** What the log calls the test's own thread. */
const TEST = 99;

/** A crew whose threads all have the callback of type "logged", and an open file with one object of it. */
async function scene(count: number): Promise<{ crew: Crew; fd: number; id: number; close: () => void }> {
  const crew = await startCrew("member.js", count);
  const destroy = ({ payload }: { payload: DataView }): void => crew.board.log.append(TEST, payload.getUint32(0, true));
  const type = crew.iommufd.defineObjectType({ name: "logged", payloadBytes: 8, destroy });
  await crew.all("type", { name: "logged", callback: true });
  const context = crew.iommufd.open();
  const object = context.alloc(type);
  object.payload.setUint32(0, 41, true);
  return { crew, fd: context.fd, id: object.finalize(), close: () => context.close() };
}

describe("a file that is closed", () => {
  test("while another thread's call is in flight is released after that, by that thread", async () => {
    const { crew, fd, id, close } = await scene(2);
    const { iommufd, board, members } = crew;
    const [caller, other] = members;
    const request = await caller?.call<number>("command", { name: "GATED", nr: 0xb0, value: 5, gated: true });
    caller?.begin("ioctl", { fd, request, bytes: words(8, 0) });
    expect(await caller?.next()).toBe("executing");
    close();
    expect(iommufd.stats().files.open).toBe(1);
    expect(errnoOf(() => iommufd.fget(fd))).toBe("EBADF");
    expect(await other?.call("lock", { fd, id })).toBe("EBADF");
    expect(takeLog(board)).toEqual([]);
    board.openGate(0);
    expect(await caller?.next()).toBe(5);
    expect(takeLog(board)).toEqual([[0, 41]]);
    expectNothingLeft(iommufd);
  });

  test("while calls of several threads are in flight is released by the last of them", async () => {
    const { crew, fd, close } = await scene(3);
    const { iommufd, board, members } = crew;
    for (const member of members) {
      const request = await member.call<number>("command", { name: "GATED", nr: 0xb0, gated: true });
      member.begin("ioctl", { fd, request, bytes: words(8, 0) });
      expect(await member.next()).toBe("executing");
    }
    close();
    for (const last of [2, 0, 1]) {
      expect(takeLog(board)).toEqual([]);
      board.openGate(last);
      expect(await members[last]?.next()).toBe(0);
    }
    expect(takeLog(board)).toEqual([[1, 41]]);
    expectNothingLeft(iommufd);
  });

  test("while another thread has an object locked is released after its put, by that thread", async () => {
    const { crew, fd, id, close } = await scene(2);
    const { iommufd, board, members } = crew;
    const [first, last] = members;
    const handles = [await first?.call("lock", { fd, id }), await last?.call("lock", { fd, id })];
    close();
    expect(iommufd.stats().files.open).toBe(1);
    expect(await first?.call("put", { handle: handles[0] })).toBe("put");
    expect(iommufd.stats().files.open).toBe(1);
    expect(takeLog(board)).toEqual([]);
    expect(await last?.call("put", { handle: handles[1] })).toBe("put");
    expect(takeLog(board)).toEqual([[1, 41]]);
    expectNothingLeft(iommufd);
  });

  test("while another thread has a reservation in it is released when that ends", async () => {
    const { crew, fd, close } = await scene(1);
    const { iommufd, board, members } = crew;
    expect(await members[0]?.call("reserve", { fd, type: "logged" })).toBe(2);
    close();
    expect(iommufd.stats().files.open).toBe(1);
    expect(takeLog(board)).toEqual([]);
    await members[0]?.call("detach");
    expect(takeLog(board)).toEqual([[0, 41]]);
    expectNothingLeft(iommufd);
  });

  test("while another thread refers to it lives on there, and ends with that reference", async () => {
    const { crew, fd, id, close } = await scene(2);
    const { iommufd, board, members } = crew;
    const [referrer, other] = members;
    expect(await referrer?.call("fget", { fd })).toBe(fd);
    close();
    expect(iommufd.stats().files.open).toBe(1);
    expect(errnoOf(() => iommufd.file(fd))).toBe("EBADF");
    expect(await other?.call("fget", { fd })).toBe("EBADF");
    expect(await other?.call("destroy", { fd, id })).toBe("EBADF");
    expect(await referrer?.call("make", { fd, type: "logged", value: 42 })).toBe(2);
    expect(iommufd.open().fd).toBe(fd + 1);
    iommufd.file(fd + 1).close();
    expect(await referrer?.call("close", { fd })).toBe("closed");
    expect(takeLog(board)).toEqual([
      [0, 41],
      [0, 42],
    ]);
    expectNothingLeft(iommufd);
  });

  test("by another thread than the one that opened it is closed for both", async () => {
    const { crew } = await scene(2);
    const { iommufd, board, members } = crew;
    const [opener, closer] = members;
    const fd = await opener?.call<number>("open");
    await opener?.call("make", { fd, type: "logged", value: 7 });
    expect(counts(iommufd.file(fd ?? 0), 1)).toBe("1/0 live");
    expect(await closer?.call("closeNumber", { fd })).toBe("closed");
    expect(takeLog(board)).toEqual([[1, 7]]);
    expect(await opener?.call("make", { fd, type: "logged", value: 8 })).toBe("EBADF");
    expect(iommufd.open().fd).toBe(fd);
    expect(await opener?.call("close", { fd })).toBe("closed"); // not the later file of that number
    expect(iommufd.stats().files.open).toBe(2);
  });
});

test("files that are opened, referred to and closed by several threads are each released once", async () => {
  const { all, iommufd, board } = await startCrew("crowd.js", 4);
  const made = await all<number[]>("openAndClose", { rounds: 12_000, seed: SEED, threads: 4 });
  const destroyed = takeLog(board).map(([, value]) => value);
  expect(destroyed.sort((a, b) => a - b)).toEqual(made.flat().sort((a, b) => a - b));
  expect(destroyed.length).toBeGreaterThan(10_000);
  expectNothingLeft(iommufd);
  // All numbers are free again, the lowest first.
  expect([iommufd.open(), iommufd.open(), iommufd.open()].map(({ fd }) => fd)).toEqual([3, 4, 5]);
});

test("a file whose last use is a call that fails is released by that call", async () => {
  const { all, iommufd, board } = await startCrew("crowd.js", 2);
  const rounds = 4000;
  expect(await all("dropWhileClosing", { rounds, seed: SEED, threads: 2 })).toEqual([rounds, rounds]);
  expect(takeLog(board).length).toBe(rounds);
  expectNothingLeft(iommufd);
});
