// SPDX-License-Identifier: GPL-2.0-only
//
// Destroy callbacks: when they run, what they see, what they may do, and what happens to what they throw.

import { type DyingObject, type Iommufd, type IommufdContext, type ObjectType } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer, errnoOf } from "../support/answer.ts";
import { ABIS, boot, otherThread } from "../support/boot.ts";
import { counts, idsOf, loggedType, make, plainType } from "../support/objects.ts";
import { until } from "../support/turn.ts";

/** Ways in which an object ends by destruction; each leaves nothing of it. */
const ENDS: [name: string, end: (context: IommufdContext, id: number) => unknown][] = [
  ["destroy", (context, id) => context.destroy(id)],
  ["destroyUser", (context, id) => context.get(id).putKeepUser().destroyUser()],
  ["the file's release", (context) => context.close()],
];

function callbackType(iommufd: Iommufd, destroy: (object: DyingObject) => void, name = "callback"): ObjectType {
  return iommufd.defineObjectType({ name, payloadBytes: 16, destroy });
}

describe.each(ENDS)("by %s", (_name, end) => {
  test("the callback runs once, with the object's last contents, and nothing of the object is left", async () => {
    const { iommufd } = await boot();
    const context = iommufd.open();
    const seen: unknown[] = [];
    const type = callbackType(iommufd, (object) => {
      expect(object.type).toBe(type);
      seen.push([object.id, object.payload.byteLength, object.payload.getUint32(12), object.context.fd]);
    });
    const reserved = context.alloc(type);
    reserved.payload.setUint32(12, 77);
    const id = reserved.finalize();
    end(context, id);
    expect(seen).toEqual([[id, 16, 77, context.fd]]);
    context.close();
    expect(seen).toHaveLength(1);
    expect(iommufd.stats().objects).toEqual({ live: 0, reserved: 0, leaked: 0, queued: 0 });
  });

  test("what the callback throws comes out once everything is done", async () => {
    const { iommufd } = await boot();
    const context = iommufd.open();
    const boom = new Error("thrown by the callback");
    let runs = 0;
    const type = callbackType(iommufd, () => {
      runs++;
      throw boom;
    });
    const id = make(context, type, make(context, plainType(iommufd, "target")));
    expect(() => end(context, id)).toThrow(boom);
    expect(runs).toBe(1);
    expect(iommufd.stats().objects).toMatchObject({ reserved: 0, leaked: 0, queued: 0 });
    for (const left of iommufd.stats().files.open > 0 ? context.objects() : []) expect(left.users).toBe(1);
    context.close();
    expect(iommufd.stats().files.open).toBe(0);
    expect(iommufd.stats().objects.live).toBe(0);
  });

  test("the callback may use the library: allocate, publish, lock and destroy, here and in other files", async () => {
    const { iommufd } = await boot();
    const context = iommufd.open();
    const elsewhere = iommufd.open();
    const plain = plainType(iommufd);
    const victim = make(elsewhere, plain);
    const type = callbackType(iommufd, () => {
      const id = make(elsewhere, plain);
      elsewhere.get(id).put();
      elsewhere.destroy(victim);
      const third = iommufd.open();
      make(third, plain);
      third.close();
    });
    const id = make(context, type);
    end(context, id);
    expect(idsOf(elsewhere)).toEqual([2]);
    expect(counts(elsewhere, 2)).toBe("1/0 live");
  });

  test("a callback that destroys the next object of its kind runs nested, and none is lost", async () => {
    const { iommufd } = await boot();
    const context = iommufd.open();
    const chain = iommufd.open();
    const log: string[] = [];
    const type = callbackType(iommufd, (object) => {
      log.push(`begin ${object.id}`);
      const next = object.payload.getUint32(0);
      if (next !== 0) chain.destroy(next);
      log.push(`end ${object.id}`);
    });
    const makeLinked = (where: IommufdContext, next: number): number => {
      const reserved = where.alloc(type);
      reserved.payload.setUint32(0, next);
      return reserved.finalize();
    };
    const last = makeLinked(chain, 0);
    const middle = makeLinked(chain, last);
    const id = makeLinked(context, middle);
    end(context, id);
    expect(log).toEqual([
      `begin ${id}`,
      `begin ${middle}`,
      `begin ${last}`,
      `end ${last}`,
      `end ${middle}`,
      `end ${id}`,
    ]);
    expect(idsOf(chain)).toEqual([]);
  });

  test("a callback may close the object's own file", async () => {
    const log: number[] = [];
    const { iommufd } = await boot();
    const context = iommufd.open();
    const rest = make(context, loggedType(iommufd, log, "rest"));
    const type = callbackType(iommufd, (object) => {
      log.push(object.id);
      context.close();
      object.context.close();
    });
    const id = make(context, type);
    end(context, id);
    expect(log.sort()).toEqual([rest, id].sort());
    expect(iommufd.stats().files.open).toBe(0);
    expect(iommufd.stats().objects.live).toBe(0);
  });

  test("a callback may make the thread leave: nothing is lost for the others", async () => {
    const { iommufd } = await boot();
    const other = otherThread(iommufd);
    const context = iommufd.open();
    const there = other.file(context.fd);
    const type = callbackType(iommufd, () => iommufd.detach());
    const plain = plainType(iommufd);
    const target = make(context, plain);
    const id = make(context, type, target);
    make(context, plain);
    // Refusing to leave now and leaving later are both fine; losing the file is not.
    try {
      end(context, id);
    } catch (error) {
      expect(error).toHaveProperty("code", expect.stringMatching(/ESRCH|EBUSY/));
    }
    there.close();
    expect(other.stats().files.open).toBe(0);
    expect(other.stats().objects).toMatchObject({ live: 0, reserved: 0, leaked: 0, queued: 0 });
  });
});

