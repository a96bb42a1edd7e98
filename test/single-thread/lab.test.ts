// SPDX-License-Identifier: GPL-2.0-only
//
// The lab's options, and the parts of its ioctls that a recording on one thread does not reach.

import { describe, expect, test } from "vitest";
import { Iommufd } from "iommufd-wasm";
import { createDestroyLog, defineLab } from "iommufd-wasm/replay";

describe("defineLab", () => {
  test("defines eight commands and three types in the order of their numbers", () => {
    const iommufd = Iommufd.createSync();
    const lab = defineLab(iommufd);
    expect(lab.commands.map(({ nr }) => nr)).toEqual([0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7]);
    expect(lab.commands.map(({ size, minSize }) => [size, minSize])).toEqual([
      [28, 24],
      [12, 12],
      [12, 12],
      [8, 8],
      [16, 16],
      [24, 20],
      [16, 16],
      [56, 8],
    ]);
    expect(lab.types.map(({ name }) => name)).toEqual(["DEVICE", "HWPT", "IOAS"]);
    iommufd.detach();
  });

  test("LAB_HOLD holds the object while it waits, and lets go when the waiting fails", () => {
    const iommufd = Iommufd.createSync();
    const users: (number | undefined)[] = [];
    let broken = false;
    const context = iommufd.open();
    const lab = defineLab(iommufd, {
      wait: (msecs) => {
        users.push(msecs, context.inspect(1)?.users);
        if (broken) throw new Error("no time");
      },
    });
    const [type] = lab.types;
    const hold = lab.commands[4];
    if (type === undefined || hold === undefined) throw new Error("the lab is incomplete");
    context.alloc(type).finalize();
    context.call(hold, { id: 1, msecs: 7 });
    expect(users).toEqual([7, 2]);
    broken = true;
    expect(() => context.call(hold, { id: 1, msecs: 8 })).toThrow("no time");
    expect(context.inspect(1)?.users).toBe(1);
    iommufd.detach();
  });

  test("two labs with one log write to it in the order of destruction", () => {
    const log = createDestroyLog();
    const contexts = [Iommufd.createSync(), Iommufd.createSync()].map((iommufd) => {
      const [type] = defineLab(iommufd, { log }).types;
      const context = iommufd.open();
      if (type !== undefined) context.alloc(type).finalize();
      return context;
    });
    contexts.reverse().forEach((context) => context.close());
    expect(log.take(0, () => undefined)).toBe(2);
  });
});

describe("the destroy log", () => {
  test("hands over the oldest entries up to the capacity and forgets all", () => {
    const log = createDestroyLog();
    log.append(1, 10);
    log.append(2, 20);
    let pairs: Uint32Array | undefined;
    expect(log.take(1, (oldest) => (pairs = oldest))).toBe(2);
    expect(pairs).toEqual(Uint32Array.of(1, 10));
    expect(log.take(8, (rest) => expect(rest).toHaveLength(0))).toBe(0);
  });

  test("keeps everything when the entries could not be delivered", () => {
    const log = createDestroyLog();
    log.append(3, 30);
    const fail = (): never => {
      throw new Error("EFAULT");
    };
    expect(() => log.take(8, fail)).toThrow("EFAULT");
    expect(log.take(8, (pairs) => expect(pairs).toEqual(Uint32Array.of(3, 30)))).toBe(1);
  });
});
