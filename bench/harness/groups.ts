// SPDX-License-Identifier: GPL-2.0-only
//
// The candidates of a bench by situation, as their names say (bench.ts): "1,024 objects: floor".

import type { Result, Spread } from "./bench.ts";

export interface Member {
  /** Without the situation. */
  readonly name: string;
  /** The first of its situation but the floor, on however many threads, or what a ratio compares with another one. */
  readonly isOurs: boolean;
  readonly spread: Spread;
}

export interface Group {
  /** "" where the bench has one situation only. */
  readonly situation: string;
  readonly members: readonly Member[];
  /** What the others are compared with: the floor, or else the first that is not ours. */
  readonly reference: Spread;
}

export function groupsOf({ candidates, ratios }: Result): Group[] {
  const compared = new Set<string>();
  for (const name of Object.keys(ratios)) {
    const [left = "", right = ""] = name.split(" / ");
    // A rival may be compared with itself on fewer threads.
    if (!isFloor(nameIn(left)) && !withoutThreads(left).endsWith(withoutThreads(right))) compared.add(left);
  }
  const bySituation = new Map<string, Member[]>();
  for (const [whole, spread] of Object.entries(candidates)) {
    const name = nameIn(whole);
    const situation = whole.slice(0, -name.length).replace(/: $/, "");
    const members = bySituation.get(situation) ?? [];
    bySituation.set(situation, members);
    const isFirst = withoutThreads(name) === withoutThreads(members[0]?.name ?? name);
    members.push({ name, isOurs: (isFirst && !isFloor(name)) || compared.has(whole), spread });
  }
  return [...bySituation].flatMap(([situation, members]) => {
    const floor = members.find(({ name }) => isFloor(name));
    const reference = floor ?? members.find(({ isOurs }) => !isOurs) ?? members[0];
    return reference ? [{ situation, members, reference: reference.spread }] : [];
  });
}

export function isFloor(name: string): boolean {
  return name.startsWith("floor");
}

const THREADS = /, (\d+ threads?)$/;

/** "2 threads", where a candidate's name ends so; else "". */
export function threadsIn(name: string): string {
  return THREADS.exec(name)?.[1] ?? "";
}

export function withoutThreads(name: string): string {
  return name.replace(THREADS, "");
}

function nameIn(whole: string): string {
  const cut = whole.indexOf(": ");
  return cut < 0 ? whole : whole.slice(cut + 2);
}
