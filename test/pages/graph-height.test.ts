// SPDX-License-Identifier: GPL-2.0-only
//
// <iommufd-graph> with less height than it wants: nothing is cut off that cannot be reached, by the keyboard, too.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { bareHtml, closeBrowser, openPage, serveSite, type Site, type Visit } from "../support/lab-page.ts";

const SCRIPT = `<script type="module">
  import { LabSession } from "/dist/lab.js";
  const session = await LabSession.shared();
  const command = session.commands.find(({ name }) => name === "LAB_ALLOC");
  globalThis.alloc = (type, hold_id0 = 0) => session.context.call(command, { type, hold_id0 }).out_id;
</script>`;
declare global {
  /** LAB_ALLOC; returns the ID. */
  var alloc: (type: number, hold0?: number) => number;
}

const [DEVICE, HWPT, IOAS] = [1, 2, 3];

let site: Site;
let visit: Visit;

beforeAll(async () => {
  const page = (style: string): string =>
    bareHtml(`<h1>Bare</h1><iommufd-graph style="${style}"></iommufd-graph>${SCRIPT}`);
  site = await serveSite({
    pages: { "/": page(""), "/short": page("height: 15rem"), "/medium": page("height: 26rem") },
  });
});
afterEach(() => visit.close());
afterAll(async () => {
  await closeBrowser();
  await site.close();
});

const graph = () => visit.page.locator("iommufd-graph");

async function open(path: string, width = 1440): Promise<void> {
  visit = await openPage(`${site.url}${path}`, { width });
  await visit.page.waitForFunction(() => "alloc" in globalThis);
  await graph().getByText("No objects yet").waitFor();
}

/** An IOAS 1, an HWPT 2 on it, and a DEVICE 3 on that, drawn. */
async function chain(): Promise<void> {
  await visit.page.evaluate(
    ([device = 0, hwpt = 0, ioas = 0]) => void alloc(device, alloc(hwpt, alloc(ioas))),
    [DEVICE, HWPT, IOAS],
  );
  await expect.poll(() => graph().locator(".picture [role=option]").count(), { timeout: 20_000 }).toBe(3);
}

describe("in a page that gives it a height", () => {
  /** Whether that part of the element can be seen without scrolling anything. */
  const inSight = (selector: string): Promise<boolean> =>
    graph().evaluate((element, selector) => {
      const part = element.shadowRoot?.querySelector(selector)?.getBoundingClientRect();
      const frame = element.getBoundingClientRect();
      return part !== undefined && part.top >= frame.top && part.bottom <= frame.bottom;
    }, selector);
  /** Presses Tab until that part, or something in it, has the focus. */
  const tabTo = async (selector: string): Promise<void> => {
    for (let tab = 0; tab < 20; tab++) {
      await visit.page.keyboard.press("Tab");
      const there = await graph().evaluate(
        (element, selector) => element.shadowRoot?.activeElement?.closest(selector) instanceof Element,
        selector,
      );
      if (there) return;
    }
    throw new Error(`no Tab leads to ${selector}`);
  };

  test.each([360, 1440])(
    "%i px wide: what has no room is reached by keyboard, and the page keeps its place",
    async (width) => {
      await open("short", width);
      await chain();
      expect(await inSight(".legend li:last-child")).toBe(false);
      await tabTo(".switch");
      await expect
        .poll(async () => {
          await visit.page.keyboard.press("PageDown");
          return inSight(".legend li:last-child");
        })
        .toBe(true);
      await visit.page.evaluate(() => document.querySelector("iommufd-graph")?.select(2));
      await graph().getByRole("region", { name: "HWPT 2" }).waitFor();
      await tabTo(".details header");
      expect(await inSight(".details header button")).toBe(true);
      expect(await visit.page.evaluate(() => scrollY)).toBe(0);
      expect(await visit.axe()).toEqual([]);
      expect(await visit.overflow()).toEqual([]);
    },
  );

  test("where that is enough, the picture alone gets lower, with and without details", async () => {
    await open("medium");
    await visit.page.evaluate(
      ([device = 0, hwpt = 0, ioas = 0]) => {
        alloc(hwpt, alloc(ioas));
        for (let n = 0; n < 40; n++) alloc(device, 2);
      },
      [DEVICE, HWPT, IOAS],
    );
    await expect.poll(() => graph().locator(".picture [role=option]").count(), { timeout: 20_000 }).toBe(42);
    for (const selected of [undefined, 42]) {
      await visit.page.evaluate((id) => document.querySelector("iommufd-graph")?.select(id), selected);
      if (selected !== undefined)
        await graph()
          .getByRole("region", { name: `DEVICE ${selected}` })
          .waitFor();
      expect(await inSight(".legend")).toBe(true);
      expect(await inSight(".scroll")).toBe(true);
      const [whole, picture] = await graph().evaluate((element) =>
        [element, element.shadowRoot?.querySelector(".scroll")].map((each) => [
          each?.clientHeight ?? 0,
          each?.scrollHeight ?? 0,
        ]),
      );
      expect(whole?.[1]).toBe(whole?.[0]);
      expect(picture?.[1]).toBeGreaterThan(picture?.[0] ?? 0);
    }
  });

  test("without a height it is as tall as what it shows", async () => {
    await open("");
    await chain();
    const [client, scroll] = await graph().evaluate((element) => [element.clientHeight, element.scrollHeight]);
    expect(scroll).toBe(client);
    expect(await inSight(".legend")).toBe(true);
  });
});
