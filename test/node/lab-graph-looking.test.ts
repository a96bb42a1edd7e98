// SPDX-License-Identifier: GPL-2.0-only
//
// How the graph looks at objects: slices and passes of bounded time, what is new in a pass, what is remembered, and sums.

import { Iommufd } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { MOST_DRAWN } from "../../bindings/lab/graph/cards.ts";
import type { ObjectFacts } from "../../bindings/lab/graph/facts.ts";
import { Histories } from "../../bindings/lab/graph/history.ts";
import { GraphModel } from "../../bindings/lab/graph/model.ts";
import { type Finding, ObjectWatch } from "../../bindings/lab/graph/object-watch.ts";
import { ObjectScan } from "../../bindings/lab/graph/scan.ts";
import { SHARE, SLICE_MS } from "../../bindings/lab/scan.ts";
import { Summing } from "../../bindings/lab/graph/summary.ts";

const TYPE = { name: "IOAS", number: 1 };
const OTHER = { name: "HWPT", number: 2 };

function facts(id: number, more: Partial<ObjectFacts> = {}): ObjectFacts {
  return { id, type: TYPE, state: "live", users: 1, holders: 0, references: [], ...more };
}

function many(count: number): ObjectFacts[] {
  return Array.from({ length: count }, (_, index) => facts(index + 1));
}

/** Reads from a list as the library does, and a clock that only reading moves. */
function slowFile(objects: () => readonly ObjectFacts[], msPerObject: number) {
  const file = {
    now: 0,
    read(from: number, limit: number): readonly ObjectFacts[] {
      const part = objects()
        .filter(({ id }) => id >= from)
        .slice(0, limit);
      file.now += part.length * msPerObject;
      return part;
    },
  };
  return file;
}

describe("objects({ from, limit })", () => {
  test("reads a part by ascending ID, and parts together are everything", () => {
    const iommufd = Iommufd.createSync();
    const context = iommufd.open();
    const type = iommufd.defineObjectType({ name: "A", payloadBytes: 0 });
    for (let n = 0; n < 10; n++) context.alloc(type).finalize();
    context.destroy(4);
    expect(context.objects({ from: 3, limit: 3 }).map(({ id }) => id)).toEqual([3, 5, 6]);
    expect(context.objects({ from: 9 }).map(({ id }) => id)).toEqual([9, 10]);
    const parts = [0, 4, 7].map((from, index, all) => context.objects({ from, limit: (all[index + 1] ?? 99) - from }));
    expect(new Set(parts.flat().map(({ id }) => id))).toEqual(new Set(context.objects().map(({ id }) => id)));
    iommufd.detach();
  });

  test.each([
    [{ from: -1 }],
    [{ from: 0.5 }],
    [{ from: Number.NaN }],
    [{ from: 2 ** 32 }],
    [{ from: 2 ** 32 - 1 }],
    [{ limit: 0 }],
    [{ limit: -1 }],
    [{ limit: Number.NaN }],
  ])("%j selects nothing", (range) => {
    const iommufd = Iommufd.createSync();
    const context = iommufd.open();
    context.alloc(iommufd.defineObjectType({ name: "A", payloadBytes: 0 })).finalize();
    expect(context.objects(range)).toEqual([]);
    iommufd.detach();
  });
});

