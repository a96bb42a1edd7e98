// SPDX-License-Identifier: GPL-2.0-only
//
// The pages of examples/, served by their own server; `lab-page.ts` visits them.

import { fileURLToPath } from "node:url";
import type { Page } from "playwright";
import { createServer } from "vite";

const CONFIG = fileURLToPath(new URL("../../examples/vite.config.mjs", import.meta.url));

/** A server of all examples. */
export interface Examples {
  /** Where it is, without a slash at the end. */
  readonly origin: string;
  close(): Promise<void>;
}

/** Serves the examples on a port of its own, as `npm run examples` does; files that change meanwhile are not looked at. */
export async function serveExamples(): Promise<Examples> {
  const server = await createServer({
    configFile: CONFIG,
    logLevel: "silent",
    server: { port: 0, host: "127.0.0.1", hmr: false, watch: null },
  });
  await server.listen();
  const [url] = server.resolvedUrls?.local ?? [];
  if (url === undefined) throw new Error("the server has no address");
  return { origin: new URL(url).origin, close: () => server.close() };
}

/** Waits until an element has the expected lines of text; returns them, or what it has instead. */
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