test("an object's ID can be taken again inside its own callback", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const plain = plainType(iommufd);
  let again = 0;
  const type = callbackType(iommufd, () => (again = make(context, plain)));
  const id = make(context, type);
  context.destroy(id);
  expect(again).toBe(id);
  expect(counts(context, id)).toBe("1/0 live");
});

test("an object that its own callback looks for is not there", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const seen: unknown[] = [];
  const type = callbackType(iommufd, ({ id }) => seen.push(answer(context.tryGet(id)), answer(context.tryDestroy(id))));
  context.destroy(make(context, type));
  expect(seen).toEqual(["ENOENT", "ENOENT"]);
});

test("a target still has its holder's user while the holder's callback runs", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const target = make(context, plainType(iommufd));
  const seen: unknown[] = [];
  const type = callbackType(iommufd, () => seen.push(counts(context, target), answer(context.tryDestroy(target))));
  context.destroy(make(context, type, target, target));
  expect(seen).toEqual(["3/0 live", "EBUSY"]);
  expect(counts(context, target)).toBe("1/0 live");
});

test("during a release the file is closed for its callbacks", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const plain = plainType(iommufd);
  const seen: string[] = [];
  const type = callbackType(iommufd, (object) => {
    seen.push(errnoOf(() => context.alloc(plain)));
    seen.push(errnoOf(() => object.context.alloc(plain)));
    seen.push(errnoOf(() => object.context.objects()));
    seen.push(errnoOf(() => object.context.get(1)));
    seen.push(errnoOf(() => iommufd.fget(context.fd)));
    expect(object.context.fd).toBe(context.fd);
  });
  make(context, type);
  context.close();
  expect(seen).toEqual(["EBADF", "EBADF", "EBADF", "EBADF", "EBADF"]);
});

test.each(ABIS)("%s: during a release each callback finds one object less in the statistics", async (abi) => {
  const { iommufd } = await boot({ abi });
  const context = iommufd.open();
  const live: number[] = [];
  const type = callbackType(iommufd, () => live.push(iommufd.stats().objects.live));
  for (let n = 0; n < 3; n++) make(context, type);
  context.close();
  expect(live).toEqual([2, 1, 0]);
});

test("of several callbacks that throw during one release all run, and the first error comes out", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const ran: number[] = [];
  const type = callbackType(iommufd, ({ id }) => {
    ran.push(id);
    throw new Error(`object ${id}`);
  });
  for (let i = 0; i < 5; i++) make(context, type);
  expect(() => context.close()).toThrow("object 1");
  expect(ran).toEqual([1, 2, 3, 4, 5]);
  expect(iommufd.stats().files.open).toBe(0);
  context.close();
});

