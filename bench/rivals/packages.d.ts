// SPDX-License-Identifier: GPL-2.0-only
//
// What we use of packages that do not declare it themselves.

/** Its own declarations do not parse, and do not name the file that is an ES module. */
declare module "sharedmap/index.es.js" {
  export default class SharedMap {
    constructor(entries: number, keyLength: number, valueLength: number);
    get(key: string): string | undefined;
    set(key: string, value: string | number): void;
  }
}

/** Declared beside another file name. */
declare module "comlink/dist/esm/node-adapter.mjs" {
  import type { Endpoint } from "comlink";
  export default function nodeEndpoint(port: MessagePort): Endpoint;
}

/** Its own declarations name files without their endings, which ES modules do not find. */
declare module "@flatten-js/interval-tree" {
  type Range = readonly [low: number, high: number];
  export class IntervalTree<V> {
    insert(range: Range, value: V): unknown;
    remove(range: Range, value: V): unknown;
    search(range: Range): V[];
    intersect_any(range: Range): boolean;
    iterate(): IterableIterator<V>;
  }
}
