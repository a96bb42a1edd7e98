// SPDX-License-Identifier: GPL-2.0-only
/**
 * Rival (a): what anybody would write first. A plain `Map` from ID to a JavaScript object, for one thread.
 *
 * Nothing is atomic and no other thread can see any of it. The checks are ours: phase and type of the object, the handle's
 * generation and kind, users before a destroy.
 *
 * A handle is the index of a record and, above it, the record's generation, which is raised at each use.
 */
import { EBUSY, ENOENT, type Rival, staleHandle } from "./rival.ts";

interface Item {
  readonly id: number;
  readonly type: number;
  live: boolean;
  users: number;
  holders: number;
}

interface HandleRecord {
  readonly index: number;
  /** Of the handle that is valid now, and of none while `item` is undefined. */
  generation: number;
  item: Item | undefined;
  reserved: boolean;
}

const INDEX_BITS = 21;
const INDEX_MASK = (1 << INDEX_BITS) - 1;
const GENERATION_MASK = (1 << (30 - INDEX_BITS)) - 1;

class MapTable implements Rival {
  readonly #items = new Map<number, Item>();
  readonly #records: HandleRecord[] = [{ index: 0, generation: 0, item: undefined, reserved: false }]; // 0 is no handle
  readonly #freeRecords: HandleRecord[] = [];
  /** No ID below this one is free. */
  #hint = 1;
  /** Objects that were in use when the table was closed. */
  leaked = 0;

  tryAlloc(type: number): number {
    let id = this.#hint;
    while (this.#items.has(id)) id++;
    const item = { id, type, live: false, users: 1, holders: 0 };
    this.#items.set(id, item);
    this.#hint = id + 1;
    return this.#handleOn(item, true);
  }

  finalize(handle: number): number {
    const item = this.#take(handle, true);
    item.live = true;
    return item.id;
  }

  abort(handle: number): void {
    this.#remove(this.#take(handle, true));
  }

  tryGet(id: number, type?: number): number {
    const item = this.#items.get(id);
    if (item === undefined || !item.live || (type !== undefined && item.type !== type)) return ENOENT;
    item.users++;
    item.holders++;
    return this.#handleOn(item, false);
  }

  put(handle: number): void {
    const item = this.#take(handle, false);
    item.users--;
    item.holders--;
  }

  tryDestroy(id: number): number {
    const item = this.#items.get(id);
    if (item === undefined || !item.live) return ENOENT;
    if (item.users > 1 || item.holders > 0) return EBUSY;
    item.live = false;
    this.#remove(item);
    return 0;
  }

  close(): void {
    for (const item of this.#items.values()) {
      if (item.users > 1) this.leaked++; // whoever uses it goes on
      item.live = false;
    }
    this.#items.clear();
    this.#hint = 1;
  }

  #remove(item: Item): void {
    this.#items.delete(item.id);
    if (item.id < this.#hint) this.#hint = item.id;
  }

  #handleOn(item: Item, reserved: boolean): number {
    let record = this.#freeRecords.pop();
    if (record === undefined) {
      record = { index: this.#records.length, generation: 0, item: undefined, reserved: false };
      this.#records.push(record);
    }
    record.item = item;
    record.reserved = reserved;
    return (record.generation << INDEX_BITS) | record.index;
  }

  /** What the handle names; it names nothing afterwards. */
  #take(handle: number, reserved: boolean): Item {
    const record = this.#records[handle & INDEX_MASK];
    const item = record?.item;
    if (record === undefined || item === undefined || record.generation !== handle >> INDEX_BITS) throw staleHandle();
    if (record.reserved !== reserved) throw staleHandle();
    record.item = undefined;
    record.generation = (record.generation + 1) & GENERATION_MASK;
    this.#freeRecords.push(record);
    return item;
  }
}

export function makeMapTable(): Rival {
  return new MapTable();
}
