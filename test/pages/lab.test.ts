// SPDX-License-Identifier: GPL-2.0-only
//
// The lab page as its readers meet it: built as `npm run lab:build` builds it, served by a plain host, in Chromium.
//
// Every lesson is completed through the page's own buttons, and the first one by keyboard alone. Nothing here reaches into
// the page's modules.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { LESSONS } from "../../examples/lab/lessons/index.ts";
import { buildLab } from "../support/lab-build.ts";
import { closeBrowser, openPage, serveSite, type Site, type Visit, type VisitOptions } from "../support/lab-page.ts";

let folder: string;
let isolated: Site;
let visit: Visit | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "iommufd-lab-"));
  await buildLab(folder);
  isolated = await serveSite({ folders: { "/lab/": folder } });
});
afterEach(async () => {
  await visit?.close();
  visit = undefined;
});
afterAll(async () => {
  await closeBrowser();
  await isolated.close();
  await rm(folder, { recursive: true });
});

/** Opens the page and waits for the lesson. */
async function open(options: VisitOptions = {}, { lesson = "" } = {}): Promise<Page> {
  visit = await openPage(`${isolated.url}lab/${lesson === "" ? "" : `#${lesson}`}`, options);
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

/** Makes one object by the console, beside the three that are there. */
async function runOneAlloc(page: Page): Promise<void> {
  const console = page.locator("#console iommufd-console");
  await console.getByLabel("Command").selectOption({ label: "LAB_ALLOC" });
  await console.getByRole("button", { name: "Run", exact: true }).click();
  await expect.poll(() => page.locator("#file").innerText()).toMatch(/Objects\s*4/);
}

describe("the first sight", () => {
  test("has data: three objects that hold each other, and the calls that made them", async () => {
    const page = await open();
    await expect.poll(() => page.locator("#file").innerText()).toMatch(/Objects\s*3/);
    for (const name of ["DEVICE 3", "HWPT 2", "IOAS 1"]) {
      await page.locator("iommufd-graph text", { hasText: name }).waitFor();
    }
    await expect.poll(() => page.locator("iommufd-trace").getByText("LAB_ALLOC").count()).toBeGreaterThanOrEqual(3);
    expect(visit?.problems).toEqual([]);
  });

  test.each([
    [360, "light"],
    [360, "dark"],
    [768, "light"],
    [768, "dark"],
    [1440, "light"],
    [1440, "dark"],
    [1920, "light"],
    [1920, "dark"],
  ] as const)("at %d px, %s: nothing sticks out, axe finds nothing, no text is tiny", async (width, scheme) => {
    const page = await open({ width, scheme });
    // As far as the question: every kind of control is there then.
    await clickThrough(page, 3);
    await page.click("#lesson .question >> text=Nobody");
    expect(await visit?.overflow()).toEqual([]);
    expect(await visit?.axe()).toEqual([]);
    expect(await visit?.smallText()).toEqual([]);
    expect(visit?.problems).toEqual([]);
  });

  test("with larger text nothing sticks out either, at any width", async () => {
    const page = await open({ width: 360 });
    await page.getByRole("button", { name: "Larger text" }).click();
    for (const width of [360, 768, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await visit?.overflow()).toEqual([]);
    }
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize)).toBe("21px");
  });

  test("light and dark can be chosen against the system, and the choice stays", async () => {
    const page = await open({ scheme: "light" });
    const ground = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByText("Dark", { exact: true }).click();
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.waitForSelector("#lesson-title");
    expect(await ground()).toBe(dark);
    await page.getByText("Light", { exact: true }).click();
    expect(await ground()).toBe(light);
  });
});

