// SPDX-License-Identifier: GPL-2.0-only
//
// Handles and their misuse: used twice, stale, foreign, made up. Whatever is done to a handle that is none answers EINVAL
// and changes nothing.

import { IommufdError, LockedObject, ObjectReference, ReservedObject } from "iommufd-wasm";
import type { Iommufd, IommufdContext, ObjectType } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer, errnoOf } from "../support/answer.ts";
import { boot, otherThread } from "../support/boot.ts";
import { counts, idsOf, make, plainType } from "../support/objects.ts";

const MAX_HANDLE = 2 ** 30 - 1;

interface Scene {
  iommufd: Iommufd;
  context: IommufdContext;
  type: ObjectType;
  id: number;
}

async function scene(): Promise<Scene> {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const type = plainType(iommufd);
  return { iommufd, context, type, id: make(context, type) };
}

/** Every operation of the hot interface that takes a handle; each answers an errno for a bad one. */
const HOT: [name: string, use: (context: IommufdContext, handle: number, scene: Scene) => unknown][] = [
  ["put", (context, handle) => errnoOf(() => context.put(handle))],
  ["putKeepUser", (context, handle) => answer(context.putKeepUser(handle))],
  ["dropUser", (context, handle) => answer(context.dropUser(handle))],
  ["finalize", (context, handle) => errnoOf(() => context.finalize(handle))],
  ["abort", (context, handle) => errnoOf(() => context.abort(handle))],
  ["idOf", (context, handle) => errnoOf(() => context.idOf(handle))],
  ["payloadOf", (context, handle) => errnoOf(() => context.payloadOf(handle))],
  [
    "hold for it",
    (context, handle, { id }) => {
      const target = context.tryGet(id);
      const result = answer(context.hold(handle, target));
      context.put(target);
      return result;
    },
  ],
  [
    "hold on it",
    (context, handle, { type }) => {
      const holder = context.tryAlloc(type);
      const result = answer(context.hold(holder, handle));
      context.abort(holder);
      return result;
    },
  ],
];

