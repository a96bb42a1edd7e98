// SPDX-License-Identifier: GPL-2.0-only
//
// Waiting without blocking: a destroy is queued behind the locks on its object, and what ends the wait. The locks are this
// very thread's, so nothing here depends on time; where another thread is needed it is one that this one runs itself.

import { type Iommufd, type IommufdContext, IOMMU_DESTROY } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer, errnoOf, errnoOfAsync } from "../support/answer.ts";
import { ABIS, boot, otherThread } from "../support/boot.ts";
import { words } from "../support/bytes.ts";
import { counts, idsOf, loggedType, make, plainType } from "../support/objects.ts";
import { turn } from "../support/turn.ts";

interface Scene {
  iommufd: Iommufd;
  context: IommufdContext;
  id: number;
  log: number[];
}

async function oneObject(abi: "rfc" | "mainline"): Promise<Scene> {
  const log: number[] = [];
  const { iommufd } = await boot({ abi });
  const context = iommufd.open();
  return { iommufd, context, id: make(context, loggedType(iommufd, log)), log };
}

interface Limits {
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** Ways to ask for an object's end by its ID, without blocking. */
const DESTROYS: [string, (scene: Scene, limits?: Limits) => Promise<unknown>][] = [
  ["destroyAsync", ({ context, id }, limits) => context.destroyAsync(id, limits)],
  ["ioctlAsync", ({ context, id }, limits) => context.ioctlAsync(IOMMU_DESTROY.request, words(8, id), limits)],
  [
    "ioctlAsync with a user address",
    ({ iommufd, context, id }, limits) => {
      const { va } = iommufd.userSpace.map(4096);
      iommufd.userSpace.write(va, words(8, id));
      return context.ioctlAsync(IOMMU_DESTROY.request, va, limits);
    },
  ],
];

describe.each(DESTROYS)("rfc, %s", (_name, destroy) => {
  test("decides at once when nobody holds the object", async () => {
    const scene = await oneObject("rfc");
    const promise = destroy(scene);
    expect(counts(scene.context, scene.id)).toBe("absent");
    expect(await errnoOfAsync(promise)).toBe("no error");
    expect(scene.log).toEqual([scene.id]);
    expect(await errnoOfAsync(destroy(scene))).toBe("ENOENT");
  });

  test("waits for each lock of this thread and then destroys", async () => {
    const scene = await oneObject("rfc");
    const { context, id, log } = scene;
    const locks = [context.get(id), context.get(id), context.get(id)];
    const promise = destroy(scene);
    for (const [index, lock] of locks.entries()) {
      expect(counts(context, id)).toBe(`${5 - index}/${3 - index} destroying`);
      expect(log).toEqual([]);
      lock.put();
    }
    expect(await errnoOfAsync(promise)).toBe("no error");
    expect(log).toEqual([id]);
    expect(idsOf(context)).toEqual([]);
  });

  test("closes the object for everybody else while it waits; only inspect sees it, with one user more", async () => {
    const scene = await oneObject("rfc");
    const { context, id, iommufd } = scene;
    const lock = context.get(id);
    const promise = destroy(scene);
    expect(context.inspect(id)).toMatchObject({ state: "destroying", users: 3, holders: 1 });
    expect(answer(context.tryGet(id))).toBe("ENOENT");
    expect(answer(context.tryDestroy(id))).toBe("ENOENT");
    expect(await errnoOfAsync(destroy(scene))).toBe("ENOENT");
    expect(answer(otherThread(iommufd).file(context.fd).tryGet(id))).toBe("ENOENT");
    expect(idsOf(context)).toEqual([id]);
    lock.put();
    await promise;
  });

  test("answers EBUSY after the wait when somebody kept the object, and opens it again", async () => {
    const scene = await oneObject("rfc");
    const { context, id, log } = scene;
    const lock = context.get(id);
    const promise = destroy(scene);
    const reference = lock.putKeepUser();
    expect(await errnoOfAsync(promise)).toBe("EBUSY");
    expect(counts(context, id)).toBe("2/0 live");
    expect(log).toEqual([]);
    context.get(id).put();
    reference.drop();
    expect(await errnoOfAsync(destroy(scene))).toBe("no error");
  });

  test("waits although a kept reference makes EBUSY certain, and succeeds if that goes meanwhile", async () => {
    const scene = await oneObject("rfc");
    const { context, id } = scene;
    const reference = context.get(id).putKeepUser();
    const lock = context.get(id);
    const promise = destroy(scene);
    expect(counts(context, id)).toBe("4/1 destroying");
    reference.drop();
    lock.put();
    expect(await errnoOfAsync(promise)).toBe("no error");
  });

  test("is undone by its signal: the reason comes back, the object is open and its users are as before", async () => {
    const scene = await oneObject("rfc");
    const { context, id, iommufd } = scene;
    const lock = context.get(id);
    const controller = new AbortController();
    const promise = destroy(scene, { signal: controller.signal });
    expect(counts(context, id)).toBe("3/1 destroying");
    const reason = new Error("no longer wanted");
    controller.abort(reason);
    await expect(promise).rejects.toBe(reason);
    expect(counts(context, id)).toBe("2/1 live");
    expect(iommufd.stats().waiting).toEqual([]);
    context.get(id).put();
    lock.put();
    expect(await errnoOfAsync(destroy(scene))).toBe("no error");
  });

  test("with a signal that has fired already nothing is even tried", async () => {
    const scene = await oneObject("rfc");
    const signal = AbortSignal.abort(new Error("before"));
    await expect(destroy(scene, { signal })).rejects.toBe(signal.reason);
    expect(counts(scene.context, scene.id)).toBe("1/0 live");
  });

  test("a signal that fires after the decision changes nothing", async () => {
    const scene = await oneObject("rfc");
    const lock = scene.context.get(scene.id);
    const controller = new AbortController();
    const promise = destroy(scene, { signal: controller.signal });
    lock.put();
    await promise;
    controller.abort();
    expect(scene.log).toEqual([scene.id]);
  });

  test("is ETIMEDOUT when its time is over, and undone", async () => {
    const scene = await oneObject("rfc");
    const { context, id } = scene;
    const lock = context.get(id);
    for (const timeoutMs of [0, 1, 15]) {
      expect(await errnoOfAsync(destroy(scene, { timeoutMs }))).toBe("ETIMEDOUT");
      expect(counts(context, id)).toBe("2/1 live");
    }
    lock.put();
    expect(await errnoOfAsync(destroy(scene, { timeoutMs: 0 }))).toBe("no error");
  });

  test.each([-1, NaN, -Infinity, "1"])("timeoutMs %o is EINVAL", async (timeoutMs) => {
    const scene = await oneObject("rfc");
    expect(await errnoOfAsync(destroy(scene, { timeoutMs: timeoutMs as number }))).toBe("EINVAL");
    expect(counts(scene.context, scene.id)).toBe("1/0 live");
  });

  test.each([Infinity, 2 ** 31, 1e13, Number.MAX_VALUE])(
    "a limit of %d milliseconds is as good as none",
    async (timeoutMs) => {
      const scene = await oneObject("rfc");
      const lock = scene.context.get(scene.id);
      const promise = destroy(scene, { timeoutMs });
      lock.put();
      expect(await errnoOfAsync(promise)).toBe("no error");
    },
  );

  test("rejects with what the destroy callback threw, and the object is gone with all it held", async () => {
    const { iommufd } = await boot();
    const context = iommufd.open();
    const target = make(context, plainType(iommufd));
    const boom = new Error("thrown by the callback");
    const type = iommufd.defineObjectType({
      name: "thrower",
      payloadBytes: 0,
      destroy() {
        throw boom;
      },
    });
    const id = make(context, type, target);
    const lock = context.get(id);
    const promise = destroy({ iommufd, context, id, log: [] });
    lock.put();
    await expect(promise).rejects.toBe(boom);
    expect(idsOf(context)).toEqual([target]);
    expect(counts(context, target)).toBe("1/0 live");
  });

  test("is decided after the file was closed meanwhile, and then the rest of the file is released", async () => {
    const scene = await oneObject("rfc");
    const { context, id, iommufd, log } = scene;
    const rest = make(context, loggedType(iommufd, log));
    const lock = context.get(id);
    const promise = destroy(scene);
    context.close();
    expect(log).toEqual([]);
    lock.put();
    expect(await errnoOfAsync(promise)).toBe("no error");
    expect(log).toEqual([id, rest]);
    expect(iommufd.stats().files.open).toBe(0);
  });

  test("is over with ESRCH when the thread detaches, whoever holds the object", async () => {
    const { iommufd } = await boot();
    const other = otherThread(iommufd);
    const context = iommufd.open();
    const id = make(context, plainType(iommufd));
    const there = other.file(context.fd);
    const lock = there.get(id);
    const outcome = errnoOfAsync(destroy({ iommufd, context, id, log: [] }));
    iommufd.detach();
    expect(counts(there, id)).toBe("2/1 live");
    expect(await outcome).toBe("ESRCH");
    lock.put();
    there.destroy(id);
  }, 10_000);
});

test("destroys that become possible in one go are all done, each callback once", async () => {
  const log: number[] = [];
  const { iommufd } = await boot();
  const context = iommufd.open();
  const target = make(context, plainType(iommufd));
  const type = loggedType(iommufd, log);
  const ids = Array.from({ length: 50 }, () => make(context, type, target));
  const locks = ids.map((id) => context.get(id));
  const promises = ids.map((id) => context.destroyAsync(id));
  for (const lock of locks) lock.put();
  await Promise.all(promises);
  expect(log.sort((a, b) => a - b)).toEqual(ids);
  expect(idsOf(context)).toEqual([target]);
  expect(counts(context, target)).toBe("1/0 live");
});

describe.each(ABIS)("%s, destroyUserAsync", (abi) => {
  test("waits for the locks, then destroys with the last reference", async () => {
    const { context, id, log } = await oneObject(abi);
    const reference = context.get(id).putKeepUser();
    const lock = context.get(id);
    const promise = reference.destroyUserAsync();
    expect(counts(context, id)).toBe("3/1 destroying");
    expect(log).toEqual([]);
    lock.put();
    expect(await promise).toBe(true);
    expect(log).toEqual([id]);
  });

  test("of several queued owners exactly the last one destroys", async () => {
    const { context, id, log } = await oneObject(abi);
    const references = Array.from({ length: 5 }, () => context.get(id).putKeepUser());
    const lock = context.get(id);
    const promises = references.map((reference) => reference.destroyUserAsync());
    expect(counts(context, id)).toBe("7/1 destroying");
    lock.put();
    const outcomes = await Promise.all(promises);
    expect(outcomes.filter((destroyed) => destroyed)).toHaveLength(1);
    expect(log).toEqual([id]);
    for (const reference of references) expect(errnoOf(() => reference.drop())).toBe("EINVAL");
  });

  test("given up by its signal keeps the reference, which is as good as before", async () => {
    const { context, id } = await oneObject(abi);
    const reference = context.get(id).putKeepUser();
    const lock = context.get(id);
    const controller = new AbortController();
    const promise = reference.destroyUserAsync({ signal: controller.signal });
    controller.abort();
    await expect(promise).rejects.toBe(controller.signal.reason);
    expect(counts(context, id)).toBe("3/1 live");
    expect(await errnoOfAsync(reference.destroyUserAsync({ timeoutMs: 1 }))).toBe("ETIMEDOUT");
    expect(await errnoOfAsync(reference.destroyUserAsync({ timeoutMs: -1 }))).toBe("EINVAL");
    expect(counts(context, id)).toBe("3/1 live");
    lock.put();
    expect(await reference.destroyUserAsync()).toBe(true);
  });

  test("a reference that waits can be used for nothing else", async () => {
    const { iommufd, context, id } = await oneObject(abi);
    const reference = context.get(id).putKeepUser();
    const lock = context.get(id);
    const promise = reference.destroyUserAsync();
    const holder = context.alloc(plainType(iommufd));
    expect(errnoOf(() => reference.drop())).toBe("EINVAL");
    expect(errnoOf(() => reference.destroyUser())).toBe("EINVAL");
    expect(errnoOf(() => holder.hold(reference))).toBe("EINVAL");
    expect(await errnoOfAsync(reference.destroyUserAsync())).toBe("EINVAL");
    // Nor can somebody else drop its user from under it.
    expect(errnoOf(() => lock.dropUser())).toBe("EINVAL");
    holder.abort();
    lock.put();
    expect(await promise).toBe(true);
  });

  test("a signal's listener is gone when the wait is over", async () => {
    const { context, id } = await oneObject(abi);
    const listeners = new Set<unknown>();
    const { signal } = new AbortController();
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners.add(args[1]);
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners.delete(args[1]);
      remove(...args);
    };
    const reference = context.get(id).putKeepUser();
    const lock = context.get(id);
    const promise = reference.destroyUserAsync({ signal });
    expect(listeners.size).toBe(1);
    lock.put();
    await promise;
    expect(listeners.size).toBe(0);
  });
});

