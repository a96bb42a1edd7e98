// SPDX-License-Identifier: GPL-2.0-only
/**
 * Rival (d): the objects belong to one thread, and the others ask it by messages, with `comlink`.
 *
 * The owner has rival (a)'s table. Each method is one message there and one back; beside those of the table there is each whole
 * operation in one message, which is the best that a careful user could do.
 */
import { makeMapTable } from "./map.ts";
import type { Rival } from "./rival.ts";

const TYPE = 1;

export class Owner {
  readonly #table: Rival = makeMapTable();

  constructor(objects: number) {
    for (let made = 0; made < objects; made++) this.finalize(this.tryAlloc());
  }

  tryAlloc(): number {
    return this.#table.tryAlloc(TYPE);
  }

  finalize(handle: number): number {
    return this.#table.finalize(handle);
  }

  abort(handle: number): void {
    this.#table.abort(handle);
  }

  tryGet(id: number): number {
    return this.#table.tryGet(id);
  }

  put(handle: number): void {
    this.#table.put(handle);
  }

  tryDestroy(id: number): number {
    return this.#table.tryDestroy(id);
  }

  // -------------------------------------------------------------------------------------------------- in one message

  getPut(id: number): boolean {
    const handle = this.tryGet(id);
    this.put(handle);
    return handle > 0;
  }

  life(): boolean {
    return this.tryDestroy(this.finalize(this.tryAlloc())) === 0;
  }

  reservation(): boolean {
    const handle = this.tryAlloc();
    this.abort(handle);
    return handle > 0;
  }
}
