// SPDX-License-Identifier: GPL-2.0-only
//
// Where the boxes of a graph go, for a page of a given width.
//
//   1. The graph is split into its connected components.
//   2. Each component is layered, leaf to root: what holds stands above what it holds. Components of the same shape are
//      layered once and remembered, so that a change costs the layout of the component that it is in.
//   3. A component that is wider than the page has its layers broken into rows.
//   4. Components are put side by side on shelves; objects that neither hold nor are held fill rows at the end.
//
// The page never scrolls sideways: no arrangement is wider than asked, unless a single box is. Places are the boxes'
// centres. Which layering is used is the caller's choice: dagre-layers.ts, or plain-layers.ts where there is no worker.

/** A box, and the boxes that its edges lead to. */
export interface Box {
  readonly id: number;
  /** Each once; IDs that are no box are ignored. */
  readonly holds: readonly number[];
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Centre of a box. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** What is to be arranged. */
export interface ArrangeRequest {
  /** By ascending ID. */
  readonly boxes: readonly Box[];
  /** What the page has. */
  readonly width: number;
  /** Of every box. */
  readonly box: Size;
}

/** An edge that has to go around a box. */
export interface Bend {
  readonly from: number;
  readonly to: number;
  readonly points: readonly Place[];
}

/** Where everything is. */
export interface Arrangement extends Size {
  readonly places: readonly (Place & { readonly id: number })[];
  readonly bends: readonly Bend[];
}

/** Layers one connected component, whose boxes are numbered from 0 on. Boxes of one layer have the same y. */
export type Layering = (boxes: readonly Box[], box: Size, gap: Size) => Arrangement;

const MARGIN = 16;
const COMPONENT_GAP = 32;
const MOST_REMEMBERED = 200;
/** Boxes times rows, up to which arrows are led around boxes. */
const MOST_CROSSINGS = 600;

/** Space between boxes, and between layers. */
export function gapOf(box: Size): Size {
  return { width: Math.round(box.width / 8), height: Math.round(box.height / 2) + 8 };
}

/** Arranges graphs, remembering the components that it has seen. */
export class Arranger {
  readonly #layering: Layering;
  readonly #remembered = new Map<string, Arrangement>();

  constructor(layering: Layering) {
    this.#layering = layering;
  }