test("rfc: a DESTROY and owners that wait together end with one success", async () => {
  const { context, id, log } = await oneObject("rfc");
  const reference = context.get(id).putKeepUser();
  const lock = context.get(id);
  const byId = context.destroyAsync(id).then(
    () => "no error",
    () => "EBUSY",
  );
  const byOwner = reference.destroyUserAsync();
  expect(counts(context, id)).toBe("4/1 destroying");
  lock.put();
  expect([await byId, await byOwner]).toEqual(
    expect.toBeOneOf([
      ["no error", false],
      ["EBUSY", true],
    ]),
  );
  expect(log).toEqual([id]);
});

test("rfc: one destroyer that gives up does not open the object for lookups while another waits", async () => {
  const { context, id } = await oneObject("rfc");
  const references = [context.get(id).putKeepUser(), context.get(id).putKeepUser()] as const;
  const lock = context.get(id);
  const controller = new AbortController();
  const first = references[0].destroyUserAsync({ signal: controller.signal });
  const second = references[1].destroyUserAsync();
  controller.abort();
  await expect(first).rejects.toBe(controller.signal.reason);
  expect(answer(context.tryGet(id))).toBe("ENOENT");
  expect(counts(context, id)).toBe("4/1 destroying");
  lock.put();
  expect(await second).toBe(false);
  expect(await references[0].destroyUserAsync()).toBe(true);
});

