// SPDX-License-Identifier: GPL-2.0-only
//
// Types and commands that several threads define: one shape for all, callbacks for each, and objects whose callback is elsewhere.

import { describe, expect, test } from "vitest";
import { errnoOf } from "./support/answer.ts";
import { boot } from "./support/boot.ts";
import { words } from "./support/bytes.ts";
import { expectNothingLeft, startCrew, takeLog, until } from "./support/crew.ts";
import { counts, loggedType, make, plainType } from "./support/objects.ts";

const SEED = 20220318;

interface Defined {
  types: Record<string, number | string>;
  commands: Record<string, number | string>;
  calls: Record<string, number | string>;
}

describe("threads that define the same names and numbers at the same time", () => {
  test("agree on each type's number; of two shapes one wins for all, the other is EEXIST", async () => {
    const crew = await startCrew("crowd.js", 4);
    const names = Array.from({ length: 40 }, (_, n) => `type ${n}`);
    const contested = Array.from({ length: 20 }, (_, n) => `contested ${n}`);
    for (let attempt = 0; attempt < 12; attempt++) {
      const { iommufd } = await boot();
      await crew.attachTo(iommufd);
      const defined = await crew.all<Defined>("defineAll", {
        ...{ names, contested, numbers: [], threads: 4, seed: SEED + attempt },
      });
      const [first] = defined;
      for (const { types } of defined) for (const name of names) expect(types[name], name).toBe(first?.types[name]);
      for (const name of contested) {
        const [even, odd] = [defined[0]?.types[name], defined[1]?.types[name]];
        expect([defined[2]?.types[name], defined[3]?.types[name]]).toEqual([even, odd]);
        expect([typeof even, typeof odd].sort(), name).toEqual(["number", "string"]);
        expect([even, odd]).toContain("EEXIST");
      }
      const numbers = defined.flatMap(({ types }) => Object.values(types)).filter((value) => value !== "EEXIST");
      expect([...new Set(numbers)].sort((a, b) => Number(a) - Number(b))).toEqual(
        Array.from({ length: 60 }, (_, n) => n + 1),
      );
      await crew.all("detach");
    }
  });

  test("can call a command exactly where it was defined, and it runs the caller's own callback", async () => {
    const crew = await startCrew("crowd.js", 4);
    const numbers = Array.from({ length: 64 }, (_, n) => 0x81 + n);
    for (let attempt = 0; attempt < 12; attempt++) {
      const { iommufd } = await boot();
      await crew.attachTo(iommufd);
      const defined = await crew.all<Defined>("defineAll", {
        ...{ names: [], contested: [], numbers, threads: 4, seed: SEED + attempt },
      });
      for (const nr of numbers) {
        const answers = defined.map(({ commands }) => commands[nr]);
        const isContested = nr % 2 === 1;
        if (!isContested) expect(answers, `${nr}`).toEqual([nr, nr, nr, nr]);
        else
          expect([
            [nr, "EEXIST", nr, "EEXIST"],
            ["EEXIST", nr, "EEXIST", nr],
          ]).toContainEqual(answers);
        const calls = defined.map(({ calls }) => calls[nr]);
        expect(calls).toEqual(answers.map((answer, member) => (answer === "EEXIST" ? "ENOTTY" : member)));
      }
      await crew.all("detach");
    }
  });
});

test("what another thread has defined can be bound with the same shape only", async () => {
  const { iommufd, members } = await startCrew("member.js", 1);
  const [worker] = members;
  await worker?.call("type", { name: "theirs", payloadBytes: 24, callback: true });
  await worker?.call("command", { name: "THEIRS", nr: 0xb0, fields: { a: "u32", b: "u64" }, value: 7 });
  expect(errnoOf(() => iommufd.defineObjectType({ name: "theirs", payloadBytes: 25 }))).toBe("EEXIST");
  expect(iommufd.defineObjectType({ name: "theirs", payloadBytes: 24 }).number).toBe(1);
  const execute = () => 9;
  const shape = { name: "THEIRS", nr: 0xb0, fields: { a: "u32", b: "u64" }, execute } as const;
  expect(errnoOf(() => iommufd.defineIoctl({ ...shape, name: "OURS" }))).toBe("EEXIST");
  expect(errnoOf(() => iommufd.defineIoctl({ ...shape, fields: { a: "u32", b: "s64" } }))).toBe("EEXIST");
  const context = iommufd.open();
  const bytes = words(16, 0, 0, 0);
  expect(errnoOf(() => context.ioctl(0x3bb0, bytes))).toBe("ENOTTY");
  iommufd.defineIoctl(shape);
  expect(context.ioctl(0x3bb0, bytes)).toBe(9);
  expect(await worker?.call("ioctl", { fd: context.fd, request: 0x3bb0, bytes })).toBe(7);
  context.close();
});

