// SPDX-License-Identifier: GPL-2.0-only
//
// The lab page's second thread, as its readers meet it: built, served, in Chromium. A worker's call takes five seconds; tests that need
// only its beginning kill the worker.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildLab } from "../support/lab-build.ts";
import { closeBrowser, openPage, serveSite, type Site, type Visit, type VisitOptions } from "../support/lab-page.ts";

/** Longer than a worker's call. */
const PATIENCE = { timeout: 9000 };

let folder: string;
let isolated: Site;
let plain: Site;
let visit: Visit;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "iommufd-lab-"));
  await buildLab(folder);
  isolated = await serveSite({ folders: { "/lab/": folder } });
  plain = await serveSite({ folders: { "/lab/": folder }, isolated: false });
});
afterEach(() => visit.close());
afterAll(async () => {
  await closeBrowser();
  await isolated.close();
  await plain.close();
  await rm(folder, { recursive: true });
});

async function open(options: VisitOptions = {}, site = isolated): Promise<Page> {
  visit = await openPage(`${site.url}lab/`, options);
  await visit.page.waitForSelector("#lesson-title");
  return visit.page;
}

const control = (): Locator => visit.page.getByRole("group", { name: "A second thread" });
const object = (): Locator => control().getByLabel("Object");
const hold = (): Locator => control().getByRole("button", { name: /^Hold/ });
const reserve = (): Locator => control().getByRole("button", { name: /^Reserve/ });
const kill = (name: string): Locator => control().getByRole("button", { name: `Kill ${name}` });
const news = (): Promise<string> => control().getByRole("status").innerText();
const workers = (): Promise<number> => control().getByRole("listitem").count();

/** The graph's boxes of that object. */
const boxes = (name: string): Locator =>
  visit.page.locator("iommufd-graph .picture [role=option]").filter({ hasText: `${name}, ` });

/** Waits for a box of the graph that says all that. */
async function box(name: string, ...words: string[]): Promise<void> {
  await expect
    .poll(() => boxes(name).locator("title").allTextContents(), PATIENCE)
    .toSatisfy((titles: string[]) => titles.some((title) => words.every((word) => title.includes(word))));
}

async function call(command: string, fields: Readonly<Record<string, string>>): Promise<void> {
  const console = visit.page.locator("#console iommufd-console");
  await console.getByLabel("Command").selectOption({ label: command });
  for (const [name, value] of Object.entries(fields)) {
    await console.getByLabel(new RegExp(`^${name}, `)).fill(value);
  }
  await console.getByRole("button", { name: "Run", exact: true }).click();
}

/** What an element shows, its rows in a line. */
const shownBy = (name: string): Promise<string> =>
  visit.page.evaluate(
    (name) => (document.querySelector(name)?.shadowRoot?.textContent ?? "").replaceAll(/\s+/g, " "),
    name,
  );
const answers = (): Promise<string> => shownBy("#console iommufd-console");
const trace = (): Promise<string> => shownBy("iommufd-trace");

describe("a worker that holds an object", () => {
  test("is seen in the graph, makes destroy wait without freezing the page, and is in the trace", async () => {
    const page = await open();
    await object().fill("3");
    await hold().click();
    await box("DEVICE 3", "live", "1 holder");
    await call("IOMMU_DESTROY", { id: "3" });
    await box("DEVICE 3", "destroying");
    await page.locator("#console iommufd-console").getByRole("button", { name: "Stop waiting" }).waitFor();
    // The page goes on meanwhile: it answers another call of its own, which says that nobody finds the object now.
    expect(await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => resolve("drawn"))))).toBe(
      "drawn",
    );
    await expect.poll(() => news(), PATIENCE).toContain("worker 1 has let go of object 3");
    await expect.poll(() => page.locator("#file").innerText()).toMatch(/Objects\s*2/);
    await expect.poll(trace, PATIENCE).toMatch(/worker 1\s*ioctl\(\d+, LAB_HOLD, \{[^}]*id=3,/);
    expect(await workers()).toBe(0);
    expect(visit.problems).toEqual([]);
  });

  test("that is not there is told", async () => {
    await open();
    await object().fill("99");
    await hold().click();
    await expect.poll(news).toContain("worker 1 could not hold object 99: ENOENT");
    expect(visit.problems).toEqual([]);
  });

  test("takes the object that is selected in the graph", async () => {
    await open();
    await boxes("HWPT 2").click();
    await expect.poll(() => hold().innerText()).toBe("Hold object 2");
    expect(await object().inputValue()).toBe("2");
  });

  test("lets the file be closed meanwhile: its objects go when the worker lets go, and are in the log", async () => {
    const page = await open();
    await hold().click();
    await box("IOAS 1", "1 holder");
    await page.getByRole("button", { name: "Close and reopen" }).click();
    await page.locator("iommufd-graph").getByText("No objects yet").waitFor();
    await expect.poll(() => news(), PATIENCE).toContain("worker 1 has let go of object 1");
    await expect.poll(() => page.locator("#file").innerText()).toMatch(/Objects\s*0/);
    const scratch = await page.locator("#file .mono").innerText();
    await call("LAB_LOG", { capacity: "9", uptr: scratch });
    await expect.poll(trace, PATIENCE).toMatch(/LAB_LOG, [^)]*out_count=3/);
    expect(visit.problems).toEqual([]);
  });
});

