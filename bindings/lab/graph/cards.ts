// SPDX-License-Identifier: GPL-2.0-only
//
// What stands on the boxes: a card of three lines for each object while there are few, a chip with its number and its users
// for hundreds, a wide card for each type when objects are only counted.
//
// A box says its state by its outline and by a mark, its type by a name or a letter; colour repeats that and adds nothing.

import type { Size } from "./arrange.js";
import { type ObjectFacts, STATES, type State, counted, grouped } from "./facts.js";
import type { EdgeSummary, TypeSummary } from "./summary.js";

/** How much a box says. */
export type Detail = "card" | "chip" | "type";

/** Up to so many objects get a card. */
export const MOST_CARDS = 60;
/** Up to so many objects are drawn; more are summarised by type. */
export const MOST_DRAWN = 600;

/** How big each kind of box is, in CSS pixels. */
export const BOX: Readonly<Record<Detail, Size>> = {
  card: { width: 138, height: 68 },
  chip: { width: 84, height: 30 },
  type: { width: 208, height: 92 },
};

/** One box. */
export interface Card {
  /** The object's ID, or the type's number. */
  readonly key: number;
  readonly detail: Detail;
  readonly title: string;
  /** At the end of the title's line. */
  readonly aside: string;
  readonly lines: readonly string[];
  /** What it is to somebody who does not see it. */
  readonly label: string;
  readonly state: State | "type";
  readonly typeNumber: number;
}

/** An arrow. */
export interface Link {
  readonly from: number;
  readonly to: number;
  readonly label?: string;
}

/** How many letters of a title a card has room for. */
const TITLE_LETTERS = 15;

/** The box of an object. */
export function objectCard(object: ObjectFacts, heldBy: number, detail: "card" | "chip", short: string): Card {
  const { id, type, state, users, holders, references } = object;
  const relations = `holds ${references.length === 0 ? "nothing" : references.join(", ")}, held by ${counted(heldBy, "reference")}`;
  const counts = holders === 0 ? counted(users, "user") : `${counted(users, "user")}, ${counted(holders, "holder")}`;
  const label = `${type.name} ${id}, ${state}, ${counts}, ${relations}`;
  const common = { key: id, detail, label, state, typeNumber: type.number };
  if (detail === "chip") {
    return { ...common, title: `${short} ${id}`, aside: holders === 0 ? `${users}` : `${users}·${holders}`, lines: [] };
  }
  const title = `${shortened(type.name, TITLE_LETTERS - 1 - `${id}`.length)} ${id}`;
  const held = holders === 0 ? "" : ` · ${counted(holders, "holder")}`;
  return { ...common, title, aside: "", lines: [state, `${counted(users, "user")}${held}`] };
}

/** The box of a type. */
export function typeCard({ number, name, objects, states }: TypeSummary, edges: readonly EdgeSummary[]): Card {
  const present = STATES.filter((state) => states[state] > 0).map((state) => `${grouped(states[state])} ${state}`);
  const own = edges.find(({ from, to }) => from === number && to === number);
  const outward = edges
    .filter(({ from }) => from === number)
    .map(({ to, references }) => `${references} to type ${to}`);
  const lines = [counted(objects, "object"), present.slice(0, 2).join(" · ")];
  const rest = present.slice(2).join(" · ");
  if (rest !== "") lines.push(rest);
  else if (own !== undefined) lines.push(`${counted(own.references, "reference")} inside`);
  return {
    key: number,
    detail: "type",
    title: shortened(name, 22),
    aside: "",
    lines,
    label: `${name}: ${counted(objects, "object")}, ${present.join(", ")}; references: ${outward.join(", ") || "none"}`,
    state: "type",
    typeNumber: number,
  };
}

/** The shortest beginnings that tell names apart, by name. */
export function shortNames(types: readonly { readonly name: string; readonly number: number }[]): Map<string, string> {
  const names = [...new Set(types.map(({ name }) => name))];
  return new Map(
    types.map(({ name, number }) => {
      for (let length = 1; length <= 3; length++) {
        const start = name.slice(0, length);
        if (!names.some((other) => other !== name && other.startsWith(start))) return [name, start];
      }
      return [name, `${name.slice(0, 1)}${number}`];
    }),
  );
}

function shortened(text: string, letters: number): string {
  return text.length <= letters ? text : `${text.slice(0, Math.max(1, letters - 1))}…`;
}
