// SPDX-License-Identifier: GPL-2.0-only
//
// How soon the lab's elements show what a reader did, while two workers race the whole time: what the browser itself says, by Event
// Timing, about trusted clicks and keys in a bare page of a graph of 500 objects, a console and a race.
//
//   npm run bench:lab -- [--runs N] [--seconds N]
//
// A time, not a ratio: it says as much about the machine as about the code, so nothing fails by it, and beside it are printed the machine's
// load and two controls: the same while nobody races, and the floor: a page of one number that a key or a click changes, while the same two workers
// race. A duration ends with the next painted frame, and browsers give it in steps of 8 ms. The worst of all interactions is what the
// bar is for; INP, as browsers define it, leaves out one of each 50. What fails is a measurement that is none: a race that ended before
// the last key, or too few interactions.
//
// Where to click is asked of the page by a plain selector: a search by role goes through thousands of elements on the thread that is measured.

import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import type { Page } from "playwright";
import type { IommufdRace } from "iommufd-wasm/lab";
import { bareHtml, closeBrowser, openPage, serveSite } from "../test/support/lab-page.ts";

/** What the browser told about an event; times in milliseconds. */
interface Told {
  readonly name: string;
  /** The interaction that it is part of; 0 for none, as of a pointer that only moves. */
  readonly id: number;
  /** From the input to the next painted frame. */
  readonly duration: number;
  /** Before its listeners began, and how long they took. */
  readonly delay: number;
  readonly listeners: number;
}

declare global {
  var measured: { readonly interactions: Told[] };
}

/** The bar: the worst interaction, in milliseconds. */
const BAR_MS = 100;
const OBJECTS = 500;
const WATCH = `
  const interactions = [];
  new PerformanceObserver((list) => {
    for (const { name, duration, interactionId, startTime, processingStart, processingEnd } of list.getEntries()) {
      const [delay, listeners] = [processingStart - startTime, processingEnd - processingStart];
      interactions.push({ name, id: interactionId, duration, delay, listeners });
    }
  }).observe({ type: "event", durationThreshold: 16 });`;
const PAGE = `<h1>Interaction</h1><iommufd-graph></iommufd-graph><iommufd-console></iommufd-console>
<iommufd-race race="destroy-get" mode="run"></iommufd-race>
<script type="module">
  import { LabSession } from "/dist/lab.js";
  const session = await LabSession.shared();
  const alloc = session.commands.find(({ name }) => name === "LAB_ALLOC");
  const make = (type, hold_id0 = 0, hold_id1 = 0) => session.context.call(alloc, { type, hold_id0, hold_id1 }).out_id;
  const [device, hwpt, ioas] = [1, 2, 3];
  const roots = Array.from({ length: ${OBJECTS / 10} }, () => make(ioas));
  const middle = Array.from({ length: ${(OBJECTS * 3) / 10} }, (_, n) => make(hwpt, roots[(n * 7) % roots.length]));
  for (let n = 0; n < ${(OBJECTS * 6) / 10}; n++)
    make(device, middle[(n * 11) % middle.length], middle[(n * 17) % middle.length]);
${WATCH}
  globalThis.measured = { interactions };
</script>`;

/** The least that a page does: what it takes is the machine's and the browser's. */
const FLOOR = `<h1>Floor</h1><output>0</output><iommufd-race race="destroy-get" mode="run" hidden></iommufd-race>
<script type="module">${WATCH}
  let count = 0;
  for (const type of ["keydown", "click"]) addEventListener(type, () => (document.querySelector("output").textContent = ++count));
  globalThis.measured = { interactions };
</script>`;

