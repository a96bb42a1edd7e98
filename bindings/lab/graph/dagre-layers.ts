// SPDX-License-Identifier: GPL-2.0-only
//
// A layering by dagre: ranks, an order with few crossings, coordinates, and ways around boxes for edges that skip a layer.
//
// dagre takes about a millisecond for a box on a slow machine and cannot be interrupted, so this module is loaded in a
// worker only (layout-worker.ts). Its best ranking takes seconds for hundreds of boxes: from TIGHT_FROM on its second best
// is used, and from PLAIN_FROM on a component is wider than any page, is broken into rows, and keeps nothing of dagre's
// coordinates anyway.

import * as dagre from "@dagrejs/dagre";
import type { Arrangement, Layering, Place, Size } from "./arrange.js";
import { plainLayers } from "./plain-layers.js";

/** What is used of dagre; its own declarations cannot be resolved by the language's rules for ES modules. */
interface Dagre {
  readonly Graph: new () => DagreGraph;
  readonly layout: (graph: DagreGraph) => void;
}
interface DagreGraph {
  setGraph(options: Readonly<Record<string, string | number>>): void;
  setNode(name: string, box: Size): void;
  setEdge(from: string, to: string, label: object): void;
  graph(): Partial<Size>;
  node(name: string): Place;
  edges(): { readonly v: string; readonly w: string }[];
  edge(edge: { readonly v: string; readonly w: string }): { readonly points: readonly Place[] };
}

const { Graph, layout } = dagre as unknown as Dagre;

const TIGHT_FROM = 60;
const PLAIN_FROM = 300;

/** Layers a component; see Layering. */
export const dagreLayers: Layering = (boxes, box, gap) => {
  if (boxes.length >= PLAIN_FROM) return plainLayers(boxes, box, gap);
  const graph = new Graph();
  graph.setGraph({
    rankdir: "TB",
    nodesep: gap.width,
    edgesep: gap.width,
    ranksep: gap.height,
    ranker: boxes.length < TIGHT_FROM ? "network-simplex" : "tight-tree",
  });
  for (const { id } of boxes) graph.setNode(String(id), { ...box });
  for (const { id, holds } of boxes) for (const target of holds) graph.setEdge(String(id), String(target), {});
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  const places = boxes.map(({ id }) => {
    const { x, y } = graph.node(String(id));
    return { id, x, y };
  });
  return { width, height, places, bends: bendsOf(graph) };
};

function bendsOf(graph: DagreGraph): Arrangement["bends"] {
  return graph.edges().flatMap((edge) => {
    const { points } = graph.edge(edge);
    // The ends lie on the boxes' borders; with one point between them the edge joins two neighbouring layers.
    const inner = points.slice(1, -1).map(({ x, y }) => ({ x, y }));
    return inner.length < 2 ? [] : [{ from: Number(edge.v), to: Number(edge.w), points: inner }];
  });
}