describe("a worker that reserves an ID", () => {
  test("shows an object that nobody finds; killed, it leaves nothing behind", async () => {
    await open();
    await reserve().click();
    await box("IOAS 4", "reserved");
    await call("LAB_GET", { id: "4" });
    await expect.poll(answers).toContain("ENOENT");
    await kill("worker 1").click();
    await expect.poll(news).toContain("worker 1 is dead. The kernel has taken back what it had in hand.");
    await expect.poll(() => boxes("IOAS 4").count()).toBe(0);
    expect(visit.problems).toEqual([]);
  });

  test("publishes it in the end, and the trace names the call", async () => {
    const page = await open();
    await reserve().click();
    await box("IOAS 4", "live");
    await expect.poll(news).toContain("worker 1 has published its IOAS");
    await expect.poll(trace, PATIENCE).toMatch(/worker 1\s*ioctl\(\d+, LAB_RESERVE, /);
    await expect.poll(() => page.locator("#file").innerText()).toMatch(/Objects\s*4/);
    expect(visit.problems).toEqual([]);
  });

  test("is a call that the page itself must not make: EAGAIN, and nothing is left", async () => {
    await open();
    await call("LAB_RESERVE", { type: "3", msecs: "50" });
    await expect.poll(answers).toContain("EAGAIN");
    expect(await boxes("IOAS 4").count()).toBe(0);
  });
});

describe("the crew", () => {
  test("has three workers at most, says so, and replaces one that was killed", async () => {
    await open();
    // By force: the control says that it is disabled when all are busy, and a reader clicks all the same.
    for (let click = 0; click < 5; click++) await hold().click({ force: true });
    await box("IOAS 1", "3 holders");
    expect(await workers()).toBe(3);
    expect(await news()).toContain("All 3 workers are busy");
    expect(await hold().getAttribute("aria-disabled")).toBe("true");
    await kill("worker 2").click();
    await box("IOAS 1", "2 holders");
    await expect.poll(news).toContain("worker 2 is dead");
    await hold().click();
    await box("IOAS 1", "3 holders");
    await kill("worker 4").waitFor();
    expect(visit.problems).toEqual([]);
  });

  test("a worker that has died lets those go on who waited for it", async () => {
    const page = await open();
    await object().fill("3");
    await hold().click();
    await box("DEVICE 3", "1 holder");
    await call("IOMMU_DESTROY", { id: "3" });
    await box("DEVICE 3", "destroying");
    await kill("worker 1").click();
    await expect.poll(() => page.locator("#file").innerText()).toMatch(/Objects\s*2/);
    expect(visit.problems).toEqual([]);
  });

  test("one that is killed while it starts dies all the same", async () => {
    await open();
    await hold().click();
    await kill("worker 1").click();
    await expect.poll(news).toContain("worker 1 is dead");
    await box("IOAS 1", "live, 2 users");
    expect(visit.problems).toEqual([]);
  });

  test("one that cannot start is told, and the next one is tried", async () => {
    const page = await open();
    await page.route(/lab-worker/, (route) => route.abort(), { times: 1 });
    await hold().click();
    await expect.poll(news).toContain("worker 1 could not start");
    expect(await workers()).toBe(0);
    await hold().click();
    await box("IOAS 1", "1 holder");
  });

  test("an idle worker is used again", async () => {
    await open();
    await object().fill("99");
    for (let click = 0; click < 2; click++) {
      await hold().click();
      await expect.poll(news).toContain("worker 1 could not hold object 99");
      await object().fill("98");
      await hold().click();
      await expect.poll(news).toContain("worker 1 could not hold object 98");
      await object().fill("99");
    }
  });
});

describe("the control", () => {
  test.each([
    [360, "light"],
    [768, "dark"],
    [1440, "light"],
    [1440, "dark"],
  ] as const)("at %d px, %s: with busy workers nothing sticks out, and axe finds nothing", async (width, scheme) => {
    await open({ width, scheme });
    for (let click = 0; click < 2; click++) await hold().click();
    await reserve().click();
    expect(await workers()).toBe(3);
    expect(await visit.axe()).toEqual([]);
    expect(await visit.overflow()).toEqual([]);
    expect(await visit.smallText()).toEqual([]);
    expect(visit.problems).toEqual([]);
  });

  test("works by keyboard, and no killed worker takes the focus along", async () => {
    const page = await open();
    await object().focus();
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type("2");
    await page.keyboard.press("Enter");
    await box("HWPT 2", "1 holder");
    for (let tab = 0; tab < 3; tab++) await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain("Kill");
    await page.keyboard.press("Enter");
    await expect.poll(news).toContain("worker 1 is dead");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("worker-object");
  });

  test("takes no text that is no ID", async () => {
    const page = await open();
    for (const text of ["", "0", "-1", "1.5", "4294967296"]) {
      await object().fill(text);
      await page.keyboard.press("Enter");
      expect([text, await workers(), await hold().innerText()]).toEqual([text, 0, "Hold object 1"]);
    }
  });

  test("on one thread it is disabled, and says why", async () => {
    await open({}, plain);
    for (const each of [object(), hold(), reserve()]) expect(await each.isDisabled()).toBe(true);
    expect(await news()).toBe("No worker: this page runs on one thread. The note at the top says why.");
    expect(await visit.page.locator("#support").innerText()).toContain("a worker that holds an object");
    expect(await visit.axe()).toEqual([]);
    expect(visit.problems).toEqual([]);
  });
});
