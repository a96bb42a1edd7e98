// SPDX-License-Identifier: GPL-2.0-only
//
// Which boxes of the graph may glide: nobody ever lies on anybody, however far all of them are.

import { describe, expect, test } from "vitest";
import { BOX } from "../../bindings/lab/graph/cards.ts";
import { freeWays, type Way } from "../../bindings/lab/graph/motion.ts";
import { Random } from "../support/random.ts";

const SIZE = BOX.card;
const GAP = 20;
/** Shares of the way at which boxes are looked at. */
const SHARES = Array.from({ length: 101 }, (_, share) => share / 100);

const stays = (x: number, y = 0): Way => ({ from: { x, y }, to: { x, y } });
const goes = (from: number, to: number, y = 0): Way => ({ from: { x: from, y }, to: { x: to, y } });

/** Boxes of a grid of which some go to free places of it, and two change places. */
function shuffled(count: number, columns: number, random: Random): Way[] {
  const cells = Array.from({ length: 2 * count }, (_, n) => ({
    x: (n % columns) * (SIZE.width + GAP),
    y: Math.floor(n / columns) * (SIZE.height + GAP),
  }));
  for (let n = cells.length - 1; n > 0; n--) {
    const other = random.below(n + 1);
    [cells[n], cells[other]] = [cells[other]!, cells[n]!];
  }
  const free = cells.splice(count);
  return cells.map((from, n) => {
    if (n < 2) return { from, to: cells[1 - n]! };
    return { from, to: random.below(3) === 0 ? free.pop()! : from };
  });
}

function overlapsAt(share: number, ways: readonly Way[]): string[] {
  const places = ways.map(({ from, to }) => ({
    x: from.x + (to.x - from.x) * share,
    y: from.y + (to.y - from.y) * share,
  }));
  return places.flatMap((a, index) =>
    places
      .slice(index + 1)
      .filter((b) => SIZE.width - Math.abs(a.x - b.x) > 1e-9 && SIZE.height - Math.abs(a.y - b.y) > 1e-9)
      .map((b) => `${index} at ${a.x} ${a.y} on one at ${b.x} ${b.y}, share ${share}`),
  );
}

describe("a way is free", () => {
  test("when nobody is on it", () => {
    expect(freeWays([goes(0, 500), stays(1000)], SIZE)).toEqual([true, true]);
  });

  test("when all go the same way, one behind the other", () => {
    expect(freeWays([goes(0, 150), goes(150, 300), goes(300, 450)], SIZE)).toEqual([true, true, true]);
  });

  test("unless somebody stays on it", () => {
    expect(freeWays([goes(0, 500), stays(250)], SIZE)).toEqual([false, true]);
  });

  test("unless two change places", () => {
    expect(freeWays([goes(0, 500), goes(500, 0)], SIZE)).toEqual([false, false]);
  });

  test("unless it ends where somebody who goes at once has to be by then", () => {
    // The first two change places at once, so the third may not pass where the first one is now.
    expect(freeWays([goes(0, 500), goes(500, 0), goes(-200, 700, SIZE.height / 2)], SIZE)).toEqual([
      false,
      false,
      false,
    ]);
  });

  test("also when both edges touch and no more", () => {
    expect(freeWays([goes(0, 500), stays(250, SIZE.height)], SIZE)).toEqual([true, true]);
  });
});

test("nobody lies on anybody at any time, and not everybody has to go at once", () => {
  let glides = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Random(seed);
    const ways = shuffled(2 + random.below(14), 3 + random.below(4), random);
    const free = freeWays(ways, SIZE);
    const taken = ways.map((way, index) => (free[index] === true ? way : { from: way.to, to: way.to }));
    glides += taken.filter(({ from, to }) => from !== to).length;
    for (const share of SHARES) expect({ seed, found: overlapsAt(share, taken) }).toEqual({ seed, found: [] });
  }
  expect(glides).toBeGreaterThan(100);
});