describe("lessons", () => {
  test.each(LESSONS.map((lesson) => [lesson.id, lesson] as const))(
    "%s is completed by its buttons",
    async (id, lesson) => {
      const page = await open({}, { lesson: id });
      await clickThrough(page, lesson.steps.length);
      await page.waitForSelector(".closing");
      expect(await page.locator("#lesson").innerText()).toContain(lesson.title);
      expect(await visit?.axe()).toEqual([]);
      expect(await page.locator(".stop[aria-current=page]").getAttribute("aria-label")).toContain("finished");
      expect(visit?.problems).toEqual([]);
    },
  );

  test("“Fill in for me” runs nothing: the student does", async () => {
    const page = await open();
    await page.click("text=Fill in for me");
    expect(await doneSteps(page)).toBe(0);
    await page.locator("#console iommufd-console").getByRole("button", { name: "Run", exact: true }).click();
    await expect.poll(() => doneSteps(page)).toBe(1);
  });

  test("a wrong answer is told why, and by voice", async () => {
    const page = await open();
    await clickThrough(page, 3);
    await page.click(".question >> text=Nobody");
    expect(await page.locator(".note").innerText()).toContain("There are two");
    expect(await page.locator("#announcer").innerText()).toContain("There are two");
    expect(await doneSteps(page)).toBe(3);
  });

  test("what the page could not do for the student is said in the step", async () => {
    const page = await open({}, { lesson: "extend" });
    await clickThrough(page, 1);
    await page.evaluate(() => {
      const element = document.querySelector("#console iommufd-console") as HTMLElement & {
        run: () => Promise<number>;
      };
      element.run = () => Promise.reject(new Error("no console today"));
    });
    await page.click("#lesson .step.present .perform");
    await page.locator("#lesson").getByRole("alert").getByText("could not be done: no console today").waitFor();
    expect(visit?.problems).toEqual([]);
  });

  test("an own ioctl is in the console's list, by name", async () => {
    const page = await open({}, { lesson: "extend" });
    const names = page.locator("#console iommufd-console").locator("option", { hasText: "MY_DOUBLE" });
    expect(await names.count()).toBe(0);
    await clickThrough(page, 1);
    await expect.poll(() => names.count()).toBe(1);
  });

  test("the step to do is always in sight beside the bench, and all of it", async () => {
    const page = await open({ width: 1440, height: 800 });
    for (const step of [1, 2, 3, 4]) {
      await clickThrough(page, step);
      const isInSight = (): Promise<boolean> =>
        page.evaluate(() => {
          const rect = document.querySelector("#lesson .step.present .actions")?.getBoundingClientRect();
          return rect !== undefined && rect.top >= 0 && rect.bottom <= innerHeight;
        });
      await expect.poll(isInSight).toBe(true);
    }
  });

  test("on a narrow page the step to do stands at the foot while the lesson is out of sight", async () => {
    const page = await open({ width: 360, height: 740 });
    const bar = page.locator("#now");
    await expect.poll(() => bar.isVisible()).toBe(false);
    await page.click("text=Fill in for me");
    await expect.poll(() => bar.isVisible()).toBe(true);
    expect(await bar.innerText()).toContain("Make an object");
    await bar.getByRole("link").click();
    await expect.poll(() => bar.isVisible()).toBe(false);
  });

  test("where one was is found again after a reload, with the objects", async () => {
    const page = await open();
    await clickThrough(page, 3);
    await page.reload();
    await page.waitForSelector("#lesson .step.done");
    expect(await doneSteps(page)).toBe(3);
    await clickThrough(page, 5);
    await page.reload();
    await page.waitForSelector(".stop.done");
    await page.click("text=Reset progress");
    await page.reload();
    await page.waitForSelector("#lesson-title");
    expect([await doneSteps(page), await page.locator(".stop.done").count()]).toEqual([0, 0]);
  });

  /** Goes to a lesson by its stop. */
  const goTo = (page: Page, number: number): Promise<void> =>
    page.getByRole("button", { name: new RegExp(`^Lesson ${number}:`) }).click();
  const title = (page: Page): Promise<string> => page.locator("#lesson-title").innerText();

  test("each keeps its place while another one is open", async () => {
    const page = await open();
    await clickThrough(page, 3);
    await goTo(page, 3);
    expect(await doneSteps(page)).toBe(0);
    await clickThrough(page, 2);
    await goTo(page, 1);
    expect([await title(page), await doneSteps(page)]).toEqual(["Open, and the first object", 3]);
    await clickThrough(page, 5);
    await goTo(page, 3);
    expect(await doneSteps(page)).toBe(2);
    await goTo(page, 1);
    await page.locator(".closing").waitFor();
    await page.getByRole("button", { name: "Do it again" }).click();
    expect(await doneSteps(page)).toBe(0);
    expect(visit?.problems).toEqual([]);
  });

  test("each keeps its place over a reload, and says what was done about it", async () => {
    const page = await open();
    await clickThrough(page, 3);
    await goTo(page, 3);
    await clickThrough(page, 2);
    await page.reload();
    await page.waitForSelector("#lesson .step.done");
    expect([await title(page), await doneSteps(page)]).toEqual(["Why destroy says EBUSY", 2]);
    expect(await page.locator(".note").innerText()).toContain("repeated the steps");
    await goTo(page, 1);
    expect(await doneSteps(page)).toBe(3);
    expect(await page.locator("#announcer").innerText()).toContain("repeated the steps");
    await clickThrough(page, 5);
    await goTo(page, 3);
    await clickThrough(page, 3);
    expect(visit?.problems).toEqual([]);
  });

  test("one whose objects went with the file meanwhile begins again, and says so", async () => {
    const page = await open();
    await clickThrough(page, 3);
    await goTo(page, 3);
    await page.getByRole("button", { name: "Close and reopen" }).click();
    await goTo(page, 1);
    expect(await doneSteps(page)).toBe(0);
    expect(await page.locator(".note").innerText()).toContain("The file was closed");
  });

  test("one can be begun again in the middle", async () => {
    const page = await open();
    await clickThrough(page, 3);
    await page.getByRole("button", { name: "Begin this lesson again" }).click();
    expect(await doneSteps(page)).toBe(0);
    await page.reload();
    await page.waitForSelector("#lesson-title");
    expect(await doneSteps(page)).toBe(0);
  });

  test("the one on races goes on after a reload, and says what is forgotten", async () => {
    const page = await open({}, { lesson: "two-callers" });
    await clickThrough(page, 3);
    await page.reload();
    await page.waitForSelector("#lesson .step.done");
    expect(await doneSteps(page)).toBe(3);
    expect(await page.locator(".note").innerText()).toContain("are forgotten");
    await clickThrough(page, 4);
    expect(visit?.problems).toEqual([]);
  });

  test("the one on own ioctls goes on after a reload, and says whose functions are in the table", async () => {
    const page = await open({}, { lesson: "extend" });
    expect(await page.locator("#definition").innerText()).toContain("a reload forgets it");
    await clickThrough(page, 3);
    await page.reload();
    await page.waitForSelector("#lesson .step.done");
    expect(await doneSteps(page)).toBe(3);
    expect(await page.locator(".note").innerText()).toContain("Functions that you had written yourself are gone");
    await clickThrough(page, 5);
    expect(visit?.problems).toEqual([]);
  });

  test("a place behind the closing of the file is found again at the page's start, and later only up to it", async () => {
    const page = await open({}, { lesson: "release-order" });
    await clickThrough(page, 6);
    await page.reload();
    await page.waitForSelector("#lesson .step.done");
    expect(await doneSteps(page)).toBe(6);
    await goTo(page, 1);
    await page.reload();
    await page.waitForSelector("#lesson-title");
    await expect.poll(() => page.locator("#file").innerText()).toMatch(/Objects\s*3/);
    await goTo(page, 4);
    expect(await doneSteps(page)).toBe(5);
    expect(await page.locator(".note").innerText()).toContain("Closing the file is left to you");
    // The page's three are still there, beside the lesson's four.
    expect(await page.locator("#file").innerText()).toMatch(/Objects\s*7/);
    await clickThrough(page, 7);
    expect(visit?.problems).toEqual([]);
  });

  test("no button for sample objects does a step that wants them from the student", async () => {
    const page = await open();
    await page.getByRole("button", { name: "Add sample objects" }).click();
    await expect.poll(() => page.locator("#file").innerText()).toMatch(/Objects\s*6/);
    await page.getByRole("button", { name: "Close and reopen" }).click();
    await page.locator("iommufd-graph").getByRole("button", { name: "Make three objects" }).click();
    await expect.poll(() => page.locator("#file").innerText()).toMatch(/Objects\s*3/);
    expect([await doneSteps(page), await page.locator(".note").count()]).toEqual([0, 0]);
  });

  test("a chain that is there is offered, not taken; the student takes it", async () => {
    const page = await open({}, { lesson: "release-order" });
    const step = page.locator("#lesson .step.present");
    expect(await step.innerText()).toContain("There is one: DEVICE 3, HWPT 2, IOAS 1.");
    await runOneAlloc(page);
    expect(await doneSteps(page)).toBe(0);
    expect(await visit?.axe()).toEqual([]);
    await step.getByRole("button", { name: "Take that one" }).click();
    expect(await doneSteps(page)).toBe(1);
    expect(await page.locator("#lesson .step.done").innerText()).toContain("DEVICE 3 holds HWPT 2");
  });

  test("the button that a step names does it", async () => {
    const page = await open({}, { lesson: "release-order" });
    await page.getByRole("button", { name: "Add sample objects" }).click();
    await expect.poll(() => doneSteps(page)).toBe(1);
    expect(await page.locator("#lesson .step.done").innerText()).toContain("DEVICE 6 holds HWPT 5");
  });

  test("a lesson has an address of its own", async () => {
    const page = await open({}, { lesson: "busy" });
    expect(await page.locator("#lesson-title").innerText()).toBe("Why destroy says EBUSY");
    await page.getByRole("button", { name: /^Lesson 2/ }).click();
    expect(new URL(page.url()).hash).toBe("#publish");
  });

  test("what an own ioctl's text gets wrong is said beside it", async () => {
    const page = await open({}, { lesson: "extend" });
    const editor = page.locator("#editor");
    await editor.getByLabel(/Function of cmd/).fill("cmd.fields.twice = ;");
    await editor.getByRole("button").click();
    expect(await editor.getByRole("alert").allInnerTexts()).toContainEqual(
      expect.stringContaining("not JavaScript yet"),
    );
    expect(await visit?.axe()).toEqual([]);
    await editor.getByLabel(/Function of cmd/).fill("nothing.there()");
    await editor.getByRole("button").click();
    const console = page.locator("#console iommufd-console");
    await console.getByLabel("Command").selectOption({ label: "MY_DOUBLE" });
    await console.getByRole("button", { name: "Run", exact: true }).click();
    await expect.poll(() => editor.getByRole("status").innerText()).toContain("nothing is not defined");
    expect(visit?.problems).toEqual([]);
  });

  test("an own ioctl with a taken name and a number that is none is not added, and each is said at its field", async () => {
    const page = await open({}, { lesson: "extend" });
    const editor = page.locator("#editor");
    const [name, nr] = [editor.getByLabel("Name"), editor.getByLabel(/^Number/)];
    const messageOf = (field: typeof name): Promise<string> =>
      field.evaluate((input) => document.getElementById(input.getAttribute("aria-describedby") ?? "")?.innerText ?? "");
    const invalid = (): Promise<(string | null)[]> =>
      editor.locator("[aria-invalid]").evaluateAll((all) => all.map((field) => field.getAttribute("aria-invalid")));
    const offered = page.locator("#console iommufd-console").getByLabel("Command").getByRole("option");
    const before = await offered.allInnerTexts();

    await name.fill("LAB_ALLOC");
    await nr.fill("0xbz");
    expect(await invalid()).toEqual(["false", "false", "false", "false"]);
    await page.keyboard.press("Enter");
    expect(await invalid()).toEqual(["true", "true", "false", "false"]);
    expect(await messageOf(name)).toBe("LAB_ALLOC is the name of number 0xa0. Take another name.");
    expect(await messageOf(nr)).toBe("This is no number. Write one from 0x80 to 0xff, such as 0xb0.");
    expect(await nr.inputValue()).toBe("0xbz");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("definition-name");
    expect(await editor.getByRole("status").innerText()).toBe("Nothing was added.");
    expect(await visit?.axe()).toEqual([]);

    await nr.fill("0x1b0");
    expect(await messageOf(nr)).toBe("0x1b0 is outside the table. Take a number from 0x80 to 0xff.");
    await nr.fill("177");
    expect(await messageOf(nr)).toBe("");
    await page.keyboard.press("Enter");
    expect(await invalid()).toEqual(["true", "false", "false", "false"]);
    expect(await offered.allInnerTexts()).toEqual(before);

    await name.fill("MINE");
    await page.keyboard.press("Enter");
    expect(await editor.getByRole("status").innerText()).toContain("MINE is number 0xb1.");
    expect(await invalid()).toEqual(["false", "false", "false", "false"]);
    expect(await offered.count()).toBe(before.length + 1);
    expect(visit?.problems).toEqual([]);
  });
});