describe("a scan", () => {
  test("reads a pass in slices, each object once", () => {
    const file = slowFile(() => many(5000), 0.01);
    const taken: number[] = [];
    let passes = 0;
    const sink = {
      begin: () => undefined,
      take: (objects: readonly ObjectFacts[]) => taken.push(...objects.map(({ id }) => id)),
      end: () => passes++,
    };
    const scan = new ObjectScan(
      (from, limit) => file.read(from, limit),
      sink,
      () => file.now,
    );
    let longest = 0;
    let steps = 0;
    while (passes === 0) {
      const before = file.now;
      scan.step();
      longest = Math.max(longest, file.now - before);
      steps++;
    }
    expect(taken).toEqual(many(5000).map(({ id }) => id));
    expect(steps).toBeGreaterThan(5);
    // A slice may end one batch late.
    expect(longest).toBeLessThan(SLICE_MS * 1.5);
  });

  test("takes no more than its share of the time", () => {
    const file = slowFile(() => many(2000), 0.005);
    const scan = new ObjectScan(
      (from, limit) => file.read(from, limit),
      { begin: () => undefined, take: () => undefined, end: () => (file.now += 3) },
      () => file.now,
    );
    let looking = 0;
    for (let frame = 0; frame < 2000; frame++) {
      const before = file.now;
      scan.step();
      looking += file.now - before;
      file.now += 1;
    }
    expect(looking / file.now).toBeLessThan(SHARE * 1.05);
    expect(looking / file.now).toBeGreaterThan(SHARE / 2);
  });

  test("looks in every frame while that costs little", () => {
    const file = slowFile(() => many(10), 0.001);
    let passes = 0;
    const sink = { begin: () => undefined, take: () => undefined, end: () => passes++ };
    const scan = new ObjectScan(
      (from, limit) => file.read(from, limit),
      sink,
      () => file.now,
    );
    for (let frame = 0; frame < 100; frame++) {
      scan.step();
      file.now += 16;
    }
    expect(passes).toBe(100);
  });

  test("waits for what it is charged with, up to a limit", () => {
    const file = slowFile(() => many(1), 0);
    let passes = 0;
    const sink = { begin: () => undefined, take: () => undefined, end: () => passes++ };
    const scan = new ObjectScan(
      (from, limit) => file.read(from, limit),
      sink,
      () => file.now,
    );
    scan.step();
    scan.charge(40);
    file.now = 40 / SHARE - 1;
    scan.step();
    expect(passes).toBe(1);
    file.now += 1;
    scan.step();
    expect(passes).toBe(2);
    scan.charge(1e9);
    file.now += 1000;
    scan.step();
    expect(passes).toBe(3);
  });
});

describe("the model", () => {
  test("says what appeared, changed and went, and whether nodes or edges are others", () => {
    const model = new GraphModel();
    expect(model.update([facts(1), facts(2, { references: [1, 1] })])).toMatchObject({ structure: true, gone: [] });
    expect(model.heldBy(1)).toEqual([2, 2]);
    const unchanged = model.update([facts(1), facts(2, { references: [1, 1] })]);
    expect(unchanged).toEqual({ appeared: [], changed: [], gone: [], structure: false });
    const counts = model.update([facts(1, { users: 3 }), facts(2, { references: [1, 1] })]);
    expect(counts).toMatchObject({ changed: [{ before: { users: 1 }, after: { users: 3 } }], structure: false });
    const edge = model.update([facts(1, { users: 3 }), facts(2, { references: [1] })]);
    expect(edge.structure).toBe(true);
    expect(model.heldBy(1)).toEqual([2]);
    expect(model.update([facts(2, { references: [1] })])).toMatchObject({ gone: [{ id: 1 }], structure: true });
  });

  test("takes an ID with another type for another object", () => {
    const model = new GraphModel();
    model.update([facts(1)]);
    const changes = model.update([facts(1, { type: OTHER })]);
    expect(changes).toMatchObject({ gone: [{ type: TYPE }], appeared: [{ type: OTHER }], changed: [] });
  });
});

