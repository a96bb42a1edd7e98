// SPDX-License-Identifier: GPL-2.0-only
/** What we use of `sharedmap`: its own declarations do not parse, and do not name the file that is an ES module. */
declare module "sharedmap/index.es.js" {
  export default class SharedMap {
    constructor(entries: number, keyLength: number, valueLength: number);
    get(key: string): string | undefined;
    set(key: string, value: string | number): void;
  }
}
