// SPDX-License-Identifier: GPL-2.0-only
//
// What a thread does when it dies: one operation each, on a world made for it.
//
// `states`: in how many states the world can be after the reaping. A reservation, a lock or a wait that dies with its thread leaves the
// state before it.

import { must, USER_PAGE, type World } from "../../world.ts";
import type { Calls, Core } from "../../../../bindings/explorer/model.js";
import type { ProfileName, Twin } from "../../property.ts";
import type { CallbackLog } from "../../reaper.ts";

export type Prepared = Record<string, number>;

export interface Scenario {
  readonly name: string;
  readonly states: number;
  readonly quick?: boolean;
  /** Also with the death of the reaper. */
  readonly reaped?: boolean;
  /** It may die while it changes an address space, and then the file is poisoned: one state more. */
  readonly poisons?: boolean;
  readonly profiles?: readonly ProfileName[];
  readonly twins?: readonly Twin[];
  prepare?(core: Core, world: World): Prepared;
  /** Of thread 0. */
  program(core: Core, world: World, prepared: Prepared, log: CallbackLog): Calls<void>;
}

export const VICTIM = 0;
export const OTHER = 2;
export const READ_WRITE = 3;
export const VA = BigInt(USER_PAGE);

export const reserve = (core: Core, { file, expected }: World, type: number): number =>
  must(core, VICTIM, "alloc", file, expected, type);
export const lock = (core: Core, { file, expected }: World, id: number, thread = VICTIM): number =>
  must(core, thread, "getSlowly", file, expected, id, 0);

export function mapPage(core: Core, bytes = 4096n): void {
  must(core, OTHER, "map", VA, bytes, READ_WRITE);
  core.call(OTHER, "mapDone");
}

export function ioctlStruct(core: Core, { slots }: World, words: number[]): void {
  const window = slots[OTHER]! + core.constant("THREAD_WINDOW");
  words.forEach((word, index) => core.setU32(window + 4 * index, word));
  must(core, OTHER, "writeUser", VA, words.length * 4);
}

export const COMMAND_NR = 0xc0; // beyond the kernel's own
export function command(core: Core): void {
  for (const thread of [VICTIM, OTHER]) must(core, thread, "defineCommand", COMMAND_NR, 16, 8, 1, 2);
}
