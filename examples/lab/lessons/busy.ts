// SPDX-License-Identifier: GPL-2.0-only
// Lesson 3: users are counted, and destroy looks at the count.

import { Errno } from "iommufd-wasm";
import { call, callsOf, lastMade, endsWith, errnoName, hasEnded, lastAnswer, objectOf, TYPE } from "./evidence.js";
import type { Evidence, Lesson, Verdict } from "./lesson.js";

function isBroken(evidence: Evidence): Verdict {
  if (objectOf(evidence, evidence.facts["id"]) !== undefined) return undefined;
  return { again: "The object of this lesson is gone. Make another one." };
}

const usersOf = (evidence: Evidence): number => objectOf(evidence, evidence.facts["id"])?.users ?? 0;

export const busy: Lesson = {
  id: "busy",
  title: "Why destroy says EBUSY",
  intro: [
    "Each object counts its users: everyone who needs it to exist. The file's table is the first. Every other object that " +
      "holds it is one more, and so is every part of the kernel that keeps a reference for later.",
    "Destroy takes an object only from the table when the table is the last user. This lesson makes a reference that no " +
      "arrow shows, and gets rid of it.",
  ],
  steps: [
    {
      title: "Make an object",
      text: "Run `LAB_ALLOC` with `type` 3. Nothing holds it.",
      hint: "All other fields stay 0.",
      place: "console",
      check(evidence) {
        const made = lastMade(evidence);
        const id = Number(made?.reply["out_id"] ?? 0);
        const object = objectOf(evidence, id);
        if (object === undefined) return undefined;
        if (object.users !== 1) return { note: "Something needs that one already. Make another." };
        return { done: { id } };
      },
      next: () => call("LAB_ALLOC", { type: TYPE.IOAS }),
      learned: ({ id }) => `Object ${id} has 1 user: the table.`,
    },
    {
      title: "Keep a reference",
      text: ({ id }) =>
        `Drivers keep references over many calls. \`LAB_KEEP\` plays a driver: run it with \`id\` ${id}.`,
      hint: "Leave `type` at 0: any type will do.",
      place: "console",
      check(evidence) {
        const { id = 0 } = evidence.facts;
        return (
          isBroken(evidence) ??
          endsWith(evidence, "LAB_KEEP", { id }, 0, ({ result }) => `${errnoName(result)}: leave \`type\` at 0.`)
        );
      },
      next: ({ facts: { id = 0 } }) => call("LAB_KEEP", { id }),
      learned: "2 users, and no arrow in the graph: this one is no object, it is a reference that somebody keeps.",
    },
    {
      title: "Try to destroy it",
      text: ({ id }) => `Run \`IOMMU_DESTROY\` with \`id\` ${id}.`,
      hint: "You know what comes. Make sure that it does.",
      place: "console",
      check(evidence) {
        const { id = 0 } = evidence.facts;
        if (hasEnded(evidence, "IOMMU_DESTROY", { id }, Errno.EBUSY)) return { done: {} };
        return isBroken(evidence);
      },
      next: ({ facts: { id = 0 } }) => call("IOMMU_DESTROY", { id }),
      learned: "EBUSY, at once. The kernel does not wait for such a reference, because it may be kept for ever.",
    },
    {
      title: "Count",
      text: ({ id }) => `Keep a second reference on object ${id}, then let \`LAB_STATE\` tell you \`out_users\`.`,
      hint: ({ id }) => `\`LAB_KEEP\` with \`id\` ${id}, and \`LAB_STATE\` with \`id\` ${id}.`,
      place: "console",
      check(evidence) {
        const { id = 0 } = evidence.facts;
        const broken = isBroken(evidence);
        if (broken !== undefined) return broken;
        const told = callsOf(evidence, "LAB_STATE")
          .filter((each) => each.given["id"] === id && each.result === 0)
          .at(-1);
        if (told === undefined) {
          return usersOf(evidence) < 3 ? undefined : { note: "Kept. Now let `LAB_STATE` tell you." };
        }
        const users = Number(told.reply["out_users"]);
        if (users < 3) return { note: `${users} users. Keep one more reference, then look again.` };
        return { done: { users } };
      },
      next(evidence) {
        const { id = 0 } = evidence.facts;
        return call(usersOf(evidence) < 3 ? "LAB_KEEP" : "LAB_STATE", { id });
      },
      learned: ({ users }) => `${users} users: the table, and one for each reference.`,
    },
    {
      title: "Think ahead",
      text: "How many references must be dropped before destroy works?",
      hint: "Destroy works when one user is left.",
      place: "graph",
      question: {
        ask: "How many?",
        choices: ({ facts: { users = 3 } }) => [1, users - 1, users].map((value) => ({ value, label: String(value) })),
      },
      check(evidence) {
        const broken = isBroken(evidence);
        if (broken !== undefined) return broken;
        const { users = 3 } = evidence.facts;
        const answer = lastAnswer(evidence);
        if (answer === undefined) return undefined;
        if (answer === users - 1) return { done: {} };
        if (answer === users) return { note: "One user is the table itself. It lets go by destroy, not before." };
        return { note: `Then ${users - answer} would be left, and the table is only one of them.` };
      },
      next: ({ facts: { users = 3 } }) => ({ kind: "answer", value: users - 1 }),
      learned: "All but the table's own.",
    },
    {
      title: "Drop them, and one too many",
      text: ({ id }) => `Run \`LAB_DROP\` with \`id\` ${id} until it no longer answers 0.`,
      hint: ({ users = 3 }) => `${users - 1} times it works. What does the next one say?`,
      place: "console",
      check(evidence) {
        const { id = 0 } = evidence.facts;
        const broken = isBroken(evidence);
        if (broken !== undefined) return broken;
        if (hasEnded(evidence, "LAB_DROP", { id }, Errno.EINVAL)) return { done: {} };
        const dropped = callsOf(evidence, "LAB_DROP").some(({ given }) => given["id"] === id);
        return dropped ? { note: `${usersOf(evidence)} users are left. Drop once more.` } : undefined;
      },
      next: ({ facts: { id = 0 } }) => call("LAB_DROP", { id }),
      learned:
        "EINVAL: nobody keeps a reference any more. A count that could be dropped too often would let an object go while it is in use.",
    },
    {
      title: "Destroy it, twice",
      text: ({ id }) => `Run \`IOMMU_DESTROY\` with \`id\` ${id}, and then the very same call again.`,
      hint: "The console can run a call of its history again.",
      place: "console",
      check(evidence) {
        const { id = 0 } = evidence.facts;
        if (hasEnded(evidence, "IOMMU_DESTROY", { id }, Errno.ENOENT)) return { done: {} };
        if (hasEnded(evidence, "IOMMU_DESTROY", { id }, 0)) return { note: "0: it is gone. Now once more." };
        if (hasEnded(evidence, "IOMMU_DESTROY", { id }, Errno.EBUSY)) {
          return { note: "EBUSY: somebody needs it again. Drop that reference first." };
        }
        return isBroken(evidence);
      },
      next: ({ facts: { id = 0 } }) => call("IOMMU_DESTROY", { id }),
      learned: "0, then ENOENT. EBUSY means “not now”, ENOENT means “there is none”. A program must not mix them up.",
    },
  ],
  closing:
    "An object lives as long as it has users, and destroy is the table's wish to be the last. What shows no arrow may still be in use.",
};
