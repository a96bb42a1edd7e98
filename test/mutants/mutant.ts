// SPDX-License-Identifier: GPL-2.0-only
//
// A mutant: the core with one small fault in it, of the kind that a tired programmer makes.
//
// The fault is a text edit of one file of assembly/core: `find` is there exactly once, which test/node/mutants.test.ts checks.
// A list of mutants stands for one core file and has its name.

import type { Edit } from "../model/property.ts";

/** What the fault breaks. A survivor of the first four kinds fails the run, however many others are caught. */
export type Kind =
  /** Who may do what at the same time: a lock, an atomic operation, an order of two of them, a check of a phase. */
  | "locking"
  /** What tells a thing from an earlier one of the same place. */
  | "generation"
  /** Who is told that something has happened. */
  | "waking"
  /** A limit, an index, a comparison. */
  | "bounds"
  /** A count of users, of uses, of anything. */
  | "counts"
  /** Which error a call answers. */
  | "errno"
  /** What an earlier owner left in memory. */
  | "wipe"
  /** What must be taken back when a call fails or ends. */
  | "undo"
  /** What is left for, or done by, whoever reaps a thread that died. */
  | "repair";

export const KINDS_WITHOUT_SURVIVORS: readonly Kind[] = ["locking", "generation", "waking", "bounds"];

export interface Mutant {
  /** Words joined by dashes that say what the core does wrong. */
  readonly name: string;
  /** Of the file, relative to assembly/core. */
  readonly file: string;
  readonly kind: Kind;
  readonly find: string;
  readonly replace: string;
  /** It shows only where a thread dies, as all faults of kind "repair". */
  readonly dies?: boolean;
  /** Names that the file must import besides, for the fault to compile, as a statement. */
  readonly imports?: string;
}

/** As in the lists: the file is the list's. */
export type Fault = Omit<Mutant, "file">;

export function mutantsOf(file: string, faults: readonly Fault[]): readonly Mutant[] {
  return faults.map((fault) => ({ ...fault, file }));
}

export const showsOnDeath = ({ kind, dies }: Mutant): boolean => dies ?? kind === "repair";

/** The edits of the sources under assembly/ that make the mutant, for bindings/build/build-model.mjs. */
export function editsOf({ file, find, replace, imports }: Mutant): readonly Edit[] {
  const edits: Edit[] = [{ file: `core/${file}`, find, replace }];
  if (imports !== undefined) {
    const head = "// SPDX-License-Identifier: GPL-2.0-only\n";
    edits.push({ file: `core/${file}`, find: head, replace: `${head}${imports}\n` });
  }
  return edits;
}