describe("the history", () => {
  function told(passes: readonly (readonly [number, readonly ObjectFacts[]])[], id: number): string[] {
    const model = new GraphModel();
    const histories = new Histories();
    passes.forEach(([time, pass], index) => histories.note(model.update(pass), time, index === 0));
    return histories.of(id).entries.map(({ text, times }) => (times > 1 ? `${text} (${times})` : text));
  }

  test("tells an object's life", () => {
    const life = told(
      [
        [0, []],
        [10, [facts(1, { state: "reserved" })]],
        [20, [facts(1)]],
        [30, [facts(1, { users: 2, holders: 1 })]],
        [2000, [facts(1, { users: 2, holders: 1, state: "destroying" })]],
        [2010, []],
        [2020, [facts(1)]],
      ],
      1,
    );
    expect(life).toEqual([
      "IOAS appeared, reserved",
      "published",
      "users 1 → 2",
      "holders 0 → 1",
      "a destroyer waits for its holders",
      "gone: IOAS destroyed",
      "IOAS appeared, live, users 1",
    ]);
  });

  test("says what was there before anybody looked", () => {
    expect(told([[0, [facts(1)]]], 1)).toEqual(["IOAS was there at the first look, live, users 1"]);
  });

  test("makes one entry of counts that change all the time", () => {
    const passes = Array.from({ length: 50 }, (_, n) => [n, [facts(1, { users: 1 + (n % 4) })]] as const);
    expect(told(passes, 1).slice(1)).toEqual(["users 1 → 2 (49)"]);
  });

  test("is bounded for an object and over all of them", () => {
    const histories = new Histories();
    const model = new GraphModel();
    for (let n = 0; n < 100; n++) histories.note(model.update(n % 2 === 0 ? [facts(1)] : []), n * 5000);
    const { entries, dropped } = histories.of(1);
    expect(entries.length).toBe(40);
    expect(dropped).toBe(60);
    histories.note(new GraphModel().update(many(1500).map(({ id }) => facts(id + 1))), 1e6);
    expect(histories.of(1).entries).toEqual([]);
    expect(histories.of(2).entries.length).toBe(1);
  });
});

describe("the sums", () => {
  test("count objects by type and state, and references from type to type", () => {
    const summing = new Summing();
    summing.take([facts(1, { references: [4] }), facts(2, { state: "reserved" })]);
    summing.take([facts(3, { type: OTHER, references: [1, 2, 9] }), facts(4, { type: OTHER, users: 5, holders: 2 })]);
    const { objects, types, edges } = summing.result();
    expect(objects).toBe(4);
    expect(types).toMatchObject([
      { name: "IOAS", objects: 2, states: { reserved: 1, live: 1, destroying: 0, leaked: 0 }, first: [1, 2] },
      { name: "HWPT", objects: 2, users: 6, holders: 2 },
    ]);
    expect(edges).toEqual([
      { from: 1, to: 2, references: 1 },
      { from: 2, to: 1, references: 2 },
    ]);
  });
});

describe("the watch", () => {
  function watching(objects: () => readonly ObjectFacts[]) {
    const file = slowFile(objects, 0);
    const findings: Finding[] = [];
    const watch = new ObjectWatch(
      (from, limit) => file.read(from, limit),
      (finding) => findings.push(finding),
      () => file.now,
    );
    const look = (): string[] => {
      watch.step();
      file.now += 1000;
      return findings.splice(0).map(({ kind, modeChanged }) => `${kind}${modeChanged ? " at once" : ""}`);
    };
    return { watch, look };
  }

  test("says nothing when a look finds nothing new", () => {
    let objects = many(3);
    const { watch, look } = watching(() => objects);
    expect(look()).toEqual(["objects at once"]);
    expect(look()).toEqual([]);
    objects = many(4);
    expect(look()).toEqual(["objects"]);
    expect(watch.count).toBe(4);
  });

  test("adds up what is too much to draw, and draws again when it is well below", () => {
    let objects = many(MOST_DRAWN);
    const { watch, look } = watching(() => objects);
    expect(look()).toEqual(["objects at once"]);
    objects = many(MOST_DRAWN + 1);
    expect(look()).toEqual(["summary at once"]);
    expect(watch.summary?.objects).toBe(MOST_DRAWN + 1);
    expect(watch.model.objects.size).toBe(0);
    expect(look()).toEqual([]);
    objects = many(MOST_DRAWN - 1);
    expect(look()).toEqual(["summary"]);
    objects = many(MOST_DRAWN / 2);
    expect(look()).toEqual(["objects at once"]);
    expect(watch.summary).toBeUndefined();
  });
});
