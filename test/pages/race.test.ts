// SPDX-License-Identifier: GPL-2.0-only
//
// <iommufd-race> alone in a bare page: stepped and run, by the keyboard, at three widths, light and dark, with and without isolation.

import { readFile } from "node:fs/promises";
import type { Locator } from "playwright";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import {
  type Site,
  type Visit,
  type VisitOptions,
  bareHtml,
  closeBrowser,
  openPage,
  serveSite,
} from "../support/lab-page.ts";
import { loadRaces } from "../support/races.ts";

const here = import.meta.url;
const HEADING = "<h1>Races</h1>";

let site: Site;
let plain: Site;
beforeAll(async () => {
  const pages = {
    "/": bareHtml(`${HEADING}<iommufd-race></iommufd-race>`),
    "/run": bareHtml(`${HEADING}<iommufd-race race="destroy-destroy" mode="run"></iommufd-race>`),
    "/three": bareHtml(`${HEADING}<iommufd-race race="destroy-chain3"></iommufd-race>`),
    "/unknown": bareHtml(`${HEADING}<iommufd-race race="nobody"></iommufd-race>`),
  };
  site = await serveSite({ pages });
  plain = await serveSite({ pages, isolated: false });
});
afterAll(async () => {
  await closeBrowser();
  await site.close();
  await plain.close();
});

async function visit(from: Site, path = "", options: VisitOptions = {}): Promise<Visit> {
  const opened = await openPage(from.url + path, options);
  onTestFinished(() => opened.close());
  return opened;
}

/** The list box of steps, once there is a schedule. */
async function lanes({ page }: Visit): Promise<Locator> {
  const list = page.getByRole("listbox");
  await list.waitFor();
  return list;
}

/** The current row's text, without its function. */
function currentRow({ page }: Visit): Promise<string> {
  return page.locator("li[aria-selected=true]").innerText();
}

/** A field of the state word as it is shown: its value and its bits. */
async function field({ page }: Visit, name: string): Promise<{ value: string; bits: string }> {
  const box = page.locator(".field").filter({ has: page.locator(`dt:text-is("${name}")`) });
  return {
    value: await box.locator(".value").innerText(),
    bits: (await box.locator(".bit").allInnerTexts()).join(""),
  };
}

/** Tells what the element tells: each "iommufd-race" from now on. */
async function collectEvents({ page }: Visit): Promise<() => Promise<Detail[]>> {
  await page.evaluate(() => {
    const details: unknown[] = [];
    (globalThis as { details?: unknown }).details = details;
    document.addEventListener("iommufd-race", (event) => details.push((event as CustomEvent).detail));
  });
  return () => page.evaluate(() => (globalThis as unknown as { details: Detail[] }).details);
}

interface Detail {
  race: string;
  mode: string;
  stalled: boolean;
  outcomes: { results: string[]; after: string[]; warn: string[]; count: number; allowed: boolean }[];
}

