// SPDX-License-Identifier: GPL-2.0-only
//
// What happens when something is used up: the call that finds nothing left fails with the right errno and changes nothing,
// and what is given back can be used again. Threads are in detach.test.ts.

import type { Iommufd, IommufdContext, ObjectType } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer, errnoOf } from "../support/answer.ts";
import { ABIS, boot } from "../support/boot.ts";
import { counts, idsOf, loggedType, make, plainType } from "../support/objects.ts";

const MIB = 1024 * 1024;
const MAX_FILES = 1024;
const MAX_HANDLES = 1023;

/** Allocates until it fails; returns how many succeeded. */
function fill(context: IommufdContext, type: ObjectType): number {
  for (let made = 0; ; made++) {
    const handle = context.tryAlloc(type);
    if (handle < 0) return made;
    context.finalize(handle);
  }
}

/** All that a failed call must leave as it is. */
function snapshot(iommufd: Iommufd, ...contexts: IommufdContext[]): unknown {
  return [iommufd.stats(), contexts.map((context) => context.objects())];
}

describe.each(ABIS)("%s, IDs", (abi) => {
  test("when all are taken, alloc is EBUSY and changes nothing", async () => {
    const { iommufd } = await boot({ abi, idLimit: 300 });
    const context = iommufd.open();
    const type = plainType(iommufd);
    expect(fill(context, type)).toBe(300);
    const before = snapshot(iommufd, context);
    for (let again = 0; again < 5; again++) {
      expect(answer(context.tryAlloc(type))).toBe("EBUSY");
      expect(errnoOf(() => context.alloc(type))).toBe("EBUSY");
    }
    expect(snapshot(iommufd, context)).toEqual(before);
  });

  test("one that is given back, by destroy or abort, is the next one", async () => {
    const { iommufd } = await boot({ abi, idLimit: 256 });
    const context = iommufd.open();
    const type = plainType(iommufd);
    fill(context, type);
    for (const id of [1, 255, 256, 77]) {
      context.destroy(id);
      const reserved = context.alloc(type);
      expect(reserved.id).toBe(id);
      expect(answer(context.tryAlloc(type))).toBe("EBUSY");
      reserved.abort();
      expect(make(context, type)).toBe(id);
    }
  });

  test.each([1, 2, 255, 256, 257, 16_383, 16_384])(
    "a limit of %d is that many objects in each context",
    async (idLimit) => {
      const { iommufd } = await boot({ abi, idLimit });
      const type = plainType(iommufd, "empty", 0);
      for (let n = 0; n < 2; n++) {
        const context = iommufd.open();
        expect(fill(context, type)).toBe(idLimit);
        expect(answer(context.tryAlloc(type))).toBe("EBUSY");
      }
    },
  );
});

describe("memory", () => {
  test.each([0, 8, 100, 4000, 100_000])(
    "when it is full of objects of %d bytes, alloc is ENOMEM and changes nothing",
    async (payload) => {
      const { iommufd } = await boot({ memoryBytes: 4 * MIB });
      const context = iommufd.open();
      const type = plainType(iommufd, "filler", payload);
      const made = fill(context, type);
      expect(made).toBeGreaterThan(10);
      const before = snapshot(iommufd, context);
      for (let again = 0; again < 5; again++) {
        expect(answer(context.tryAlloc(type))).toBe("ENOMEM");
        expect(errnoOf(() => context.alloc(type))).toBe("ENOMEM");
      }
      expect(snapshot(iommufd, context)).toEqual(before);
      expect(context.objects()).toHaveLength(made);

      context.destroy(made);
      expect(make(context, type)).toBe(made);
      expect(answer(context.tryAlloc(type))).toBe("ENOMEM");
    },
  );

  test("a failure keeps at most what the next attempt needs, and more failures keep nothing", async () => {
    // Every size of memory, page by page, so that it ends at each step of an allocation once.
    const seen = new Set<number>();
    for (let pages = 0; pages < 24; pages++) {
      const { iommufd } = await boot({ memoryBytes: 4 * MIB });
      const context = iommufd.open();
      const type = plainType(iommufd, "filler", 1000);
      const { heap } = iommufd.stats().bytes;
      iommufd.userSpace.map(heap - pages * 4096 || heap);
      const made = fill(context, type);
      const used = iommufd.stats().bytes.used;
      for (let again = 0; again < 5; again++) expect(answer(context.tryAlloc(type))).toBe("ENOMEM");
      expect(iommufd.stats().bytes.used).toBe(used);
      expect(context.objects()).toHaveLength(made);
      seen.add(made);
    }
    expect(seen.size).toBeGreaterThan(3);
  });

  test("full of objects it still does everything that needs none", async () => {
    const { iommufd } = await boot({ memoryBytes: 4 * MIB });
    const context = iommufd.open();
    const log: number[] = [];
    const type = loggedType(iommufd, log, "filler", 8);
    const made = fill(context, type);
    const reference = context.get(1).putKeepUser();
    context.get(made).put();
    expect(answer(context.tryDestroy(1))).toBe("EBUSY");
    expect(reference.destroyUser()).toBe(true);
    const handle = context.tryAlloc(type);
    context.abort(handle);
    const second = iommufd.open();
    expect(answer(second.tryAlloc(type))).toBe("ENOMEM"); // no page for its table
    second.close();
    context.close();
    expect(log).toHaveLength(made);
    expect(iommufd.stats()).toMatchObject({ files: { open: 0 }, objects: { live: 0, leaked: 0 } });
  });

  test("is whole again after a release: as many objects fit as before", async () => {
    const { iommufd } = await boot({ memoryBytes: 4 * MIB });
    const type = plainType(iommufd, "filler", 40);
    const counts = Array.from({ length: 4 }, () => {
      const context = iommufd.open();
      const made = fill(context, type);
      context.close();
      return made;
    });
    expect(new Set(counts).size).toBe(1);
  });

  test("a hold that finds no memory is ENOMEM; object, target and reference are as before", async () => {
    const { iommufd } = await boot({ memoryBytes: 4 * MIB });
    const context = iommufd.open();
    const type = plainType(iommufd, "filler", 8);
    const target = make(context, type);
    const holder = context.alloc(type);
    const locked = context.get(target);
    const kept = context.get(target).putKeepUser();
    // Fill the memory, and then the lists that are there already.
    while (errnoOf(() => iommufd.userSpace.map(1)) === "no error");
    let held = 0;
    while (errnoOf(() => holder.hold(locked)) === "no error") held++;
    expect(held).toBeGreaterThanOrEqual(2);
    const before = snapshot(iommufd, context);
    for (let again = 0; again < 3; again++) {
      expect(errnoOf(() => holder.hold(locked))).toBe("ENOMEM");
      expect(errnoOf(() => holder.hold(kept))).toBe("ENOMEM");
    }
    expect(snapshot(iommufd, context)).toEqual(before);
    expect(counts(context, target)).toBe(`${held + 3}/1 live`);
    kept.drop();
    locked.put();
    holder.abort();
    expect(counts(context, target)).toBe("1/0 live");
  });

  test("taken by user mappings is given back by unmap", async () => {
    const { iommufd } = await boot({ memoryBytes: 4 * MIB });
    const context = iommufd.open();
    const type = plainType(iommufd);
    const all = iommufd.userSpace.map(iommufd.stats().bytes.heap);
    const before = snapshot(iommufd, context);
    expect(answer(context.tryAlloc(type))).toBe("ENOMEM");
    expect(snapshot(iommufd, context)).toEqual(before);
    iommufd.userSpace.unmap(all);
    expect(make(context, type)).toBe(1);
  });
});

