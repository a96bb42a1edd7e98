// SPDX-License-Identifier: GPL-2.0-only
// Lesson 1: a first object, a first EBUSY, and what to do about it.

import { Errno } from "iommufd-wasm";
import { call, lastMade, endsWith, errnoName, hasEnded, lastAnswer, nameOf, objectOf, TYPE } from "./evidence.js";
import type { Evidence, Lesson, Verdict } from "./lesson.js";

/** Objects beside the lesson's own that are offered as an answer. */
const MOST_OTHERS = 3;

/** What the lesson has built may have been destroyed on the way. */
function isBroken(evidence: Evidence): Verdict {
  const { ioas, hwpt } = evidence.facts;
  if (objectOf(evidence, ioas) !== undefined && objectOf(evidence, hwpt) !== undefined) return undefined;
  return { again: "The two objects of this lesson are gone. That is fine: make them once more." };
}

export const firstObject: Lesson = {
  id: "first-object",
  title: "Open, and the first object",
  intro: [
    "A program that wants to work with an IOMMU opens the file `/dev/iommu` and asks the kernel for objects. It asks by " +
      "`ioctl`: a number that says what to do, and a small struct with the details.",
    "This page has opened the file for you. In five steps you make an object, see the kernel refuse to destroy it, find " +
      "out why, and put it right.",
  ],
  steps: [
    {
      title: "Make an object",
      text: "An IOAS is an address space for devices. In the console choose `LAB_ALLOC`, set `type` to 3 and run it.",
      hint: "`type` says what to make: 1 is a DEVICE, 2 an HWPT, 3 an IOAS. Leave all other fields at 0.",
      place: "console",
      check(evidence) {
        const made = lastMade(evidence);
        if (made === undefined) return undefined;
        if (made.given["type"] !== TYPE.IOAS)
          return { note: "An object it is, but of another type. An IOAS is `type` 3." };
        const id = Number(made.reply["out_id"]);
        if (objectOf(evidence, id) === undefined)
          return { note: "With that flag the object was given up at once. Set `flags` to 0." };
        return { done: { ioas: id } };
      },
      next: () => call("LAB_ALLOC", { type: TYPE.IOAS }),
      learned: ({ ioas }) =>
        `The call answered 0: it worked. The kernel wrote the new object's ID into \`out_id\`: it is ${ioas}. The graph shows the object.`,
    },
    {
      title: "Let another object need it",
      text: ({ ioas }) =>
        `An HWPT is a page table, and it needs an address space. Run \`LAB_ALLOC\` with \`type\` 2 and \`hold_id0\` ${ioas}.`,
      hint: ({ ioas }) => `\`hold_id0\` names an object that the new one holds on to. Yours is ${ioas}.`,
      place: "console",
      check(evidence) {
        const { ioas } = evidence.facts;
        if (objectOf(evidence, ioas) === undefined) return { again: "The first object is gone. Make another one." };
        const made = lastMade(evidence);
        if (made === undefined) return undefined;
        const id = Number(made.reply["out_id"]);
        if (made.given["type"] !== TYPE.HWPT)
          return { note: "That is an object of another type. An HWPT is `type` 2." };
        if (objectOf(evidence, id)?.references.includes(ioas ?? 0) !== true) {
          return { note: `That HWPT does not hold object ${ioas}. Set \`hold_id0\` to ${ioas}.` };
        }
        return { done: { hwpt: id } };
      },
      next: ({ facts: { ioas = 0 } }) => call("LAB_ALLOC", { type: TYPE.HWPT, hold_id0: ioas }),
      learned: ({ ioas, hwpt }) =>
        `In the graph an arrow goes from HWPT ${hwpt} to IOAS ${ioas}: the one needs the other.`,
    },
    {
      title: "Destroy the first object",
      text: ({ ioas }) => `Choose \`IOMMU_DESTROY\`, set \`id\` to ${ioas} and run it. Watch the answer.`,
      hint: ({ ioas }) => `The command has one field, \`id\`. Yours is ${ioas}.`,
      place: "console",
      check(evidence) {
        const { ioas = 0 } = evidence.facts;
        if (hasEnded(evidence, "IOMMU_DESTROY", { id: ioas }, Errno.EBUSY)) return { done: {} };
        return isBroken(evidence);
      },
      next: ({ facts: { ioas = 0 } }) => call("IOMMU_DESTROY", { id: ioas }),
      learned:
        "The answer is EBUSY, “device or resource busy”; as a number it is −16. The kernel refused, and changed nothing. " +
        "Every program that uses the real file meets this answer sooner or later.",
    },
    {
      title: "Find out who needs it",
      text: ({ ioas }) =>
        `Select object ${ioas} in the graph, or run \`LAB_STATE\` with \`id\` ${ioas}. It has 2 users. One is the table in ` +
        "which the file lists its objects. Who is the other?",
      hint: "Look for the arrow that ends at the object, and for the object that the arrow comes from.",
      place: "graph",
      question: {
        ask: ({ ioas }) => `Besides the table, who needs object ${ioas}?`,
        choices: ({ objects, facts: { ioas, hwpt } }) => [
          { value: 0, label: "Nobody" },
          ...objects
            .filter(({ id }, index) => index < MOST_OTHERS || id === ioas || id === hwpt)
            .map((object) => ({ value: object.id, label: nameOf(object) })),
        ],
      },
      check(evidence) {
        const broken = isBroken(evidence);
        if (broken !== undefined) return broken;
        const { ioas, hwpt } = evidence.facts;
        const answer = lastAnswer(evidence);
        if (answer === undefined) return undefined;
        if (answer === hwpt) return { done: {} };
        if (answer === ioas) return { note: `Object ${ioas} does not need itself. Who points at it?` };
        if (answer === 0) return { note: "Then there would be one user only, the table. There are two." };
        return { note: `No arrow goes from object ${answer} to object ${ioas}.` };
      },
      next: ({ facts: { hwpt = 0 } }) => ({ kind: "answer", value: hwpt }),
      learned: ({ ioas, hwpt }) =>
        `HWPT ${hwpt} holds IOAS ${ioas}. Destroy works only when the table is the last user, so that nothing is ever left ` +
        "pointing at an object that is gone.",
    },
    {
      title: "Put it right",
      text: ({ ioas, hwpt }) => `Destroy what holds it first, HWPT ${hwpt}. Then destroy IOAS ${ioas} once more.`,
      hint: ({ ioas, hwpt }) => `\`IOMMU_DESTROY\` with \`id\` ${hwpt}, and then with \`id\` ${ioas}.`,
      place: "console",
      check(evidence) {
        const { ioas = 0, hwpt = 0 } = evidence.facts;
        const destroyed = endsWith(evidence, "IOMMU_DESTROY", { id: ioas }, 0, ({ result }) =>
          result === -Errno.EBUSY
            ? `Still EBUSY: HWPT ${hwpt} is still there. Destroy it first.`
            : `The kernel answered ${errnoName(result)}.`,
        );
        if (destroyed !== undefined && "done" in destroyed) return destroyed;
        if (objectOf(evidence, ioas) === undefined)
          return { again: "Both objects are gone, but not by destroy. Try again." };
        if (objectOf(evidence, hwpt) === undefined)
          return { note: `HWPT ${hwpt} is gone. Now IOAS ${ioas} has one user.` };
        return destroyed;
      },
      next(evidence) {
        const { ioas = 0, hwpt = 0 } = evidence.facts;
        return call("IOMMU_DESTROY", { id: objectOf(evidence, hwpt) === undefined ? ioas : hwpt });
      },
      learned: "0: it worked. Nothing held the object any more, so it could go.",
    },
  ],
  closing:
    "EBUSY is no failure of your program. It is the kernel's promise that what somebody needs stays. The way out is always " +
    "the same: find who needs it, and let that go first.",
};
