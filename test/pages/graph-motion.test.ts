// SPDX-License-Identifier: GPL-2.0-only
//
// <iommufd-graph> while things come, go and move: looked at in every frame, with motion allowed and with reduced motion.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { LabSession } from "iommufd-wasm/lab";
import { bareHtml, closeBrowser, openPage, serveSite, type Site, type Visit } from "../support/lab-page.ts";

/** What was seen in all frames since the last `look.begin()`. */
interface Look {
  begin(): void;
  /** Pairs of boxes of which one lay on the other. */
  overlaps: string[];
  /** New boxes that moved while they appeared. */
  restless: string[];
  /** Frames in which a box had moved, and was not where it stayed. */
  moving: number;
  /** Frames in which a box was neither quite there nor away. */
  fading: number;
  /** The longest time between two frames, in milliseconds. */
  slowest: number;
  /** The places of each box, by its number, in order. */
  places: Record<string, string[]>;
}
declare global {
  var look: Look;
  var makes: {
    readonly session: LabSession;
    alloc(type: number, hold0?: number): number;
  };
}

const SCRIPT = `<script type="module">
  import { LabSession } from "/dist/lab.js";
  const session = await LabSession.shared();
  const command = session.commands.find(({ name }) => name === "LAB_ALLOC");
  const alloc = (type, hold_id0 = 0) => session.context.call(command, { type, hold_id0 }).out_id;

  const element = document.querySelector("iommufd-graph");
  const first = new WeakMap(); // where a box was seen first
  const last = new WeakMap();
  const look = {
    begin() { Object.assign(look, { overlaps: [], restless: [], moving: 0, fading: 0, slowest: 0, places: {} }) },
  };
  look.begin();
  let frame = performance.now();
  const see = () => {
    look.slowest = Math.max(look.slowest, performance.now() - frame);
    frame = performance.now();
    const seen = [];
    let hasMoved = false, hasFaded = false;
    for (const box of element.shadowRoot?.querySelectorAll(".picture .box") ?? []) {
      const body = box.querySelector(".body");
      const opacity = Number(getComputedStyle(body).opacity);
      const name = box.querySelector("title").textContent.split(",")[0];
      const place = box.getAttribute("transform");
      const isLeaving = box.classList.contains("leaving");
      if (!first.has(box)) first.set(box, place);
      hasMoved ||= last.has(box) && last.get(box) !== place;
      last.set(box, place);
      if (opacity < 1) {
        hasFaded = true;
        if (!isLeaving && place !== first.get(box)) look.restless.push(name);
      }
      const { left, right, top, bottom } = box.querySelector(".shape").getBoundingClientRect();
      for (const other of seen) {
        const apart = other.left >= right || left >= other.right || other.top >= bottom || top >= other.bottom;
        if (!apart) look.overlaps.push(name + (isLeaving ? " (leaving)" : "") + " on " + other.name);
      }
      seen.push({ name: name + (isLeaving ? " (leaving)" : ""), left, right, top, bottom });
      const places = (look.places[box.dataset.key] ??= []);
      if (places.at(-1) !== place) places.push(place);
    }
    if (hasMoved) look.moving++;
    if (hasFaded) look.fading++;
    requestAnimationFrame(see);
  };
  see();
  Object.assign(globalThis, { look, makes: { session, alloc } });
</script>`;

const [DEVICE, HWPT, IOAS] = [1, 2, 3];

let site: Site;
let visit: Visit;

beforeAll(async () => {
  site = await serveSite({ pages: { "/": bareHtml(`<h1>Bare</h1><iommufd-graph></iommufd-graph>${SCRIPT}`) } });
});
afterEach(() => visit.close());
afterAll(async () => {
  await closeBrowser();
  await site.close();
});

const graph = () => visit.page.locator("iommufd-graph");

/** Beyond this, the element leaves motion out, in milliseconds; the page's other work counts, too. */
const SMOOTH_MS = 60;
const ATTEMPTS = 5;

/** Does this in fresh pages until all frames came in time, and returns what was seen then: on a busy machine boxes move at once. */
async function smoothly(act: () => Promise<void>): Promise<Look> {
  for (let attempt = 1; ; attempt++) {
    await open(true);
    await pair();
    await act();
    const seen = await visit.page.evaluate(() => look);
    if (seen.slowest < SMOOTH_MS || attempt === ATTEMPTS) return seen;
    await visit.close();
  }
}

async function open(motion: boolean): Promise<void> {
  visit = await openPage(site.url, { motion });
  await visit.page.waitForFunction(() => "makes" in globalThis);
  await graph().getByText("No objects yet").waitFor();
}

