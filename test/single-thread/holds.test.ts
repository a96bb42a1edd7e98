// SPDX-License-Identifier: GPL-2.0-only
//
// Who needs whom: an object that is being made keeps users of others, until it is aborted or destroyed. The first two holds
// lie in the object, more in lists of six, so numbers around those are tried.

import type { IommufdContext, ObjectType } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer, errnoOf } from "../support/answer.ts";
import { ABIS, boot } from "../support/boot.ts";
import { counts, idsOf, make, plainType } from "../support/objects.ts";
import { Random } from "../support/random.ts";

async function scene(abi: "rfc" | "mainline" = "rfc"): Promise<{ context: IommufdContext; type: ObjectType }> {
  const { iommufd } = await boot({ abi });
  return { context: iommufd.open(), type: plainType(iommufd) };
}

function referencesOf(context: IommufdContext, id: number): number[] {
  const { references } = context.inspect(id) ?? { references: [] };
  return [...references].sort((a, b) => a - b);
}

describe.each(ABIS)("%s", (abi) => {
  test("a target is EBUSY until its holder is destroyed", async () => {
    const { context, type } = await scene(abi);
    const target = make(context, type);
    const holder = make(context, type, target);
    expect(counts(context, target)).toBe("2/0 live");
    expect(referencesOf(context, holder)).toEqual([target]);
    expect(answer(context.tryDestroy(target))).toBe("EBUSY");
    context.destroy(holder);
    expect(counts(context, target)).toBe("1/0 live");
    context.destroy(target);
    expect(idsOf(context)).toEqual([]);
  });

  test("a hold counts as soon as it is made, and abort drops it", async () => {
    const { context, type } = await scene(abi);
    const target = make(context, type);
    const holder = context.alloc(type);
    const locked = context.get(target);
    holder.hold(locked);
    expect(counts(context, target)).toBe("3/1 live");
    locked.put();
    expect(counts(context, target)).toBe("2/0 live");
    expect(context.objects().find(({ state }) => state === "reserved")?.references).toEqual([target]);
    expect(answer(context.tryDestroy(target))).toBe("EBUSY");
    holder.abort();
    expect(counts(context, target)).toBe("1/0 live");
  });

  test("a LockedObject stays locked, an ObjectReference is consumed", async () => {
    const { context, type } = await scene(abi);
    const target = make(context, type);
    const holder = context.alloc(type);
    const reference = context.get(target).putKeepUser();
    expect(counts(context, target)).toBe("2/0 live");
    holder.hold(reference);
    expect(counts(context, target)).toBe("2/0 live");
    expect(errnoOf(() => reference.drop())).toBe("EINVAL");
    expect(errnoOf(() => reference.destroyUser())).toBe("EINVAL");
    const locked = context.get(target);
    holder.hold(locked);
    expect(counts(context, target)).toBe("4/1 live");
    expect(errnoOf(() => locked.dropUser())).toBe("EINVAL"); // the consumed reference is not "kept" any more
    locked.put();
    context.destroy(holder.finalize());
    expect(counts(context, target)).toBe("1/0 live");
  });

  test("the same target may be held several times, each counts", async () => {
    const { context, type } = await scene(abi);
    const target = make(context, type);
    const holder = make(context, type, target, target, target);
    expect(counts(context, target)).toBe("4/0 live");
    expect(referencesOf(context, holder)).toEqual([target, target, target]);
    context.destroy(holder);
    expect(counts(context, target)).toBe("1/0 live");
  });

  test.each([1, 2, 3, 7, 8, 9, 14, 15, 50])("%d holds are all dropped, by abort as by destroy", async (count) => {
    const { context, type } = await scene(abi);
    const targets = Array.from({ length: count }, () => make(context, type));
    for (const end of ["abort", "destroy"]) {
      const holder = context.alloc(type);
      for (const id of targets) {
        const locked = context.get(id);
        if (id % 2 === 0) {
          holder.hold(locked);
          locked.put();
        } else {
          holder.hold(locked.putKeepUser());
        }
      }
      expect(targets.map((id) => counts(context, id))).toEqual(targets.map(() => "2/0 live"));
      if (end === "abort") {
        holder.abort();
      } else {
        const id = holder.finalize();
        expect(referencesOf(context, id)).toEqual(targets);
        context.destroy(id);
      }
      expect(targets.map((id) => counts(context, id))).toEqual(targets.map(() => "1/0 live"));
    }
    for (const id of targets) context.destroy(id);
  });
});

test("the memory of hold lists is used again", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const type = plainType(iommufd);
  const target = make(context, type);
  const round = (): void => context.destroy(make(context, type, ...Array<number>(100).fill(target)));
  round();
  const { used } = iommufd.stats().bytes;
  for (let i = 0; i < 1000; i++) round();
  expect(iommufd.stats().bytes.used).toBe(used);
});

