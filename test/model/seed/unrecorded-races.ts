// SPDX-License-Identifier: GPL-2.0-only
//
// Races in lab calls that the kernel was not asked about: what they may come to is the transcription's word alone.
//
// One for each situation that the recording leaves out: a lookup of what is published at this moment, IDs that are handed out
// while one is given back, an ID that names another object the next moment, holds that go while what they hold is
// destroyed, and a file that goes while calls and references are on it.

import type { Actor, Call } from "./outcomes.ts";

export interface LabRace {
  readonly race: string;
  readonly setup: readonly Call[];
  readonly actors: readonly Actor[];
  readonly after_calls: readonly Call[];
}

const on = (call: string, ...args: number[]): Call => ({ call, fd: 0, args });
const alloc = (type: number, hold0 = 0, hold1 = 0, flags = 0): Call => on("ALLOC", type, hold0, hold1, flags);
const destroy = (id: number): Call => on("DESTROY", id);
const get = (id: number, type = 0): Call => on("GET", id, type);
const keep = (id: number): Call => on("KEEP", id, 0);
const drop = (id: number): Call => on("DROP", id);
const state = (id: number): Call => on("STATE", id);
const close: Call = { call: "CLOSE", fd: 0 };
const log: Call = { call: "LOG", fd: 1 };
const fget = on("FGET");
const hold = (id: number): Call => on("HOLD", id, 0, 1);

export const UNRECORDED_RACES: readonly LabRace[] = [
  {
    race: "finalize_get_destroy",
    setup: [],
    actors: [alloc(2), get(1), destroy(1)],
    after_calls: [state(1), close, log],
  },
  {
    race: "alloc_alloc_destroy",
    setup: [alloc(2)],
    actors: [alloc(1), alloc(3), destroy(1)],
    after_calls: [state(1), state(2), state(3), close, log],
  },
  {
    race: "abort_alloc_get",
    setup: [],
    actors: [alloc(1, 0, 0, 1), alloc(2), get(1)],
    after_calls: [state(1), state(2), close, log],
  },
  {
    race: "recycled_id_get",
    setup: [alloc(2)],
    actors: [[destroy(1), alloc(3)], get(1, 2)],
    after_calls: [state(1), close, log],
  },
  {
    race: "recycled_id_destroy",
    setup: [alloc(2)],
    actors: [[destroy(1), alloc(3)], destroy(1)],
    after_calls: [state(1), close, log],
  },
  {
    race: "abort_with_hold_destroy",
    setup: [alloc(3)],
    actors: [alloc(2, 1, 0, 1), destroy(1)],
    after_calls: [state(1), close, log],
  },
  {
    race: "two_holds_on_one_destroy",
    setup: [alloc(3)],
    actors: [alloc(2, 1, 1), destroy(1)],
    after_calls: [state(1), state(2), close, log],
  },
  {
    race: "failed_alloc_destroy",
    setup: [alloc(3)],
    actors: [alloc(2, 1, 7), destroy(1)],
    after_calls: [state(1), close, log],
  },
  {
    race: "destroy_holder_and_held_then_again",
    setup: [alloc(3), alloc(2, 1)],
    actors: [destroy(2), [destroy(1), destroy(1)]],
    after_calls: [state(1), state(2), close, log],
  },
  {
    race: "keep_drop_destroy",
    setup: [alloc(2)],
    actors: [keep(1), drop(1), destroy(1)],
    after_calls: [state(1), close, log],
  },
  {
    race: "hold_get_destroy",
    setup: [alloc(2)],
    actors: [hold(1), [get(1), get(1)], destroy(1)],
    after_calls: [state(1), close, log],
  },
  {
    race: "close_hold",
    setup: [alloc(3), alloc(2, 1)],
    actors: [close, hold(1)],
    after_calls: [log],
  },
  {
    race: "close_abort",
    setup: [alloc(3)],
    actors: [close, alloc(2, 1, 0, 1)],
    after_calls: [log],
  },
  {
    race: "close_drop_kept",
    setup: [alloc(2), keep(1)],
    actors: [close, drop(1)],
    after_calls: [log],
  },
  {
    race: "close_get_fget",
    setup: [alloc(2)],
    actors: [close, get(1), fget],
    after_calls: [log],
  },
  {
    race: "close_destroy_hold",
    setup: [alloc(2)],
    actors: [close, destroy(1), hold(1)],
    after_calls: [log],
  },
  {
    race: "close_close",
    setup: [alloc(2)],
    actors: [close, close],
    after_calls: [log],
  },
];
