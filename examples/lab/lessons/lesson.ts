// SPDX-License-Identifier: GPL-2.0-only
//
// What a lesson is: texts, and steps that are done when the student has really done them.
//
// A step sees evidence: what happened since it began, the objects that there are now, and the facts that former steps
// remembered (mostly IDs, since nobody knows beforehand which ID an object gets). From that it gives a verdict. It never
// asks a view what is on the screen, so a step can be done by the console, by a script, or by another page.
//
// In texts, `words between backticks` are shown as code; nothing else is marked.

import type { ObjectInfo } from "iommufd-wasm";
import type { LabCall } from "iommufd-wasm/lab";

/** What steps remember for those behind them, by name. */
export type Facts = Readonly<Record<string, number>>;

/** A text, or one that names what former steps found. */
export type Text = string | ((facts: Facts) => string);

/** A finished look at a race. */
export interface RaceSeen {
  /** Schedules stepped through by hand, or real workers. */
  readonly mode: "step" | "run";
  /** Which race, e.g. "destroy-get". */
  readonly race: string;
  /** What it came to: one name for each different ending. */
  readonly outcomes: readonly string[];
}

/** An ioctl that the student wrote down, as text. */
export interface DefinitionText {
  readonly name: string;
  /** The number within the type ';'. */
  readonly nr: number;
  /** One field per line: `name: type`. */
  readonly fields: string;
  /** JavaScript: the body of a function of `cmd` and `Errno`. */
  readonly body: string;
}

/** What a step judges. */
export interface Evidence {
  /** Calls since the step began, oldest first. */
  readonly calls: readonly LabCall[];
  /** What the open file has now. */
  readonly objects: readonly ObjectInfo[];
  /** What former steps remembered. */
  readonly facts: Facts;
  /** Objects that were selected since the step began. */
  readonly selected: readonly number[];
  /** Answers to the step's question since it began. */
  readonly answers: readonly number[];
  /** Races that were looked at since the step began; with `continuesRaces`, since the one before it began. */
  readonly races: readonly RaceSeen[];
  /** Ioctls that the student defined since the step began. */
  readonly defined: readonly DefinitionText[];
  /** Objects that the page's buttons for sample objects made since the step began; their calls are not among `calls`. */
  readonly sampled: readonly number[];
  /** How often the file was closed and opened again since the step began. */
  readonly reopened: number;
  readonly memory: UserMemory;
}

/** The process' memory that pointers in a struct mean. */
export interface UserMemory {
  /** Where the page has mapped memory that nothing else uses. */
  readonly scratch: bigint;
  /** Bytes from that address to the end of the mapping; undefined where nothing is mapped. */
  read(address: bigint): Uint8Array | undefined;
}

/**
 * done: the step is over, and these facts are remembered. note: not yet, and this is why. again: what the lesson
 * had built is gone, so it begins again. undefined: nothing to say.
 */
export type Verdict = { done: Facts } | { note: string } | { again: string } | undefined;

/** What the page can do for the student, one click at a time. */
export type Action =
  | {
      readonly kind: "call";
      readonly command: string;
      readonly fields: Readonly<Record<string, number | bigint>>;
      /** Declare this size instead of the struct's, in bytes. */
      readonly size?: number;
    }
  | { readonly kind: "define"; readonly definition: DefinitionText }
  | { readonly kind: "sample" }
  | { readonly kind: "reopen" }
  | { readonly kind: "answer"; readonly value: number }
  | { readonly kind: "race"; readonly race: string; readonly mode: "step" | "run" };

/** Something that a step asks for and that is there. */
export interface Already {
  /** What is there. */
  readonly text: string;
  /** What is remembered when the student takes it. */
  readonly facts: Facts;
}

/** One of the answers to a question. */
export interface Choice {
  readonly value: number;
  readonly label: string;
}

/** A question with one right answer. */
export interface Question {
  readonly ask: Text;
  choices(evidence: Evidence): readonly Choice[];
}

/** Which part of the page a step happens in. */
export type Place = "console" | "graph" | "race" | "definition" | "file" | "memory";

/** The page's machines: one with the objects of the first version and the lab's ioctls, one with address spaces. */
export type MachineName = "objects" | "memory";

/** One step of a lesson. */
export interface Step {
  readonly title: Text;
  /** What to do. */
  readonly text: Text;
  /** For who is stuck: how exactly. */
  readonly hint: Text;
  readonly place: Place;
  readonly question?: Question;
  /** The step needs real threads; without them it is passed over. */
  readonly needsThreads?: boolean;
  /** The races of the step before count for this one, too. */
  readonly continuesRaces?: boolean;
  check(evidence: Evidence): Verdict;
  /** What the step asks for, where it is there without the student's doing; he may take it by a button, and the step is done. */
  already?(evidence: Evidence): Already | undefined;
  /** What the page would do next; undefined when only the student can. */
  next(evidence: Evidence): Action | undefined;
  /** What it means, once it is done. */
  readonly learned: Text;
}

/** A guided lesson. */
export interface Lesson {
  /** Stable, for addresses and saved progress. */
  readonly id: string;
  readonly title: string;
  /** On which machine it happens. Default "objects". */
  readonly machine?: MachineName;
  /** The address space that the page shows, as soon as it is known; afterwards the student chooses. */
  space?(facts: Facts): number | undefined;
  /** What it is about, a paragraph each. */
  readonly intro: readonly string[];
  readonly steps: readonly Step[];
  /** What to take home. */
  readonly closing: string;
  /** The lesson's facts are IDs in the open file, which mean nothing once it is closed. Default true. */
  readonly tiedToFile?: boolean;
  /**
   * Nothing of the lesson lies in the kernel, and the page could not repeat it for the student (a look at a race, say). A place in it is found
   * again by the steps and facts that were kept, not by repeating. Default false.
   */
  readonly isRemembered?: boolean;
  /** What a place that was found again lacks, in a sentence. */
  readonly lostByReload?: string;
}
