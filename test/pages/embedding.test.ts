// SPDX-License-Identifier: GPL-2.0-only
//
// The pages of examples/, as they are: what they say, in Chromium, with and without the two headers; that they can be used by
// keyboard, at three widths, light and dark; and that nothing goes wrong behind the reader's back.

import { cp } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Consumer } from "../support/consumer.ts";
import { axeViolations, ExamplesBrowser, linesOf, overflowOf } from "../support/examples-page.ts";
import { saidBy } from "../support/guest-lines.ts";
import { serveProject } from "../support/vite-page.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const EXAMPLE = fileURLToPath(new URL("../../examples/vite/", import.meta.url));

let browser: ExamplesBrowser;
beforeAll(async () => {
  browser = await ExamplesBrowser.start();
});
afterAll(() => browser.close());

describe("every page", () => {
  const pages = ["/", "/plain/", "/without-headers/plain/", "/vite/", "/v86/", "/without-headers/v86/"];
  const looks = [
    { width: 360, colorScheme: "light" },
    { width: 768, colorScheme: "dark" },
    { width: 1440, colorScheme: "light" },
  ] as const;

  test.each(pages)("%s has no violation, no error and no sideways scrolling, at three widths", async (url) => {
    for (const look of looks) {
      const { page, problems } = await browser.open(url, look);
      await page.waitForLoadState("networkidle");
      expect({ look, overflow: await overflowOf(page) }).toEqual({ look, overflow: 0 });
      expect(await axeViolations(page)).toEqual([]);
      expect(problems).toEqual([]);
      await page.close();
    }
  });

  test("the first page leads to each of the others", async () => {
    const { page } = await browser.open("/");
    const links = await page
      .locator("main a")
      .evaluateAll((all) => all.map((a) => new URL((a as HTMLAnchorElement).href).pathname));
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
    const { page, problems } = await browser.open(url);
    const expected = [first, ...SAID];
    expect(await linesOf(page, "pre", expected)).toEqual(expected);
    expect(problems).toEqual([]);
    await page.close();
  });

  test("may lie on another server than the package", async () => {
    const html = (await (await fetch(new URL("/plain/", browser.origin))).text()).replaceAll(
      "../cdn/",
      `${browser.origin}/cdn/`,
    );
    const elsewhere = await serve(html);
    const { port } = elsewhere.address() as AddressInfo;
    const { page, problems } = await browser.open(`http://127.0.0.1:${port}/`);
    const expected = ["workers can share the objects", ...SAID];
    expect(await linesOf(page, "pre", expected)).toEqual(expected);
    expect(problems).toEqual([]);
    await page.close();
    elsewhere.close();
  });

  /** A page on an origin of its own, isolated. */
  async function serve(html: string): Promise<Server> {
    const server = createServer((_request, response) => {
      response.setHeader("Content-Type", "text/html");
      response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
      response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
      response.end(html);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return server;
  }
});

describe("the Vite project", () => {
  const SAID = ["the page has made objects 1 and 2", "the worker has locked object 1", "object 1 is destroyed"];

  test("shares its objects with a worker, in the server of all examples", async () => {
    const { page, problems } = await browser.open("/vite/");
    expect(await linesOf(page, "pre", SAID)).toEqual(SAID);
    expect(problems).toEqual([]);
    await page.close();
  });

  test("does without a worker where the headers are missing", async () => {
    const { page } = await browser.open("/without-headers/vite/");
    const reason = "the page is not cross-origin isolated: its memory cannot be posted to a worker";
    const expected = [SAID[0] ?? "", `there is no worker: ${reason}`, "object 1 is destroyed"];
    expect(await linesOf(page, "pre", expected)).toEqual(expected);
    await page.close();
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
      const { page, problems } = await browser.open(server.url);
      expect(await linesOf(page, "pre", SAID)).toEqual(SAID);
      expect(problems).toEqual([]);
      await page.close();
      await server.close();
    });
  });
});

describe("the emulated PC", () => {
  test.each(["/v86/", "/without-headers/v86/"])("%s runs the program to its end", async (url) => {
    const { page, problems } = await browser.open(url);
    await page.getByText("waits for the answer to open").waitFor();
    await page.getByRole("button", { name: "Run to the end" }).click();
    expect(await linesOf(page, "#serial", saidBy(4))).toEqual(saidBy(4));
    await page.getByText("the PC has halted").waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });

  test("stops at each request, by keyboard alone, and starts again", async () => {
    const { page, problems } = await browser.open("/v86/");
    const requests = [
      "open",
      "ioctl(4, LAB_ALLOC)",
      "ioctl(4, LAB_ALLOC)",
      ...Array<string>(5).fill("ioctl(4, IOMMU_DESTROY)"),
      "close(4)",
      "ioctl(4, IOMMU_DESTROY)",
    ];
    const step = page.getByRole("button", { name: "Next request" });
    const answered = page.locator("#serial");
    await page.locator("body").press("Tab"); // the link
    await page.keyboard.press("Tab");
    expect(await step.evaluate((button) => button === document.activeElement)).toBe(true);
    let before = -1;
    for (const request of requests) {
      await expect
        .poll(() => page.locator("#state").innerText())
        .toBe(`The program waits for the answer to ${request}.`);
      await expect.poll(() => lengthOf(answered.innerText())).toBeGreaterThan(before);
      before = await lengthOf(answered.innerText());
      await page.keyboard.press("Enter");
    }
    await page.getByText("the PC has halted").waitFor();
    expect(await linesOf(page, "#serial", saidBy(4))).toEqual(saidBy(4));
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText("waits for the answer to open").waitFor();
    expect(await linesOf(page, "#serial", ["open /dev/iommu"])).toEqual(["open /dev/iommu"]);
    expect(problems).toEqual([]);
    await page.close();
  });

  const lengthOf = async (text: Promise<string>): Promise<number> => (await text).length;
});
