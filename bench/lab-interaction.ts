// SPDX-License-Identifier: GPL-2.0-only
//
// How soon the lab's elements show what a reader did, while two workers race the whole time: what the browser itself says, by Event
// Timing, about trusted clicks and keys in a bare page of a graph of 500 objects, a console and a race.
//
//   npm run bench:lab -- [--runs N] [--seconds N]
//
// A time, not a ratio: it says as much about the machine as about the code, so nothing fails by it, and the machine's load is printed
// beside it, as is a control: the same in a page where nobody races. A duration ends with the next painted frame, and browsers give it in steps of 8 ms. What fails is a measurement that is
// none: a race that ended before the last key, or too few interactions.

import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import type { Page } from "playwright";
import type { LabSession } from "iommufd-wasm/lab";
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
  var measured: {
    readonly session: LabSession;
    readonly interactions: Told[];
  };
}

/** The bar: the worst interaction, in milliseconds. */
const BAR_MS = 100;
const OBJECTS = 500;
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
  const interactions = [];
  new PerformanceObserver((list) => {
    for (const { name, duration, interactionId, startTime, processingStart, processingEnd } of list.getEntries()) {
      const [delay, listeners] = [processingStart - startTime, processingEnd - processingStart];
      interactions.push({ name, id: interactionId, duration, delay, listeners });
    }
  }).observe({ type: "event", durationThreshold: 16 });
  globalThis.measured = { session, interactions };
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
  const console = page.locator("iommufd-console");
  await console.getByLabel("Command").selectOption({ label: command });
  const input = console
    .getByRole("textbox", { name: `${field}, ` })
    .or(console.getByRole("combobox", { name: `${field}, ` }));
  await input.click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(value);
  await console.getByRole("button", { name: "Run", exact: true }).click();
}

interface Measured {
  readonly worst: Told;
  readonly interactions: number;
  readonly slow: number;
  readonly inputs: number;
  /** How often the workers raced meanwhile. */
  readonly tries: string;
}

const NOTHING: Told = { name: "none", id: 0, duration: 0, delay: 0, listeners: 0 };

async function measure(url: string, seconds: number, isRacing: boolean): Promise<Measured> {
  const visit = await openPage(url, { motion: true, height: 1100 });
  try {
    const { page } = visit;
    await page.waitForFunction(() => "measured" in globalThis);
    await page.waitForFunction(
      (count) =>
        document.querySelector("iommufd-graph")?.shadowRoot?.querySelectorAll(".picture [role=option]").length ===
        count,
      OBJECTS,
    );
    const race = page.locator("iommufd-race");
    if (isRacing) {
      await race.getByLabel("For").selectOption("30");
      await race.getByRole("button", { name: "Run", exact: true }).click();
      await race.getByText(/[1-9]\d* tries/).waitFor();
    }
    await page.evaluate(() => {
      scrollTo(0, 0);
      measured.interactions.length = 0;
    });
    let inputs = 0;
    for (const end = performance.now() + seconds * 1000; performance.now() < end; inputs++) {
      await STEPS[inputs % STEPS.length]?.(page, Math.floor(inputs / STEPS.length));
    }
    // An event's duration is told after the frame that shows it.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
    if (isRacing && !(await race.getByRole("button", { name: "Stop" }).isVisible()))
      throw new Error("the race ended too early");
    if (visit.problems.length > 0) throw new Error(visit.problems.join("\n"));
    const all = await page.evaluate(() => measured.interactions);
    const worst = all.reduce((a, b) => (b.duration > a.duration ? b : a), NOTHING);
    return {
      worst,
      interactions: new Set(all.filter(({ id }) => id > 0).map(({ id }) => id)).size,
      slow: new Set(all.filter(({ id, duration }) => id > 0 && duration >= BAR_MS).map(({ id }) => id)).size,
      inputs,
      tries: isRacing ? await race.getByText(/[1-9]\d* tries/).innerText() : "no race",
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
const site = await serveSite({ pages: { "/": bareHtml(PAGE) } });
try {
  console.log(
    `${OBJECTS} objects, a console, a race by two workers; ${availableParallelism()} cores; bar: below ${BAR_MS} ms`,
  );
  for (let run = 1; run <= runs; run++) {
    for (const isRacing of [false, true]) {
      const before = load();
      const { worst, interactions, slow, inputs, tries } = await measure(site.url, seconds, isRacing);
      if (inputs < seconds) throw new Error(`only ${inputs} inputs in ${seconds} s`);
      console.log(
        `run ${run}, ${tries}: worst ${worst.duration} ms (${worst.name}: ${worst.delay.toFixed(0)} ms before its listeners, ` +
          `${worst.listeners.toFixed(0)} ms in them); ${inputs} steps in ${seconds} s, ${interactions} interactions of 16 ms ` +
          `or more, ${slow} of ${BAR_MS} ms or more; load ${before} to ${load()}`,
      );
    }
  }
} finally {
  await closeBrowser();
  await site.close();
}