/** An IOAS 1 and an HWPT 2 on it, drawn. */
async function pair(): Promise<void> {
  await visit.page.evaluate(([hwpt = 0, ioas = 0]) => void makes.alloc(hwpt, makes.alloc(ioas)), [HWPT, IOAS]);
  await boxes(2);
}

/** Waits until so many boxes are drawn, and stay where they are for some frames. */
async function boxes(count: number): Promise<void> {
  await expect.poll(() => graph().locator(".picture .box").count(), { timeout: 20_000 }).toBe(count);
  await visit.page.evaluate(async () => {
    const now = (): string =>
      [...(document.querySelector("iommufd-graph")?.shadowRoot?.querySelectorAll(".picture .box") ?? [])]
        .map((box) => box.getAttribute("transform"))
        .join();
    for (let same = 0; same < 40;) {
      const before = now();
      await new Promise(requestAnimationFrame);
      same = now() === before ? same + 1 : 0;
    }
  });
}

test("what is new appears in its place, what was there glides, and nothing ever lies on anything", async () => {
  const { moving, fading, places, overlaps, restless } = await smoothly(async () => {
    await visit.page.evaluate(
      ([device = 0, hwpt = 0]) => {
        look.begin();
        for (let n = 0; n < 3; n++) makes.alloc(device, 2);
        makes.alloc(hwpt, 1);
      },
      [DEVICE, HWPT],
    );
    await boxes(6);
  });
  expect(moving).toBeGreaterThan(2);
  expect(fading).toBeGreaterThan(2);
  expect(places["2"]?.length).toBeGreaterThan(2);
  for (const id of ["3", "4", "5", "6"]) expect(places[id]).toHaveLength(1);
  expect([overlaps, restless]).toEqual([[], []]);
});

test("what vanished fades where it was, and only then the gap is closed", async () => {
  const { moving, fading, overlaps, restless } = await smoothly(async () => {
    await visit.page.evaluate(([device = 0]) => void [makes.alloc(device, 2), makes.alloc(device, 2)], [DEVICE]);
    await boxes(4);
    await visit.page.evaluate(() => {
      look.begin();
      makes.session.context.destroy(3);
    });
    await boxes(3);
  });
  expect(fading).toBeGreaterThan(2);
  expect(moving).toBeGreaterThan(2);
  expect([overlaps, restless]).toEqual([[], []]);
});

test("nor does anything while objects come and go faster than boxes move", async () => {
  await open(true);
  await pair();
  await visit.page.evaluate(
    async ([device = 0, hwpt = 0, ioas = 0]) => {
      look.begin();
      let seed = 7;
      const random = (below: number): number => {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
        return (seed >>> 16) % below;
      };
      const { context } = makes.session;
      for (let frame = 0; frame < 360; frame++) {
        const objects = context.objects();
        if (frame % 4 === 0) {
          const free = objects.filter(({ users, id }) => users === 1 && id > 2);
          const victim = free[random(Math.max(1, free.length))];
          if (victim !== undefined && objects.length > 4 + random(8)) context.tryDestroy(victim.id);
          else if (random(4) === 0) makes.alloc(ioas);
          else if (random(3) === 0) makes.alloc(hwpt, 1);
          else makes.alloc(device, objects.filter(({ type }) => type.name === "HWPT")[0]?.id ?? 2);
        }
        await new Promise(requestAnimationFrame);
      }
    },
    [DEVICE, HWPT, IOAS],
  );
  const { moving, fading, overlaps, restless } = await visit.page.evaluate(() => look);
  expect(moving).toBeGreaterThan(10);
  expect(fading).toBeGreaterThan(10);
  expect([[...new Set(overlaps)], [...new Set(restless)]]).toEqual([[], []]);
  expect(visit.problems).toEqual([]);
});

test("with reduced motion everything is where it belongs at once", async () => {
  await open(false);
  await pair();
  const before = await visit.page.evaluate(() => look.places);
  await visit.page.evaluate(
    ([device = 0]) => {
      look.begin();
      for (let n = 0; n < 3; n++) makes.alloc(device, 2);
    },
    [DEVICE],
  );
  await boxes(5);
  await visit.page.evaluate(() => makes.session.context.destroy(4));
  await boxes(4);
  const { fading, places, overlaps } = await visit.page.evaluate(() => look);
  expect(fading).toBe(0);
  expect(overlaps).toEqual([]);
  // Once for the new ones and once for the gap, and never in between.
  expect(places["2"]?.[0]).toBe(before["2"]?.at(-1));
  expect(places["2"]?.length).toBeGreaterThan(1);
  for (const seen of Object.values(places)) expect(seen.length).toBeLessThanOrEqual(3);
});