/** What a reader does, over and over; each step is one click or one key at least. */
const STEPS: readonly ((page: Page, turn: number) => Promise<void>)[] = [
  async (page, turn) => {
    const place = await page.locator("iommufd-graph").evaluate((element, turn) => {
      scrollTo(0, 0);
      const frame = element.shadowRoot?.querySelector(".scroll")?.getBoundingClientRect();
      const boxes = [...(element.shadowRoot?.querySelectorAll(".picture [role=option]") ?? [])]
        .map((box) => box.getBoundingClientRect())
        .filter(({ top, bottom }) => frame !== undefined && top > Math.max(0, frame.top) && bottom < frame.bottom)
        .filter(({ bottom }) => bottom < innerHeight);
      const box = boxes[(turn * 31) % boxes.length];
      return box && { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
    }, turn);
    if (place === undefined) throw new Error("no object is in sight");
    await page.mouse.click(place.x, place.y);
  },
  (page) => page.keyboard.press("ArrowDown"),
  (page) => page.keyboard.press("ArrowRight"),
  (page) => page.keyboard.press("Enter"),
  (page) => page.keyboard.press("ArrowUp"),
  (page) => page.keyboard.press("Space"),
  // An object more and, later, one less: the picture is laid out anew while the reader goes on.
  (page) => call(page, "LAB_ALLOC", "type", "2"),
  (page) => call(page, "LAB_STATE", "id", "7"),
  (page, turn) => call(page, "IOMMU_DESTROY", "id", `${OBJECTS + 1 + turn}`),
  (page) => page.keyboard.press("Shift+Tab"),
];

/** Composes a call by keyboard and runs it with the mouse. */
async function call(page: Page, command: string, field: string, value: string): Promise<void> {
  await choose(page, "iommufd-console", ".which select", command);
  await click(page, "iommufd-console", `form input[aria-label^="${field}, "]`);
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(value);
  await click(page, "iommufd-console", ".run button");
}

/** Chooses an option by its text. */
function choose(page: Page, element: string, selector: string, text: string): Promise<void> {
  return page.locator(element).evaluate(
    (element, { selector, text }) => {
      const select = element.shadowRoot?.querySelector<HTMLSelectElement>(selector);
      const option = [...(select?.options ?? [])].find((option) => option.text.trim() === text);
      if (!select || !option) throw new Error(`no ${text} in ${selector}`);
      select.value = option.value;
      select.dispatchEvent(new Event("change"));
    },
    { selector, text },
  );
}

/** Clicks the middle of something, in sight. */
async function click(page: Page, element: string, selector: string): Promise<void> {
  const { x, y } = await page.locator(element).evaluate((element, selector) => {
    const found = element.shadowRoot?.querySelector(selector);
    if (!found) throw new Error(`no ${selector}`);
    found.scrollIntoView({ block: "nearest" });
    const { left, right, top, bottom } = found.getBoundingClientRect();
    return { x: (left + right) / 2, y: (top + bottom) / 2 };
  }, selector);
  await page.mouse.click(x, y);
}

/** The same number of keys and clicks on nothing. */
const FLOOR_STEPS: readonly ((page: Page) => Promise<void>)[] = [
  (page) => page.mouse.click(400, 400),
  (page) => page.keyboard.press("ArrowDown"),
  (page) => page.keyboard.press("ArrowUp"),
];

interface Measured {
  readonly worst: Told;
  /** Without one of each 50. */
  readonly inp: number;
  readonly interactions: number;
  readonly slow: number;
  readonly inputs: number;
  /** How often the workers raced meanwhile. */
  readonly tries: string;
}

/** What is measured. */
interface Subject {
  readonly name: string;
  readonly path: string;
  readonly isRacing: boolean;
  readonly steps: readonly ((page: Page, turn: number) => Promise<void>)[];
}

const SUBJECTS: readonly Subject[] = [
  { name: "floor", path: "floor", isRacing: true, steps: FLOOR_STEPS },
  { name: "no race", path: "", isRacing: false, steps: STEPS },
  { name: "race", path: "", isRacing: true, steps: STEPS },
];
const NOTHING: Told = { name: "none", id: 0, duration: 0, delay: 0, listeners: 0 };
/** As long as a race of the element may take. */
const LONGEST = "30 seconds";

async function measure(url: string, { path, isRacing, steps }: Subject, seconds: number): Promise<Measured> {
  const visit = await openPage(url + path, { motion: true, height: 1100 });
  try {
    const { page } = visit;
    await page.waitForFunction(() => "measured" in globalThis);
    await page.waitForFunction((count) => {
      const graph = document.querySelector("iommufd-graph");
      return !graph || graph.shadowRoot?.querySelectorAll(".picture [role=option]").length === count;
    }, OBJECTS);
    const race = page.locator("iommufd-race");
    const status = (): Promise<string> =>
      race.evaluate((element) => element.shadowRoot?.querySelector(".run .bar")?.textContent ?? "");
    if (isRacing) {
      await choose(page, "iommufd-race", ".run select", LONGEST);
      await race.evaluate((element: IommufdRace) => element.run());
      while (!/[1-9][\d,]* tries/.test(await status())) await page.evaluate(() => new Promise(requestAnimationFrame));
    }
    await page.evaluate(() => {
      scrollTo(0, 0);
      measured.interactions.length = 0;
    });
    let inputs = 0;
    for (const end = performance.now() + seconds * 1000; performance.now() < end; inputs++) {
      await steps[inputs % steps.length]?.(page, Math.floor(inputs / steps.length));
    }
    // An event's duration is told after the frame that shows it.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
    const said = await status();
    if (isRacing && !said.includes("Stop")) throw new Error("the race ended too early");
    if (visit.problems.length > 0) throw new Error(visit.problems.join("\n"));
    const all = await page.evaluate(() => measured.interactions);
    const longest = new Map<number, number>();
    for (const { id, duration } of all) if (id > 0) longest.set(id, Math.max(duration, longest.get(id) ?? 0));
    const durations = [...longest.values()].sort((a, b) => b - a);
    return {
      worst: all.reduce((a, b) => (b.id > 0 && b.duration > a.duration ? b : a), NOTHING),
      inp: durations[Math.floor(durations.length / 50)] ?? 0,
      interactions: durations.length,
      slow: durations.filter((duration) => duration >= BAR_MS).length,
      inputs,
      tries: /[\d,]+ tries/.exec(said)?.[0] ?? "no tries",
    };
  } finally {
    await visit.close();
  }
}

const { values } = parseArgs({ options: { runs: { type: "string" }, seconds: { type: "string" } } });
const runs = Number(values.runs ?? 3);
const seconds = Number(values.seconds ?? 10);
if (!(runs >= 1 && seconds >= 1 && seconds <= 20)) throw new Error("--runs from 1, --seconds from 1 to 20");

const load = (): string => loadavg()[0]?.toFixed(1) ?? "unknown";
const site = await serveSite({ pages: { "/": bareHtml(PAGE), "/floor": bareHtml(FLOOR) } });
try {
  console.log(
    `${OBJECTS} objects, a console, a race by two workers; ${availableParallelism()} cores; bar: worst below ${BAR_MS} ms`,
  );
  for (let run = 1; run <= runs; run++) {
    for (const subject of SUBJECTS) {
      const before = load();
      const { worst, inp, interactions, slow, inputs, tries } = await measure(site.url, subject, seconds);
      if (inputs < seconds) throw new Error(`only ${inputs} inputs in ${seconds} s`);
      const paint = worst.duration - worst.delay - worst.listeners;
      console.log(
        `run ${run}, ${subject.name}: worst ${worst.duration} ms (${worst.name}: ${worst.delay.toFixed(0)} before its listeners, ` +
          `${worst.listeners.toFixed(0)} in them, ${paint.toFixed(0)} until it was painted), INP ${inp} ms; ${inputs} steps in ${seconds} s, ` +
          `${tries}; ${interactions} interactions of 16 ms or more, ${slow} of ${BAR_MS} ms or more; load ${before} to ${load()}`,
      );
    }
  }
} finally {
  await closeBrowser();
  await site.close();
}
