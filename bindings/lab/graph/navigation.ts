// SPDX-License-Identifier: GPL-2.0-only
//
// Where an arrow key leads from a box.
//
//   Down, Up      along an edge: to the leftmost box that it holds, or that holds it; without one to the nearest in the next row
//   Right, Left   to the neighbour in its row, and on to the next row
//   Home, End     to the first and the last box
//
// Any box can be reached from any other by Left and Right alone.

/** A box and its edges. */
export interface Stop {
  readonly id: number;
  readonly x: number;
  readonly y: number;
  readonly holds: readonly number[];
  readonly heldBy: readonly number[];
}

/** The box that the key leads to; undefined when it leads nowhere or means nothing here. */
export function nextStop(stops: readonly Stop[], from: number | undefined, key: string): number | undefined {
  const order = [...stops].sort((a, b) => a.y - b.y || a.x - b.x);
  if (key === "Home") return order[0]?.id;
  if (key === "End") return order.at(-1)?.id;
  const index = order.findIndex(({ id }) => id === from);
  const here = order[index];
  if (here === undefined) return undefined;
  switch (key) {
    case "ArrowRight":
      return order[index + 1]?.id;
    case "ArrowLeft":
      return order[index - 1]?.id;
    case "ArrowDown":
      return leftmost(order, here.holds) ?? nearest(order, here, 1);
    case "ArrowUp":
      return leftmost(order, here.heldBy) ?? nearest(order, here, -1);
    default:
      return undefined;
  }
}

function leftmost(stops: readonly Stop[], ids: readonly number[]): number | undefined {
  const [first] = stops.filter(({ id }) => ids.includes(id)).sort((a, b) => a.x - b.x);
  return first?.id;
}

/** In the next row below (1) or above (-1), the one that is least to the side. */
function nearest(stops: readonly Stop[], here: Stop, direction: 1 | -1): number | undefined {
  const beyond = stops.filter(({ y }) => (y - here.y) * direction > 0);
  const row = Math.min(...beyond.map(({ y }) => Math.abs(y - here.y)));
  const [best] = beyond
    .filter(({ y }) => Math.abs(y - here.y) === row)
    .sort((a, b) => Math.abs(a.x - here.x) - Math.abs(b.x - here.x));
  return best?.id;
}
