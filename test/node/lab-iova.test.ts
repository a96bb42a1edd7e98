// SPDX-License-Identifier: GPL-2.0-only
//
// What <iommufd-iova> computes without a page: what is in sight, what is drawn of it, and how much is read at once.

import { beforeEach, describe, expect, test } from "vitest";
import { Iommufd, type Ioas } from "../../bindings/index.ts";
import { AreaStore } from "../../bindings/lab/iova/area-store.ts";
import { tablePage } from "../../bindings/lab/iova/area-table.ts";
import { AreaWatch } from "../../bindings/lab/iova/area-watch.ts";
import { drawn, MOST_BOXES, SHADES } from "../../bindings/lab/iova/columns.ts";
import { foldedScale, placeOf, segmentAt } from "../../bindings/lab/iova/folded-scale.ts";
import { otherPlaces, spacesOf } from "../../bindings/lab/iova/spaces.ts";
import { spotAt, spotInWords } from "../../bindings/lab/iova/spot.ts";
import { lengthInWords } from "../../bindings/lab/iova/texts.ts";
import * as sight from "../../bindings/lab/iova/window.ts";
import { SLICE_MS } from "../../bindings/lab/scan.ts";

const PAGE = 0x1000n;
const { LAST_IOVA, SPACE, WHOLE } = sight;

/** An area of `pages` pages from IOVA `page` pages on. */
function area(page: number | bigint, pages = 1, change: Partial<Parameters<AreaStore["add"]>[0][number]> = {}) {
  const start = BigInt(page) * PAGE;
  return {
    start,
    last: start + BigInt(pages) * PAGE - 1n,
    state: "mapped" as const,
    read: true,
    write: true,
    pages: 7,
    shared: 1,
    ...change,
  };
}

function storeOf(...areas: ReturnType<typeof area>[]): AreaStore {
  const store = new AreaStore();
  store.add(areas);
  return store;
}

describe("what is in sight", () => {
  test("zooming keeps the IOVA under the pointer where it is, from all of the space down to the least span", () => {
    const target = 0x1234_5678_9abc_d000n;
    const place = sight.fractionOf(WHOLE, target);
    let window = WHOLE;
    for (let count = 0; window.span > sight.LEAST_SPAN; count++) {
      expect(count).toBeLessThan(64);
      window = sight.zoomed(window, 0.5, place);
      expect(Math.abs(sight.fractionOf(window, target) - place) * Number(window.span)).toBeLessThan(0x1_0000_0000);
    }
    expect(window.span).toBe(sight.LEAST_SPAN);
    expect(sight.zoomed(window, 0.5)).toEqual(window);
  });

  test("zooming out ends at all of the space, wherever it began", () => {
    for (const first of [0n, PAGE, SPACE / 2n, LAST_IOVA - 100n]) {
      let window = sight.clamped(first, 64n);
      for (let count = 0; count < 70; count++) window = sight.zoomed(window, 2, 0.9);
      expect(window).toEqual(WHOLE);
    }
  });

  test("moving ends at both ends, and keeps the span", () => {
    const window = sight.clamped(PAGE, 0x1_0000n);
    expect(sight.moved(window, -1)).toEqual({ first: 0n, span: 0x1_0000n });
    expect(sight.moved(window, 0.25).first).toBe(PAGE + 0x4000n);
    const end = sight.clamped(SPACE, 0x1_0000n);
    expect([sight.lastOf(end), sight.moved(end, 3)]).toEqual([LAST_IOVA, end]);
    expect(sight.moved(WHOLE, 0.5)).toEqual(WHOLE);
  });

  test.each([
    [0n, 0n],
    [PAGE, 2n * PAGE - 1n],
    [LAST_IOVA, LAST_IOVA],
    [0n, LAST_IOVA],
    [1n, LAST_IOVA - 1n],
  ])("%s … %s fitted in is in sight as a whole, within the space", (first, last) => {
    const window = sight.fitted(first, last);
    expect([window.first <= first, sight.lastOf(window) >= last]).toEqual([true, true]);
    expect(window.first >= 0n && sight.lastOf(window) <= LAST_IOVA).toBe(true);
  });

  test("pixels and IOVAs are each other's inverse, also where a number has no room for the IOVA", () => {
    const window = { first: 0xffff_ffff_ffff_0000n, span: 0x1_0000n };
    for (let x = 0; x < 64; x++) {
      const iova = sight.iovaAt(window, x / 64);
      expect(iova).toBe(window.first + BigInt(x) * 0x400n);
      expect(sight.fractionOf(window, iova)).toBe(x / 64);
    }
    expect([sight.iovaAt(window, -1), sight.iovaAt(window, 2)]).toEqual([window.first, LAST_IOVA]);
  });

  test("the scale has lines at powers of two, as far apart as asked, and no more than fit", () => {
    expect(sight.ticks(WHOLE, 0.25)).toEqual([0n, 1n << 62n, 2n << 62n, 3n << 62n]);
    const window = { first: 0x1234n, span: 0x1_0000n };
    const found = sight.ticks(window, 0.11);
    expect(found).toEqual([0x2000n, 0x4000n, 0x6000n, 0x8000n, 0xa000n, 0xc000n, 0xe000n, 0x1_0000n]);
    for (const least of [0.1, 0.3, 0.9, 1, 5])
      expect(sight.ticks(window, least).length).toBeLessThanOrEqual(1 / Math.min(least, 1) + 1);
  });
});