test("more references than one look can show are all shown", async () => {
  const { context, type } = await scene();
  const count = 2500;
  const targets = Array.from({ length: count }, () => make(context, type));
  const holder = make(context, type, ...targets);
  expect(referencesOf(context, holder)).toEqual(targets);
  const listed = context.objects().find(({ id }) => id === holder)?.references;
  expect([...(listed ?? [])].sort((a, b) => a - b)).toEqual(targets);
  context.destroy(holder);
  expect(targets.every((id) => counts(context, id) === "1/0 live")).toBe(true);
});

test("a chain comes down from its leaf only", async () => {
  const { context, type } = await scene();
  const chain = [make(context, type)];
  for (let i = 0; i < 99; i++) chain.push(make(context, type, chain.at(-1) as number));
  for (const id of chain.slice(0, -1)) expect(answer(context.tryDestroy(id))).toBe("EBUSY");
  for (const id of chain.reverse()) expect(context.tryDestroy(id)).toBe(0);
  expect(idsOf(context)).toEqual([]);
});

test("10,000 random steps on a graph agree with a simple model", async () => {
  const random = new Random(0x9a4f);
  const { context, type } = await scene();
  const references = new Map<number, number[]>();
  const users = new Map<number, number>();
  for (let step = 0; step < 10_000; step++) {
    const ids = [...references.keys()];
    if (ids.length === 0 || (random.below(5) < 3 && ids.length < 200)) {
      const targets =
        ids.length === 0 ? [] : Array.from({ length: random.pick([0, 1, 2, 3, 8]) }, () => random.pick(ids));
      const id = make(context, type, ...targets);
      references.set(id, targets);
      users.set(id, 1);
      for (const target of targets) users.set(target, (users.get(target) ?? 0) + 1);
    } else {
      const id = random.pick(ids);
      const expected = users.get(id) === 1 ? 0 : "EBUSY";
      if (answer(context.tryDestroy(id)) !== expected) {
        expect.fail(`seed ${random.seed}, step ${step}: destroy of ${id}, expected ${expected}`);
      }
      if (expected === 0) {
        for (const target of references.get(id) ?? []) users.set(target, (users.get(target) ?? 0) - 1);
        references.delete(id);
        users.delete(id);
      }
    }
  }
  const model = [...references.keys()].sort((a, b) => a - b);
  expect(context.objects().map((info) => [info.id, info.users, [...info.references].sort()])).toEqual(
    model.map((id) => [id, users.get(id), [...(references.get(id) ?? [])].sort()]),
  );
});

describe("what cannot be held is EINVAL, and nothing changes", () => {
  test.each<[string, (context: IommufdContext, type: ObjectType, id: number) => unknown]>([
    ["a reservation", (context, type) => context.alloc(type)],
    [
      "a handle that was put",
      (context, _type, id) => {
        const locked = context.get(id);
        locked.put();
        return locked;
      },
    ],
    [
      "a reference that was dropped",
      (context, _type, id) => {
        const reference = context.get(id).putKeepUser();
        reference.drop();
        return reference;
      },
    ],
    ["null", () => null],
    ["undefined", () => undefined],
    ["a number", (_context, _type, id) => id],
    ["an object that looks like one", (_context, _type, id) => ({ id })],
  ])("%s", async (_name, targetOf) => {
    const { context, type } = await scene();
    const id = make(context, type);
    const holder = context.alloc(type);
    const target = targetOf(context, type, id);
    const before = context.objects();
    expect(errnoOf(() => holder.hold(target as never))).toBe("EINVAL");
    expect(context.objects()).toEqual(before);
    holder.abort();
  });

  test("a reference of an earlier open of the same number, although ID and count of objects agree", async () => {
    const { iommufd } = await boot();
    const type = plainType(iommufd);
    const earlier = iommufd.open();
    const old = earlier.get(make(earlier, type)).putKeepUser();
    earlier.close();
    const context = iommufd.open();
    const id = make(context, type);
    const kept = context.get(id).putKeepUser();
    expect(context.fd).toBe(earlier.fd);
    const holder = context.alloc(type);
    expect(errnoOf(() => holder.hold(old))).toBe("EINVAL");
    expect(counts(context, id)).toBe("2/0 live");
    holder.abort();
    kept.drop();
    expect(counts(context, id)).toBe("1/0 live");
  });

  test("an object of another context, or of another thread's handle", async () => {
    const { iommufd } = await boot();
    const type = plainType(iommufd);
    const one = iommufd.open();
    const two = iommufd.open();
    const id = make(one, type);
    const holder = two.alloc(type);
    const locked = one.get(id);
    const reference = one.get(id).putKeepUser();
    expect(errnoOf(() => holder.hold(locked))).toBe("EINVAL");
    expect(errnoOf(() => holder.hold(reference))).toBe("EINVAL");
    expect(counts(one, id)).toBe("3/1 live");
    reference.drop();
    locked.put();
    holder.abort();
  });
});