  /** Arranges a graph. */
  arrange({ boxes, width, box }: ArrangeRequest): Arrangement {
    const gap = gapOf(box);
    const room = Math.max(width - 2 * MARGIN, box.width);
    const parts: Arrangement[] = [];
    const alone: Box[] = [];
    for (const component of componentsOf(boxes)) {
      if (component.length > 1) parts.push(this.#layered(component, box, gap, room));
      else alone.push(...component);
    }
    const shelves = shelve(parts, room);
    if (alone.length > 0) shelves.push([rowsOf([alone.map(({ id }) => id)], [], box, gap, room)]);
    return stack(shelves, Math.max(width, room + 2 * MARGIN));
  }

  #layered(component: readonly Box[], box: Size, gap: Size, room: number): Arrangement {
    const indices = new Map(component.map(({ id }, index) => [id, index]));
    const numbered = component.map(({ holds }, id) => ({
      id,
      holds: holds.map((target) => indices.get(target) ?? id),
    }));
    const key = `${box.width} ${numbered.map(({ holds }) => holds.join()).join(";")}`;
    let layered = this.#remembered.get(key);
    if (layered === undefined) {
      layered = this.#layering(numbered, box, gap);
      const [oldest] = this.#remembered.keys();
      if (this.#remembered.size >= MOST_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
    } else {
      this.#remembered.delete(key);
    }
    this.#remembered.set(key, layered);
    const idOf = (index: number): number => component[index]?.id ?? index;
    const { places, bends, ...size } = layered;
    if (size.width > room) {
      const layers = layersOf(layered).map((layer) => layer.map(idOf));
      return rowsOf(layers, component, box, gap, room);
    }
    return {
      ...size,
      places: places.map((place) => ({ ...place, id: idOf(place.id) })),
      bends: bends.map(({ from, to, points }) => ({ from: idOf(from), to: idOf(to), points })),
    };
  }
}

/** Connected components, in the order of their lowest box, with edges that lead to boxes only. */
export function componentsOf(boxes: readonly Box[]): Box[][] {
  const parent = new Map(boxes.map(({ id }) => [id, id]));
  const rootOf = (id: number): number => {
    let root = id;
    for (let up = parent.get(root); up !== undefined && up !== root; up = parent.get(root)) root = up;
    for (let at = id; at !== root;) {
      const next = parent.get(at) ?? root;
      parent.set(at, root);
      at = next;
    }
    return root;
  };
  const kept = boxes.map(({ id, holds }) => ({
    id,
    holds: [...new Set(holds)].filter((target) => target !== id && parent.has(target)),
  }));
  for (const { id, holds } of kept) for (const target of holds) parent.set(rootOf(target), rootOf(id));
  const components = new Map<number, Box[]>();
  for (const box of kept) {
    const root = rootOf(box.id);
    const component = components.get(root);
    if (component === undefined) components.set(root, [box]);
    else component.push(box);
  }
  return [...components.values()];
}

/** The boxes of each layer from left to right, the layers from the top. */
function layersOf({ places }: Arrangement): number[][] {
  const layers = new Map<number, { id: number; x: number }[]>();
  for (const { id, x, y } of places) {
    const key = Math.round(y);
    const layer = layers.get(key);
    if (layer === undefined) layers.set(key, [{ id, x }]);
    else layer.push({ id, x });
  }
  return [...layers].sort(([a], [b]) => a - b).map(([, layer]) => layer.sort((a, b) => a.x - b.x).map(({ id }) => id));
}

interface Row {
  readonly y: number;
  /** Centres of its boxes. */
  readonly columns: readonly number[];
}

/** Layers one below the other, each broken into rows that fit the room. */
function rowsOf(
  layers: readonly (readonly number[])[],
  boxes: readonly Box[],
  box: Size,
  gap: Size,
  room: number,
): Arrangement {
  const step = box.width + gap.width;
  const inRow = Math.max(1, Math.floor((room + gap.width) / step));
  const widest = Math.min(inRow, Math.max(...layers.map(({ length }) => length)));
  const width = widest * step - gap.width;
  const rowGap = Math.min(gap.height, gap.width);
  const places: (Place & { id: number })[] = [];
  const rows: Row[] = [];
  let y = box.height / 2;
  for (const layer of layers) {
    for (let start = 0; start < layer.length; start += inRow) {
      const row = layer.slice(start, start + inRow);
      // A row that goes on keeps the columns of the one above it.
      const used = layer.length > inRow ? width : row.length * step - gap.width;
      const left = (width - used + box.width) / 2;
      const columns = row.map((_, column) => left + column * step);
      row.forEach((id, column) => places.push({ id, x: columns[column] ?? left, y }));
      rows.push({ y, columns });
      y += box.height + rowGap;
    }
    y += gap.height - rowGap;
  }
  return { width, height: y - gap.height - box.height / 2, places, bends: bendsOf(boxes, places, rows, box, gap) };
}

/** Ways between the boxes of the rows that an arrow has to cross; none when there are too many to be told apart. */
function bendsOf(
  boxes: readonly Box[],
  places: readonly (Place & { readonly id: number })[],
  rows: readonly Row[],
  box: Size,
  gap: Size,
): Bend[] {
  if (boxes.length * rows.length > MOST_CROSSINGS) return [];
  const placeOf = new Map(places.map((place) => [place.id, place]));
  return boxes.flatMap(({ id, holds }) =>
    holds.flatMap((to) => {
      const start = placeOf.get(id);
      const end = placeOf.get(to);
      if (start === undefined || end === undefined) return [];
      let { x } = start;
      const points = rows
        .filter(({ y }) => y > start.y && y < end.y)
        .flatMap(({ y, columns }) => {
          x = passageNear(columns, x + (end.x - x) / 2, box.width, gap.width);
          return [-1, 1].map((side) => ({ x, y: y + (side * box.height) / 2 }));
        });
      return points.length === 0 ? [] : [{ from: id, to, points }];
    }),
  );
}

/** Where a row can be crossed: straight on, or between two boxes, or beside the outermost. */
function passageNear(columns: readonly number[], x: number, width: number, gap: number): number {
  const blocking = columns.filter((column) => Math.abs(column - x) < width / 2 + gap / 4);
  const [block] = blocking;
  if (block === undefined) return x;
  const aside = (width + gap) / 2;
  return x < block ? block - aside : block + aside;
}

/** Puts parts side by side as long as they fit. */
function shelve(parts: readonly Arrangement[], room: number): Arrangement[][] {
  const shelves: Arrangement[][] = [];
  let left = 0;
  for (const part of parts) {
    const shelf = shelves.at(-1);
    if (shelf !== undefined && part.width <= left) shelf.push(part);
    else {
      shelves.push([part]);
      left = room;
    }
    left -= part.width + COMPONENT_GAP;
  }
  return shelves;
}

/** Puts shelves one below the other, each in the middle. */
function stack(shelves: readonly (readonly Arrangement[])[], width: number): Arrangement {
  const places: (Place & { id: number })[] = [];
  const bends: Bend[] = [];
  let top = MARGIN;
  for (const shelf of shelves) {
    const used = shelf.reduce((sum, part) => sum + part.width + COMPONENT_GAP, -COMPONENT_GAP);
    let left = Math.max(MARGIN, Math.round((width - used) / 2));
    const height = Math.max(...shelf.map((part) => part.height));
    for (const part of shelf) {
      const move = ({ x, y }: Place): Place => ({ x: x + left, y: y + top });
      for (const place of part.places) places.push({ id: place.id, ...move(place) });
      for (const { from, to, points } of part.bends) bends.push({ from, to, points: points.map(move) });
      left += part.width + COMPONENT_GAP;
    }
    top += height + COMPONENT_GAP;
  }
  return { width, height: shelves.length === 0 ? 2 * MARGIN : top - COMPONENT_GAP + MARGIN, places, bends };
}