test("after a callback threw in destroyUser the reference is used up", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const type = callbackType(iommufd, () => {
    throw new Error("thrown by the callback");
  });
  const reference = context.get(make(context, type)).putKeepUser();
  expect(() => reference.destroyUser()).toThrow("thrown by the callback");
  expect(() => reference.drop()).toThrow(/used up/);
});

test("an aborted reservation has no callback", async () => {
  const log: number[] = [];
  const { iommufd } = await boot();
  const context = iommufd.open();
  context.alloc(loggedType(iommufd, log)).abort();
  expect(log).toEqual([]);
});

test("the callback's `this` is its definition", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  class Definition {
    name = "with this";
    payloadBytes = 0;
    destroyed = 0;
    destroy(): void {
      this.destroyed++;
    }
  }
  const definition = new Definition();
  context.destroy(make(context, iommufd.defineObjectType(definition)));
  expect(definition.destroyed).toBe(1);
});

test("a type that is defined again in the same thread runs the newest callback", async () => {
  const log: string[] = [];
  const { iommufd } = await boot();
  const context = iommufd.open();
  const first = iommufd.defineObjectType({ name: "again", payloadBytes: 0, destroy: () => void log.push("first") });
  const id = make(context, first);
  const second = iommufd.defineObjectType({ name: "again", payloadBytes: 0, destroy: () => void log.push("second") });
  expect(second.number).toBe(first.number);
  context.destroy(id);
  expect(log).toEqual(["second"]);
});

describe("objects whose callback is in another thread", () => {
  async function twoThreads(destroy: (object: DyingObject) => void) {
    const { iommufd: owner } = await boot();
    const type = callbackType(owner, destroy);
    const worker = otherThread(owner);
    return { owner, worker, type, there: worker.defineObjectType({ name: type.name, payloadBytes: 16 }) };
  }

  test("are queued by a release, counted, and destroyed by the thread that can", async () => {
    const seen: unknown[] = [];
    const { owner, worker, there } = await twoThreads((object) => {
      seen.push([object.id, object.payload.getUint8(0), object.type.number]);
    });
    const context = worker.open();
    for (let n = 1; n <= 3; n++) {
      const reserved = context.alloc(there);
      reserved.payload.setUint8(0, n);
      reserved.finalize();
    }
    context.close();
    expect(worker.stats().files.open).toBe(0);
    expect(worker.stats().objects).toMatchObject({ live: 0, queued: 3, leaked: 0 });
    expect(seen).toEqual([]);
    await until(() => owner.stats().objects.queued === 0);
    expect(seen).toEqual([
      [1, 1, there.number],
      [2, 2, there.number],
      [3, 3, there.number],
    ]);
  });

  test("give their holds back at once, so the release goes on", async () => {
    const { worker, there } = await twoThreads(() => undefined);
    const context = worker.open();
    const plain = plainType(worker, "released after it");
    make(context, there, make(context, plain));
    context.close();
    expect(worker.stats().objects).toMatchObject({ live: 0, leaked: 0 });
    expect(worker.stats().files.open).toBe(0);
  });

  test("wait for the next thread that defines the type when the first one has left", async () => {
    const seen: number[] = [];
    const { owner, worker, there } = await twoThreads(() => expect.fail("this thread has left"));
    owner.detach();
    const context = worker.open();
    make(context, there);
    context.close();
    expect(worker.stats().objects.queued).toBe(1);
    callbackType(worker, ({ id }) => seen.push(id));
    expect(seen).toEqual([1]);
    expect(worker.stats().objects.queued).toBe(0);
  });

  test("are all destroyed, round after round, and their memory is used again", async () => {
    let ran = 0;
    const { owner, worker, there } = await twoThreads(() => ran++);
    let used = 0;
    for (let round = 1; round <= 20; round++) {
      const context = worker.open();
      for (let n = 0; n < 100; n++) make(context, there);
      context.close();
      await until(() => owner.stats().objects.queued === 0);
      expect(ran).toBe(round * 100);
      used ||= worker.stats().bytes.used;
      expect(worker.stats().bytes.used).toBe(used);
    }
  });
});
