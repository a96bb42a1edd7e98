// SPDX-License-Identifier: GPL-2.0-only
//
// Explores a model: all schedules if they fit the budget, else all with at most N preemptions for the largest N that does.
//
// With `kill`, the same once for each point at which that thread can die: before its first write, its second … until no execution
// reaches the point any more. A thread that dies at its n-th point is a program that ends there, so each exploration is complete by
// itself.
//
// The first failure ends it. It is then looked for with 0, 1, 2 … preemptions, so that what is shown is short.

import { Bounded, SharedPlaces } from "./bounded.ts";
import type { Failure } from "../../bindings/explorer/failure.js";
import type { Model } from "../../bindings/explorer/model.js";
import { Reduction } from "../../bindings/explorer/reduction.js";
import { switches, type Schedule } from "../../bindings/explorer/schedule.js";
import { Scheduler } from "../../bindings/explorer/scheduler.js";
import type { Kill, Outcome, Strategy } from "../../bindings/explorer/strategy.js";

export interface Options {
  /** Let this thread die, at each point in turn. */
  kill?: {
    thread: number;
    /** At each `every`-th of its points only; 1 unless told. */
    every?: number;
    /** Another thread, which must start after the death of the first, dies too: at each of its points, for each point of the first. */
    then?: number;
    /** … or at every `step`-th of them, other ones for each point of the first. */
    step?: number;
  };
  /** Executions of one exploration before it falls back to bounded preemptions; 300,000 unless told. */
  executions?: number;
  /** Seconds for the same; 30 unless told. */
  seconds?: number;
  /** "all" tries every schedule without reduction (to test the reduction); a number bounds preemptions from the start. */
  search?: "reduced" | "all" | number;
  /** Seconds for all points of death together; no limit unless told. */
  totalSeconds?: number;
  /** False: the failure that was found first will do. */
  shortens?: boolean;
  /** Goes on after a failure and lists it among the outcomes. */
  collectsFailures?: boolean;
}

export interface Found {
  failure: Failure;
  schedule: Schedule;
  kills: readonly Kill[];
}

export interface Exploration {
  executions: number;
  /** Of these, cut off because another execution covers them. */
  pruned: number;
  events: number;
  seconds: number;
  outcomes: Map<string, number>;
  /** Undefined: every schedule was covered. Else at most so many preemptions, the reason, and the executions of each bound. */
  bound?: { preemptions: number; reason: string; executions: number[] };
  killPoints?: number;
  /** Not all points of death were tried, for want of time. */
  isCut?: boolean;
  found?: Found;
}

type Search = Strategy & { next(): boolean; readonly choices: Schedule };
type End = "complete" | "budget" | "failed";

const MOST_EXECUTIONS = 300_000;
const MOST_SECONDS = 30;
const MOST_PREEMPTIONS = 8;

export function explore(module: WebAssembly.Module, model: Model, options: Options = {}): Exploration {
  const result: Exploration = { executions: 0, pruned: 0, events: 0, seconds: 0, outcomes: new Map() };
  const begin = performance.now();
  const isLate = (): boolean => performance.now() - begin > (options.totalSeconds ?? Infinity) * 1000;
  const scheduler = new Scheduler(module, model);
  if (options.kill) {
    const { thread, then, every = 1, step = 1 } = options.kill;
    result.killPoints = 0;
    for (let at = 0, round = 0; !result.found; at += every, round++) {
      const first = { thread, at };
      let deaths: number;
      if (then === undefined) {
        scheduler.kills = [first];
        deaths = exploreOnce(scheduler, options, result);
        if (deaths === 1) result.killPoints++;
      } else {
        for (let second = round % step; ; second += step) {
          scheduler.kills = [first, { thread: then, at: second }];
          deaths = exploreOnce(scheduler, options, result);
          if (deaths === 2) result.killPoints++;
          if (deaths < 2 || result.found || isLate()) break;
        }
      }
      if (deaths === 0) break;
      result.isCut = isLate();
      if (result.isCut) break;
    }
  } else exploreOnce(scheduler, options, result);
  if (result.found && options.shortens !== false) shorten(scheduler, result.found);
  result.seconds = (performance.now() - begin) / 1000;
  return result;
}