describe("the folded scale", () => {
  test("covers the space without gaps, and every area has a place that can be hit", () => {
    const far = 2n ** 63n;
    const scale = foldedScale({ start: PAGE, last: far + PAGE - 1n }, [{ start: 2n * PAGE, last: far - 1n }]);
    expect(scale.map(({ kind }) => kind)).toEqual(["hole", "areas", "hole", "areas", "hole"]);
    expect([scale[0]?.start, scale.at(-1)?.last, scale[0]?.from, scale.at(-1)?.to]).toEqual([0n, LAST_IOVA, 0, 1]);
    for (const [index, { start, from, to }] of scale.entries()) {
      if (index > 0) expect([start, from]).toEqual([(scale[index - 1]?.last ?? 0n) + 1n, scale[index - 1]?.to]);
      expect(to - from).toBeGreaterThan(0.05);
    }
    expect(segmentAt(scale, placeOf(scale, PAGE))?.start).toBe(PAGE);
    expect(segmentAt(scale, placeOf(scale, far))?.start).toBe(far);
  });

  test("is one hole without areas, and all areas where nothing is free", () => {
    expect(foldedScale(undefined, []).map(({ kind, last }) => [kind, last])).toEqual([["hole", LAST_IOVA]]);
    expect(foldedScale({ start: 0n, last: LAST_IOVA }, []).map(({ kind }) => kind)).toEqual(["areas"]);
  });

  test("places ascend with the IOVAs", () => {
    const scale = foldedScale({ start: PAGE, last: 9n * PAGE }, [{ start: 3n * PAGE, last: 5n * PAGE }]);
    const places = [0n, PAGE, 2n * PAGE, 4n * PAGE, 9n * PAGE, SPACE / 2n, LAST_IOVA].map((iova) =>
      placeOf(scale, iova),
    );
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(new Set(places).size).toBe(places.length);
  });
});

