// SPDX-License-Identifier: GPL-2.0-only
//
// Counts at their limits, with a core whose counts are small and which asserts its own invariants: `users` saturates and
// the object can never go, holders and destroyers are refused when they are full, and no field ever runs into its
// neighbour.

import type { IommufdContext, ObjectReference, ObjectType } from "iommufd-wasm";
import { beforeAll, describe, expect, test } from "vitest";
import { answer, errnoOfAsync } from "../support/answer.ts";
import { ABIS, boot, type Booted } from "../support/boot.ts";
import { counts, idsOf, loggedType, make, plainType } from "../support/objects.ts";
import { Random } from "../support/random.ts";
import { compileSmallCore } from "../support/small-core.ts";

/** More than any count of the small core can hold. */
const TOO_MANY = 100;
/** The small core has four bits for holders, of which the top one stays 0. */
const MOST_HOLDERS = 7;

let module: WebAssembly.Module;
beforeAll(async () => {
  module = await compileSmallCore();
});

describe.each(ABIS)("%s", (abi) => {
  interface Scene extends Booted {
    context: IommufdContext;
    type: ObjectType;
    id: number;
    log: number[];
  }

  async function scene(): Promise<Scene> {
    const booted = await boot({ abi, module });
    const log: number[] = [];
    const context = booted.iommufd.open();
    const type = loggedType(booted.iommufd, log);
    return { ...booted, context, type, id: make(context, type), log };
  }

  const kinds = ({ warnings }: Scene): string[] => warnings.map(({ kind }) => kind);

  /** Ways to add one user to an object; what they return takes it off again. */
  const USERS: [name: string, add: (scene: Scene) => () => void][] = [
    [
      "kept references",
      ({ context, id }) => {
        const reference = context.get(id).putKeepUser();
        return () => reference.drop();
      },
    ],
    [
      "kept references of hot handles",
      ({ context, id }) => {
        context.putKeepUser(context.tryGet(id));
        return () => {
          const locked = context.get(id);
          locked.dropUser();
          locked.put();
        };
      },
    ],
    [
      "holds by locked objects",
      ({ context, type, id }) => {
        const holder = make(context, type, id);
        return () => context.destroy(holder);
      },
    ],
    [
      "holds by references",
      ({ context, type, id }) => {
        const holder = context.alloc(type);
        holder.hold(context.get(id).putKeepUser());
        return () => holder.abort();
      },
    ],
  ];

  describe.each(USERS)("users by %s", (_name, add) => {
    test("saturate with one warning, stay there, and the object can never be destroyed", async () => {
      const here = await scene();
      const { context, id, iommufd, warnings, log } = here;
      const removers: (() => void)[] = [];
      while (warnings.length === 0 && removers.length < TOO_MANY) removers.push(add(here));
      expect(warnings).toEqual([{ kind: "refcount:saturated", count: 1, context: context.fd, id }]);
      const saturated = context.inspect(id)?.users;
      expect(saturated).toBeGreaterThan(7);
      for (let n = 0; n < 10; n++) removers.push(add(here));
      expect(context.inspect(id)).toMatchObject({ id, users: saturated, holders: 0, state: "live" });
      for (const remove of removers) remove();
      expect(context.inspect(id)).toMatchObject({ id, users: saturated, holders: 0, state: "live" });
      expect(kinds(here)).toEqual(["refcount:saturated"]);

      // Still there for everybody, and for ever.
      context.get(id).put();
      for (let n = 0; n < 3; n++) expect(answer(context.tryDestroy(id))).toBe("EBUSY");
      expect(await errnoOfAsync(context.destroyAsync(id))).toBe("EBUSY");
      expect(context.get(id).putKeepUser().destroyUser()).toBe(false);
      expect(context.inspect(id)).toMatchObject({ users: saturated, holders: 0, state: "live" });
      log.length = 0;
      context.close();
      expect(log).toEqual([]);
      expect(kinds(here)).toEqual(["refcount:saturated", "release:users"]);
      expect(iommufd.stats().objects.leaked).toBe(1);
    });

    test("just below saturation come back to where they were", async () => {
      const here = await scene();
      const probe = make(here.context, here.type);
      let room = 0;
      while (here.warnings.length === 0) {
        add({ ...here, id: probe });
        room++;
      }
      here.warnings.length = 0;
      // Two less: making a hold takes a lock for a moment.
      const removers = Array.from({ length: room - 2 }, () => add(here));
      expect(counts(here.context, here.id)).toMatch(/^\d+\/0 live$/);
      for (const remove of removers.reverse()) remove();
      expect(counts(here.context, here.id)).toBe("1/0 live");
      expect(here.warnings.filter(({ id }) => id === here.id)).toEqual([]);
      here.context.destroy(here.id);
    });
  });

  test("an object saturated by its last lock is unlocked like any other", async () => {
    const here = await scene();
    const { context, id, warnings } = here;
    // One user below saturation by references, the rest by locks.
    const references: ObjectReference[] = [];
    const probe = make(context, here.type);
    while (warnings.length === 0) context.get(probe).putKeepUser();
    const most = context.inspect(probe)?.users ?? 0;
    warnings.length = 0;
    while ((context.inspect(id)?.users ?? most) < most - 2) references.push(context.get(id).putKeepUser());
    const locks = [context.get(id), context.get(id), context.get(id)];
    expect(warnings.map(({ kind, id: about }) => [kind, about])).toEqual([["refcount:saturated", id]]);
    expect(context.inspect(id)).toMatchObject({ users: most, holders: 3 });
    for (const lock of locks) lock.put();
    for (const reference of references) reference.drop();
    expect(context.inspect(id)).toMatchObject({ users: most, holders: 0, state: "live" });
  });

  test("a holder too many is ENOENT with a warning, nothing moves, and one that leaves makes room", async () => {
    const here = await scene();
    const { context, id, type, warnings } = here;
    const handles: number[] = [];
    for (let handle = context.tryGet(id); handle > 0 && handles.length < TOO_MANY; handle = context.tryGet(id)) {
      handles.push(handle);
    }
    expect(handles.length).toBe(MOST_HOLDERS);
    expect(warnings).toEqual([{ kind: "holders:full", count: 1, context: context.fd, id }]);
    const full = counts(context, id);
    expect(full).toBe(`${handles.length + 1}/${handles.length} live`);
    for (let again = 0; again < 5; again++)
      expect(answer(context.tryGet(id, again % 2 === 0 ? type : undefined))).toBe("ENOENT");
    expect(counts(context, id)).toBe(full);
    expect(kinds(here)).toEqual(Array(6).fill("holders:full"));
    expect(here.iommufd.stats().warnings["holders:full"]).toBe(6);
    for (let round = 0; round < 10; round++) {
      context.put(handles.shift() as number);
      handles.push(context.tryGet(id));
      expect(counts(context, id)).toBe(full);
    }
    for (const handle of handles) context.put(handle);
    context.destroy(id);
    expect(here.log).toEqual([id]);
  });

  test("a destroyer can queue behind as many holders as fit", async () => {
    const here = await scene();
    const { context, id } = here;
    const reference = context.get(id).putKeepUser();
    const handles: number[] = [];
    for (let handle = context.tryGet(id); handle > 0; handle = context.tryGet(id)) handles.push(handle);
    const promise = reference.destroyUserAsync();
    expect(counts(context, id)).toBe(`${handles.length + 2}/${handles.length} destroying`);
    for (const handle of handles) context.put(handle);
    expect(await promise).toBe(true);
  });

  test("a destroyer too many is EAGAIN and keeps its reference; the queued ones are decided as ever", async () => {
    const here = await scene();
    const { context, id, log } = here;
    const references = Array.from({ length: 6 }, () => context.get(id).putKeepUser());
    const lock = context.get(id);
    const outcomes: Promise<unknown>[] = [];
    for (const reference of references) {
      outcomes.push(reference.destroyUserAsync().catch(({ code }: { code: string }) => code));
    }
    expect(context.inspect(id)).toMatchObject({ users: 8, holders: 1, state: "destroying" });
    lock.put();
    const settled = await Promise.all(outcomes);
    const refused = settled.filter((outcome) => outcome === "EAGAIN").length;
    expect(refused).toBeGreaterThan(0);
    expect(settled.slice(0, 6 - refused)).toEqual(Array(6 - refused).fill(false));
    expect(context.inspect(id)).toMatchObject({ users: refused + 1, holders: 0, state: "live" });
    for (const reference of references.slice(6 - refused, -1)) reference.drop();
    expect(references.at(-1)?.destroyUser()).toBe(true);
    expect(log).toEqual([id]);
  });

  test("an object that a destroyer saturates opens again and stays", async () => {
    const here = await scene();
    const { context, id, warnings } = here;
    const lock = context.get(id);
    while (warnings.length === 0) context.get(id).putKeepUser();
    const outcome = errnoOfAsync(context.destroyAsync(id));
    lock.put();
    expect(await outcome).toBe("EBUSY");
    context.get(id).put();
    expect(context.inspect(id)).toMatchObject({ holders: 0, state: "live" });
  });

  test("5000 random steps at the limits keep the counts in agreement with a model", async () => {
    const random = new Random(0x5a11);
    const booted = await boot({ abi, module });
    const context = booted.iommufd.open();
    const type = plainType(booted.iommufd);
    const probe = make(context, type);
    while (booted.warnings.length === 0) context.get(probe).putKeepUser();
    const most = context.inspect(probe)?.users ?? 0;
    const ids = [make(context, type), make(context, type), make(context, type)];
    const model = new Map(ids.map((id) => [id, { users: 1, kept: 0, locks: [] as number[], saturated: false }]));
    for (let step = 0; step < 5000; step++) {
      const id = random.pick(ids);
      const is = model.get(id) as { users: number; kept: number; locks: number[]; saturated: boolean };
      const action = random.below(4);
      if (action === 0) {
        const handle = context.tryGet(id);
        if (handle < 0) continue; // holders are full
        is.locks.push(handle);
        is.users++;
      } else if (action === 1 && is.locks.length > 0) {
        context.put(is.locks.pop() as number);
        is.users--;
      } else if (action === 2 && is.locks.length > 0) {
        context.putKeepUser(is.locks.pop() as number);
        is.kept++;
      } else if (is.locks.length > 0) {
        const result = context.dropUser(is.locks[0] as number);
        expect(result === 0).toBe(is.kept > 0);
        if (result !== 0) continue;
        is.kept--;
        is.users--;
      }
      is.saturated ||= is.users >= most;
      const users = is.saturated ? most : is.users;
      const info = context.inspect(id);
      if (info?.users !== users || info.holders !== is.locks.length) {
        expect.fail(
          `seed ${random.seed}, step ${step}: ${JSON.stringify(info)} instead of ${users}/${is.locks.length}`,
        );
      }
      if (is.saturated && is.locks.length === 0) {
        expect(answer(context.tryDestroy(id))).toBe("EBUSY");
        ids[ids.indexOf(id)] = make(context, type);
        model.delete(id);
        model.set(ids.find((other) => !model.has(other)) as number, { users: 1, kept: 0, locks: [], saturated: false });
      }
    }
    expect(idsOf(context).length).toBeGreaterThan(4);
  });
});
