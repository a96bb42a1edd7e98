// SPDX-License-Identifier: GPL-2.0-only
//
// A layering that takes time in proportion to the edges, for where dagre cannot run beside the page: pages whose policy
// forbids workers, and components so big that dagre would take seconds.
//
// Layers by the longest path to a root, so that objects of a kind stand in one layer; within a layer, boxes are ordered by the mean position of their neighbours in the
// layer before, downwards and upwards by turns, which is the classic way to few crossings.

import type { Arrangement, Box, Layering, Size } from "./arrange.js";

const SWEEPS = 6;

/** Layers a component; see Layering. Edges that close a cycle are ignored. */
export const plainLayers: Layering = (boxes, box, gap) => {
  const layers = layersByLongestPath(boxes);
  const above = new Map<number, number[]>();
  const below = new Map(boxes.map(({ id, holds }) => [id, holds]));
  for (const { id, holds } of boxes) for (const target of holds) listAt(above, target).push(id);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    const order = down ? layers : [...layers].reverse();
    const neighbours = down ? above : below;
    const position = new Map<number, number>();
    for (const layer of order) {
      const means = new Map(layer.map((id, index) => [id, meanOf(neighbours.get(id) ?? [], position) ?? index]));
      layer.sort((a, b) => (means.get(a) ?? 0) - (means.get(b) ?? 0) || a - b);
      // Positions are parts of the layer's width, so that layers of different length compare.
      layer.forEach((id, index) => position.set(id, (index + 0.5) / layer.length));
    }
  }
  return placed(layers, box, gap);
};

function layersByLongestPath(boxes: readonly Box[]): number[][] {
  const waiting = new Map(boxes.map(({ id, holds }) => [id, holds.length]));
  const above = new Map<number, number[]>();
  for (const { id, holds } of boxes) for (const target of holds) listAt(above, target).push(id);
  const height = new Map<number, number>();
  const ready = boxes.filter(({ holds }) => holds.length === 0).map(({ id }) => id);
  for (let index = 0; index < ready.length; index++) {
    const id = ready[index] as number;
    for (const holder of above.get(id) ?? []) {
      height.set(holder, Math.max(height.get(holder) ?? 0, (height.get(id) ?? 0) + 1));
      const left = (waiting.get(holder) ?? 0) - 1;
      waiting.set(holder, left);
      if (left === 0) ready.push(holder);
    }
  }
  const layers: number[][] = [];
  for (const { id } of boxes) {
    const own = height.get(id) ?? 0;
    while (layers.length <= own) layers.push([]);
    layers[own]?.push(id);
  }
  return layers.filter(({ length }) => length > 0).reverse();
}

function placed(layers: readonly (readonly number[])[], box: Size, gap: Size): Arrangement {
  const widthOf = (count: number): number => count * (box.width + gap.width) - gap.width;
  const width = Math.max(...layers.map(({ length }) => widthOf(length)));
  const height = layers.length * (box.height + gap.height) - gap.height;
  const places = layers.flatMap((layer, row) => {
    const left = (width - widthOf(layer.length) + box.width) / 2;
    const y = row * (box.height + gap.height) + box.height / 2;
    return layer.map((id, column) => ({ id, x: left + column * (box.width + gap.width), y }));
  });
  return { width, height, places, bends: [] };
}

function meanOf(ids: readonly number[], position: ReadonlyMap<number, number>): number | undefined {
  let sum = 0;
  let count = 0;
  for (const id of ids) {
    const at = position.get(id);
    if (at === undefined) continue;
    sum += at;
    count++;
  }
  return count === 0 ? undefined : sum / count;
}

function listAt(map: Map<number, number[]>, key: number): number[] {
  let list = map.get(key);
  if (list === undefined) map.set(key, (list = []));
  return list;
}
