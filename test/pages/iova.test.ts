// SPDX-License-Identifier: GPL-2.0-only
//
// <iommufd-iova> alone in a bare page: what it shows, by mouse, wheel, touch and keyboard, at three widths, in light and dark, with few and
// with very many areas, and what becomes of it when what it shows goes.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { LabSession } from "iommufd-wasm/lab";
import {
  bareHtml,
  closeBrowser,
  openPage,
  serveSite,
  type Site,
  type Visit,
  type VisitOptions,
} from "../support/lab-page.ts";

declare global {
  var machine: LabSession;
}

const TOOLS = `<script type="module">
  import { LabSession } from "/dist/lab.js";
  globalThis.machine = await LabSession.shared("mainline");
</script>`;
const EXAMPLE = "4 areas, 88 KiB mapped";

let site: Site;
let visit: Visit;

beforeAll(async () => {
  const body = `<h1>Bare</h1><iommufd-iova></iommufd-iova>${TOOLS}`;
  site = await serveSite({
    pages: {
      "/": bareHtml(body),
      "/third": bareHtml(body.replace("<iommufd-iova", `<iommufd-iova ioas-id="3"`)),
      "/rfc": bareHtml(`<h1>Bare</h1><iommufd-iova></iommufd-iova><script type="module">
        import { LabSession } from "/dist/lab.js";
        document.querySelector("iommufd-iova").session = await LabSession.shared();
      </script>`),
    },
  });
});
afterEach(async () => {
  expect(visit.problems).toEqual([]);
  await visit.close();
});
afterAll(async () => {
  await closeBrowser();
  await site.close();
});

const element = () => visit.page.locator("iommufd-iova");
const button = (name: string) => element().getByRole("button", { name, exact: true });
const strip = () => element().getByRole("application");
const spot = () => element().getByRole("group", { name: "What is there" });
const inSight = () => element().locator(".sight-text");

async function open(options: VisitOptions = {}, path = ""): Promise<void> {
  visit = await openPage(`${site.url}${path}`, options);
  await visit.page.waitForFunction(() => "machine" in globalThis);
  await element().getByText("No address space yet").waitFor();
}

/** Opens the page and lets the element make its example. */
async function openExample(options: VisitOptions = {}): Promise<void> {
  await open(options);
  await button("Make an example").click();
  await element().getByText(EXAMPLE).waitFor();
}

/** The strip's middle line: where pointers act. */
async function at(place: number): Promise<{ x: number; y: number }> {
  const box = await strip().boundingBox();
  if (box === null) throw new Error("there is no ribbon");
  return { x: box.x + box.width * place, y: box.y + box.height / 2 };
}

test("says what to do while there is no address space, and makes one that has everything", async () => {
  await openExample();
  expect(await visit.page.evaluate(() => machine.context.objects().length)).toBe(2);
  expect(await element().locator("path.right.read").first().getAttribute("d")).toMatch(/^M.*Z$/);
  // Too narrow to be seen for what they are: each has a mark.
  expect((await element().locator("path.marks").getAttribute("d"))?.match(/M/g)).toHaveLength(4);
});

test("leaves the example to a page that makes its own", async () => {
  await open();
  await visit.page.evaluate(() => document.addEventListener("iommufd-example", (event) => event.preventDefault()));
  await button("Make an example").click();
  expect(await visit.page.evaluate(() => machine.context.objects().length)).toBe(0);
});

test("follows what any call does, until the reader looks elsewhere", async () => {
  await open();
  await visit.page.evaluate(() => {
    const { context, iommufd } = machine;
    context.ioasAlloc().map(iommufd.userSpace.map(0x3000), { iova: 0x7000 });
  });
  await element().getByText("1 area, 12 KiB mapped").waitFor();
  expect(await inSight().innerText()).toContain("64 KiB in sight, 1 area");
  await visit.page.evaluate(() => machine.context.ioas(1).map(0x1000, 0x1000, { iova: 1n << 40n }));
  await expect.poll(() => inSight().innerText()).toMatch(/TiB in sight, 2 areas/);
  await button("Whole space").click();
  expect(await inSight().innerText()).toContain("0xffffffffffffffff");
  await visit.page.evaluate(() => machine.context.ioas(1).unmap(1n << 40n, 0x1000));
  await element().getByText("1 area, 12 KiB mapped").waitFor();
  expect(await inSight().innerText()).toContain("16 EiB in sight");
  await button("All areas").click();
  expect(await inSight().innerText()).toContain("64 KiB in sight");
});

