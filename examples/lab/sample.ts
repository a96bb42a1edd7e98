// SPDX-License-Identifier: GPL-2.0-only
//
// The sample objects: a device attached to a page table of an address space, each holding the next.
//
// A button makes them, so no lesson takes the calls for the student's own: while they are made, `isAdding` is true, and event
// "added" tells afterwards which they are (`ids`).

import type { LabSession } from "iommufd-wasm/lab";
import { TYPE } from "./lessons/evidence.js";

/** The chain was made. */
export class AddedEvent extends Event {
  constructor(
    /** IOAS, HWPT, DEVICE. */
    readonly ids: readonly number[],
  ) {
    super("added");
  }
}

/** Makes sample objects in a session's file. */
export class Samples extends EventTarget {
  readonly #session: Pick<LabSession, "context" | "commands">;
  #isAdding = false;

  constructor(session: Pick<LabSession, "context" | "commands">) {
    super();
    this.#session = session;
  }

  /** Whether the calls that are reported now are a button's. */
  get isAdding(): boolean {
    return this.#isAdding;
  }

  /** Makes the chain DEVICE → HWPT → IOAS by three calls. @throws IommufdError as LAB_ALLOC does */
  add(): void {
    const { context, commands } = this.#session;
    const alloc = commands.find(({ name }) => name === "LAB_ALLOC");
    if (alloc === undefined) return;
    const ids: number[] = [];
    this.#isAdding = true;
    try {
      for (const type of [TYPE.IOAS, TYPE.HWPT, TYPE.DEVICE]) {
        ids.push(Number(context.call(alloc, { type, hold_id0: ids.at(-1) ?? 0 })["out_id"]));
      }
    } finally {
      this.#isAdding = false;
    }
    this.dispatchEvent(new AddedEvent(ids));
  }
}
