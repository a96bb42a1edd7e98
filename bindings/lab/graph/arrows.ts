// SPDX-License-Identifier: GPL-2.0-only
//
// All arrows of a picture, in as few elements as their looks allow. Several references from one object to another stand side by
// side, as far as there is room.

import type { Bend, Place } from "./arrange.js";
import { BOX, type Card, type Link } from "./cards.js";
import { arrow } from "./outlines.js";

const SVG = "http://www.w3.org/2000/svg";
const PARALLEL_GAP = 10;
const MOST_PARALLEL = 4;

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
    const parallel = new Map<string, number>();
    for (const { from, to } of links) parallel.set(`${from} ${to}`, (parallel.get(`${from} ${to}`) ?? 0) + 1);
    const drawn = new Map<string, number>();
    const text = { others: { lines: "", heads: "" }, selected: { lines: "", heads: "" } };
    const labels: SVGElement[] = [];
    for (const { from, to, label } of links) {
      const source = ends.get(from);
      const target = ends.get(to);
      if (source === undefined || target === undefined || from === to) continue;
      const key = `${from} ${to}`;
      const all = Math.min(parallel.get(key) ?? 1, MOST_PARALLEL);
      const index = drawn.get(key) ?? 0;
      if (index >= all) continue;
      drawn.set(key, index + 1);
      const aside = (index - (all - 1) / 2) * PARALLEL_GAP;
      const beside = ({ x, y }: Place): Place => ({ x: x + aside, y });
      const between = (around.get(key) ?? []).map(beside);
      const { line, head } = arrow(beside(source.at), beside(target.at), between, BOX[source.card.detail]);
      const paths = from === selected || to === selected ? text.selected : text.others;
      paths.lines += line;
      paths.heads += head;
      if (label !== undefined) labels.push(this.#label(label, source.at, target.at));
    }
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