describe("a class' handle is used up by the method that ends its state", () => {
  type Uses = Record<string, (handle: never, scene: Scene) => unknown>;
  const reserved: Uses = {
    finalize: (handle: ReservedObject) => handle.finalize(),
    abort: (handle: ReservedObject) => handle.abort(),
    hold: (handle: ReservedObject, { context, id }: Scene) => {
      const target = context.get(id);
      try {
        handle.hold(target);
      } finally {
        target.put();
      }
    },
    payload: (handle: ReservedObject) => handle.payload,
  };
  const locked: Uses = {
    put: (handle: LockedObject) => handle.put(),
    putKeepUser: (handle: LockedObject) => handle.putKeepUser(),
    dropUser: (handle: LockedObject) => handle.dropUser(),
    payload: (handle: LockedObject) => handle.payload,
  };
  const reference: Uses = {
    drop: (handle: ObjectReference) => handle.drop(),
    destroyUser: (handle: ObjectReference) => handle.destroyUser(),
  };
  const makers = {
    ReservedObject: ({ context, type }: Scene) => context.alloc(type),
    LockedObject: ({ context, id }: Scene) => context.get(id),
    ObjectReference: ({ context, id }: Scene) => {
      context.get(id).putKeepUser(); // a second one, so that destroyUser does not destroy
      return context.get(id).putKeepUser();
    },
  };
  const rows: [keyof typeof makers, string, string, Uses][] = [
    ...["finalize", "abort"].flatMap((end) =>
      Object.keys(reserved).map((use) => ["ReservedObject", end, use, reserved] as never),
    ),
    ...["put", "putKeepUser"].flatMap((end) =>
      Object.keys(locked).map((use) => ["LockedObject", end, use, locked] as never),
    ),
    ...["drop", "destroyUser"].flatMap((end) =>
      Object.keys(reference).map((use) => ["ObjectReference", end, use, reference] as never),
    ),
  ];

  test.each(rows)(
    "%s: after %s, %s throws EINVAL that names both, and nothing changes",
    async (kind, end, use, uses) => {
      const here = await scene();
      const handle = makers[kind](here);
      uses[end]?.(handle as never, here);
      const before = here.context.objects();
      let error: unknown;
      try {
        uses[use]?.(handle as never, here);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(IommufdError);
      expect(error).toMatchObject({
        code: "EINVAL",
        message: expect.stringContaining(`${kind} ${handle.id} was used up by ${end}()`) as string,
      });
      expect(here.context.objects()).toEqual(before);
    },
  );

  test("its id and type can still be read", async () => {
    const { context, type, id } = await scene();
    const locked = context.get(id);
    locked.put();
    expect([locked.id, locked.type]).toEqual([id, type]);
  });
});

test("the classes are what the methods return, and nobody else makes them", async () => {
  const { context, type, id } = await scene();
  const reserved = context.alloc(type);
  const locked = context.get(id);
  expect(reserved).toBeInstanceOf(ReservedObject);
  expect(locked).toBeInstanceOf(LockedObject);
  expect(reserved).not.toBeInstanceOf(LockedObject);
  reserved.abort();
  expect(locked.putKeepUser()).toBeInstanceOf(ObjectReference);
});

test("handles are integers in 1 … 2^30 − 1", async () => {
  const { context, type, id } = await scene();
  for (let round = 0; round < 20_000; round++) {
    const handle = round % 2 === 0 ? context.tryGet(id) : context.tryAlloc(type);
    if (!Number.isInteger(handle) || handle < 1 || handle > MAX_HANDLE) expect.fail(`round ${round}: handle ${handle}`);
    if (round % 2 === 0) context.put(handle);
    else context.abort(handle);
  }
});

test("no handle comes back in 50,000 uses of one record, and each is stale from its end on", async () => {
  const { context, id } = await scene();
  const seen = new Set<number>();
  for (let round = 0; round < 50_000; round++) {
    const handle = context.tryGet(id);
    if (seen.has(handle)) expect.fail(`round ${round}: handle ${handle} again`);
    seen.add(handle);
    context.put(handle);
  }
  let wrong = 0;
  for (const handle of seen) if (context.putKeepUser(handle) !== -22) wrong++;
  expect(wrong).toBe(0);
  expect(counts(context, id)).toBe("1/0 live");
});

test("stale handles stay stale while the record is in use again", async () => {
  const { context, id } = await scene();
  const stale: number[] = [];
  for (let round = 0; round < 17_000; round++) {
    const handle = context.tryGet(id);
    context.put(handle);
    stale.push(handle);
  }
  const held = context.tryGet(id);
  for (const handle of stale) if (context.putKeepUser(handle) !== -22) expect.fail(`stale handle ${handle} works`);
  expect(counts(context, id)).toBe("2/1 live");
  context.put(held);
});

describe.each(HOT)("hot %s", (_name, use) => {
  test.each([
    0,
    -1,
    1,
    1023,
    1024,
    65_535,
    MAX_HANDLE,
    MAX_HANDLE + 1,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53,
    0.5,
    NaN,
    Infinity,
    -Infinity,
  ])("of %d is EINVAL, and nothing changes", async (handle) => {
    const here = await scene();
    const before = here.context.objects();
    expect(use(here.context, handle, here)).toBe("EINVAL");
    expect(here.context.objects()).toEqual(before);
  });

  test("of a number that has the bits of a good handle is EINVAL", async () => {
    const here = await scene();
    const { context, id, type } = here;
    const locked = context.tryGet(id);
    const reserved = context.tryAlloc(type);
    const before = context.objects();
    for (const good of [locked, reserved]) {
      for (const handle of [
        good + 2 ** 32,
        good - 2 ** 32,
        good + 0.25,
        -good,
        good + 2 ** 30,
        good + 2 ** 31,
        good ^ (1 << 10),
      ]) {
        expect(use(context, handle, here)).toBe("EINVAL");
      }
    }
    expect(context.objects()).toEqual(before);
    context.put(locked);
    context.abort(reserved);
  });

  test.each(["string", "object", "null", "undefined", "array"])("of a handle as %s is EINVAL", async (what) => {
    const here = await scene();
    const { context, id } = here;
    const handle = context.tryGet(id);
    const value = { string: String(handle), object: { handle }, null: null, undefined, array: [handle] }[what];
    expect(use(context, value as never, here)).toBe("EINVAL");
    expect(counts(context, id)).toBe("2/1 live");
    context.put(handle);
  });

  test("of a handle of another context or thread is EINVAL", async () => {
    const here = await scene();
    const { iommufd, context, id, type } = here;
    const other = otherThread(iommufd);
    const elsewhere: [IommufdContext, Scene][] = [];
    for (const [owner, fd] of [
      [iommufd, iommufd.open().fd],
      [other, context.fd],
    ] as const) {
      const there = owner.file(fd);
      const theirs = owner === iommufd ? type : plainType(other);
      elsewhere.push([there, { iommufd: owner, context: there, type: theirs, id: make(there, theirs) }]);
    }
    const locked = context.tryGet(id);
    const reserved = context.tryAlloc(type);
    const before = context.objects();
    for (const [there, scene] of elsewhere) {
      expect(use(there, locked, scene)).toBe("EINVAL");
      expect(use(there, reserved, scene)).toBe("EINVAL");
    }
    expect(context.objects()).toEqual(before);
    context.put(locked);
    context.abort(reserved);
  });
});

test("a locked handle is no reservation and the other way round", async () => {
  const { context, type, id } = await scene();
  const locked = context.tryGet(id);
  const reserved = context.tryAlloc(type);
  expect(errnoOf(() => context.finalize(locked))).toBe("EINVAL");
  expect(errnoOf(() => context.abort(locked))).toBe("EINVAL");
  expect(errnoOf(() => context.put(reserved))).toBe("EINVAL");
  expect(answer(context.putKeepUser(reserved))).toBe("EINVAL");
  expect(answer(context.dropUser(reserved))).toBe("EINVAL");
  expect(answer(context.hold(locked, reserved))).toBe("EINVAL");
  expect(counts(context, id)).toBe("2/1 live");
  context.put(locked);
  expect(context.finalize(reserved)).toBe(2);
});

/** Locks on one object until the thread has no handle left. */
function lockUntilFull(context: IommufdContext, id: number): number[] {
  const handles: number[] = [];
  for (let handle = context.tryGet(id); handle > 0; handle = context.tryGet(id)) handles.push(handle);
  return handles;
}

test("with all handles of a thread in use, everything that needs one is ENOMEM and changes nothing", async () => {
  const { iommufd, context, type, id } = await scene();
  const bystander = make(context, type);
  const reference = context.get(id).putKeepUser();
  const handles = lockUntilFull(context, id);
  expect(handles.length).toBeGreaterThan(1000);
  const before = context.objects();
  const statsBefore = iommufd.stats();
  for (let again = 0; again < 3; again++) {
    expect(answer(context.tryGet(id))).toBe("ENOMEM");
    expect(errnoOf(() => context.get(id))).toBe("ENOMEM");
    expect(answer(context.tryAlloc(type))).toBe("ENOMEM");
    expect(errnoOf(() => context.alloc(type))).toBe("ENOMEM");
    expect(answer(context.tryDestroy(id))).toBe("ENOMEM");
    expect(errnoOf(() => reference.destroyUser())).toBe("ENOMEM");
  }
  expect(context.objects()).toEqual(before);
  expect(iommufd.stats()).toEqual(statsBefore);

  // Another thread has handles of its own, and each one given back here is good for one more.
  otherThread(iommufd).file(context.fd).get(bystander).put();
  context.put(handles.pop() as number);
  const last = context.tryGet(id);
  expect(last).toBeGreaterThan(0);
  expect(answer(context.tryGet(id))).toBe("ENOMEM");
  context.put(last);
  for (const handle of handles) context.put(handle);
  expect(reference.destroyUser()).toBe(true);
});

test("after exhaustion every handle can be used again", async () => {
  const { context, id } = await scene();
  const most = lockUntilFull(context, id);
  for (const handle of most) context.put(handle);
  for (let round = 0; round < 20; round++) {
    const handles = lockUntilFull(context, id);
    expect(new Set(handles).size).toBe(most.length);
    expect(answer(context.tryGet(id))).toBe("ENOMEM");
    for (const handle of round % 2 === 0 ? handles : handles.reverse()) context.put(handle);
  }
  expect(counts(context, id)).toBe("1/0 live");
});

test("a type of another Iommufd is EINVAL, also where it has the same number", async () => {
  const { iommufd, context, type, id } = await scene();
  const { iommufd: foreign } = await boot();
  const theirs = plainType(foreign);
  expect(theirs.number).toBe(type.number);
  expect(errnoOf(() => context.alloc(theirs))).toBe("EINVAL");
  expect(errnoOf(() => context.get(id, theirs))).toBe("EINVAL");
  expect(errnoOf(() => otherThread(iommufd).file(context.fd).alloc(type))).toBe("EINVAL");
  for (const nonsense of [{}, null, 1, "plain", { number: 1 }]) {
    expect(errnoOf(() => context.alloc(nonsense as never))).toBe("EINVAL");
  }
  expect(errnoOf(() => context.alloc(undefined as never))).toBe("EINVAL");
  expect(idsOf(context)).toEqual([id]);
});
