// SPDX-License-Identifier: GPL-2.0-only
//
// Runs bundled pages in an installed Chromium, served without the isolation headers, as a plain web server does.
//
// A page says its result by its title: "running" at first, then what the consumer saw or the error.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { chromium } from "playwright";
import { CHROMIUM_FLAGS, requireChromium } from "../support/browser.mjs";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** Returns {titleOf(folder), close()}. */
export async function openBrowser() {
  const browser = await chromium.launch({ executablePath: requireChromium(), args: CHROMIUM_FLAGS });
  return {
    async titleOf(folder) {
      const server = await serve(folder);
      const page = await browser.newPage();
      const problems = [];
      page.on("pageerror", (error) => problems.push(String(error)));
      page.on("requestfailed", (request) => problems.push(`${request.url()} failed`));
      page.on("response", (response) => {
        const isIcon = response.url().endsWith("/favicon.ico");
        if (response.status() >= 400 && !isIcon) problems.push(`${response.url()}: ${response.status()}`);
      });
      try {
        await page.goto(`http://127.0.0.1:${server.address().port}/index.html`);
        await page.waitForFunction(() => document.title !== "running", undefined, { timeout: 30_000 });
        return [await page.title(), ...problems].join("; ");
      } catch (error) {
        throw new Error([error.message, ...problems].join("; "), { cause: error });
      } finally {
        await page.close();
        server.close();
      }
    },
    close: () => browser.close(),
  };
}

async function serve(folder) {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    readFile(join(folder, path)).then(
      (bytes) => response.setHeader("Content-Type", TYPES[extname(path)] ?? "application/octet-stream").end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
