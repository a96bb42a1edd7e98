// SPDX-License-Identifier: GPL-2.0-only
//
// The pages of examples/ in the installed Chromium, served by their own server, and what went wrong in them.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright";
import { createServer, type ViteDevServer } from "vite";
import { CHROMIUM_FLAGS, requireChromium } from "./browser.mjs";

const CONFIG = fileURLToPath(new URL("../../examples/vite.config.mjs", import.meta.url));
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** How a page is looked at. */
export interface Look {
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
}

/** A page that is open. */
export interface Opened {
  readonly page: Page;
  /** Errors, warnings, and requests that failed, so far. */
  readonly problems: string[];
}

export class ExamplesBrowser {
  readonly #browser: Browser;
  readonly #server: ViteDevServer;
  /** Where the server is, without a slash at the end. */
  readonly origin: string;

  private constructor(browser: Browser, server: ViteDevServer, origin: string) {
    this.#browser = browser;
    this.#server = server;
    this.origin = origin;
  }

  static async start(): Promise<ExamplesBrowser> {
    const server = await createServer({
      configFile: CONFIG,
      logLevel: "silent",
      server: { port: 0, host: "127.0.0.1", hmr: false, watch: null },
    });
    await server.listen();
    const [url] = server.resolvedUrls?.local ?? [];
    if (url === undefined) throw new Error("the server has no address");
    const browser = await chromium.launch({ executablePath: requireChromium(), args: CHROMIUM_FLAGS });
    return new ExamplesBrowser(browser, server, new URL(url).origin);
  }

  async open(url: string, { width = 1280, colorScheme = "light" }: Look = {}): Promise<Opened> {
    const page = await this.#browser.newPage({ viewport: { width, height: 800 }, colorScheme });
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) problems.push(message.text());
    });
    page.on("requestfailed", (request) => problems.push(`${request.url()} failed`));
    page.on("response", (response) => {
      if (response.status() >= 400) problems.push(`${response.url()}: ${response.status()}`);
    });
    await page.goto(new URL(url, this.origin).href);
    return { page, problems };
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#server.close();
  }
}

/** What axe finds wrong with a page: rule and elements. */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(AXE, "utf8"));
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<AxeResults> } };
    interface AxeResults {
      violations: { id: string; nodes: { html: string }[] }[];
    }
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}

/** By how many pixels the page is wider than its window. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Waits until an element's text has the given lines, or fails with those that it has. */
export async function linesOf(page: Page, selector: string, expected: readonly string[]): Promise<string[]> {
  const wanted = expected.join("\n");
  // Seconds are for what hangs: the page is looked at whenever it has changed.
  await page
    .waitForFunction(
      ([at = "", text]) => document.querySelector(at)?.textContent.trim() === text,
      [selector, wanted] as const,
      { timeout: 30_000 },
    )
    .catch(() => undefined);
  return (await page.locator(selector).innerText()).trim().split("\n");
}
