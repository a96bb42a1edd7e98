// SPDX-License-Identifier: GPL-2.0-only
// Lesson 2: an object is reserved, then published, and nobody ever sees it half made.

import { Errno } from "iommufd-wasm";
import { call, lastMade, endsWith, errnoName, FLAG, lastAnswer, lastCall, objectOf, TYPE } from "./evidence.js";
import type { Lesson } from "./lesson.js";

/** An ID that no object of this small file can have. */
const NO_SUCH_ID = 9999;

export const publish: Lesson = {
  id: "publish",
  title: "Reserve and publish",
  intro: [
    "Making an object takes the kernel several steps, and each may fail: no memory, a wrong argument. Meanwhile other " +
      "threads go on. They must never find an object that is half made.",
    "So the kernel first reserves an ID, then builds the object in private, and publishes it as the very last step. From " +
      "then on everybody finds it. If something fails before, it aborts: the ID goes back, as if nothing had happened.",
  ],
  steps: [
    {
      title: "Look from inside",
      text:
        "`LAB_ALLOC` can look up its own object while it is only reserved. Run it with `type` 3 and `flags` 2, and read " +
        "`out_probe_errno` in the answer.",
      hint: "Flag 2 means “probe”: it tries a look-up between reserving and publishing, and reports how that ended.",
      place: "console",
      check(evidence) {
        const made = lastMade(evidence);
        if (made === undefined) return undefined;
        if (made.given["flags"] !== FLAG.PROBE) return { note: "Nothing was probed. Set `flags` to 2." };
        return { done: { id: Number(made.reply["out_id"]), probe: Number(made.reply["out_probe_errno"]) } };
      },
      next: () => call("LAB_ALLOC", { type: TYPE.IOAS, flags: FLAG.PROBE }),
      learned: ({ id, probe }) =>
        `The probe says ${probe}: ENOENT, no such object. ID ${id} was taken already, but nobody could find it.`,
    },
    {
      title: "Look from outside",
      text: ({ id }) => `The call is over, so the object is published. Run \`LAB_GET\` with \`id\` ${id}.`,
      hint: "`LAB_GET` looks an object up and lets it go at once. Leave `type` at 0, which stands for any type.",
      place: "console",
      check(evidence) {
        const { id = 0 } = evidence.facts;
        if (objectOf(evidence, id) === undefined) return { again: `Object ${id} is gone. Make another one.` };
        return endsWith(evidence, "LAB_GET", { id }, 0, ({ result }) => `${errnoName(result)}: leave \`type\` at 0.`);
      },
      next: ({ facts: { id = 0 } }) => call("LAB_GET", { id }),
      learned: "0: found. Between the two look-ups lies one step, in which the whole object became visible at once.",
    },
    {
      title: "Ask for the wrong type",
      text: ({ id }) =>
        `Object ${id} is an IOAS. Ask for a DEVICE instead: \`LAB_GET\` with \`id\` ${id} and \`type\` 1.`,
      hint: "The ID is right and the type is wrong. Which error do you expect?",
      place: "console",
      check(evidence) {
        const { id = 0 } = evidence.facts;
        return endsWith(
          evidence,
          "LAB_GET",
          { id, type: TYPE.DEVICE },
          Errno.ENOENT,
          ({ result }) => `The answer is ${result}.`,
        );
      },
      next: ({ facts: { id = 0 } }) => call("LAB_GET", { id, type: TYPE.DEVICE }),
      learned:
        "ENOENT again. Whoever asks for a DEVICE is told that there is none of that ID, and can never work on an object of another type by mistake.",
    },
    {
      title: "Give up half-way",
      text: "Run `LAB_ALLOC` with `type` 3 and `flags` 1. It reserves an ID and then aborts.",
      hint: "Flag 1 means “abort”. The call answers 0 all the same, and `out_id` says which ID it had.",
      place: "console",
      check(evidence) {
        const made = lastMade(evidence);
        if (made === undefined) return undefined;
        if (made.given["flags"] !== FLAG.ABORT) return { note: "That one was published. Set `flags` to 1." };
        return { done: { aborted: Number(made.reply["out_id"]) } };
      },
      next: () => call("LAB_ALLOC", { type: TYPE.IOAS, flags: FLAG.ABORT }),
      learned: ({ aborted }) => `It had ID ${aborted}. Look at the graph: there is no object ${aborted}.`,
    },
    {
      title: "Who gets the ID now?",
      text: "An aborted ID is free again. What will the next object get? Answer, and then make one to see.",
      hint: "The kernel always takes the lowest free ID, beginning with 1.",
      place: "console",
      question: {
        ask: "Which ID does the next object get?",
        choices: ({ facts: { aborted = 0 } }) => [
          { value: aborted, label: `${aborted}, which was given back` },
          { value: aborted + 1, label: `${aborted + 1}, the next one` },
        ],
      },
      check(evidence) {
        const { aborted = 0 } = evidence.facts;
        const answer = lastAnswer(evidence);
        const made = lastMade(evidence);
        if (made !== undefined && answer !== undefined) return { done: { next: Number(made.reply["out_id"]) } };
        if (made !== undefined) return { note: "You have seen it. What is your answer?" };
        if (answer === undefined) return undefined;
        return {
          note:
            answer === aborted
              ? "That is the answer. Make an object to see it happen."
              : "Make an object and see whether it does.",
        };
      },
      next: (evidence) =>
        lastAnswer(evidence) === undefined
          ? { kind: "answer", value: evidence.facts["aborted"] ?? 0 }
          : call("LAB_ALLOC", { type: TYPE.IOAS }),
      learned: ({ next, aborted }) =>
        next === aborted
          ? `${next}: the lowest free ID. A program must not remember an ID after its object is gone, since it may mean another one.`
          : `${next}: the lowest free ID at that moment.`,
    },
    {
      title: "Let it fail",
      text: `Ask for an HWPT that holds an object that does not exist: \`type\` 2, \`hold_id0\` ${NO_SUCH_ID}.`,
      hint: "Any ID will do that is not in the graph.",
      place: "console",
      check(evidence) {
        const failed = lastCall(evidence, "LAB_ALLOC", { type: TYPE.HWPT });
        if (failed === undefined) return undefined;
        if (failed.result === -Errno.ENOENT) return { done: { left: evidence.objects.length } };
        return { note: "That one exists, so it worked. Name one that does not." };
      },
      next: () => call("LAB_ALLOC", { type: TYPE.HWPT, hold_id0: NO_SUCH_ID }),
      learned: ({ left }) =>
        `ENOENT, and there are ${left} objects as before. An error leaves nothing behind: no half object, no lost ID.`,
    },
  ],
  closing:
    "Reserve, build, publish: whatever goes wrong before the last step can be undone without anybody noticing, and " +
    "nothing can go wrong after it.",
};
