// SPDX-License-Identifier: GPL-2.0-only
// Lesson 5: two callers at once. Which endings are allowed, and why there are so few.

import { lastAnswer } from "./evidence.js";
import type { Evidence, Lesson, RaceSeen } from "./lesson.js";

const RACE = "destroy-get";

const seenBy = ({ races }: Evidence, mode: RaceSeen["mode"]): RaceSeen[] => races.filter((race) => race.mode === mode);

/** The most different endings that were seen of one race. */
function endings(races: readonly RaceSeen[]): number {
  const seen = new Map<string, Set<string>>();
  for (const { race, outcomes } of races) seen.set(race, new Set([...(seen.get(race) ?? []), ...outcomes]));
  return Math.max(0, ...[...seen.values()].map(({ size }) => size));
}

/** The answers to the question below. */
const NEVER = 1;
const SOMETIMES = 2;
const DEPENDS = 3;

export const race: Lesson = {
  id: "two-callers",
  title: "Two callers race",
  intro: [
    "Several threads use the same file at the same time. One looks an object up while another destroys it. Between any two " +
      "memory accesses of the one, the other may run: that is a schedule.",
    "The kernel must come out right in every one of them. Here you step through schedules by hand, with one word of memory " +
      "that both threads change, and then let real threads run.",
  ],
  tiedToFile: false,
  isRemembered: true,
  lostByReload: "Schedules that you had looked at in this step are forgotten.",
  steps: [
    {
      title: "Walk through one schedule",
      text: "In the race view choose destroy × get, then “Step through it”. Step until both threads are done.",
      hint: "Each step is one access to shared memory. The lanes show whose turn it is.",
      place: "race",
      check: (evidence) => (seenBy(evidence, "step").length > 0 ? { done: {} } : undefined),
      next: () => ({ kind: "race", race: RACE, mode: "step" }),
      learned: "One schedule, one ending: each call got an answer that makes sense beside the other one.",
    },
    {
      title: "Find another ending",
      text: "Go on to other schedules until you have seen two different endings of one race.",
      hint: "Let the other thread go first, or switch in the middle of a call.",
      place: "race",
      continuesRaces: true,
      check(evidence) {
        const steps = seenBy(evidence, "step");
        if (endings(steps) >= 2) return { done: { endings: endings(steps) } };
        return steps.length > 1
          ? { note: "The same ending again. Try a schedule that switches elsewhere." }
          : undefined;
      },
      next: () => ({ kind: "race", race: RACE, mode: "step" }),
      learned: "There are many schedules and few endings. Each ending is one that a single thread could have met, too.",
    },
    {
      title: "Think it over",
      text: "Destroy answered 0, so the object is gone. Another thread's look-up begins after that.",
      hint: "What does the table say about the ID by then?",
      place: "race",
      question: {
        ask: "Can it still find the object?",
        choices: () => [
          { value: NEVER, label: "Never" },
          { value: SOMETIMES, label: "If it is quick enough" },
          { value: DEPENDS, label: "If it runs on another processor" },
        ],
      },
      check(evidence) {
        const answer = lastAnswer(evidence);
        if (answer === undefined) return undefined;
        if (answer === NEVER) return { done: {} };
        return { note: "Then it could use memory that belongs to another object by now. No schedule ends like that." };
      },
      next: () => ({ kind: "answer", value: NEVER }),
      learned:
        "Destroy first closes the object to new look-ups, then waits for those who have it, and takes it out of the table only " +
        "when the table is its last user.",
    },
    {
      title: "Let real threads run",
      text: "Choose “Let threads run it” and start. Compare what you get with the endings that the kernel allows.",
      hint: "A second is enough for thousands of rounds.",
      place: "race",
      needsThreads: true,
      check: (evidence) => (seenBy(evidence, "run").length > 0 ? { done: {} } : undefined),
      next: () => ({ kind: "race", race: RACE, mode: "run" }),
      learned:
        "The shares differ from run to run, since a real machine likes some schedules better than others; some races have " +
        "endings that it hardly ever shows. That is why stepping shows what running hides.",
    },
  ],
  closing:
    "Nobody can test all schedules by running. One can explore them one by one, which is how this library's core was proved: " +
    "every schedule of these races ends as on a real kernel.",
};