describe("stepping", () => {
  test("arrow keys step to the lock, and its word has one user and one holder more", async () => {
    const opened = await visit(site);
    const list = await lanes(opened);
    await opened.page.getByText("These are all that can differ.").waitFor();
    await list.focus();
    await opened.page.keyboard.press("PageDown"); // in the second schedule the lock comes first
    expect(await field(opened, "users")).toEqual({ value: "1", bits: "00001" });
    for (let step = 0; step < 100 && !/holders 0 → 1/.test(await rowOrNothing(opened)); step++)
      await opened.page.keyboard.press("ArrowDown");
    expect(await currentRow(opened)).toMatch(/changes the state word of object 1: holders 0 → 1, users 1 → 2/);
    expect(await field(opened, "users")).toEqual({ value: "2", bits: "00010" });
    expect(await field(opened, "holders")).toEqual({ value: "1", bits: "0001" });
    expect(await field(opened, "phase")).toEqual({ value: "live", bits: "10" });
    expect(await opened.page.locator(".bit.changed").count()).toBe(3);
    await opened.page.keyboard.press("ArrowUp");
    expect(await field(opened, "users")).toEqual({ value: "1", bits: "00001" });
    expect(opened.problems).toEqual([]);
  });

  test("each schedule ends with its outcome, and the element tells it once", async () => {
    const opened = await visit(site);
    const told = await collectEvents(opened);
    const list = await lanes(opened);
    await list.focus();
    await opened.page.keyboard.press("End");
    await opened.page.getByText("So it ends:").waitFor();
    expect(await opened.page.locator(".end .results").innerText()).toMatch(/DESTROY 1 → 0\s+GET 1 → ENOENT/);
    await opened.page.keyboard.press("Home");
    await opened.page.keyboard.press("End");
    const events = await told();
    expect(events).toEqual([
      {
        race: "destroy-get",
        mode: "step",
        outcomes: [{ results: ["0", "ENOENT"], after: ["ENOENT", "0", "[2:1]"], warn: [], count: 1, allowed: true }],
        stalled: false,
      },
    ]);
  });

  test("everything is reached and pressed by the keyboard", async () => {
    const opened = await visit(site);
    const { page } = opened;
    await lanes(opened);
    await page.getByText("These are all that can differ.").waitFor();
    const reached: string[] = [];
    for (let n = 0; n < 40; n++) {
      await page.keyboard.press("Tab");
      const name = await page.evaluate(() => {
        const inner = document.activeElement?.shadowRoot?.activeElement;
        return inner === null || inner === undefined
          ? ""
          : `${inner.localName}.${inner.getAttribute("aria-label") ?? inner.textContent.trim()}`;
      });
      if (name === "" && n > 0) break;
      reached.push(name);
    }
    for (const part of [
      "select.",
      "button.Let threads run it",
      "button.Next schedule",
      "ol.",
      "button.Step",
      "button.End",
      "input.",
      "summary.",
    ])
      expect(
        reached.some((name) => name.startsWith(part)),
        part,
      ).toBe(true);
    await page.getByRole("combobox", { name: "Race" }).focus();
    await page.keyboard.press("ArrowDown");
    await page.getByText("Two threads destroy the same object.").waitFor();
    await page.getByRole("button", { name: "Next schedule" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("Schedule 2 of").waitFor();
    await page.getByRole("button", { name: "Step", exact: false }).last().focus();
    await page.getByRole("checkbox", { name: "every operation" }).focus();
    await page.keyboard.press("Space");
    expect(await page.getByText(/steps? that nobody else sees/).count()).toBe(0);
    expect(opened.problems).toEqual([]);
  });

  test("an outcome's button shows a schedule that ends so", async () => {
    const opened = await visit(site);
    await lanes(opened);
    await opened.page
      .getByRole("button", { name: "Show one that ends so: DESTROY 1 answers 0, GET 1 answers 0" })
      .click();
    expect(await opened.page.locator(".end .results").innerText()).toMatch(/GET 1 → 0/);
    expect(await opened.page.locator("tr.current .results").innerText()).toMatch(/GET 1 → 0/);
  });

  test("with several objects the word follows the step, or the reader's choice", async () => {
    const opened = await visit(site, "three");
    const list = await lanes(opened);
    await list.focus();
    await opened.page.keyboard.press("End");
    await opened.page.getByRole("heading", { name: "State word of object 2" }).waitFor();
    await opened.page.getByRole("button", { name: "Object 3" }).click();
    await opened.page.getByRole("heading", { name: "State word of object 3" }).waitFor();
    expect((await field(opened, "phase")).value).toBe("free");
    expect(opened.problems).toEqual([]);
  });

  test("the page answers while the search goes on", async () => {
    const opened = await visit(site, "three");
    const list = await lanes(opened);
    await list.focus();
    await opened.page.keyboard.press("ArrowDown");
    await opened.page.getByText("Step 1 of").waitFor();
    expect(await opened.page.getByRole("group", { name: "Schedule" }).innerText()).toMatch(
      /Looking for more|There are more/,
    );
  });

  test("a race that is not in the catalogue is said to be none", async () => {
    const opened = await visit(site, "unknown");
    await opened.page.getByRole("alert").getByText("There is no race “nobody”").waitFor();
  });
});

/** Lets one worker sleep for ever in front of its call of a try, and not before so many tries are over. */
async function stallWorker({ page }: Visit, actor: number, tries: number): Promise<void> {
  // A worker draws two numbers for a try's delay, when it has prepared its call.
  const before = `const { random } = Math;
    addEventListener("message", ({ data: { actor } }) => {
      let left = 2 * ${tries};
      Math.random = () => {
        if (actor === ${actor} && left-- === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
        return random();
      };
    });
  `;
  const worker = await readFile(new URL("../../dist/race-worker.js", here), "utf8");
  await page.route("**/dist/race-worker.js", (route) =>
    route.fulfill({
      contentType: "text/javascript",
      headers: { "Cross-Origin-Embedder-Policy": "require-corp" },
      body: before + worker,
    }),
  );
}

describe("running", () => {
  test("the workers' outcomes are the recorded kernel's, and all tries are counted", async () => {
    const opened = await visit(site, "run");
    const { page } = opened;
    const told = await collectEvents(opened);
    const recorded = await loadRaces();
    const names = ["destroy-destroy", "destroy-get", "destroy-keep", "close-get", "destroy-get-get"];
    await page.getByRole("combobox", { name: "For" }).selectOption("1");
    for (const name of names) {
      await page.getByRole("combobox", { name: "Race" }).selectOption(name);
      await page.getByRole("button", { name: "Run", exact: true }).click();
      await page.getByText(/Ran [\d,]+ times/).waitFor();
      const ended = (await told()).at(-1);
      expect(ended?.race).toBe(name);
      expect(ended?.mode).toBe("run");
      expect(ended?.stalled).toBe(false);
      const shown = await page
        .locator("td[data-count]")
        .evaluateAll((cells) => cells.map((cell) => Number((cell as HTMLElement).dataset["count"])));
      const tries = ended?.outcomes.reduce((sum, { count }) => sum + count, 0) ?? 0;
      expect(tries).toBeGreaterThan(0);
      expect(shown.reduce((sum, count) => sum + count, 0)).toBe(tries);
      expect(await page.getByText(/Ran [\d,]+ times/).innerText()).toBe(`Ran ${tries.toLocaleString("en")} times.`);
      // Of these races the kernel has shown every outcome that its code allows.
      const kernel = recorded.find(({ race }) => race === name.replaceAll("-", "_"));
      const allowed = kernel?.outcomes.map(({ results, after, warn = [] }) => ({ results, after, warn })) ?? [];
      for (const { results, after, warn, allowed: isAllowed } of ended?.outcomes ?? []) {
        expect(isAllowed).toBe(true);
        expect(allowed).toContainEqual({ results, after, warn });
      }
    }
    expect(await page.getByText("Not allowed:").count()).toBe(0);
    expect(opened.problems).toEqual([]);
  });

  test("an outcome that the kernel does not allow is shown loudly", async () => {
    const opened = await visit(site, "run");
    const { page } = opened;
    // Two destroys of one object that both succeed, as a broken core would report them.
    const report = {
      outcomes: [{ results: ["0", "0"], after: ["ENOENT", "0", "[2:1,2:1]"], warn: [], count: 7 }],
      tries: 7,
      done: true,
    };
    await page.route("**/dist/race-worker.js", (route) =>
      route.fulfill({
        contentType: "text/javascript",
        headers: { "Cross-Origin-Embedder-Policy": "require-corp" },
        body: `onmessage = () => postMessage(${JSON.stringify(report)})`,
      }),
    );
    const told = await collectEvents(opened);
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByRole("alert").getByText("Not allowed:").waitFor();
    expect(await page.locator("tr.forbidden").innerText()).toMatch(
      /1: DESTROY 1 → 0\s+2: DESTROY 1 → 0[^]*not allowed[^]*7/,
    );
    expect((await told()).at(-1)?.outcomes.map(({ allowed }) => allowed)).toEqual([false]);
    expect(await opened.axe()).toEqual([]);
  });

  test("a worker that cannot be started is a problem that the element shows", async () => {
    const opened = await visit(site, "run");
    const { page } = opened;
    await page.route("**/dist/race-worker.js", (route) => route.abort());
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByRole("alert").getByText("The run failed:").waitFor();
    await expect.poll(() => page.workers().length).toBe(0);
  });

  test("a run can be stopped; what was counted stays, and no worker is left", async () => {
    const opened = await visit(site, "run");
    const { page } = opened;
    await page.getByRole("combobox", { name: "For" }).selectOption("30");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByText(/^[1-9][\d,]* tries$/).waitFor();
    expect(page.workers().length).toBe(2);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText(/Ran [\d,]+ times/).waitFor();
    await expect.poll(() => page.workers().length).toBe(0);
  });

  test("a run that is stopped while its workers wait for one that stalls ends with what was reported", async () => {
    const opened = await visit(site, "run");
    const { page } = opened;
    const report = {
      outcomes: [{ results: ["0", "ENOENT"], after: ["ENOENT", "0", "[2:1]"], warn: [], count: 7 }],
      tries: 7,
      done: false,
    };
    await page.route("**/dist/race-worker.js", (route) =>
      route.fulfill({
        contentType: "text/javascript",
        headers: { "Cross-Origin-Embedder-Policy": "require-corp" },
        body: `onmessage = ({ data: { actor } }) => {
          if (actor === 0) postMessage(${JSON.stringify(report)});
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
        }`,
      }),
    );
    const told = await collectEvents(opened);
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByText("7 tries").waitFor();
    expect(page.workers().length).toBe(2);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Ran 7 times.").waitFor();
    expect((await told()).map(({ outcomes }) => outcomes.map(({ count }) => count))).toEqual([[7]]);
    await expect.poll(() => page.workers().length).toBe(0);
    expect(opened.problems).toEqual([]);
  });

  test("a run in which a worker gets stuck ends by itself, and counts exactly the tries before", async () => {
    const opened = await visit(site, "run");
    const { page } = opened;
    await stallWorker(opened, 1, 1000);
    const told = await collectEvents(opened);
    await page.getByRole("combobox", { name: "For" }).selectOption("30");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    const alert = page.getByRole("alert");
    await alert.getByText("The run has stalled: for 5 seconds no try came to its end").waitFor();
    expect(await alert.innerText()).toContain("Counted are the 1,000 tries before it");
    expect(await page.getByRole("status").innerText()).toBe("Ran 1,000 times.");
    const [ended] = await told();
    expect(ended?.stalled).toBe(true);
    expect(ended?.outcomes.reduce((sum, { count }) => sum + count, 0)).toBe(1000);
    await expect.poll(() => page.workers().length).toBe(0);
    expect(await opened.axe()).toEqual([]);
    // The next run forgets it.
    await page.unroute("**/dist/race-worker.js");
    await page.getByRole("combobox", { name: "For" }).selectOption("1");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await expect.poll(() => told().then((events) => events[1]?.stalled)).toBe(false);
    expect(await alert.count()).toBe(0);
    expect(opened.problems).toEqual([]);
  });

  test("a run whose leader gets stuck ends by itself, with what the leader reported last", async () => {
    const opened = await visit(site, "run");
    const { page } = opened;
    await stallWorker(opened, 0, 0);
    const told = await collectEvents(opened);
    await page.getByRole("combobox", { name: "For" }).selectOption("30");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByRole("alert").getByText("No try is counted.").waitFor();
    expect(await told()).toEqual([{ race: "destroy-destroy", mode: "run", outcomes: [], stalled: true }]);
    await expect.poll(() => page.workers().length).toBe(0);
    expect(opened.problems).toEqual([]);
  });

  test("workers that do not start are a problem that the element shows", async () => {
    const opened = await visit(site, "run");
    const { page } = opened;
    await page.route("**/dist/race-worker.js", () => undefined); // is never answered
    await page.evaluate(() => {
      const timeout = AbortSignal.timeout.bind(AbortSignal);
      AbortSignal.timeout = (milliseconds) => timeout(milliseconds / 100);
    });
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByRole("alert").getByText("The run failed: its workers did not start within 30 seconds").waitFor();
    await expect.poll(() => page.workers().length).toBe(0);
  });

  test("where the second worker cannot be had, the first one goes, too", async () => {
    const opened = await visit(site, "run");
    const { page } = opened;
    await page.evaluate(() => {
      let made = 0;
      globalThis.Worker = class extends Worker {
        constructor(url: string | URL, options?: WorkerOptions) {
          if (made++ === 1) throw new Error("no more workers here");
          super(url, options);
        }
      };
    });
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByRole("alert").getByText("The run failed: no more workers here").waitFor();
    await expect.poll(() => page.workers().length).toBe(0);
    expect(opened.problems).toEqual([]);
  });

  test("an element that leaves the page takes its workers along", async () => {
    const opened = await visit(site, "run");
    const { page } = opened;
    await page.getByRole("combobox", { name: "For" }).selectOption("30");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByText(/^[1-9][\d,]* tries$/).waitFor();
    await page.evaluate(() => document.querySelector("iommufd-race")?.remove());
    await expect.poll(() => page.workers().length).toBe(0);
    expect(opened.problems).toEqual([]);
  });
});

describe("without isolation", () => {
  test("it says why nothing can run, and steps instead", async () => {
    const opened = await visit(plain, "run");
    const { page } = opened;
    await page.getByText("This page has one thread only:").waitFor();
    await page.getByText("Cross-Origin-Opener-Policy").waitFor();
    expect(await page.getByRole("button", { name: "Run", exact: true }).count()).toBe(0);
    expect(await opened.axe()).toEqual([]);
    await page.getByRole("button", { name: "Step through it instead" }).click();
    const list = await lanes(opened);
    await list.focus();
    await page.keyboard.press("End");
    await page.getByText("So it ends:").waitFor();
    expect(opened.problems).toEqual([]);
  });
});

describe.each([360, 768, 1440])("at %i pixels", (width) => {
  test.each(["light", "dark"] as const)(
    "%s: nothing sticks out, no text is small, axe finds nothing",
    async (scheme) => {
      const opened = await visit(site, "three", { width, scheme });
      const list = await lanes(opened);
      await list.focus();
      for (let n = 0; n < 6; n++) await opened.page.keyboard.press("ArrowDown");
      await opened.page.getByText("What the fields mean").click();
      expect(await opened.overflow()).toEqual([]);
      expect(await opened.smallText()).toEqual([]);
      expect(await opened.axe()).toEqual([]);
      await opened.page.getByRole("button", { name: "Let threads run it" }).click();
      await opened.page.getByRole("button", { name: "Run", exact: true }).waitFor();
      expect(await opened.overflow()).toEqual([]);
      expect(await opened.axe()).toEqual([]);
      expect(opened.problems).toEqual([]);
    },
  );
});

async function rowOrNothing(opened: Visit): Promise<string> {
  return (await opened.page.locator("li[aria-selected=true]").count()) === 0 ? "" : currentRow(opened);
}