describe("areas that are kept", () => {
  test("are found by any IOVA, also where numbers round", () => {
    const high = LAST_IOVA / PAGE - 8n;
    const areas = [area(0), area(1), area(5, 2), area(high), area(high + 1n), area(high + 3n)];
    const store = storeOf(...areas);
    for (const [index, { start, last }] of areas.entries()) {
      for (const iova of [start, (start + last) / 2n, last]) {
        expect([store.indexFrom(iova), store.indexBehind(iova)]).toEqual([index, index + 1]);
        expect(store.holeAt(iova, LAST_IOVA)).toBeUndefined();
      }
    }
    expect(store.holeAt(3n * PAGE, LAST_IOVA)).toEqual({ start: 2n * PAGE, last: 5n * PAGE - 1n });
    expect(store.holeAt(LAST_IOVA, LAST_IOVA)).toEqual({ start: (high + 4n) * PAGE, last: LAST_IOVA });
  });

  test("of one byte each, thousands where a number has one value for all, are told apart", () => {
    const base = 2n ** 63n;
    const store = new AreaStore();
    for (let index = 0n; index < 3000n; index++) {
      store.add([{ ...area(0), start: base + 2n * index, last: base + 2n * index }]);
    }
    for (const index of [0, 1, 999, 2999]) {
      const iova = base + 2n * BigInt(index);
      expect([store.indexFrom(iova), store.indexFrom(iova + 1n)]).toEqual([index, index + 1]);
    }
  });

  test("remember the largest holes only", () => {
    const store = new AreaStore();
    let page = 1;
    const wanted: bigint[] = [];
    for (let index = 0; index < 2000; index++) {
      store.add([area(page)]);
      const large = index % 100 === 50;
      if (large) wanted.push(BigInt(page + 1) * PAGE);
      page += large ? 1000 : 2;
    }
    const starts = store.holes().map(({ start }) => start);
    expect(wanted).toHaveLength(20);
    expect(starts).toEqual(expect.arrayContaining(wanted));
    expect(starts.length).toBeLessThan(40);
    expect(starts).toEqual([...starts].sort((a, b) => (a < b ? -1 : 1)));
  });
});

describe("what is drawn", () => {
  test("a page in all of the space has a box that can be seen, at its place", () => {
    const shapes = drawn(storeOf(area(2n ** 51n)), WHOLE, 1000);
    expect(shapes).toEqual({
      kind: "boxes",
      count: 1,
      boxes: [{ x: 500, width: 2, read: true, write: true, transition: false, colour: 0 }],
    });
  });

  test("areas beyond both edges are cut there, and those out of sight are left out", () => {
    const store = storeOf(area(0, 2), area(3), area(5, 4), area(20));
    const shapes = drawn(store, { first: PAGE, span: 6n * PAGE }, 600);
    if (shapes.kind !== "boxes") throw new Error("no boxes");
    expect(shapes.boxes.map(({ x, width }) => [x, width])).toEqual([
      [0, 99],
      [200, 99],
      [400, 199],
    ]);
  });

  test("rights, transition and shared memory are told", () => {
    const store = storeOf(
      area(0, 1, { write: false }),
      area(1, 1, { read: false, pages: 9, shared: 2 }),
      area(2, 1, { state: "transition", read: false, write: false }),
      area(3, 1, { pages: 9, shared: 2 }),
    );
    const shapes = drawn(store, { first: 0n, span: 4n * PAGE }, 400);
    if (shapes.kind !== "boxes") throw new Error("no boxes");
    const [first, second, third, fourth] = shapes.boxes;
    expect([first?.read, first?.write, first?.colour]).toEqual([true, false, 0]);
    expect([second?.read, second?.write]).toEqual([false, true]);
    expect(third?.transition).toBe(true);
    expect(second?.colour).toBeGreaterThan(0);
    expect(fourth?.colour).toBe(second?.colour);
  });

  test("many areas are added up by pixel, each right by itself, exactly", () => {
    // Two pages to a pixel: one to read, and, in the right half, one to write. Far up, where numbers round.
    const width = 1000;
    const base = LAST_IOVA / PAGE + 1n - 2n * BigInt(width);
    const store = new AreaStore();
    for (let x = 0n; x < BigInt(width); x++) {
      store.add([area(base + 2n * x, 1, { write: false })]);
      if (x >= 500n) store.add([area(base + 2n * x + 1n, 1, { read: false })]);
    }
    const shapes = drawn(store, { first: base * PAGE, span: 2n * BigInt(width) * PAGE }, width);
    expect(shapes).toEqual({
      kind: "sums",
      count: 1500,
      read: [{ x: 0, width, shade: SHADES / 2 }],
      write: [{ x: 500, width: 500, shade: SHADES / 2 }],
    });
  });

  test("a pixel with one byte is shaded, a full one is full, an empty one is empty", () => {
    const store = new AreaStore();
    for (let index = 0; index <= MOST_BOXES; index++) store.add([area(index)]);
    store.add([{ ...area(0), start: 1000n * PAGE, last: 1000n * PAGE }]);
    const shapes = drawn(store, { first: 0n, span: 2000n * PAGE }, 2000);
    if (shapes.kind !== "sums") throw new Error("no sums");
    expect(shapes.read).toEqual([
      { x: 0, width: MOST_BOXES + 1, shade: SHADES },
      { x: 1000, width: 1, shade: 1 },
    ]);
  });

  test("an area that spans many pixels counts in each of them", () => {
    const store = new AreaStore();
    // It ends in the middle of a pixel.
    store.add([area(0, 501)]);
    for (let index = 1; index <= MOST_BOXES + 50; index++) store.add([area(500 + 2 * index)]);
    const shapes = drawn(store, { first: 100n * PAGE, span: 1700n * PAGE }, 850);
    if (shapes.kind !== "sums") throw new Error("no sums");
    expect(shapes.read).toEqual([
      { x: 0, width: 200, shade: SHADES },
      { x: 200, width: MOST_BOXES + 50, shade: SHADES / 2 },
    ]);
  });
});

