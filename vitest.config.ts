// SPDX-License-Identifier: GPL-2.0-only
//
// Three hosts run one suite, and Node drives a Chromium through whole pages.
//
//   node            test/*.test.ts, test/node, test/single-thread
//   pages           test/pages
//   chromium        test/*.test.ts, test/single-thread; a page with the two isolation headers, so it may share memory
//   chromium-plain  test/single-thread; a page without the headers, as most web servers send it
//
// All of them test the built package: `iommufd-wasm` resolves through the `exports` of our own package.json to dist/,
// in the tests, in their worker threads and in the browser alike. Run `npm run build` first.

import { playwright } from "@vitest/browser-playwright";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import type { Host } from "./test/support/host.ts";
import { CHROMIUM_FLAGS, findChromium } from "./test/support/browser.mjs";

const EVERYWHERE = "test/single-thread/*.test.ts";
const WITH_THREADS = "test/*.test.ts";
const NODE_ONLY = "test/node/*.test.ts";
const PAGES = "test/pages/*.test.ts";

const ISOLATION_HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** The built package runs as users run it, not as rewritten by the test runner. */
const AS_BUILT = { deps: { external: [/\/dist\/[^/]+\.js$/] } };

function chromiumProject(
  name: Host,
  include: string[],
  headers: Record<string, string>,
): TestProjectInlineConfiguration {
  const executablePath = findChromium();
  return {
    extends: true,
    server: { headers },
    // Found in the middle of a run, it would reload the page.
    optimizeDeps: { include: ["fast-check"] },
    test: {
      name,
      include,
      provide: { host: name },
      globalSetup: ["test/support/require-chromium.ts"],
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions: { args: CHROMIUM_FLAGS, ...(executablePath && { executablePath }) } }),
        instances: [{ browser: "chromium" }],
      },
    },
  };
}

export default defineConfig({
  test: {
    allowOnly: false,
    // One file at a time: most files start several busy threads, and what they wait for must not depend on the number
    // of cores.
    fileParallelism: false,
    // Only for what hangs: whole recordings are replayed in one test, on slow machines too.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          provide: { host: "node" },
          include: [EVERYWHERE, WITH_THREADS, NODE_ONLY],
          server: AS_BUILT,
        },
      },
      { extends: true, test: { name: "pages", provide: { host: "node" }, include: [PAGES], server: AS_BUILT } },
      chromiumProject("chromium", [EVERYWHERE, WITH_THREADS], ISOLATION_HEADERS),
      chromiumProject("chromium-plain", [EVERYWHERE], {}),
    ],
  },
});