test("an area, a hole and what is allowed are told, and where else the memory is", async () => {
  await openExample();
  await visit.page.evaluate(() => machine.context.ioas(1).allow([{ start: 0x8000, last: 0x8fff }]));
  await element().getByText("picked from 1 allowed range").waitFor();
  await button("Next area").click();
  await expect.poll(() => spot().innerText()).toMatch(/Area 0x1000 … 0x1fff/);
  expect(await spot().innerText()).toMatch(
    /4 KiB[\s\S]*offset 0x0[\s\S]*read and write[\s\S]*memory of process 1 at 0x7f/,
  );
  expect(await element().locator("path.allowed").first().getAttribute("d")).toMatch(/^M.*Z$/);
  await spot().getByRole("button", { name: "IOAS 2, 0x1000" }).click();
  await element().getByText("1 area, 4 KiB mapped").waitFor();
  expect(await spot().innerText()).toContain("also by IOAS 1, 0x1000");
  expect(await visit.page.evaluate(() => document.querySelector("iommufd-iova")?.ioasId)).toBe(2);
});

test("a pointer tells what is under it, and a click keeps it", async () => {
  await openExample();
  await visit.page.evaluate(() => document.querySelector("iommufd-iova")?.show(0x1000n, 0x6fffn));
  const [inArea, inHole] = [await at(0.3), await at(0.9)];
  await visit.page.mouse.move(inArea.x, inArea.y);
  await expect.poll(() => spot().innerText()).toMatch(/Area 0x4000 … 0x6fff[\s\S]*read only/);
  await visit.page.mouse.move(inHole.x, inHole.y);
  await expect.poll(() => spot().innerText()).toMatch(/Hole 0x7000 … 0xffffffffff[\s\S]*fault/);
  await visit.page.mouse.click(inArea.x, inArea.y);
  await visit.page.mouse.move(1, 1);
  await expect.poll(() => spot().innerText()).toMatch(/Area 0x4000/);
  expect(await element().locator("rect.chosen").count()).toBe(1);
});

test("a wheel zooms where the pointer is, and is the page's where nothing is left to zoom", async () => {
  await openExample({ height: 300 });
  await button("Whole space").click();
  const place = await at(0.5);
  await visit.page.mouse.move(place.x, place.y);
  await visit.page.mouse.wheel(0, -180 * 20);
  await expect.poll(() => inSight().innerText()).toMatch(/16 TiB in sight, 0 areas/);
  expect(await inSight().innerText()).toMatch(/^0x7ffff8/);
  const scrolled = await visit.page.evaluate(() => scrollY);
  await visit.page.mouse.wheel(0, 180 * 30);
  await expect.poll(() => inSight().innerText()).toMatch(/16 EiB in sight/);
  expect(await visit.page.evaluate(() => scrollY)).toBe(scrolled);
  await visit.page.mouse.wheel(0, 100);
  await expect.poll(() => visit.page.evaluate(() => scrollY)).toBeGreaterThan(scrolled);
});

