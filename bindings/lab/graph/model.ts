// SPDX-License-Identifier: GPL-2.0-only
//
// The objects of the last complete pass, and what is new against the pass before.
//
// An ID is given again after a destroy. A look cannot tell an object from its successor when both are of one type and the
// change fell between two looks; it is then shown as one object whose counts changed.

import type { ObjectFacts } from "./facts.js";

/** What a pass found. */
export interface Changes {
  readonly appeared: readonly ObjectFacts[];
  readonly changed: readonly { readonly before: ObjectFacts; readonly after: ObjectFacts }[];
  readonly gone: readonly ObjectFacts[];
  /** Whether nodes or edges are others than before, so that a layout is needed. */
  readonly structure: boolean;
}

/** All objects of a file, as last seen. */
export class GraphModel {
  #objects = new Map<number, ObjectFacts>();
  #heldBy: Map<number, number[]> | undefined;

  /** By ascending ID. */
  get objects(): ReadonlyMap<number, ObjectFacts> {
    return this.#objects;
  }

  /** IDs of the objects that hold that one, one entry per reference. */
  heldBy(id: number): readonly number[] {
    this.#heldBy ??= holdersOf(this.#objects.values());
    return this.#heldBy.get(id) ?? [];
  }

  /** Takes the objects of a pass. */
  update(pass: readonly ObjectFacts[]): Changes {
    const before = this.#objects;
    const objects = new Map<number, ObjectFacts>();
    const appeared: ObjectFacts[] = [];
    const gone: ObjectFacts[] = [];
    const changed: { before: ObjectFacts; after: ObjectFacts }[] = [];
    let structure = false;
    for (const after of pass) {
      const old = before.get(after.id);
      if (old?.type.number !== after.type.number) {
        if (old !== undefined) gone.push(old);
        appeared.push(after);
        objects.set(after.id, after);
      } else if (isSame(old, after)) {
        objects.set(after.id, old);
      } else {
        structure ||= !isSameList(old.references, after.references);
        changed.push({ before: old, after });
        objects.set(after.id, after);
      }
    }
    for (const old of before.values()) if (!objects.has(old.id)) gone.push(old);
    structure ||= appeared.length + gone.length > 0;
    this.#objects = objects;
    if (structure) this.#heldBy = undefined;
    return { appeared, changed, gone, structure };
  }

  /** Forgets all objects. */
  clear(): void {
    this.#objects = new Map();
    this.#heldBy = undefined;
  }
}

function holdersOf(objects: Iterable<ObjectFacts>): Map<number, number[]> {
  const heldBy = new Map<number, number[]>();
  for (const { id, references } of objects) {
    for (const target of references) {
      const list = heldBy.get(target);
      if (list === undefined) heldBy.set(target, [id]);
      else list.push(id);
    }
  }
  return heldBy;
}

function isSame(a: ObjectFacts, b: ObjectFacts): boolean {
  return (
    a.state === b.state && a.users === b.users && a.holders === b.holders && isSameList(a.references, b.references)
  );
}

function isSameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