/** Return: how many were killed, in the execution with the most. */
function exploreOnce(scheduler: Scheduler, options: Options, result: Exploration): number {
  const { search: kind = "reduced" } = options;
  let deaths = 0;
  const budget = budgetOf(options);
  const count = (outcome: Outcome): void => {
    deaths = Math.max(deaths, outcome.deaths);
    result.executions++;
    result.events += scheduler.events;
    if (outcome.kind === "pruned") result.pruned++;
    else result.outcomes.set(outcome.text, (result.outcomes.get(outcome.text) ?? 0) + 1);
  };
  let reason = "asked for";
  if (typeof kind !== "number") {
    const search = new Reduction(scheduler.places, { reduces: kind === "reduced" });
    const end = run(scheduler, search, options, budget, count, result);
    if (end !== "budget") return deaths;
    if (kind === "all") throw new Error(`not all schedules fit ${result.executions} executions`);
    reason = `all schedules are more than ${budget.describe()}`;
  }
  const shared = new SharedPlaces(scheduler.places);
  const limit = typeof kind === "number" ? kind : MOST_PREEMPTIONS;
  const bound =
    result.bound?.reason === reason ? result.bound : { preemptions: -1, reason, executions: [] as number[] };
  let complete = -1;
  const counts: number[] = [];
  const fresh = budgetOf(options);
  for (let preemptions = 0; preemptions <= limit; preemptions++) {
    const before = result.executions;
    let end: End;
    do {
      shared.grew = false;
      end = run(scheduler, new Bounded(preemptions, shared), options, fresh, count, result, shared);
    } while (end === "complete" && shared.grew);
    counts.push(result.executions - before);
    if (end !== "complete") break;
    complete = preemptions;
  }
  bound.preemptions = bound.preemptions < 0 ? complete : Math.min(bound.preemptions, complete);
  if (counts.length > bound.executions.length) bound.executions = counts;
  result.bound = bound;
  return deaths;
}

interface Budget {
  isSpent(): boolean;
  describe(): string;
}

function budgetOf({ executions = MOST_EXECUTIONS, seconds = MOST_SECONDS }: Options): Budget {
  let left = executions;
  const end = performance.now() + seconds * 1000;
  return {
    isSpent: () => --left < 0 || ((left & 255) === 0 && performance.now() > end),
    describe: () => (left < 0 ? `${executions} executions` : `${seconds} s allow`),
  };
}

function run(
  scheduler: Scheduler,
  search: Search,
  options: Options,
  budget: Budget,
  count: (outcome: Outcome) => void,
  result: Exploration,
  shared?: SharedPlaces,
): End {
  do {
    const outcome = scheduler.execute(search);
    count(outcome);
    if (outcome.failure && !options.collectsFailures) {
      result.found = { failure: outcome.failure, schedule: search.choices, kills: scheduler.kills };
      return "failed";
    }
    if (shared?.grew) return "complete";
    if (budget.isSpent()) return "budget";
  } while (search.next());
  return "complete";
}

const SHORTEN_EXECUTIONS = 20_000;
const SHORTEN_SECONDS = 5;

/** Looks for the same kind of failure with fewer preemptions, then with fewer events. */
function shorten(scheduler: Scheduler, found: Found): void {
  scheduler.kills = found.kills;
  const end = performance.now() + SHORTEN_SECONDS * 1000;
  const shared = new SharedPlaces(scheduler.places);
  let left = SHORTEN_EXECUTIONS;
  for (let preemptions = 0; preemptions <= MOST_PREEMPTIONS; preemptions++) {
    let best: Found | undefined;
    do {
      shared.grew = false;
      const search = new Bounded(preemptions, shared);
      do {
        const { failure } = scheduler.execute(search);
        if (failure?.kind === found.failure.kind) {
          const schedule = search.choices;
          if (!best || isShorter(schedule, best.schedule)) best = { failure, schedule, kills: found.kills };
        }
        if (--left < 0 || performance.now() > end) break;
      } while (!shared.grew && search.next());
    } while (shared.grew && left >= 0);
    if (best) {
      found.failure = best.failure;
      found.schedule = best.schedule;
      return;
    }
    if (left < 0 || performance.now() > end) return;
  }
}

function isShorter(a: Schedule, b: Schedule): boolean {
  const difference = switches(a) - switches(b);
  return difference !== 0 ? difference < 0 : a.processes.length < b.processes.length;
}