describe.each(DESTROYS)("mainline, %s", (_name, destroy) => {
  test("never waits: EBUSY while anybody holds or keeps the object", async () => {
    const scene = await oneObject("mainline");
    const { context, id, log } = scene;
    const lock = context.get(id);
    expect(await errnoOfAsync(destroy(scene))).toBe("EBUSY");
    expect(counts(context, id)).toBe("2/1 live");
    const reference = lock.putKeepUser();
    expect(await errnoOfAsync(destroy(scene))).toBe("EBUSY");
    reference.drop();
    expect(await errnoOfAsync(destroy(scene))).toBe("no error");
    expect(log).toEqual([id]);
  });
});

describe("mainline, while an owner waits", () => {
  test("lookups go on succeeding, and the owner waits for those too", async () => {
    const { context, id, log } = await oneObject("mainline");
    const reference = context.get(id).putKeepUser();
    let lock = context.get(id);
    const promise = reference.destroyUserAsync();
    for (let round = 0; round < 5; round++) {
      const next = context.get(id); // before the last lock goes, so there is never a moment without one
      lock.put();
      lock = next;
      await turn();
      expect(counts(context, id)).toBe("3/1 destroying");
    }
    expect(log).toEqual([]);
    lock.put();
    expect(await promise).toBe(true);
  });

  test("DESTROY is EBUSY, and a reference kept meanwhile makes the owner fail", async () => {
    const { context, id } = await oneObject("mainline");
    const owner = context.get(id).putKeepUser();
    const lock = context.get(id);
    const promise = owner.destroyUserAsync();
    expect(answer(context.tryDestroy(id))).toBe("EBUSY");
    const reference = context.get(id).putKeepUser();
    lock.put();
    expect(await promise).toBe(false);
    expect(counts(context, id)).toBe("2/0 live");
    reference.drop();
    context.destroy(id);
  });

  test("the object is closed once the last holder is gone", async () => {
    const { context, id } = await oneObject("mainline");
    const owner = context.get(id).putKeepUser();
    const lock = context.get(id);
    const promise = owner.destroyUserAsync();
    lock.put();
    expect(answer(context.tryGet(id))).toBe("ENOENT");
    expect(await promise).toBe(true);
  });
});

test("stats name who waits for whom", async () => {
  const { iommufd, context, id } = await oneObject("rfc");
  const other = otherThread(iommufd);
  const locks = [context.get(id), other.file(context.fd).get(id), other.file(context.fd).get(id)];
  const promise = context.destroyAsync(id);
  const { waiting } = iommufd.stats();
  expect(waiting).toEqual([{ thread: 0, context: context.fd, id, heldBy: [0, 1, 1] }]);
  for (const lock of locks) lock.put();
  await promise;
  expect(iommufd.stats().waiting).toEqual([]);
});
