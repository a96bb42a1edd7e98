// SPDX-License-Identifier: GPL-2.0-only
//
// The lab page on the hosts that it meets: one that cannot send the isolation headers, with and without service workers, and the
// development server, which sends them.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright";
import { createServer } from "vite";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildLab } from "../support/lab-build.ts";
import { closeBrowser, openPage, serveSite, type Site, type Visit } from "../support/lab-page.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CONFIG = join(ROOT, "examples/lab/vite.config.mjs");
/** A place deep in somebody's site, to see that nothing depends on the root. */
const DEEP = "/people/somebody/lab/";

let folder: string;
let plain: Site;
let visit: Visit | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "iommufd-lab-"));
  await buildLab(folder);
  plain = await serveSite({ folders: { [DEEP]: folder, "/lab/": folder }, isolated: false });
});
afterEach(async () => {
  await visit?.close();
  visit = undefined;
});
afterAll(async () => {
  await closeBrowser();
  await plain.close();
  await rm(folder, { recursive: true });
});

/** Opens the page on the host without headers, and waits for the lesson. */
async function open(lesson = ""): Promise<Page> {
  visit = await openPage(`${plain.url}lab/${lesson === "" ? "" : `#${lesson}`}`);
  await visit.page.waitForSelector("#lesson-title");
  return visit.page;
}

/** How many steps of the lesson are done. */
const doneSteps = (page: Page): Promise<number> => page.locator("#lesson .step.done").count();

/** Clicks the present step's own button until `steps` are done. */
async function clickThrough(page: Page, steps: number): Promise<void> {
  for (let done = await doneSteps(page); done < steps;) {
    const before = await page.locator("#lesson").innerText();
    await page.click("#lesson .step.present .perform");
    await page.waitForFunction((text) => document.querySelector<HTMLElement>("#lesson")?.innerText !== text, before);
    done = await doneSteps(page);
  }
}

describe("hosts", () => {
  test("without the headers the page has one thread, and says so, why, and what helps", async () => {
    const page = await open();
    expect(await page.locator("#support").innerText()).toMatch(
      /runs on one thread[\s\S]*not cross-origin isolated[\s\S]*Cross-Origin-Opener-Policy: same-origin/,
    );
    await clickThrough(page, 5);
    expect(await visit?.axe()).toEqual([]);
    expect(visit?.problems).toEqual([]);
  });

  test("on one thread the lesson on races leaves out what needs several, and says so", async () => {
    const page = await open("two-callers");
    await clickThrough(page, 4);
    await page.waitForSelector(".closing");
    expect(await page.locator("#lesson .step").last().innerText()).toContain("one thread");
    expect(visit?.problems).toEqual([]);
  });

  test("the service worker adds them, by one reload, in whichever folder the page lies", async () => {
    visit = await openPage(`${plain.url}${DEEP.slice(1)}`, { serviceWorkers: true });
    const { page } = visit;
    let loads = 0;
    page.on("load", () => loads++);
    const isIsolated = (): Promise<boolean> => page.evaluate(() => crossOriginIsolated).catch(() => false);
    await expect.poll(isIsolated, { timeout: 20_000 }).toBe(true);
    await page.waitForSelector("#lesson-title");
    expect(await page.locator("#support").innerText()).toBe("");
    await clickThrough(page, 5);
    await page.waitForLoadState("networkidle");
    await page.reload({ waitUntil: "networkidle" });
    await page.waitForSelector("#lesson-title");
    expect(await isIsolated()).toBe(true);
    // At most the first, the one for the headers, and ours; those before the page was ours to count are missing.
    expect(loads).toBeLessThanOrEqual(3);
    expect(visit.problems).toEqual([]);
  });

  test("the development server sends them", async () => {
    const server = await createServer({
      configFile: CONFIG,
      logLevel: "silent",
      server: { port: 0, host: "127.0.0.1" },
    });
    await server.listen();
    try {
      visit = await openPage(server.resolvedUrls?.local[0] ?? "");
      await visit.page.waitForSelector("#lesson-title");
      expect(await visit.page.evaluate(() => crossOriginIsolated)).toBe(true);
      expect(visit.problems).toEqual([]);
    } finally {
      await server.close();
    }
  });
});
