// SPDX-License-Identifier: GPL-2.0-only
//
// A world in which threads may die: threads, two types (one with a destroy callback), an open file; and what models do in it at once,
// while no thread is running.

import { boot, defineType } from "../../bindings/explorer/core-setup.js";
import { expect } from "../../bindings/explorer/failure.js";
import type { Core } from "../../bindings/explorer/model.js";
import type { ProfileName } from "./property.ts";

export const USER_PAGE = 0x10_0000;

export interface World {
  readonly slots: readonly number[];
  readonly file: number;
  readonly expected: number;
  /** Without callback; with one, which all threads can run. */
  readonly plain: number;
  readonly calling: number;
}

export const CALLING = "C";

export function makeWorld(core: Core, profile: ProfileName, threads: number): World {
  const { slots, file, expected, type } = boot(core, profile, threads);
  let calling = 0;
  for (let thread = 0; thread < threads; thread++) {
    calling = defineType(core, slots[thread]!, thread, CALLING, 16, core.constant("TYPE_HAS_DESTROY"));
  }
  return { slots, file, expected, plain: type, calling };
}

/** Direct calls, with their result checked. */
export function must(core: Core, thread: number, name: string, ...args: (number | bigint)[]): number {
  const result = core.call(thread, name, ...args);
  expect(result >= 0, `${name}(${args.join(", ")}) by thread ${thread} answers ${result}`);
  return result;
}

export function makeObject(
  core: Core,
  { file, expected }: World,
  type: number,
  holds: number[] = [],
  thread = 0,
): number {
  const handle = must(core, thread, "alloc", file, expected, type);
  for (const target of holds) {
    const locked = must(core, thread, "getSlowly", file, expected, target, 0);
    must(core, thread, "hold", file, handle, locked);
    must(core, thread, "putSlowly", file, locked);
  }
  return must(core, thread, "finalize", file, handle);
}

/** A kept user of the object. Return: its serial. */
export function keep(core: Core, { file, expected, slots }: World, id: number, thread = 0): number {
  const locked = must(core, thread, "getSlowly", file, expected, id, 0);
  must(core, thread, "putKeepUser", file, locked);
  const at = slots[thread]! + core.constant("THREAD_RESULT0");
  return core.u32(at) + core.u32(at + 4) * 2 ** 32;
}

/** Runs a program at once. Context: nothing in it blocks. */
export function runDirectly<T>(core: Core, thread: number, program: Generator<unknown, T, number>): T {
  let step = program.next(0);
  while (!step.done) {
    const { name, args } = step.value as { name: string; args: readonly (number | bigint)[] };
    step = program.next(core.call(thread, name, ...args));
  }
  return step.value;
}
