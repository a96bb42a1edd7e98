// SPDX-License-Identifier: GPL-2.0-only
//
// Commands of IO address spaces in models: each is one call, whose struct is made on the way (assembly/model/spaces.ts).
//
// Addresses and lengths are pages, so that outcomes are short.

import { expect } from "../../bindings/explorer/failure.js";
import { call, type Core, type Step } from "../../bindings/explorer/model.js";
import { must, type World } from "./world.ts";

export const EBADF = -9;
export const EBUSY = -16;
export const EEXIST = -17;
export const ENODEV = -19;
export const ENOENT = -2;
export const FIXED = 1;
export const RIGHTS = 6;
const PAGE = 4096n;

type Where = Pick<World, "file" | "expected">;

const pages = (count: number): bigint => BigInt(count) * PAGE;

type Args = [name: string, ...args: (number | bigint)[]];

/** The arguments of spaceIoctl. */
const COMMANDS = {
  ioasAlloc: ({ file, expected }: Where): Args => ["spaceIoctl", file, expected, 0x81, 12, 0, 0, 0, 0n, 0n, 0n],
  map: ({ file, expected }: Where, ioas: number, iova: number, count: number, flags = FIXED | RIGHTS): Args => [
    ...(["spaceIoctl", file, expected, 0x85, 40, flags, ioas, 0] as const),
    ...([pages(100 + iova), pages(count), pages(iova)] as const),
  ],
  unmap: ({ file, expected }: Where, ioas: number, iova: number, count: number): Args => [
    ...(["spaceIoctl", file, expected, 0x86, 24, ioas, iova * 4096, 0, pages(count), 0n, 0n] as const),
  ],
  copy: ({ file, expected }: Where, from: number, iova: number, count: number, to: number, toIova: number): Args => [
    ...(["spaceIoctl", file, expected, 0x83, 40, FIXED | RIGHTS, to, from] as const),
    ...([pages(count), pages(toIova), pages(iova)] as const),
  ],
  /** `address`: of an array of `count` ranges. */
  allow: ({ file, expected }: Where, ioas: number, address: bigint, count: number): Args => [
    ...(["spaceIoctl", file, expected, 0x82, 24, ioas, count, 0, address, 0n, 0n] as const),
  ],
  ranges: ({ file, expected }: Where, ioas: number, address: bigint): Args => [
    ...(["spaceIoctl", file, expected, 0x84, 32, ioas, 2, 0, address, 0n, 0n] as const),
  ],
  faultQueueAlloc: ({ file, expected }: Where): Args => [
    ...(["spaceIoctl", file, expected, 0x8e, 16, 0, 0, 0, 0n, 0n, 0n] as const),
  ],
  /** `op`: 0 GET, 1 SET, 2 CLEAR. */
  vfioIoas: ({ file, expected }: Where, op: number, ioas: number): Args => [
    ...(["spaceIoctl", file, expected, 0x88, 12, ioas, op, 0, 0n, 0n, 0n] as const),
  ],
  destroy: ({ file, expected }: Where, id: number): Args => [
    ...(["spaceIoctl", file, expected, 0x80, 8, id, 0, 0, 0n, 0n, 0n] as const),
  ],
} as const;

type Commands = typeof COMMANDS;

/** For programs: `yield space("map", …)`. */
export function space<N extends keyof Commands>(name: N, ...args: Parameters<Commands[N]>): Step {
  const make = COMMANDS[name] as (...all: unknown[]) => Args;
  return call(...make(...args));
}

/** For set-up and finish: the call must succeed. */
export function spaceNow<N extends keyof Commands>(
  core: Core,
  thread: number,
  name: N,
  ...args: Parameters<Commands[N]>
): number {
  const make = COMMANDS[name] as (...all: unknown[]) => Args;
  const [exported, ...rest] = make(...args);
  return must(core, thread, exported, ...rest);
}

/** A word of the reply. */
export function replyWord(core: Core, world: World, thread: number, offset: number): number {
  return core.u32(world.slots[thread]! + core.constant("THREAD_WINDOW") + offset);
}

/** The pages that UNMAP said. */
export const unmapped = (core: Core, world: World, thread: number): number => replyWord(core, world, thread, 16) / 4096;
/** The page that MAP and COPY said. */
export const mappedAt = (core: Core, world: World, thread: number): number => replyWord(core, world, thread, 32) / 4096;

/** A new address space. Return: its ID. */
export function makeSpace(core: Core, world: World, thread = 0): number {
  spaceNow(core, thread, "ioasAlloc", world);
  return replyWord(core, world, thread, 8);
}

/** First pages of the areas, ascending, after all that its tree says was found true. "no" without an address space. */
export function areasOf(core: Core, world: World, id: number): string {
  const ioas = core.call(0, "ioasAt", world.file, id);
  if (ioas === 0) return "no";
  for (let set = 0; set < 3; set++) {
    expect(core.call(0, "lookAtTree", core.call(0, "treeOf", ioas, set)) >= 0, `set ${set} of ${id} is not in order`);
  }
  const tree = core.call(0, "treeOf", ioas, 0);
  const found: number[] = [];
  for (let key = 0n; core.call(0, "seekRange", world.file, tree, key) !== 0;) {
    const at = world.slots[0]! + core.constant("THREAD_RANGE_FIRST");
    found.push(Number(core.u64(at) / PAGE));
    key = core.u64(world.slots[0]! + core.constant("THREAD_RANGE_LAST")) + 1n;
  }
  expect(core.call(0, "lookAtTree", tree) === found.length, `the tree of ${id} has lost ranges`);
  return found.join("+") || "empty";
}
