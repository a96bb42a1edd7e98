// SPDX-License-Identifier: GPL-2.0-only
//
// Replays a few calls that a test writes by hand: the lab's commands as calls, and what came of them.

import { expect } from "vitest";
import {
  readRecording,
  replayAll,
  type Difference,
  type ReplayOptions,
  type ReplayTotals,
  type ScenarioResult,
} from "iommufd-wasm/replay";
import { address, AUX, type Call, call, hexWords, META, recording } from "./recording.ts";

/** A mainline kernel. */
export const MAINLINE = { ...META, release: "6.12.117-oracle" };

export const ALLOC = 0xa0;
export const KEEP = 0xa2;
export const DROP = 0xa3;
export const LOG = 0xa5;
export const STATE = 0xa6;
export const ECHO = 0xa7;
export const DESTROY = 0x80;

/** ALLOC of a type with up to two holds, and the ID that it gets. */
export function alloc(fd: number, id: number, type: number, hold0 = 0, hold1 = 0): Call {
  const words = [28, type, hold0, hold1, 0, 0, 0];
  return call.ioctl(fd, ALLOC, words, { out: hexWords([28, type, hold0, hold1, 0, id, 0]) });
}

/** LOG into AUX, which must then hold these type, ID pairs. */
export function log(fd: number, entries: readonly number[]): Call {
  const words = (count: number): number[] => [24, 16, Number(AUX & 0xffff_ffffn), Number(AUX >> 32n), count, 0];
  return call.ioctl(fd, LOG, words(0), {
    out: hexWords(words(entries.length / 2)),
    mem: [{ va: address(AUX), len: 128, in: "", out: hexWords(entries) }],
  });
}

export function state(fd: number, id: number, users: number, type: number): Call {
  return call.ioctl(fd, STATE, [16, id, 0, 0], { out: hexWords([16, id, users, type]) });
}

export async function run(
  calls: readonly Call[],
  options: ReplayOptions = {},
  meta: object = META,
): Promise<{ scenarios: ScenarioResult[]; totals: ReplayTotals; differences: Difference[] }> {
  const { scenarios, totals } = await replayAll(readRecording(recording(calls, meta)), options);
  return { scenarios, totals, differences: scenarios.flatMap(({ differences }) => differences) };
}

export async function expectAllToMatch(calls: readonly Call[], matched = calls.length): Promise<void> {
  const { totals, differences } = await run(calls);
  expect(differences).toEqual([]);
  expect(totals).toMatchObject({ matched, differed: 0, skipped: calls.length - matched });
}