describe("by keyboard alone", () => {
  /** More stops than the page has. */
  const MOST_TABS = 150;

  /** Presses Tab until the button with that name has the focus. */
  async function tabTo(page: Page, name: string | RegExp): Promise<void> {
    for (let count = 0; count < MOST_TABS; count++) {
      const text = await page.evaluate(() => {
        let element = document.activeElement;
        while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
        return element?.localName === "button" ? (element.textContent ?? "").trim() : "";
      });
      if (typeof name === "string" ? text === name : name.test(text)) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`no Tab leads to ${name.toString()}`);
  }

  test("the first lesson is completed", async () => {
    const page = await open();
    for (const step of [1, 2, 3]) {
      await tabTo(page, "Fill in for me");
      await page.keyboard.press("Enter");
      await tabTo(page, "Run");
      await page.keyboard.press("Enter");
      await expect.poll(() => doneSteps(page)).toBe(step);
    }
    await tabTo(page, /^HWPT 5$/);
    await page.keyboard.press("Enter");
    await expect.poll(() => doneSteps(page)).toBe(4);
    for (const step of [4, 5]) {
      await tabTo(page, "Run it");
      await page.keyboard.press("Enter");
      await expect.poll(() => doneSteps(page)).toBe(step);
      if (step === 4) await expect.poll(() => page.locator(".note").innerText()).toContain("is gone");
    }
    await tabTo(page, /^Next:/);
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("lesson-title");
    expect(await page.locator("#lesson-title").innerText()).toBe("Reserve and publish");
  });

  test("the first stop skips to the lesson", async () => {
    const page = await open();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("lesson");
  });
});
