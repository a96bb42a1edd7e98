// SPDX-License-Identifier: GPL-2.0-only
//
// Where the graph puts boxes, with both layerings: what holds is above what it holds, nothing overlaps, nothing is wider than
// the page, arrows keep off boxes. And where the arrow keys lead.

import { describe, expect, test } from "vitest";
import { type Arrangement, Arranger, type Box, componentsOf } from "../../bindings/lab/graph/arrange.ts";
import { BOX, objectCard, shortNames, typeCard } from "../../bindings/lab/graph/cards.ts";
import { dagreLayers } from "../../bindings/lab/graph/dagre-layers.ts";
import { nextStop } from "../../bindings/lab/graph/navigation.ts";
import { plainLayers } from "../../bindings/lab/graph/plain-layers.ts";
import { Random } from "../support/random.ts";

const BOX_SIZE = BOX.card;

/** Roots, then objects that hold some of those before them. */
function graph(count: number, seed: number): Box[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, index) => {
    const holds =
      index < count / 8 ? [] : [random.below(index), random.below(index)].slice(0, random.below(3)).map((at) => at + 1);
    return { id: index + 1, holds };
  });
}

function overlaps({ places }: Arrangement): string[] {
  const found: string[] = [];
  places.forEach((a, index) => {
    for (const b of places.slice(index + 1)) {
      const apart = Math.abs(a.x - b.x) >= BOX_SIZE.width || Math.abs(a.y - b.y) >= BOX_SIZE.height;
      if (!apart) found.push(`${a.id} and ${b.id}`);
    }
  });
  return found;
}

/** Edges that do not lead down. */
function upward(boxes: readonly Box[], { places }: Arrangement): string[] {
  const y = new Map(places.map((place) => [place.id, place.y]));
  return boxes.flatMap(({ id, holds }) =>
    holds.filter((to) => (y.get(id) ?? 0) >= (y.get(to) ?? 0)).map((to) => `${id} to ${to}`),
  );
}

/** Points of arrows that lie within a box. */
function pointsInBoxes({ places, bends }: Arrangement): string[] {
  return bends.flatMap(({ from, to, points }) =>
    points.flatMap(({ x, y }) =>
      places
        .filter((box) => Math.abs(box.x - x) < BOX_SIZE.width / 2 && Math.abs(box.y - y) < BOX_SIZE.height / 2 - 1)
        .map(({ id }) => `${from} to ${to} in ${id}`),
    ),
  );
}

describe.each([
  ["dagre", dagreLayers],
  ["plain", plainLayers],
])("arranged by %s", (_name, layering) => {
  test.each([
    [0, 1000],
    [1, 1000],
    [7, 1000],
    [7, 320],
    [40, 1440],
    [40, 320],
    [120, 1000],
    [400, 1000],
  ])("%i objects on %i px", (count, width) => {
    const boxes = graph(count, 7);
    const arrangement = new Arranger(layering).arrange({ boxes, width, box: BOX_SIZE });
    expect(arrangement.places.map(({ id }) => id).sort((a, b) => a - b)).toEqual(boxes.map(({ id }) => id));
    expect(overlaps(arrangement)).toEqual([]);
    expect(upward(boxes, arrangement)).toEqual([]);
    expect(pointsInBoxes(arrangement)).toEqual([]);
    expect(arrangement.width).toBe(width);
    for (const { x, y } of arrangement.places) {
      expect(x - BOX_SIZE.width / 2).toBeGreaterThanOrEqual(0);
      expect(x + BOX_SIZE.width / 2).toBeLessThanOrEqual(width);
      expect(y + BOX_SIZE.height / 2).toBeLessThanOrEqual(arrangement.height);
    }
  });

  test("a cycle is laid out, too", () => {
    const boxes = [
      { id: 1, holds: [2] },
      { id: 2, holds: [1] },
      { id: 3, holds: [3, 1, 99] },
    ];
    const arrangement = new Arranger(layering).arrange({ boxes, width: 800, box: BOX_SIZE });
    expect(arrangement.places.length).toBe(3);
    expect(overlaps(arrangement)).toEqual([]);
  });
});

