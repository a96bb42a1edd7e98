// SPDX-License-Identifier: GPL-2.0-only
/**
 * Rival (c): the registry's shared-memory map, `sharedmap` 1.2.0, used as its user would: for get and put only.
 *
 * The map knows strings only, and replaces a value only under its write lock, so users are counted beside it: the map says where
 * an ID's object lies, and a word there counts users by Atomics. get looks up and adds, put subtracts. That is less than ours does: no
 * handle is checked, and nothing can wait for a holder.
 *
 * Objects are entered before the threads start and stay: the map's `delete` takes a lock of everything, and says of itself that it is
 * very expensive, so alloc and destroy would say little about a table of IDs.
 *
 * Not here at all: `@daneren2005/shared-memory-objects` 0.0.4. Its README says that its map is not safe for several threads; its lock
 * for readers can be unlocked under a reader that has not counted itself yet; it asks `self` when it has to wait, which Node
 * has not; and it is published as TypeScript that wants vite's `import.meta.env`.
 */
import SharedMap from "sharedmap/index.es.js";
import { ENOENT } from "./rival.ts";

/** Most characters of a key and of a value. */
const LENGTH = 8;
/** Places for each entry: a map that is nearly full is slow. */
const ROOM = 1.5;

/** What a worker needs to use the same map. */
export interface SharedMapShare {
  readonly map: object;
  readonly users: SharedArrayBuffer;
}

export class SharedMapTable {
  readonly share: SharedMapShare;
  readonly #map: SharedMap;
  /** By ID; 0 is no object, 1 the table's user. */
  readonly #users: Int32Array;

  constructor(share: SharedMapShare) {
    this.share = share;
    // As its README says: a clone has the data, and must be given the methods.
    this.#map = Object.setPrototypeOf(share.map, SharedMap.prototype) as SharedMap;
    this.#users = new Int32Array(share.users);
  }

  /** A table with the objects 1 … `objects`. */
  static create(objects: number): SharedMapTable {
    const users = new SharedArrayBuffer((objects + 1) * 4);
    const map = new SharedMap(Math.ceil(objects * ROOM), LENGTH, LENGTH);
    for (let id = 1; id <= objects; id++) map.set(`${id}`, id);
    new Int32Array(users).fill(1, 1);
    return new SharedMapTable({ map, users });
  }

  tryGet(id: number): number {
    const found = this.#map.get(`${id}`);
    if (found === undefined) return ENOENT;
    const at = Number(found);
    let users = Atomics.load(this.#users, at);
    while (users > 0) {
      const seen = Atomics.compareExchange(this.#users, at, users, users + 1);
      if (seen === users) return at;
      users = seen;
    }
    return ENOENT;
  }

  put(handle: number): void {
    Atomics.sub(this.#users, handle, 1);
  }

  /** Users of an object, the table among them. */
  usersOf(id: number): number {
    return Atomics.load(this.#users, id);
  }
}
