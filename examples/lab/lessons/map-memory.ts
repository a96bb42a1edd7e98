// SPDX-License-Identifier: GPL-2.0-only
// Lesson 7: what a device sees. On the page's second machine, which has the address spaces of today's Linux.

import { Errno, IOMMU_IOAS_MAP_FIXED_IOVA, IOMMU_IOAS_MAP_READABLE, IOMMU_IOAS_MAP_WRITEABLE } from "iommufd-wasm";
import { call, callsOf, errnoName, hasEnded, lastAnswer, lastCall, objectOf, type ReadCall } from "./evidence.js";
import type { Evidence, Facts, Lesson, Verdict } from "./lesson.js";

const PAGE = 0x1000;
/** What the second mapping is long: no power of two, so that its alignment shows. */
const THREE_PAGES = 3 * PAGE;
const READ_WRITE = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE;
const FIXED = READ_WRITE | IOMMU_IOAS_MAP_FIXED_IOVA;

const hex = (value: number | bigint | undefined): string => `0x${(value ?? 0).toString(16)}`;

/** The address spaces of the lesson may have been destroyed on the way. */
function isBroken(evidence: Evidence): Verdict {
  const { first, second } = evidence.facts;
  const isGone = (id: number | undefined): boolean => id !== undefined && objectOf(evidence, id) === undefined;
  if (!isGone(first) && !isGone(second)) return undefined;
  return { again: "An address space of this lesson is gone, and its mappings with it. Begin with a new one." };
}

/** The first mapping goes by an unmap that no step asked for. */
function isUnmapped(evidence: Evidence, iova: number | undefined): boolean {
  return callsOf(evidence, "IOMMU_IOAS_UNMAP").some(
    ({ result, given }) =>
      result === 0 &&
      given["ioas_id"] === evidence.facts["first"] &&
      Number(given["iova"]) <= (iova ?? 0) &&
      Number(given["iova"]) + Number(given["length"]) > (iova ?? 0),
  );
}

const UNMAPPED = { again: "The mapping that this step needs is unmapped. Begin with a new address space." };

function newSpace(evidence: Evidence, fact: string): Verdict {
  const made = callsOf(evidence, "IOMMU_IOAS_ALLOC").at(-1);
  if (made === undefined) return undefined;
  if (made.result !== 0) return { note: `The kernel answered ${errnoName(made.result)}. Leave all fields at 0.` };
  return { done: { [fact]: Number(made.reply["out_ioas_id"]), memory: Number(evidence.memory.scratch) } };
}

/** The step's mappings in the first address space that worked. */
function mapped(evidence: Evidence): ReadCall | undefined {
  return callsOf(evidence, "IOMMU_IOAS_MAP")
    .filter(({ result, given }) => result === 0 && given["ioas_id"] === evidence.facts["first"])
    .at(-1);
}

/** What is to be said of the step's last mapping that is not what it wants. */
function noteOnMap(evidence: Evidence): Verdict {
  const last = callsOf(evidence, "IOMMU_IOAS_MAP").at(-1);
  if (last === undefined) return undefined;
  const { result, given } = last;
  const { first } = evidence.facts;
  if (given["ioas_id"] !== first)
    return { note: `That was for address space ${given["ioas_id"]}. Set \`ioas_id\` to ${first}.` };
  return result === 0 ? undefined : { note: `The kernel answered ${errnoName(result)}: see the console for why.` };
}

const where = ({ first, page, three }: Facts): { first: number; page: number; three: number } => ({
  first: first ?? 0,
  page: page ?? 0,
  three: three ?? 0,
});

/** Addresses that a mapping of three pages might get; the right one is a multiple of four pages. */
const NEXT_TO = 2 * PAGE;