describe("looking", () => {
  const MANY = 5000;
  const many = Array.from({ length: MANY }, (_, index) => area(2 * index));
  let now = 0;
  let reads: number[];
  const source = (areas: () => readonly ReturnType<typeof area>[], cost = 1) => ({
    areas({ from, limit }: { from: bigint; limit: number }) {
      if (from > LAST_IOVA) throw new Error("no IOVA");
      now += cost;
      const part = areas()
        .filter(({ last }) => last >= from)
        .slice(0, limit);
      reads.push(part.length);
      return part;
    },
    reservedRanges: () => [],
    allowedRanges: () => [],
  });
  beforeEach(() => {
    now = 0;
    reads = [];
  });

  test("never reads many areas at once: a frame has its slice, and what is known so far is shown meanwhile", () => {
    const watch = new AreaWatch(
      source(() => many),
      () => now,
    );
    watch.step();
    expect(watch.complete).toBe(false);
    expect(watch.store.count).toBeGreaterThan(0);
    expect(watch.store.count).toBeLessThan(MANY / 5);
    for (let frames = 1; !watch.complete; frames++) {
      const before = now;
      watch.step();
      expect(now - before).toBeLessThanOrEqual(SLICE_MS);
      expect(frames).toBeLessThan(MANY);
    }
    expect([watch.store.count, watch.store.mapped]).toEqual([MANY, BigInt(MANY) * PAGE]);
    expect(Math.max(...reads)).toBeLessThan(200);
  });

  test("says that something is different when it is, and only then; a pass that is not complete shows nothing", () => {
    let areas: readonly ReturnType<typeof area>[] = many;
    const watch = new AreaWatch(
      source(() => areas, 0.01),
      () => now,
    );
    const pass = (): boolean => {
      now += 1e6;
      return watch.step();
    };
    expect([pass(), pass()]).toEqual([true, false]);
    areas = [...many.slice(0, 10), ...many.slice(11)];
    expect([pass(), watch.store.count, pass()]).toEqual([true, MANY - 1, false]);
    areas = [...areas.slice(0, 3), area(6, 1, { write: false }), ...areas.slice(4)];
    expect([pass(), pass()]).toEqual([true, false]);
    areas = [];
    expect([pass(), watch.extent, watch.scale.length]).toEqual([true, undefined, 1]);
  });

  test("an area that ends with the space is the last one", () => {
    const last = { ...area(1), last: LAST_IOVA };
    const areas = [
      ...Array.from({ length: 127 }, (_, index) => ({ ...area(0), start: BigInt(index), last: BigInt(index) })),
      last,
    ];
    const watch = new AreaWatch(
      source(() => areas),
      () => now,
    );
    watch.step();
    expect([watch.complete, watch.store.count]).toEqual([true, 128]);
  });
});