test("a drag moves, two fingers zoom", async () => {
  await openExample();
  await visit.page.evaluate(() => document.querySelector("iommufd-iova")?.show(0x10_0000n, 0x10_0fffn));
  await expect.poll(() => inSight().innerText()).toContain("64 KiB in sight");
  const first = (): Promise<number> =>
    inSight()
      .innerText()
      .then((text) => Number.parseInt(text, 16));
  const before = await first();
  const [from, to] = [await at(0.75), await at(0.5)];
  await visit.page.mouse.move(from.x, from.y);
  await visit.page.mouse.down();
  await visit.page.mouse.move(to.x, to.y, { steps: 5 });
  await visit.page.mouse.up();
  await expect.poll(async () => Math.abs((await first()) - before - 0x4000)).toBeLessThan(0x100);
  await strip().evaluate((target) => {
    const { left, width, top } = target.getBoundingClientRect();
    target.setPointerCapture = () => undefined; // no such pointers are really down
    const touch = (type: string, pointerId: number, place: number): void => {
      const clientX = left + width * place;
      target.dispatchEvent(
        new PointerEvent(type, { pointerId, pointerType: "touch", clientX, clientY: top + 20, bubbles: true }),
      );
    };
    touch("pointerdown", 10, 0.4);
    touch("pointerdown", 11, 0.6);
    touch("pointermove", 11, 0.8);
    touch("pointerup", 10, 0.4);
    touch("pointerup", 11, 0.8);
  });
  await expect.poll(() => inSight().innerText()).toContain("32 KiB in sight");
});

test("the whole space, folded, leads to a page that is one of 2^52", async () => {
  await openExample();
  await button("Whole space").click();
  const areas = element().locator(".minimap .areas");
  expect(await areas.count()).toBe(2);
  await areas.last().click();
  await expect.poll(() => inSight().innerText()).toMatch(/0xfffff[0-9a-f]+ … 0x100000[0-9a-f]+[\s\S]*1 area$/);
});

test("the table has the same facts, and leads back to the ribbon", async () => {
  await openExample();
  await button("Table").click();
  const rows = element().getByRole("row");
  await expect.poll(() => rows.count()).toBe(8);
  expect((await rows.nth(2).innerText()).split(/\s*\t\s*|\n/).filter((text) => text !== "")).toEqual([
    "Area",
    "0x1000",
    "0x1fff",
    "4 KiB",
    "read and write",
    expect.stringContaining("memory of process 1"),
    "shown by 2 areas",
  ]);
  await visit.page.evaluate(() => machine.context.ioas(1).unmap(0x4000, 0x3000));
  await expect.poll(() => rows.count()).toBe(7);
  expect(await visit.axe()).toEqual([]);
  await element().getByRole("button", { name: "0x10000000000" }).click();
  await expect.poll(() => spot().innerText()).toMatch(/Area 0x10000000000/);
});

test("by keyboard alone: from area to area, zoom, both ends, and out again", async () => {
  await openExample();
  const isOnRibbon = (): Promise<boolean> =>
    visit.page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.role === "application");
  for (let tabs = 0; !(await isOnRibbon()); tabs++) {
    expect(tabs).toBeLessThan(20);
    await visit.page.keyboard.press("Tab");
  }
  const press = async (key: string, ...wanted: RegExp[]): Promise<void> => {
    await visit.page.keyboard.press(key);
    for (const text of wanted) {
      await expect.poll(async () => `${await inSight().innerText()}\n${await spot().innerText()}`).toMatch(text);
    }
  };
  await press("PageDown", /Area 0x1000 …/);
  await press("PageDown", /Area 0x2000 …/);
  expect(await element().getByRole("status").innerText()).toMatch(
    /^Area, 0x2000 to 0x3fff, 8 KiB, write only, memory of/,
  );
  await press("PageUp", /Area 0x1000 …/);
  await press("Enter", /64 KiB in sight/);
  await press("+", /16 KiB in sight/);
  await press("-", /64 KiB in sight/);
  await press("End", /0xffffffffffff0000 … 0xffffffffffffffff/);
  await press("ArrowLeft", /0xfffffffffffec000 …/);
  await press("ArrowRight", /0xffffffffffff0000 …/);
  await press("Home", /^0x0 … 0xffff/);
  await press("Escape", /Point at the ribbon/);
  await press("PageUp", /Area 0x10000000000/);
  await visit.page.keyboard.press("Tab");
  expect(await isOnRibbon()).toBe(false);
});

