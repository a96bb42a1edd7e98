// SPDX-License-Identifier: GPL-2.0-only
//
// All arrows of a picture, in as few elements as their looks allow. Where several begin or end at one side of a box they stand
// side by side, ordered by where they come from, so that each reference is an arrow of its own.

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

interface Paths {
  readonly lines: SVGElement;
  readonly heads: SVGElement;
}

/** The arrows' elements. */
export class Arrows {
  readonly #document: Document;
  readonly #others: Paths;
  readonly #selected: Paths;
  readonly #labels: SVGElement;

  constructor(svg: SVGSVGElement) {
    this.#document = svg.ownerDocument;
    this.#others = this.#paths(svg, "others");
    this.#selected = this.#paths(svg, "selected");
    this.#labels = this.#document.createElementNS(SVG, "g");
    this.#labels.setAttribute("class", "labels");
    this.#labels.setAttribute("aria-hidden", "true");
    svg.append(this.#labels);
  }

  /** Draws links between boxes that are drawn. */
  draw(
    links: readonly Link[],
    ends: ReadonlyMap<number, End>,
    bends: readonly Bend[],
    selected: number | undefined,
  ): void {
    const around = new Map(bends.map(({ from, to, points }) => [`${from} ${to}`, points]));
    const drawn = links.filter(({ from, to }) => from !== to && ends.has(from) && ends.has(to));
    const starts = ports(drawn, "from", "to", ends);
    const tips = ports(drawn, "to", "from", ends);
    const text = { others: { lines: "", heads: "" }, selected: { lines: "", heads: "" } };
    const labels: SVGElement[] = [];
    drawn.forEach((link, index) => {
      const { from, to, label } = link;
      const source = ends.get(from);
      const target = ends.get(to);
      if (source === undefined || target === undefined) return;
      const start = { x: source.at.x + (starts[index] ?? 0), y: source.at.y };
      const end = { x: target.at.x + (tips[index] ?? 0), y: target.at.y };
      const { line, head } = arrow(start, end, around.get(`${from} ${to}`) ?? [], BOX[source.card.detail]);
      const paths = from === selected || to === selected ? text.selected : text.others;
      paths.lines += line;
      paths.heads += head;
      if (label !== undefined) labels.push(this.#label(label, source.at, target.at));
    });
    write(this.#others, text.others);
    write(this.#selected, text.selected);
    this.#labels.replaceChildren(...labels);
  }

  #paths(svg: SVGSVGElement, name: string): Paths {
    const make = (part: string): SVGElement => {
      const element = this.#document.createElementNS(SVG, "path");
      element.setAttribute("class", `${part} ${name}`);
      element.setAttribute("aria-hidden", "true");
      svg.append(element);
      return element;
    };
    return { lines: make("lines"), heads: make("heads") };
  }

  #label(label: string, from: Place, to: Place): SVGElement {
    const text = this.#document.createElementNS(SVG, "text");
    text.setAttribute("x", `${(from.x + to.x) / 2}`);
    text.setAttribute("y", `${(from.y + to.y) / 2 + 4}`);
    text.textContent = label;
    return text;
  }
}

function write(paths: Paths, text: { readonly lines: string; readonly heads: string }): void {
  paths.lines.setAttribute("d", text.lines);
  paths.heads.setAttribute("d", text.heads);
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
