// SPDX-License-Identifier: GPL-2.0-only
//
// A schedule as data: what was chosen, in order; and the strategy that makes the same choices again.
//
// As text a schedule is runs of one letter for each process, "a5b12", then the answers that notifies asked for, "/0,1". A token is
// that with the property, the twin, the profile and the deaths, in base64url.

import { Failure } from "./failure.js";
import type { Event, Kill, Strategy } from "./strategy.js";

export interface Schedule {
  processes: number[];
  answers: number[];
}

export interface Replay {
  property: string;
  twin: string;
  profile: string;
  kills: readonly Kill[];
  schedule: Schedule;
}

const LETTER_A = 97;

/** The choices as text, far shorter than the numbers. */
export function scheduleText({ processes, answers }: Schedule): string {
  let text = "";
  for (let from = 0; from < processes.length;) {
    let to = from;
    while (to < processes.length && processes[to] === processes[from]) to++;
    text += String.fromCharCode(LETTER_A + processes[from]!) + (to - from === 1 ? "" : String(to - from));
    from = to;
  }
  return answers.length > 0 ? `${text}/${answers.join(",")}` : text;
}

/** The choices in such a text. */
export function parseSchedule(text: string): Schedule {
  const [runs = "", answers = ""] = text.split("/");
  const processes: number[] = [];
  for (const [, letter, count] of runs.matchAll(/([a-l])(\d*)/g)) {
    const process = letter!.charCodeAt(0) - LETTER_A;
    for (let n = count === "" ? 1 : Number(count); n > 0; n--) processes.push(process);
  }
  return { processes, answers: answers === "" ? [] : answers.split(",").map(Number) };
}

export function toToken({ property, twin, profile, kills, schedule }: Replay): string {
  const parts = [
    property,
    twin,
    profile,
    kills.map(({ thread, at }) => `${thread}.${at}`).join("+"),
    scheduleText(schedule),
  ];
  return btoa(parts.join("|")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function fromToken(token: string): Replay {
  const parts = atob(token.replaceAll("-", "+").replaceAll("_", "/")).split("|");
  if (parts.length !== 5) throw new Error("this is no token of the explorer");
  const [property, twin, profile, deaths, schedule] = parts as [string, string, string, string, string];
  const kills = [...deaths.matchAll(/(\d+)\.(\d+)/g)].map(([, thread, at]) => ({
    thread: Number(thread),
    at: Number(at),
  }));
  return {
    property,
    twin,
    profile,
    kills,
    schedule: parseSchedule(schedule),
  };
}

/** Makes the choices of a schedule; behind its end, or where a choice is not possible, the lowest thread goes on. */
export class Guided implements Strategy {
  readonly #schedule: Schedule;
  readonly #strict: boolean;
  #at = 0;
  #asked = 0;
  processes: number[] = [];
  answers: number[] = [];

  constructor(schedule: Schedule, options: { strict: boolean }) {
    this.#schedule = schedule;
    this.#strict = options.strict;
  }

  begin(): void {
    this.#at = 0;
    this.#asked = 0;
    this.processes = [];
    this.answers = [];
  }

  pick(enabled: number, current: number): number {
    let process = this.#schedule.processes[this.#at];
    this.#at++;
    if (process === undefined || ((enabled >> process) & 1) === 0) {
      if (this.#strict && process !== undefined)
        throw new Failure("twin", "the token does not fit: its schedule is not possible");
      process = current >= 0 && (enabled >> current) & 1 ? current : 31 - Math.clz32(enabled & -enabled);
    }
    this.processes.push(process);
    return process;
  }

  choose(count: number): number {
    const answer = Math.min(this.#schedule.answers[this.#asked++] ?? 0, count - 1);
    this.answers.push(answer);
    return answer;
  }

  event(_event: Event): void {
    // Nothing to learn.
  }
}

/** How often a thread was interrupted that could have gone on is not stored; the number of switches is close enough for comparing. */
export function switches({ processes }: Schedule): number {
  let count = 0;
  for (let at = 1; at < processes.length; at++) if (processes[at] !== processes[at - 1]) count++;
  return count;
}
