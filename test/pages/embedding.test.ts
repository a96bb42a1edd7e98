// SPDX-License-Identifier: GPL-2.0-only
//
// The pages of examples/, as they are: what they say, in Chromium, with and without the two headers; that they can be used by
// keyboard, at three widths, light and dark; and that nothing goes wrong behind the reader's back.

import { cp } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Consumer } from "../support/consumer.ts";
import { type Examples, linesOf, serveExamples } from "../support/examples-page.ts";
import { saidBy } from "../support/guest-lines.ts";
import { closeBrowser, openPage, serveSite, type Visit, type VisitOptions } from "../support/lab-page.ts";
import { serveProject } from "../support/vite-page.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const EXAMPLE = fileURLToPath(new URL("../../examples/vite/", import.meta.url));

let examples: Examples;
beforeAll(async () => {
  examples = await serveExamples();
});
afterAll(async () => {
  await closeBrowser();
  await examples.close();
});

const open = (path: string, options?: VisitOptions): Promise<Visit> =>
  openPage(new URL(path, examples.origin).href, options);

describe("every page", () => {
  /** With the text that says that it has done what it does by itself. */
  const pages = [
    ["/", "An emulated PC"],
    ["/plain/", "EBUSY"],
    ["/without-headers/plain/", "EBUSY"],
    ["/vite/", "is destroyed"],
    ["/v86/", "waits for the answer to open"],
    ["/without-headers/v86/", "waits for the answer to open"],
  ] as const;
  const looks = [
    { width: 360, scheme: "light" },
    { width: 768, scheme: "dark" },
    { width: 1440, scheme: "light" },
    { width: 1440, scheme: "dark" },
  ] as const;

  test.each(pages)("%s has no violation, no error and no sideways scrolling, at three widths", async (url, text) => {
    for (const look of looks) {
      const visit = await open(url, look);
      await visit.page.getByText(text).first().waitFor();
      expect(await visit.overflow()).toEqual([]);
      expect(await visit.smallText()).toEqual([]);
      expect(await visit.axe()).toEqual([]);
      expect(visit.problems).toEqual([]);
      await visit.close();
    }
  });

  test("the first page leads to each of the others", async () => {
    const { page } = await open("/");
    const links = await page
      .locator("main a")
      .evaluateAll((all) => all.map((link) => new URL((link as HTMLAnchorElement).href).pathname));
    await page.close();
    expect(links).toEqual(["/plain/", "/without-headers/plain/", "/vite/", "/v86/"]);
  });
});

describe("plain HTML", () => {
  const SAID = ["object 2 holds object 1", "destroying object 1: EBUSY"];

  test.each([
    ["with the two headers", "/plain/", "workers can share the objects"],
    [
      "without them",
      "/without-headers/plain/",
      "one thread: the page is not cross-origin isolated: its memory cannot be posted to a worker",
    ],
  ])("%s runs what a CDN serves", async (_how, url, first) => {
    const visit = await open(url);
    const expected = [first, ...SAID];
    expect(await linesOf(visit.page, "pre", expected)).toEqual(expected);
    expect(visit.problems).toEqual([]);
    await visit.close();
  });

  test("may lie on another server than the package", async () => {
    const html = (await (await fetch(new URL("/plain/", examples.origin))).text()).replaceAll(
      "../cdn/",
      `${examples.origin}/cdn/`,
    );
    const elsewhere = await serveSite({ pages: { "/": html } });
    const visit = await open(elsewhere.url);
    const expected = ["workers can share the objects", ...SAID];
    expect(await linesOf(visit.page, "pre", expected)).toEqual(expected);
    // Its workers come from over there, too.
    const race = visit.page.locator("iommufd-race");
    await race.getByRole("button", { name: "Let threads run it" }).click();
    await race.getByRole("button", { name: "Run", exact: true }).click();
    await race.getByText(/^Ran [\d,]+ times/).waitFor();
    expect(visit.problems).toEqual([]);
    await visit.close();
    await elsewhere.close();
  });
});

describe("the Vite project", () => {
  const SAID = ["the page has made objects 1 and 2", "the worker has locked object 1", "object 1 is destroyed"];

  test("shares its objects with a worker, in the server of all examples", async () => {
    const visit = await open("/vite/");
    expect(await linesOf(visit.page, "pre", SAID)).toEqual(SAID);
    expect(visit.problems).toEqual([]);
    await visit.close();
  });

  test("does without a worker where the headers are missing", async () => {
    const visit = await open("/without-headers/vite/");
    const reason = "the page is not cross-origin isolated: its memory cannot be posted to a worker";
    const expected = [SAID[0] ?? "", `there is no worker: ${reason}`, "object 1 is destroyed"];
    expect(await linesOf(visit.page, "pre", expected)).toEqual(expected);
    await visit.close();
  });

  describe("on its own, with the package installed", () => {
    let project: Consumer;
    beforeAll(async () => {
      project = await Consumer.install(ROOT);
      for (const name of ["index.html", "page.css", "page.js", "worker.js", "vite.config.js"]) {
        await cp(`${EXAMPLE}${name}`, `${project.folder}/${name}`);
      }
    });
    afterAll(() => project.remove());

    test.each(["dev", "built"] as const)("says the same, %s by Vite", async (mode) => {
      const server = await serveProject(project.folder, mode);
      const visit = await open(server.url);
      expect(await linesOf(visit.page, "pre", SAID)).toEqual(SAID);
      expect(visit.problems).toEqual([]);
      await visit.close();
      await server.close();
    });
  });
});

describe("the emulated PC", () => {
  test.each(["/v86/", "/without-headers/v86/"])("%s runs the program to its end", async (url) => {
    const visit = await open(url);
    await visit.page.getByText("waits for the answer to open").waitFor();
    await visit.page.getByRole("button", { name: "Run to the end" }).click();
    expect(await linesOf(visit.page, "#serial", saidBy(4))).toEqual(saidBy(4));
    await visit.page.getByText("the PC has halted").waitFor();
    expect(visit.problems).toEqual([]);
    await visit.close();
  });

  test("stops at each request, by keyboard alone, and starts again", async () => {
    const visit = await open("/v86/");
    const requests = [
      "open",
      "ioctl(4, LAB_ALLOC)",
      "ioctl(4, LAB_ALLOC)",
      ...Array<string>(5).fill("ioctl(4, IOMMU_DESTROY)"),
      "close(4)",
      "ioctl(4, IOMMU_DESTROY)",
    ];
    const { page } = visit;
    const step = page.getByRole("button", { name: "Next request" });
    await page.locator("body").press("Tab"); // the link
    await page.keyboard.press("Tab");
    expect(await step.evaluate((button) => button === document.activeElement)).toBe(true);
    for (const [index, request] of requests.entries()) {
      // What was asked for stands there already; the answer does not.
      await expect.poll(async () => (await page.locator("#serial").innerText()).match(/ = /g)?.length ?? 0).toBe(index);
      await expect
        .poll(() => page.locator("#state").innerText())
        .toBe(`The program waits for the answer to ${request}.`);
      await page.keyboard.press("Enter");
    }
    await page.getByText("the PC has halted").waitFor();
    expect(await linesOf(page, "#serial", saidBy(4))).toEqual(saidBy(4));
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText("waits for the answer to open").waitFor();
    expect(await linesOf(page, "#serial", ["open /dev/iommu"])).toEqual(["open /dev/iommu"]);
    expect(visit.problems).toEqual([]);
    await visit.close();
  });
});
