// SPDX-License-Identifier: GPL-2.0-only
//
// The candidates of a bench by situation, as their names say (bench.ts): "1,024 objects: floor".

import type { Result, Spread } from "./bench.ts";

export interface Member {
  /** Without the situation. */
  readonly name: string;
  /** The first of its situation, or what a ratio compares with others. */
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
  const compared = new Set(Object.keys(ratios).map((name) => name.split(" / ")[0] ?? ""));
  const bySituation = new Map<string, Member[]>();
  for (const [whole, spread] of Object.entries(candidates)) {
    const cut = whole.indexOf(": ");
    const situation = cut < 0 ? "" : whole.slice(0, cut);
    const members = bySituation.get(situation) ?? [];
    bySituation.set(situation, members);
    const name = cut < 0 ? whole : whole.slice(cut + 2);
    members.push({ name, isOurs: members.length === 0 || compared.has(whole), spread });
  }
  return [...bySituation].flatMap(([situation, members]) => {
    const floor = members.find(({ name }) => name.startsWith("floor"));
    const reference = floor ?? members.find(({ isOurs }) => !isOurs) ?? members[0];
    return reference ? [{ situation, members, reference: reference.spread }] : [];
  });
}
