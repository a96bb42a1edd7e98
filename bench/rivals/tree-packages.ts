// SPDX-License-Identifier: GPL-2.0-only
/**
 * Rivals of the npm registry, all MIT. Each is there for a reason:
 *
 *     sorted-btree              the fastest ordered map in JavaScript that we found: a B+ tree, as ours
 *     @js-sdsl/ordered-map      a red-black tree, the ordered map with the most downloads
 *     @flatten-js/interval-tree the interval tree with the most downloads: red-black, with the largest end below each node
 *     node-interval-tree        an AVL interval tree, the second
 *
 * The two ordered maps have the area by its last byte, so one search answers whether a range meets any. None of them knows its
 * gaps: first fit goes through the areas from the first on.
 */
import { IntervalTree as FlattenTree } from "@flatten-js/interval-tree";
import { OrderedMap } from "@js-sdsl/ordered-map";
import { IntervalTree as NodeIntervalTree } from "node-interval-tree";
import sortedBTree from "sorted-btree";
import { type AddressSpace, type Area, EEXIST, ENOENT, type Scanned, USER, firstFit } from "./address-space.ts";

export class SortedBTreeSpace implements AddressSpace, Scanned {
  readonly #tree = new sortedBTree.default<number, Area>(undefined, (a, b) => a - b);
  readonly #pair: [number, Area] = [0, { first: 0, last: 0, user: 0 }];

  map(first: number, length: number): number {
    const last = first + length - 1;
    const met = this.#tree.getPairOrNextHigher(first, this.#pair);
    if (met !== undefined && met[1].first <= last) return EEXIST;
    this.#tree.set(last, { first, last, user: USER });
    return 0;
  }

  unmap(first: number, length: number): number {
    const end = first + length - 1;
    for (let removed = 0, at = first; ; removed++) {
      const area = this.#tree.getPairOrNextHigher(at, this.#pair)?.[1];
      if (area === undefined || area.first > end) return removed > 0 ? 0 : ENOENT;
      if (area.first < first || area.last > end) return ENOENT;
      this.#tree.delete(area.last);
      if (area.last === end) return 0;
      at = area.last + 1;
    }
  }

  mapAnywhere(length: number): number {
    const first = firstFit(this, length);
    this.#tree.set(first + length - 1, { first, last: first + length - 1, user: USER });
    return first;
  }

  look(address: number): number {
    const found = this.#tree.getPairOrNextHigher(address, this.#pair);
    if (found === undefined || found[1].first > address) return ENOENT;
    const met = this.#tree.getPairOrNextHigher(address, this.#pair);
    return met !== undefined && met[1].first <= address ? EEXIST : 0;
  }

  scan(step: (first: number, last: number) => boolean): void {
    this.#tree.editRange(0, Infinity, true, (_, area) => (step(area.first, area.last) ? { break: true } : undefined));
  }
}

export class OrderedMapSpace implements AddressSpace, Scanned {
  readonly #map = new OrderedMap<number, Area>([], (a, b) => a - b);

  map(first: number, length: number): number {
    const last = first + length - 1;
    const met = this.#map.lowerBound(first);
    if (met.isAccessible() && met.pointer[1].first <= last) return EEXIST;
    this.#map.setElement(last, { first, last, user: USER }, met);
    return 0;
  }

  unmap(first: number, length: number): number {
    const end = first + length - 1;
    for (let removed = 0, at = first; ; removed++) {
      const found = this.#map.lowerBound(at);
      const area = found.isAccessible() ? found.pointer[1] : undefined;
      if (area === undefined || area.first > end) return removed > 0 ? 0 : ENOENT;
      if (area.first < first || area.last > end) return ENOENT;
      this.#map.eraseElementByIterator(found);
      if (area.last === end) return 0;
      at = area.last + 1;
    }
  }

  mapAnywhere(length: number): number {
    const first = firstFit(this, length);
    this.#map.setElement(first + length - 1, { first, last: first + length - 1, user: USER });
    return first;
  }

  look(address: number): number {
    const found = this.#map.lowerBound(address);
    if (!found.isAccessible() || found.pointer[1].first > address) return ENOENT;
    const met = this.#map.lowerBound(address);
    return met.isAccessible() && met.pointer[1].first <= address ? EEXIST : 0;
  }

  scan(step: (first: number, last: number) => boolean): void {
    for (const at = this.#map.begin(); at.isAccessible(); at.next()) {
      const [last, { first }] = at.pointer;
      if (step(first, last)) return;
    }
  }
}

export class FlattenSpace implements AddressSpace, Scanned {
  readonly #tree = new FlattenTree<Area>();

  map(first: number, length: number): number {
    const last = first + length - 1;
    if (this.#tree.intersect_any([first, last])) return EEXIST;
    this.#tree.insert([first, last], { first, last, user: USER });
    return 0;
  }

  unmap(first: number, length: number): number {
    const last = first + length - 1;
    const found = this.#tree.search([first, last]);
    if (found.length === 0) return ENOENT;
    for (const area of found) {
      if (area.first < first || area.last > last) return ENOENT;
      this.#tree.remove([area.first, area.last], area);
    }
    return 0;
  }

  mapAnywhere(length: number): number {
    const first = firstFit(this, length);
    const last = first + length - 1;
    this.#tree.insert([first, last], { first, last, user: USER });
    return first;
  }

  look(address: number): number {
    if (this.#tree.search([address, address]).length === 0) return ENOENT;
    return this.#tree.intersect_any([address, address]) ? EEXIST : 0;
  }

  scan(step: (first: number, last: number) => boolean): void {
    for (const { first, last } of this.#tree.iterate()) if (step(first, last)) return;
  }
}

interface Interval extends Area {
  readonly low: number;
  readonly high: number;
}

export class NodeIntervalSpace implements AddressSpace, Scanned {
  readonly #tree = new NodeIntervalTree<Interval>();

  map(first: number, length: number): number {
    const last = first + length - 1;
    if (this.#tree.search(first, last).length > 0) return EEXIST;
    this.#tree.insert({ low: first, high: last, first, last, user: USER });
    return 0;
  }

  unmap(first: number, length: number): number {
    const last = first + length - 1;
    const found = this.#tree.search(first, last);
    if (found.length === 0) return ENOENT;
    for (const area of found) {
      if (area.first < first || area.last > last) return ENOENT;
      this.#tree.remove(area);
    }
    return 0;
  }

  mapAnywhere(length: number): number {
    const first = firstFit(this, length);
    const last = first + length - 1;
    this.#tree.insert({ low: first, high: last, first, last, user: USER });
    return first;
  }

  look(address: number): number {
    if (this.#tree.search(address, address).length === 0) return ENOENT;
    return this.#tree.search(address, address).length > 0 ? EEXIST : 0;
  }

  scan(step: (first: number, last: number) => boolean): void {
    for (const { first, last } of this.#tree.inOrder()) if (step(first, last)) return;
  }
}