describe("on a real address space", () => {
  let iommufd: Iommufd;
  let ioas: Ioas;
  beforeEach(() => {
    iommufd = Iommufd.createSync({ abi: "mainline" });
    ioas = iommufd.open().ioasAlloc();
    return () => iommufd.detach();
  });
  const seen = (): AreaWatch => {
    const watch = new AreaWatch(ioas, () => 0);
    while (!watch.complete) watch.step();
    return watch;
  };

  test("each IOVA is an area or a hole, and the words say which, from where, and what it shows", () => {
    const memory = iommufd.userSpace.map(0x3000);
    ioas.map(memory, { iova: 0x10_0000, write: false });
    ioas.mapFile(iommufd.createMemfd(0x2000), { iova: 0x20_0000, start: 0x1000, length: 0x1000 });
    const watch = seen();
    expect(spotInWords(spotAt(ioas, watch, 0x10_0fffn))).toBe(
      `Area, 0x100000 to 0x102fff, 12 KiB, read only, memory of process 1 at 0x${memory.va.toString(16)}`,
    );
    expect(spotInWords(spotAt(ioas, watch, 0x20_0000n))).toMatch(/read and write, memfd \d+, from byte 0x1000 on$/);
    expect(spotInWords(spotAt(ioas, watch, 0x18_0000n))).toMatch(/^Hole, 0x103000 to 0x1fffff/);
    expect(spotInWords(spotAt(ioas, watch, LAST_IOVA))).toMatch(/^Hole, 0x201000 to 0xffffffffffffffff, about 16 EiB/);
    // What came since the look is an area at once, and bounds the hole.
    ioas.map(memory.va, 0x1000, { iova: 0x19_0000 });
    expect(spotAt(ioas, watch, 0x19_0000n).kind).toBe("area");
    expect(spotInWords(spotAt(ioas, watch, 0x18_0000n))).toMatch(/^Hole, 0x103000 to 0x18ffff/);
  });

  test("shared memory is found wherever else it is shown", () => {
    const page = ioas.map(iommufd.userSpace.map(0x1000));
    const { context } = ioas;
    const other = context.ioasAlloc();
    const copy = other.copyFrom(ioas, page, 0x1000, { iova: 0x5000 });
    const [area] = ioas.areas();
    if (area === undefined) throw new Error("no area");
    expect(spacesOf(context)).toEqual([ioas.id, other.id]);
    expect(otherPlaces(context, spacesOf(context), ioas.id, area)).toEqual([{ id: other.id, start: copy }]);
    const ids = spacesOf(context);
    other.destroy();
    expect(otherPlaces(context, ids, ioas.id, area)).toEqual([]);
  });

  test("the table has all areas and holes, a page at a time, and the allowed ranges first", () => {
    const memory = iommufd.userSpace.map(0x1000);
    for (let index = 1; index <= 150; index++) ioas.map(memory.va, 0x1000, { iova: index * 0x2000 });
    ioas.allow([{ start: 0x8000_0000, last: 0x8000_ffff }]);
    const watch = seen();
    const first = tablePage(ioas, watch, 0n);
    expect(first.rows.slice(0, 3).map(({ kind, range }) => [kind, range.start])).toEqual([
      ["allowed", 0x8000_0000n],
      ["hole", 0n],
      ["area", 0x2000n],
    ]);
    const second = tablePage(ioas, watch, first.next ?? 0n);
    expect(second.next).toBeUndefined();
    const ranges = [...first.rows, ...second.rows].filter(({ kind }) => kind !== "allowed").map(({ range }) => range);
    let next = 0n;
    for (const { start, last } of ranges) {
      expect(start).toBe(next);
      next = last + 1n;
    }
    expect(next).toBe(SPACE);
    expect(ranges).toHaveLength(301);
  });
});

test.each([
  [0n, "0 bytes"],
  [1n, "1 byte"],
  [4096n, "4 KiB"],
  [12n * 1024n, "12 KiB"],
  [4097n, "4,097 bytes"],
  [SPACE, "16 EiB"],
  [SPACE - PAGE, "about 16 EiB"],
  [1_500_001n, "about 1.4 MiB"],
])("%s bytes are read as %s", (bytes, words) => {
  expect(lengthInWords(bytes)).toBe(words);
});
