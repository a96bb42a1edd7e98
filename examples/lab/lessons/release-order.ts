// SPDX-License-Identifier: GPL-2.0-only
// Lesson 4: who holds whom decides the order in which objects can go, one by one or all together when the file is closed.

import { Errno } from "iommufd-wasm";
import { call, callsOf, lastMade, hasEnded, lastAnswer, nameOf, objectOf, TYPE } from "./evidence.js";
import type { Evidence, Facts, Lesson, Verdict } from "./lesson.js";

/** Bytes of one entry of the log: type and ID. */
const ENTRY_BYTES = 8;
/** Entries that the log is asked for. */
const CAPACITY = 500;

/** DEVICE → HWPT → IOAS, the newest such chain, or the newest with one of these devices. */
function findChain({ objects }: Evidence, devices?: ReadonlySet<number>): Facts | undefined {
  const holds = (id: number, type: string): number | undefined =>
    objects
      .find((object) => object.id === id)
      ?.references.find((held) => objects.some((each) => each.id === held && each.type.name === type));
  const candidates = objects.filter(({ id, type }) => type.name === "DEVICE" && devices?.has(id) !== false);
  for (const device of candidates.reverse()) {
    const hwpt = holds(device.id, "HWPT");
    const ioas = hwpt === undefined ? undefined : holds(hwpt, "IOAS");
    if (hwpt !== undefined && ioas !== undefined) return { device: device.id, hwpt, ioas };
  }
  return undefined;
}

function isBroken(evidence: Evidence): Verdict {
  const { device, hwpt, ioas } = evidence.facts;
  if ([device, hwpt, ioas].every((id) => objectOf(evidence, id) !== undefined)) return undefined;
  return { again: "An object of this lesson is gone. Begin with a fresh chain." };
}

/** Those of the given objects that are in the log that was read into memory, in the order in which they last went. */
function readLog(bytes: Uint8Array, count: number, ids: readonly (number | undefined)[]): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const all = Array.from({ length: count }, (_, index) => view.getUint32(index * ENTRY_BYTES + 4, true));
  return all.filter((id, index) => ids.includes(id) && all.lastIndexOf(id) === index);
}

const names = ({ device, second, hwpt, ioas }: Facts, order: readonly (number | undefined)[]): string =>
  order
    .map((id) =>
      id === ioas
        ? `IOAS ${id}`
        : id === hwpt
          ? `HWPT ${id}`
          : id === device || id === second
            ? `DEVICE ${id}`
            : `object ${id}`,
    )
    .join(", then ");

