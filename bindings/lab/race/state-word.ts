// SPDX-License-Identifier: GPL-2.0-only
//
// An object's state word: its fields, and which of its bits differ from those of an earlier word.
//
// Where a field lies is asked of the module itself (assembly/model/state-word.ts): the model build has narrower counts than the
// published core. While a word is frozen its low bits are the name of the thread that changes the object, and no counts.

/** A field, by its lowest bit and its number of bits. */
export interface WordField {
  readonly name: FieldName;
  readonly shift: number;
  readonly bits: number;
}

const NAMES = ["phase", "frozen", "destroyers", "holders", "type", "waited", "generation", "users"] as const;
export type FieldName = (typeof NAMES)[number];

/** What each field means, in one sentence. */
export const FIELD_MEANINGS: Readonly<Record<FieldName, string>> = {
  phase: "whether the ID is free, reserved, live for everybody, or leaked",
  frozen: "one thread changes the object in more than one word; all others wait",
  destroyers: "threads that wait to destroy the object; any of them hides it from new lookups",
  holders: "locks by calls that are under way and will let go soon",
  type: "the number of the object's type",
  waited: "somebody sleeps until the word is no longer frozen",
  generation: "how often this ID was given back, so that no thread mistakes a new object for the old one",
  users: "everybody who needs the object to exist: the ID table, holders, destroyers, kept references, other objects",
};

/** The constants of a module, by name. */
export type Constants = Readonly<Record<string, number>>;

/** How a build lays out its state words. */
export class StateWordLayout {
  /** From the highest bit to the lowest. */
  readonly fields: readonly WordField[];
  readonly #phases: ReadonlyMap<number, string>;

  constructor(constants: Constants) {
    const constant = (name: string): number => {
      const value = constants[name];
      if (value === undefined) throw new Error(`the module has no constant ${name}`);
      return value;
    };
    this.fields = NAMES.map((name) => ({
      name,
      shift: constant(`STATE_${name.toUpperCase()}_SHIFT`),
      bits: constant(`STATE_${name.toUpperCase()}_BITS`),
    }));
    this.#phases = new Map(
      ["FREE", "RESERVED", "LIVE", "LEAKED"].map((name) => [constant(`STATE_${name}`), name.toLowerCase()]),
    );
  }

  field(name: FieldName): WordField {
    return this.fields.find((field) => field.name === name) as WordField;
  }

  valueOf(word: bigint, name: FieldName): bigint {
    const { shift, bits } = this.field(name);
    return (word >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n);
  }

  /** A field's value as one would say it. */
  inWords(word: bigint, name: FieldName): string {
    const value = this.valueOf(word, name);
    if (name === "phase") return this.#phases.get(Number(value)) ?? String(value);
    if (name === "frozen" || name === "waited") return value === 0n ? "no" : "yes";
    return String(value);
  }

  isFrozen(word: bigint): boolean {
    return this.valueOf(word, "frozen") !== 0n;
  }

  /** The fields that differ, from the highest. */
  changed(before: bigint, after: bigint): WordField[] {
    return this.fields.filter(({ name }) => this.valueOf(before, name) !== this.valueOf(after, name));
  }

  /** What a thread has made of a word: "users 1 → 2, holders 0 → 1". */
  changeInWords(before: bigint, after: bigint): string {
    if (!this.isFrozen(before) && this.isFrozen(after)) return "freezes it, to change more than this word";
    if (this.isFrozen(before) && !this.isFrozen(after)) return `thaws it: ${this.summary(after)}`;
    const changes = this.changed(before, after).map(
      ({ name }) => `${name} ${this.inWords(before, name)} → ${this.inWords(after, name)}`,
    );
    return changes.length === 0 ? "no change" : changes.join(", ");
  }

  /** What matters of a word: phase, counts that are not zero, and whether it is frozen. */
  summary(word: bigint): string {
    const phase = this.inWords(word, "phase");
    if (this.isFrozen(word)) return `${phase}, frozen`;
    const counts = (["users", "holders", "destroyers"] as const)
      .filter((name) => this.valueOf(word, name) !== 0n)
      .map((name) => `${name} ${this.inWords(word, name)}`);
    return [phase, ...counts].join(", ");
  }
}

/** The bits of a field, the highest first; `changed` where they differ from the other word's. */
export function bitsOf(word: bigint, before: bigint, { shift, bits }: WordField): { on: boolean; changed: boolean }[] {
  return Array.from({ length: bits }, (_, index) => {
    const at = BigInt(shift + bits - 1 - index);
    const on = (word >> at) & 1n;
    return { on: on === 1n, changed: on !== ((before >> at) & 1n) };
  });
}