export const mapMemory: Lesson = {
  id: "map-memory",
  title: "Map memory",
  machine: "memory",
  space: ({ first }) => first,
  intro: [
    "A device does not see your program's memory. It sees an address space of its own: 2^64 addresses, called IOVAs, and behind " +
      "each one nothing, until a program maps memory there. An address space is called IOAS.",
    "For this the page has a second machine, with the kernel of today. It has its own ribbon, its own console, and its own IDs: see " +
      "“Address spaces”.",
  ],
  steps: [
    {
      title: "Allocate an address space",
      text: "In the console under “Address spaces” choose `IOMMU_IOAS_ALLOC` and run it.",
      hint: "All fields stay 0. The kernel writes the ID into `out_ioas_id`.",
      place: "memory",
      check: (evidence) => newSpace(evidence, "first"),
      next: () => call("IOMMU_IOAS_ALLOC", {}),
      learned: ({ first }) => `It is IOAS ${first}. The ribbon shows one hole: all of it, 16 EiB.`,
    },
    {
      title: "Map a page",
      text: ({ first }) =>
        `Choose \`IOMMU_IOAS_MAP\` and set \`ioas_id\` to ${first}. The form has a page of memory in \`user_va\` already, and its ` +
        "`length`. Leave `iova` at 0: the kernel picks one.",
      hint: "`flags` 6 is 2 (a device may write) and 4 (it may read).",
      place: "memory",
      check(evidence) {
        const broken = isBroken(evidence);
        if (broken !== undefined) return broken;
        const made = mapped(evidence);
        if (made === undefined) return noteOnMap(evidence);
        if (Number(made.given["length"]) !== PAGE || Number(made.given["flags"]) !== READ_WRITE) {
          return {
            again: "It worked, but was no page with `flags` 6. Begin with a new address space, so that the rest fits.",
          };
        }
        return { done: { page: Number(made.reply["iova"]) } };
      },
      next: ({ facts: { first = 0 }, memory }) =>
        call("IOMMU_IOAS_MAP", { flags: READ_WRITE, ioas_id: first, user_va: memory.scratch, length: PAGE }),
      learned: ({ page }) =>
        `The kernel wrote ${hex(page)} into \`iova\`. It takes the lowest place that suits, but never IOVA 0, so that 0 can go on meaning “nothing”.`,
    },
    {
      title: "Guess, then map three pages",
      text: ({ page }) =>
        `The page lies at ${hex(page)}, so from ${hex((page ?? 0) + PAGE)} on all is free. Where will the kernel put three pages?`,
      hint: "Large mappings can use large entries of the device's page table, but only at IOVAs that are aligned as well as the memory is.",
      place: "memory",
      question: {
        ask: "At which IOVA?",
        choices: () => [NEXT_TO, THREE_PAGES, 4 * PAGE].map((value) => ({ value, label: hex(value) })),
      },
      check(evidence) {
        const broken = isBroken(evidence);
        if (broken !== undefined) return broken;
        const answer = lastAnswer(evidence);
        if (answer === undefined) return undefined;
        if (answer === 4 * PAGE) return { done: {} };
        if (answer === NEXT_TO)
          return { note: "That is free, but three pages there would be aligned as one page only." };
        return { note: "That is a multiple of three pages, and no alignment: alignments are powers of two." };
      },
      next: () => ({ kind: "answer", value: 4 * PAGE }),
      learned:
        "A length is rounded up to a power of two, here four pages, and the IOVA is a multiple of that, as far as the memory's own address is.",
    },
    {
      title: "See whether it is so",
      text: ({ first, memory }) =>
        `The page has more memory for you, at ${hex(memory)}. Run \`IOMMU_IOAS_MAP\` with \`ioas_id\` ${first}, that address in ` +
        `\`user_va\`, and \`length\` ${THREE_PAGES}.`,
      hint: "`iova` is 0 and `flags` 6, as before. Where the memory is counts, too: this address is a multiple of 0x4000.",
      place: "memory",
      check(evidence) {
        const broken = isBroken(evidence);
        if (broken !== undefined) return broken;
        const made = mapped(evidence);
        if (made === undefined) return noteOnMap(evidence);
        const iova = Number(made.reply["iova"]);
        if (Number(made.given["length"]) !== THREE_PAGES) {
          return {
            note: `It worked, at ${hex(iova)}, but is not three pages. Map once more, with \`length\` ${THREE_PAGES}.`,
          };
        }
        if (iova % (4 * PAGE) !== 0 || (Number(made.given["flags"]) & IOMMU_IOAS_MAP_FIXED_IOVA) !== 0) {
          return {
            note: `It went to ${hex(iova)}: with another \`user_va\` or \`flags\` all may be different. Take ${hex(evidence.facts["memory"])}, and 6.`,
          };
        }
        return { done: { three: iova } };
      },
      next: ({ facts: { first = 0 }, memory }) =>
        call("IOMMU_IOAS_MAP", { flags: READ_WRITE, ioas_id: first, user_va: memory.scratch, length: THREE_PAGES }),
      learned: ({ three }) =>
        `It is at ${hex(three)}, and before it is a hole. The next small mapping will fill that: the first fit.`,
    },
    {
      title: "Take an IOVA that is taken",
      text: ({ page }) =>
        `A program that needs a certain IOVA adds 1 to \`flags\`. Map a page with \`flags\` 7 and \`iova\` ${hex(page)}, where one is already.`,
      hint: ({ first }) => `As in step 2, with \`ioas_id\` ${first}; only \`flags\` and \`iova\` differ.`,
      place: "memory",
      check(evidence) {
        const broken = isBroken(evidence);
        if (broken !== undefined) return broken;
        const { first, page } = where(evidence.facts);
        if (hasEnded(evidence, "IOMMU_IOAS_MAP", { ioas_id: first }, Errno.EEXIST)) return { done: {} };
        if (isUnmapped(evidence, page)) return UNMAPPED;
        const last = lastCall(evidence, "IOMMU_IOAS_MAP", { ioas_id: first });
        if (last?.result !== 0) return noteOnMap(evidence);
        return Number(last.given["flags"]) === FIXED
          ? { note: `That worked: ${hex(Number(last.given["iova"]))} was free. Take ${hex(page)}.` }
          : { note: "That worked, because the kernel could pick. Set `flags` to 7." };
      },
      next: ({ facts, memory }) =>
        call("IOMMU_IOAS_MAP", {
          flags: FIXED,
          ioas_id: where(facts).first,
          user_va: memory.scratch,
          length: PAGE,
          iova: where(facts).page,
        }),
      learned: "EEXIST: something is there. The kernel never replaces a mapping under a device that may be using it.",
    },
    {
      title: "Unmap a part",
      text: ({ first, three }) =>
        `Run \`IOMMU_IOAS_UNMAP\` with \`ioas_id\` ${first}, \`iova\` ${hex(three)} and \`length\` 4096: the first of the three pages.`,
      hint: "It will not work. Make sure.",
      place: "memory",
      check(evidence) {
        const broken = isBroken(evidence);
        if (broken !== undefined) return broken;
        const { first, three } = where(evidence.facts);
        const parts = callsOf(evidence, "IOMMU_IOAS_UNMAP").filter(({ given }) => {
          const iova = Number(given["iova"]);
          return given["ioas_id"] === first && iova < three + THREE_PAGES && iova + Number(given["length"]) > three;
        });
        if (parts.some(({ result }) => result === -Errno.ENOENT)) return { done: {} };
        if (isUnmapped(evidence, three))
          return { again: "That was all of it, and it is gone. Begin with a new address space." };
        const last = callsOf(evidence, "IOMMU_IOAS_UNMAP").at(-1);
        return (
          last && { note: `The kernel answered ${errnoName(last.result)}, but not for a part of the three pages.` }
        );
      },
      next: ({ facts }) =>
        call("IOMMU_IOAS_UNMAP", { ioas_id: where(facts).first, iova: where(facts).three, length: PAGE }),
      learned: "ENOENT: no area lies within that page. What was mapped by one call is one area, and goes as a whole.",
    },
    {
      title: "Unmap all of it",
      text: ({ three }) =>
        `Now the same with \`length\` ${THREE_PAGES}: everything from ${hex(three)} on that was mapped.`,
      hint: "`length` comes back as the number of bytes that were mapped.",
      place: "memory",
      check(evidence) {
        const broken = isBroken(evidence);
        if (broken !== undefined) return broken;
        const { page, three } = where(evidence.facts);
        if (isUnmapped(evidence, page)) return UNMAPPED;
        if (isUnmapped(evidence, three)) return { done: {} };
        const last = callsOf(evidence, "IOMMU_IOAS_UNMAP").at(-1);
        return (
          last && {
            note: `${errnoName(last.result)}: the area at ${hex(three)} is still there. Its length is ${hex(THREE_PAGES)}.`,
          }
        );
      },
      next: ({ facts }) =>
        call("IOMMU_IOAS_UNMAP", { ioas_id: where(facts).first, iova: where(facts).three, length: THREE_PAGES }),
      learned:
        "0, and the hole is as large as before. A range may span several areas and holes: all that lies within it goes.",
    },
    {
      title: "A second address space",
      text: "Another device gets a space of its own. Allocate one more.",
      hint: "`IOMMU_IOAS_ALLOC`, as in step 1.",
      place: "memory",
      check: (evidence) => isBroken(evidence) ?? newSpace(evidence, "second"),
      next: () => call("IOMMU_IOAS_ALLOC", {}),
      learned: ({ second }) => `IOAS ${second} is empty. Above the ribbon you choose which one it shows.`,
    },
    {
      title: "Copy",
      text: ({ first, second, page }) =>
        `Let it show the same page: \`IOMMU_IOAS_COPY\` with \`dst_ioas_id\` ${second}, \`src_ioas_id\` ${first} and \`src_iova\` ${hex(page)}.`,
      hint: "`flags` 6 and `length` 4096 as before; `dst_iova` 0: the kernel picks.",
      place: "memory",
      check(evidence) {
        const broken = isBroken(evidence);
        if (broken !== undefined) return broken;
        const { first = 0, second = 0, page = 0 } = evidence.facts;
        if (isUnmapped(evidence, page)) return UNMAPPED;
        const wanted = { dst_ioas_id: second, src_ioas_id: first };
        const copy = callsOf(evidence, "IOMMU_IOAS_COPY").find(
          ({ result, given }) => result === 0 && given["dst_ioas_id"] === second && given["src_ioas_id"] === first,
        );
        if (copy !== undefined) return { done: { copy: Number(copy.reply["dst_iova"]) } };
        const last = callsOf(evidence, "IOMMU_IOAS_COPY").at(-1);
        if (last === undefined) return undefined;
        return last.result === 0
          ? { note: `That copied between other spaces. From ${wanted.src_ioas_id} to ${wanted.dst_ioas_id}, please.` }
          : {
              note: `The kernel answered ${errnoName(last.result)}: is \`src_iova\` ${hex(page)}, and \`length\` 4096?`,
            };
      },
      next: ({ facts: { first = 0, second = 0, page = 0 } }) =>
        call("IOMMU_IOAS_COPY", {
          flags: READ_WRITE,
          dst_ioas_id: second,
          src_ioas_id: first,
          length: PAGE,
          src_iova: page,
        }),
      learned: ({ second, copy }) =>
        `No byte was copied: at ${hex(copy)} IOAS ${second} shows the very same memory. In the ribbon it has the same colour in both, and each tells where else it is.`,
    },
    {
      title: "Unmap the original",
      text: ({ first, second, page }) =>
        `Unmap the page at ${hex(page)} of IOAS ${first}. Then choose IOAS ${second} above the ribbon: what became of the copy?`,
      hint: "`IOMMU_IOAS_UNMAP` with `length` 4096.",
      place: "memory",
      check(evidence) {
        const broken = isBroken(evidence);
        if (broken !== undefined) return broken;
        const { page } = evidence.facts;
        if (isUnmapped(evidence, page)) return { done: {} };
        const last = callsOf(evidence, "IOMMU_IOAS_UNMAP").at(-1);
        return last && { note: `${errnoName(last.result)}, but the page at ${hex(page)} is still mapped.` };
      },
      next: ({ facts }) =>
        call("IOMMU_IOAS_UNMAP", { ioas_id: where(facts).first, iova: where(facts).page, length: PAGE }),
      learned: ({ second }) =>
        `IOAS ${second} still shows the page. Memory stays pinned until the last area that shows it is gone.`,
    },
    {
      title: "Destroy both",
      text: ({ first, second }) => `Run \`IOMMU_DESTROY\` with \`id\` ${first}, and with \`id\` ${second}.`,
      hint: "What is mapped does not hinder that.",
      place: "memory",
      check(evidence) {
        const { first = 0, second = 0 } = evidence.facts;
        const left = [first, second].filter((id) => objectOf(evidence, id) !== undefined);
        if (left.length === 0) return { done: {} };
        return left.length === 2 ? undefined : { note: `One is gone. Now IOAS ${left[0]}.` };
      },
      next(evidence) {
        const { first = 0, second = 0 } = evidence.facts;
        return call("IOMMU_DESTROY", { id: objectOf(evidence, first) === undefined ? second : first });
      },
      learned: "No EBUSY this time: mappings are part of an address space, not users of it. They went with it.",
    },
  ],
  closing:
    "A device reaches what is mapped, at the IOVA where it is mapped, with the rights that it was mapped with, and nothing else. " +
    "That is what an IOMMU is for.",
};