export const releaseOrder: Lesson = {
  id: "release-order",
  title: "The graph and its release order",
  intro: [
    "Objects hold each other: a device is attached to a page table, the page table belongs to an address space. The graph " +
      "shows that as arrows. What nothing points at is a leaf.",
    "A program can destroy leaves only. When it closes the file, or dies, the kernel has to do all of that by itself, in an " +
      "order that never leaves an arrow to nowhere.",
  ],
  steps: [
    {
      title: "Set the stage",
      text:
        "You need a DEVICE that holds an HWPT that holds an IOAS. Take one that is there, or make another: “Add sample objects” makes " +
        "such a chain.",
      hint: "Or make them yourself: `LAB_ALLOC` with `type` 3, then 2, then 1, each holding the one before.",
      place: "file",
      check(evidence) {
        const made = callsOf(evidence, "LAB_ALLOC")
          .filter(({ result }) => result === 0)
          .map(({ reply }) => Number(reply["out_id"]));
        const chain = findChain(evidence, new Set([...made, ...evidence.sampled]));
        return chain && { done: chain };
      },
      already(evidence) {
        const chain = findChain(evidence);
        if (chain === undefined) return undefined;
        const { device, hwpt, ioas } = chain;
        return { text: `There is one: DEVICE ${device}, HWPT ${hwpt}, IOAS ${ioas}.`, facts: chain };
      },
      next: () => ({ kind: "sample" }),
      learned: ({ device, hwpt, ioas }) => `DEVICE ${device} holds HWPT ${hwpt}, which holds IOAS ${ioas}.`,
    },
    {
      title: "Find the leaf",
      text: "Look at the graph. Only one of the three could be destroyed right now.",
      hint: "No arrow may end at it.",
      place: "graph",
      question: {
        ask: "Which one can go first?",
        choices: ({ objects, facts: { device, hwpt, ioas } }) =>
          objects
            .filter(({ id }) => [device, hwpt, ioas].includes(id))
            .map((object) => ({ value: object.id, label: nameOf(object) })),
      },
      check(evidence) {
        const broken = isBroken(evidence);
        if (broken !== undefined) return broken;
        const answer = lastAnswer(evidence);
        if (answer === undefined) return undefined;
        if (answer === evidence.facts["device"]) return { done: {} };
        return { note: "An arrow ends at that one: another object needs it." };
      },
      next: ({ facts: { device = 0 } }) => ({ kind: "answer", value: device }),
      learned: ({ device }) => `Nothing needs DEVICE ${device}: it is the leaf.`,
    },
    {
      title: "Try the middle",
      text: ({ hwpt }) => `HWPT ${hwpt} holds one and is held by another. Run \`IOMMU_DESTROY\` with \`id\` ${hwpt}.`,
      hint: "What counts is who points at it, not whom it points at.",
      place: "console",
      check(evidence) {
        const { hwpt = 0 } = evidence.facts;
        if (hasEnded(evidence, "IOMMU_DESTROY", { id: hwpt }, Errno.EBUSY)) return { done: {} };
        return isBroken(evidence);
      },
      next: ({ facts: { hwpt = 0 } }) => call("IOMMU_DESTROY", { id: hwpt }),
      learned: "EBUSY. Holding others does not matter, being held does.",
    },
    {
      title: "A second holder",
      text: ({ hwpt }) =>
        `Attach another device to the same page table: \`LAB_ALLOC\` with \`type\` 1 and \`hold_id0\` ${hwpt}.`,
      hint: "Two arrows will end at the HWPT, and it will have 3 users.",
      place: "console",
      check(evidence) {
        const broken = isBroken(evidence);
        if (broken !== undefined) return broken;
        const { hwpt = 0 } = evidence.facts;
        const made = lastMade(evidence);
        if (made === undefined) return undefined;
        const id = Number(made.reply["out_id"]);
        if (objectOf(evidence, id)?.references.includes(hwpt) !== true || made.given["type"] !== TYPE.DEVICE) {
          return { note: `That is no DEVICE that holds object ${hwpt}.` };
        }
        return { done: { second: id } };
      },
      next: ({ facts: { hwpt = 0 } }) => call("LAB_ALLOC", { type: TYPE.DEVICE, hold_id0: hwpt }),
      learned: ({ hwpt }) => `Now both devices must go before HWPT ${hwpt} can.`,
    },
    {
      title: "Predict",
      text: "In a moment you close the file, and the kernel releases everything in it.",
      hint: "Who is needed by all the others, directly or not?",
      place: "graph",
      question: {
        ask: "Which object goes last?",
        choices: ({ objects, facts: { device, second, hwpt, ioas } }) =>
          objects
            .filter(({ id }) => [device, second, hwpt, ioas].includes(id))
            .map((object) => ({ value: object.id, label: nameOf(object) })),
      },
      check(evidence) {
        const broken = isBroken(evidence);
        if (broken !== undefined) return broken;
        const { ioas = 0 } = evidence.facts;
        const answer = lastAnswer(evidence);
        if (answer === undefined) return undefined;
        return answer === ioas
          ? { done: {} }
          : { note: `Then IOAS ${ioas} would be gone while something still needs it.` };
      },
      next: ({ facts: { ioas = 0 } }) => ({ kind: "answer", value: ioas }),
      learned: "What everything rests on goes last.",
    },
    {
      title: "Close the file",
      text: "Press “Close and reopen” above the graph.",
      hint: "That closes the open file, as the end of a program would, and opens a new one.",
      place: "file",
      check: ({ reopened }) => (reopened > 0 ? { done: {} } : undefined),
      next: () => ({ kind: "reopen" }),
      learned: "All objects are gone, and no call said EBUSY: the kernel found an order that works.",
    },
    {
      title: "Read what happened",
      text:
        "The lab keeps a log of what is destroyed. `LAB_LOG` copies it to memory of yours, and empties it. Use " +
        `\`capacity\` ${CAPACITY}, and for \`uptr\` ` +
        "the address of the page's scratch memory, shown above the graph.",
      hint: "Let the page fill in the address: it is a 64-bit number.",
      place: "console",
      check(evidence) {
        const {
          memory,
          facts: { device, second, hwpt, ioas },
        } = evidence;
        const read = callsOf(evidence, "LAB_LOG")
          .filter(({ result }) => result === 0)
          .at(-1);
        if (read === undefined) return undefined;
        const bytes = memory.read(BigInt(read.given["uptr"] ?? 0));
        const capacity = Math.min(Number(read.given["capacity"]), Math.floor((bytes?.length ?? 0) / ENTRY_BYTES));
        const count = Math.min(Number(read.reply["out_count"]), capacity);
        const order = readLog(bytes ?? new Uint8Array(), count, [device, second, hwpt, ioas]);
        const [first = 0, then = 0, third, last] = order;
        if (third !== hwpt || last !== ioas) {
          return {
            again:
              "The log does not have them all: it was emptied before, or a worker was still using the file when you closed it. " +
              "Build the chain once more.",
          };
        }
        return { done: { first, then } };
      },
      next: ({ memory }) => call("LAB_LOG", { capacity: CAPACITY, uptr: memory.scratch }),
      learned: (facts) =>
        `The log says: ${names(facts, [facts["first"], facts["then"], facts["hwpt"], facts["ioas"]])}. The kernel goes ` +
        "through its table again and again, and takes each time what has one user left.",
    },
  ],
  closing:
    "Leaves first, roots last. A program that tears down by hand follows the arrows. A program that just closes the file leaves that to the kernel.",
};
