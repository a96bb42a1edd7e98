// SPDX-License-Identifier: GPL-2.0-only
//
// Runs stresses in the installed Chromium: in a page with the isolation headers, served from the sources.

import { fileURLToPath } from "node:url";
import { type Page, chromium } from "playwright";
import { createServer } from "vite";
import { CHROMIUM_FLAGS, requireChromium } from "../support/browser.mjs";
import type { StressPage } from "./page.ts";
import type { StressCounts, StressOptions } from "./stress.ts";

// In two steps: bundlers would rewrite `new URL("…", import.meta.url)`.
const here = import.meta.url;
const ROOT = fileURLToPath(new URL("../../", here));

const ISOLATION_HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export interface ChromiumStress {
  run(name: string, options: StressOptions): Promise<StressCounts>;
  close(): Promise<void>;
}

export async function openChromium(): Promise<ChromiumStress> {
  const server = await createServer({
    ...{ root: ROOT, configFile: false, logLevel: "silent", appType: "mpa" },
    server: { port: 0, host: "127.0.0.1", headers: ISOLATION_HEADERS, watch: null },
    optimizeDeps: { noDiscovery: true },
  });
  await server.listen();
  const browser = await chromium.launch({ executablePath: requireChromium(), args: CHROMIUM_FLAGS });
  const [url = ""] = server.resolvedUrls?.local ?? [];
  let page: Page;
  try {
    page = await browser.newPage();
    page.on("pageerror", (error) => console.log(`page: ${String(error)}`));
    await page.goto(`${url}test/stress/page.html`);
    await page.waitForFunction(() => "runStress" in globalThis);
  } catch (error) {
    await browser.close();
    await server.close();
    throw error;
  }
  return {
    run: (name, options) =>
      page.evaluate(([name, options]) => (globalThis as unknown as StressPage).runStress(name, options), [
        name,
        options,
      ] as const),
    async close() {
      await browser.close();
      await server.close();
    },
  };
}
