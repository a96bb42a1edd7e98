// SPDX-License-Identifier: GPL-2.0-only
//
// All arrows of a picture, in as few elements as their looks allow. Where several begin or end at one side of a box they stand
// side by side, ordered by where they come from, so that each reference is an arrow of its own.
//
// Those of the selected box are drawn once more, over all of them and in a layer of their own (picture-styles.ts): to select is to paint a few
// arrows, not hundreds. For the same reason nothing is written that is there already.

import type { Bend, Place } from "./arrange.js";
import { BOX, type Card, type Link } from "./cards.js";
import { arrow } from "./outlines.js";

const SVG = "http://www.w3.org/2000/svg";
/** Between two arrows at one side of a box, where there is room. */
const PORT_GAP = 14;
/** Part of a side that arrows may take. */
const PORT_SHARE = 0.7;

/** A box as arrows see it. */
interface End {
  readonly at: Place;
  readonly card: Card;
}

/** An arrow's line and head, as path data. */
interface Drawn {
  readonly from: number;
  readonly to: number;
  readonly line: string;
  readonly head: string;
}

/** Two paths, and what they are drawn by. */
interface Paths {
  readonly lines: SVGElement;
  readonly heads: SVGElement;
  drawn: string;
}

/** The arrows' elements. */
export class Arrows {
  readonly #document: Document;
  readonly #all: Paths;
  readonly #selected: Paths;
  readonly #labels: SVGElement;
  #arrows: readonly Drawn[] = [];

  constructor(svg: SVGSVGElement) {
    this.#document = svg.ownerDocument;
    this.#all = this.#paths(this.#group(svg, "all"));
    this.#selected = this.#paths(this.#group(svg, "selected"));
    this.#labels = this.#group(svg, "labels");
  }

  /** Draws links between boxes that are drawn. `select` is to follow. */
  draw(links: readonly Link[], ends: ReadonlyMap<number, End>, bends: readonly Bend[]): void {
    const around = new Map(bends.map(({ from, to, points }) => [`${from} ${to}`, points]));
    const drawn = links.filter(({ from, to }) => from !== to && ends.has(from) && ends.has(to));
    const starts = ports(drawn, "from", "to", ends);
    const tips = ports(drawn, "to", "from", ends);
    const labels: SVGElement[] = [];
    this.#arrows = drawn.flatMap(({ from, to, label }, index) => {
      const source = ends.get(from);
      const target = ends.get(to);
      if (source === undefined || target === undefined) return [];
      const start = { x: source.at.x + (starts[index] ?? 0), y: source.at.y };
      const end = { x: target.at.x + (tips[index] ?? 0), y: target.at.y };
      if (label !== undefined) labels.push(this.#label(label, source.at, target.at));
      return { from, to, ...arrow(start, end, around.get(`${from} ${to}`) ?? [], BOX[source.card.detail]) };
    });
    write(this.#all, this.#arrows);
    this.#labels.replaceChildren(...labels);
  }

  /** Marks the arrows of a box; none for undefined. */
  select(key: number | undefined): void {
    write(
      this.#selected,
      this.#arrows.filter(({ from, to }) => from === key || to === key),
    );
  }

  #group(svg: SVGSVGElement, name: string): SVGElement {
    const group = this.#document.createElementNS(SVG, "g");
    group.setAttribute("class", name);
    group.setAttribute("aria-hidden", "true");
    svg.append(group);
    return group;
  }

  #paths(group: SVGElement): Paths {
    const make = (part: string): SVGElement => {
      const element = this.#document.createElementNS(SVG, "path");
      element.setAttribute("class", part);
      group.append(element);
      return element;
    };
    return { lines: make("lines"), heads: make("heads"), drawn: "" };
  }

  #label(label: string, from: Place, to: Place): SVGElement {
    const text = this.#document.createElementNS(SVG, "text");
    text.setAttribute("x", `${(from.x + to.x) / 2}`);
    text.setAttribute("y", `${(from.y + to.y) / 2 + 4}`);
    text.textContent = label;
    return text;
  }
}

function write(paths: Paths, arrows: readonly Drawn[]): void {
  const lines = arrows.map(({ line }) => line).join("");
  const heads = arrows.map(({ head }) => head).join("");
  // Also when they are equal, attributes that are set are painted anew.
  if (paths.drawn === lines + heads) return;
  paths.drawn = lines + heads;
  paths.lines.setAttribute("d", lines);
  paths.heads.setAttribute("d", heads);
}

/** How far from the middle of its box each link begins or ends. */
function ports(
  links: readonly Link[],
  here: "from" | "to",
  there: "from" | "to",
  ends: ReadonlyMap<number, End>,
): number[] {
  const atBox = new Map<number, number[]>();
  links.forEach((link, index) => {
    const list = atBox.get(link[here]);
    if (list === undefined) atBox.set(link[here], [index]);
    else list.push(index);
  });
  const offsets = links.map(() => 0);
  const xOf = (index: number): number => ends.get(links[index]?.[there] ?? -1)?.at.x ?? 0;
  for (const [id, indices] of atBox) {
    if (indices.length === 1) continue;
    indices.sort((a, b) => xOf(a) - xOf(b) || a - b);
    const width = BOX[ends.get(id)?.card.detail ?? "card"].width * PORT_SHARE;
    const gap = Math.min(PORT_GAP, width / indices.length);
    indices.forEach((index, order) => (offsets[index] = (order - (indices.length - 1) / 2) * gap));
  }
  return offsets;
}
