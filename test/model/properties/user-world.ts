// SPDX-License-Identifier: GPL-2.0-only
//
// What models of user memory begin with, and what must be left: nothing.

import type { Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectRest } from "../../../bindings/explorer/final-state.js";
import type { Core } from "../../../bindings/explorer/model.js";
import { memfdsOf } from "../tables.ts";
import { must } from "../world.ts";

export const VA = 0x10_0000n;
export const BYTES = 8;
export const PAGE = 4096n;
export const READ_WRITE = 3;
export const WORD = 0x5a5a_1234;

export interface State extends Prepared {
  /** Pages in use before anything was mapped. */
  free: number;
  /** Of the second process. */
  pid: number;
  /** Address of a row, or of the pages, that the model is about. */
  at: number;
}

/** A page at VA whose first word is `word`. Return: its address. */
export function page(core: Core, thread: number, word: number): number {
  const row = must(core, thread, "map", VA, PAGE, READ_WRITE);
  core.call(thread, "mapDone");
  const backing = core.u32(row + core.constant("MAPPING_BACKING"));
  core.setU32(backing, word);
  return backing;
}

export function expectFree(core: Core, state: State): void {
  expectRest(core, state);
  expect(core.u32(core.constant("MAPPING_COUNT")) === 0, "a mapping is left");
  expect(memfdsOf(core).length === 0, "a memfd is left");
  expect(core.u32(core.constant("PAGES_USED")) === state.free, "a page is not free again");
}

export const describeAddress = (address: number, { describe }: State): string | undefined => describe(address);

export const both = (outcomes: ReadonlyMap<string, unknown>): string | undefined =>
  outcomes.size >= 2 ? undefined : `only ${[...outcomes.keys()].join("; ")} were seen`;

export const DEFAULTS = { profiles: ["rfc"], seconds: 5 } as const;