describe("files", () => {
  test("the 1025th is EMFILE and changes nothing; a close makes room for one", async () => {
    const { iommufd } = await boot();
    const type = plainType(iommufd);
    const contexts = Array.from({ length: MAX_FILES }, () => iommufd.open());
    make(contexts[1023] as IommufdContext, type);
    const before = iommufd.stats();
    expect(before.files).toEqual({ open: MAX_FILES, max: MAX_FILES });
    for (let again = 0; again < 3; again++) expect(errnoOf(() => iommufd.open())).toBe("EMFILE");
    expect(iommufd.stats()).toEqual(before);
    contexts[500]?.close();
    expect(iommufd.open().fd).toBe(contexts[500]?.fd);
    expect(errnoOf(() => iommufd.open())).toBe("EMFILE");
  });

  test("one that is closed but still in use counts", async () => {
    const { iommufd } = await boot();
    const contexts = Array.from({ length: MAX_FILES }, () => iommufd.open());
    const first = contexts[0] as IommufdContext;
    const locked = first.get(make(first, plainType(iommufd)));
    first.close();
    expect(errnoOf(() => iommufd.open())).toBe("EMFILE");
    locked.put();
    expect(iommufd.open().fd).toBe(first.fd);
  });

  test("all of them hold objects at the same time, each its own", async () => {
    const { iommufd } = await boot({ memoryBytes: 32 * MIB });
    const type = plainType(iommufd);
    const contexts = Array.from({ length: MAX_FILES }, () => iommufd.open());
    for (const [index, context] of contexts.entries()) for (let n = 0; n <= index % 3; n++) make(context, type);
    expect(contexts.every((context, index) => idsOf(context).length === 1 + (index % 3))).toBe(true);
    for (const context of contexts) context.close();
    expect(iommufd.stats()).toMatchObject({ files: { open: 0 }, objects: { live: 0 } });
  });
});

describe("a thread's handles", () => {
  test("are 1,023 of all kinds; one more is ENOMEM and changes nothing; one given back makes room", async () => {
    const { iommufd } = await boot();
    const context = iommufd.open();
    const type = plainType(iommufd);
    const ids = [make(context, type), make(context, type)];
    const reserved = context.tryAlloc(type);
    const handles: number[] = [];
    for (let handle = 1; handle > 0 && handles.length < 2000;) {
      handle = context.tryGet(ids[handles.length % 2] as number, handles.length % 3 === 0 ? type : undefined);
      if (handle > 0) handles.push(handle);
    }
    expect(handles).toHaveLength(MAX_HANDLES - 1);
    const before = snapshot(iommufd, context);
    for (const id of ids) {
      expect(answer(context.tryGet(id))).toBe("ENOMEM");
      expect(answer(context.tryGet(id, type))).toBe("ENOMEM");
      expect(answer(context.tryAlloc(type))).toBe("ENOMEM");
    }
    expect(snapshot(iommufd, context)).toEqual(before);
    for (const id of ids) {
      context.put(handles.shift() as number);
      handles.push(context.tryGet(id));
      expect(answer(context.tryGet(id))).toBe("ENOMEM");
    }
    expect(new Set(handles).size).toBe(MAX_HANDLES - 1);
    for (const handle of handles) context.put(handle);
    context.abort(reserved);
    for (const id of ids) expect(counts(context, id)).toBe("1/0 live");
  });
});