test("a DESTROY where the callback is not is ENOSYS, by all its ways, and the object stays", async () => {
  const { iommufd, board, members } = await startCrew("member.js", 1);
  const [worker] = members;
  await worker?.call("type", { name: "theirs", callback: true });
  const type = plainType(iommufd, "theirs");
  const context = iommufd.open();
  const { fd } = context;
  const id = make(context, type);
  expect(errnoOf(() => context.destroy(id))).toBe("ENOSYS");
  const reference = context.get(id).putKeepUser();
  expect(errnoOf(() => reference.destroyUser())).toBe("ENOSYS");
  reference.drop();
  expect(counts(context, id)).toBe("1/0 live");
  expect(takeLog(board)).toEqual([]);
  expect(await worker?.call("destroy", { fd, id })).toBe(0);
  expect(takeLog(board)).toEqual([[0, 0]]);
  context.close();
});

describe("objects that a release leaves to threads with their callback", () => {
  test("are destroyed by an idle thread that has it, each once, thousands of them", async () => {
    const crew = await startCrew("crowd.js", 3);
    const log: number[] = [];
    loggedType(crew.iommufd, log);
    const [files, objects] = [20, 150];
    await crew.all("leaveManyToOthers", { files, objects });
    await until(() => crew.iommufd.stats().objects.queued === 0);
    expect(log.length).toBe(3 * files * objects);
    expectNothingLeft(crew.iommufd);
  });

  test("are shared by several idle threads, and none is lost or destroyed twice", async () => {
    const idle = await startCrew("member.js", 2);
    for (const member of idle.members) await member.call("type", { name: "logged", callback: true });
    const { iommufd, board } = idle;
    const type = plainType(iommufd, "logged");
    const total = 4000;
    for (let value = 0; value < total;) {
      const context = iommufd.open();
      for (let n = 0; n < 100; n++, value++) {
        const object = context.alloc(type);
        object.payload.setUint32(0, value, true);
        object.finalize();
      }
      context.close();
    }
    const destroyed: number[] = [];
    await until(() => {
      destroyed.push(...takeLog(board).map(([, value]) => value));
      return destroyed.length >= total;
    });
    expect(destroyed.sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, value) => value));
    await until(() => iommufd.stats().objects.queued === 0);
    await idle.all("detach"); // answered by an idle thread, so nothing more is under way
    expect(takeLog(board)).toEqual([]);
    expectNothingLeft(iommufd);
  });

  test("wait for a thread that binds the type later, and that one destroys them all", async () => {
    const { iommufd, board, members } = await startCrew("member.js", 2);
    const [first, later] = members;
    await first?.call("type", { name: "theirs", callback: true });
    await first?.call("detach");
    const type = plainType(iommufd, "theirs");
    const context = iommufd.open();
    for (let n = 0; n < 2500; n++) make(context, type);
    context.close();
    expect(iommufd.stats().objects.queued).toBe(2500);
    await later?.call("type", { name: "other", callback: true });
    expect(iommufd.stats().objects.queued).toBe(2500);
    await later?.call("type", { name: "theirs", callback: true });
    expect(iommufd.stats().objects.queued).toBe(0);
    expect(takeLog(board).filter(([member]) => member === 1).length).toBe(2500);
    expectNothingLeft(iommufd);
  });

  test("one at a time, each queued just as the one before was destroyed: the idle thread misses none", async () => {
    const { iommufd, board, members } = await startCrew("crowd.js", 2);
    const [leaver, idle] = members;
    const rounds = 6000;
    await idle?.call("destroyForOthers");
    expect(await leaver?.call("leaveToOthers", { rounds, seed: SEED, idle: 1 })).toBe(rounds);
    await until(() => board.result(1)[0] === rounds);
    expectNothingLeft(iommufd);
  });

  test("queued while the idle thread is between its last look and its sleep: that thread does not sleep", async () => {
    const { iommufd, board, members } = await startCrew("member.js", 1);
    const [idle] = members;
    await idle?.call("type", { name: "theirs", callback: true });
    await idle?.call("stopBeforeSleep");
    const type = plainType(iommufd, "theirs");
    const leave = (): void => {
      const context = iommufd.open();
      make(context, type);
      context.close();
    };
    leave();
    await until(() => board.isDone(0));
    expect(takeLog(board).length).toBe(1);
    leave(); // as many are queued as when it looked
    board.openGate(0);
    await until(() => iommufd.stats().objects.queued === 0);
    expect(await idle?.call("idle")).toBe("idle");
    expect(takeLog(board).length).toBe(1);
    expectNothingLeft(iommufd);
  });

  test("go on being destroyed after one of their callbacks threw", async () => {
    const { iommufd, board, members } = await startCrew("member.js", 1);
    const [idle] = members;
    await idle?.call("countUncaught");
    await idle?.call("type", { name: "theirs", callback: true, throws: true });
    const type = plainType(iommufd, "theirs");
    for (let round = 0; round < 20; round++) {
      const context = iommufd.open();
      make(context, type);
      make(context, type);
      context.close();
      let destroyed = 0;
      await until(() => (destroyed += takeLog(board).length) === 2);
    }
    expect(await idle?.call("uncaught")).toBeGreaterThan(0);
    expectNothingLeft(iommufd);
  });
});