test.each([
  [360, "light"],
  [360, "dark"],
  [768, "light"],
  [768, "dark"],
  [1920, "light"],
  [1920, "dark"],
] as const)("at %d px, %s: nothing sticks out, axe finds nothing, no text is tiny", async (width, scheme) => {
  await openExample({ width, scheme });
  await button("Next area").click();
  await spot().getByText("shown by 2 areas").waitFor();
  expect(await visit.overflow()).toEqual([]);
  expect(await visit.axe()).toEqual([]);
  expect(await visit.smallText()).toEqual([]);
  const widths = await element()
    .locator("svg.ribbon")
    .evaluate((svg) => [svg.clientWidth, svg.parentElement?.clientWidth ?? 0]);
  expect(Math.abs((widths[0] ?? 0) - (widths[1] ?? 0))).toBeLessThan(2);
});

test("hundreds of thousands of areas are added up by pixel, while the page stays awake", async () => {
  await open();
  const MANY = 300_000;
  await visit.page.evaluate((many) => {
    const { context, iommufd } = machine;
    const ioas = context.ioasAlloc();
    const { va } = iommufd.userSpace.map(4096);
    for (let index = 0; index < many; index++) ioas.tryMap(Number(va), 4096, 7, 8192 * index);
    const waits: number[] = [];
    Object.assign(globalThis, { waits });
    let last = performance.now();
    const beat = (): void => {
      const now = performance.now();
      waits.push(now - last);
      last = now;
      requestAnimationFrame(beat);
    };
    requestAnimationFrame(beat);
  }, MANY);
  await element().getByText("Looking …").waitFor();
  await element().getByText("300,000 areas").first().waitFor({ timeout: 60_000 });
  expect(await element().locator("path.right.read.shade-2").getAttribute("d")).toMatch(/^M\d/);
  const waits = await visit.page.evaluate(() => (globalThis as unknown as { waits: number[] }).waits);
  // All of it at once takes more than half a second.
  expect(waits.length).toBeGreaterThan(20);
  expect(waits.sort((a, b) => a - b)[Math.floor(waits.length / 2)]).toBeLessThan(100);
  await button("Next area").click();
  await expect.poll(() => spot().innerText()).toMatch(/Area 0x0 … 0xfff/);
  await expect.poll(() => inSight().innerText()).toMatch(/64 KiB in sight, [78] areas/);
});

test("one that is destroyed is said, and the next one is shown; a chosen one stays missing until it is there", async () => {
  await openExample();
  await visit.page.evaluate(() => machine.context.destroy(1));
  await element().getByText("1 area, 4 KiB mapped").waitFor();
  await visit.page.evaluate(() => machine.context.destroy(2));
  await element().getByText("No address space yet").waitFor();
  await visit.page.evaluate(() => void machine.context.ioasAlloc());
  await element().getByText("Nothing is mapped").waitFor();
});

test("the attribute chooses, also one that comes later; the reader may choose another", async () => {
  visit = await openPage(`${site.url}third`);
  await visit.page.waitForFunction(() => "machine" in globalThis);
  await element().getByText("IOAS 3 is not there.").waitFor();
  await visit.page.evaluate(() => {
    for (let count = 0; count < 3; count++) machine.context.ioasAlloc();
    machine.context.ioas(3).map(0x1000, 0x2000);
  });
  await element().getByText("1 area, 8 KiB mapped").waitFor();
  await element().getByRole("combobox").selectOption("1");
  await element().getByText("Nothing is mapped").waitFor();
  expect(await element().getAttribute("ioas-id")).toBe("1");
});

test("a file that is closed and a session that is over are said; a new file is shown", async () => {
  await openExample();
  await visit.page.evaluate(() => void machine.reopen());
  await element().getByText("No address space yet").waitFor();
  await visit.page.evaluate(() => machine.iommufd.file(machine.context.fd).close());
  await element().getByText("The file is closed.").waitFor();
  expect(await button("Make an example").count()).toBe(0);
  await visit.page.evaluate(() => machine.close());
  await element().getByText("The file is closed.", { exact: true }).waitFor();
});

test("a kernel without address spaces is said to be one", async () => {
  visit = await openPage(`${site.url}rfc`);
  await element().getByText("it has the rfc profile").waitFor();
  expect(await visit.axe()).toEqual([]);
});
