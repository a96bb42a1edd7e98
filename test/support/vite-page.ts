// SPDX-License-Identifier: GPL-2.0-only
//
// Shows a Vite project's page in the installed Chromium: served from its sources, or built and served from the result.

import { chromium } from "playwright";
import { build, createServer, preview } from "vite";
import { CHROMIUM_FLAGS, requireChromium } from "./browser.mjs";

/** What a page's body says once it says all of `expected`, or when it stops on an error; what went wrong is appended. */
export async function textOfPage(root: string, mode: "dev" | "built", expected: string): Promise<string> {
  const server = await serveProject(root, mode);
  const browser = await chromium.launch({ executablePath: requireChromium(), args: CHROMIUM_FLAGS });
  try {
    const page = await browser.newPage();
    const problems: string[] = [];
    const failed = new Promise<void>((resolve) => {
      page.on("pageerror", (error) => {
        problems.push(String(error));
        resolve();
      });
    });
    page.on("response", (response) => {
      const isIcon = response.url().endsWith("/favicon.ico");
      if (response.status() >= 400 && !isIcon) problems.push(`${response.url()}: ${response.status()}`);
    });
    await page.goto(server.url);
    // Seconds are for what hangs: the page is looked at whenever it has changed.
    const complete = page
      .waitForFunction((text) => document.body.innerText.trim() === text, expected.trim(), { timeout: 30_000 })
      .then(
        () => undefined,
        () => undefined,
      );
    await Promise.race([complete, failed]);
    const text = await page.evaluate(() => document.body.innerText.trim());
    return [text, ...problems].join("\n");
  } finally {
    await browser.close();
    await server.close();
  }
}

/** A project that is being served. */
export interface Served {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves a project from its sources, or what is built of it. */
export function serveProject(root: string, mode: "dev" | "built"): Promise<Served> {
  return mode === "dev" ? serveSources(root) : serveBuilt(root);
}

const ANY_PORT = { port: 0, host: "127.0.0.1" };

async function serveSources(root: string): Promise<Served> {
  const server = await createServer({ root, logLevel: "silent", server: ANY_PORT });
  await server.listen();
  return { url: firstOf(server.resolvedUrls?.local), close: () => server.close() };
}

async function serveBuilt(root: string): Promise<Served> {
  await build({ root, logLevel: "silent" });
  const server = await preview({ root, logLevel: "silent", preview: ANY_PORT });
  return { url: firstOf(server.resolvedUrls?.local), close: () => server.close() };
}

function firstOf(urls: readonly string[] | undefined): string {
  const [url] = urls ?? [];
  if (url === undefined) throw new Error("the server has no address");
  return url;
}