test("components of one shape are layered once", () => {
  let layered = 0;
  const arranger = new Arranger((boxes, box, gap) => {
    layered++;
    return plainLayers(boxes, box, gap);
  });
  const chain = (first: number): Box[] => [
    { id: first, holds: [] },
    { id: first + 1, holds: [first] },
  ];
  const boxes = [1, 11, 21, 31].flatMap(chain);
  arranger.arrange({ boxes, width: 1000, box: BOX_SIZE });
  expect(layered).toBe(1);
  arranger.arrange({ boxes: [...boxes, { id: 41, holds: [31, 32] }], width: 1000, box: BOX_SIZE });
  expect(layered).toBe(2);
});

test("components are connected, and edges lead to boxes only", () => {
  const components = componentsOf([
    { id: 1, holds: [] },
    { id: 2, holds: [] },
    { id: 3, holds: [1, 1, 3, 77] },
    { id: 4, holds: [2] },
  ]);
  expect(components).toEqual([
    [
      { id: 1, holds: [] },
      { id: 3, holds: [1] },
    ],
    [
      { id: 2, holds: [] },
      { id: 4, holds: [2] },
    ],
  ]);
});

describe("arrow keys", () => {
  //   3   4
  //   2
  //   1   5
  const stops = [
    { id: 1, x: 0, y: 200, holds: [], heldBy: [2] },
    { id: 2, x: 0, y: 100, holds: [1], heldBy: [4, 3] },
    { id: 3, x: 0, y: 0, holds: [2], heldBy: [] },
    { id: 4, x: 100, y: 0, holds: [2], heldBy: [] },
    { id: 5, x: 100, y: 200, holds: [], heldBy: [] },
  ];

  test.each([
    ["ArrowDown", 4, 2],
    ["ArrowUp", 2, 3],
    ["ArrowUp", 5, 2],
    ["ArrowRight", 3, 4],
    ["ArrowRight", 4, 2],
    ["ArrowLeft", 1, 2],
    ["ArrowRight", 5, undefined],
    ["ArrowDown", 5, undefined],
    ["Home", 1, 3],
    ["End", 3, 5],
    ["x", 3, undefined],
  ])("%s from %s leads to %s", (key, from, to) => {
    expect(nextStop(stops, from, key)).toBe(to);
  });
});

describe("texts", () => {
  const type = { name: "DEVICE", number: 1 };
  const object = { id: 7, type, state: "destroying", users: 2, holders: 1, references: [3, 3] } as const;

  test("a card says everything in words", () => {
    const card = objectCard(object, 0, "card", "D");
    expect(card.title).toBe("DEVICE 7");
    expect(card.lines).toEqual(["destroying", "2 users · 1 holder"]);
    expect(card.label).toBe("DEVICE 7, destroying, 2 users, 1 holder, holds 3, 3, held by 0 references");
  });

  test("a chip has the type's letter, the ID and the counts", () => {
    expect(objectCard(object, 0, "chip", "D")).toMatchObject({ title: "D 7", aside: "2·1", lines: [] });
  });

  test("long names are shortened so that the ID stays", () => {
    const long = { ...object, type: { name: "A_VERY_LONG_NAME_INDEED", number: 1 } };
    expect(objectCard(long, 0, "card", "A").title).toMatch(/^A_VERY_.*… 7$/);
  });

  test("beginnings tell types apart", () => {
    const types = ["IOAS", "HWPT", "HWPT_NESTED", "DEVICE"].map((name, index) => ({ name, number: index + 1 }));
    expect([...shortNames(types)]).toEqual([
      ["IOAS", "I"],
      ["HWPT", "H2"],
      ["HWPT_NESTED", "H3"],
      ["DEVICE", "D"],
    ]);
  });

  test("a type's card adds up", () => {
    const states = { reserved: 1, live: 1200, destroying: 0, leaked: 0 };
    const summary = { number: 1, name: "DEVICE", objects: 1201, states, users: 1, holders: 0, first: [1] };
    expect(typeCard(summary, [{ from: 1, to: 2, references: 5 }])).toMatchObject({
      title: "DEVICE",
      lines: ["1,201 objects", "1 reserved · 1,200 live"],
      label: "DEVICE: 1,201 objects, 1 reserved, 1,200 live; references: 5 to type 2",
    });
  });
});
