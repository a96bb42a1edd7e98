// SPDX-License-Identifier: GPL-2.0-only
//
// Runs benches in an installed Chromium, each in a page of its own, served with the two isolation headers.

import { readFile } from "node:fs/promises";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { chromium } from "playwright";
import { CHROMIUM_FLAGS, requireChromium } from "../../test/support/browser.mjs";
import { ROOT } from "./build.ts";
import { LONGEST, type Runner } from "./in-node.ts";
import type { MeasuredBench } from "./results.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".map": "application/json",
  ".wasm": "application/wasm",
};
const HEADERS = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
const PAGE = `<!doctype html><title>bench</title><script type="module" src="/build/bench/harness/chromium-page.js"></script>`;
const PAGE_PATH = "/page.html";

type Answer = { result: MeasuredBench | undefined } | { error: string };
type RunBench = (name: string, smoke: boolean) => Promise<Answer>;

export async function openChromium(): Promise<Runner> {
  const server = await serve();
  const browser = await chromium.launch({ executablePath: requireChromium(), args: CHROMIUM_FLAGS });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${PAGE_PATH}`;
  return {
    line: `Chromium ${browser.version()}`,
    async run(name, { smoke }) {
      const page = await browser.newPage();
      page.setDefaultTimeout(60_000);
      try {
        await page.goto(url);
        await page.waitForFunction(() => "runBench" in globalThis);
        const answer = await inTime(
          page.evaluate(([name, smoke]) => (globalThis as unknown as { runBench: RunBench }).runBench(name, smoke), [
            name,
            smoke,
          ] as const),
          name,
        );
        if ("error" in answer) throw new Error(`${name}: ${answer.error}`);
        return answer.result;
      } finally {
        await page.close();
      }
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

async function inTime<T>(result: Promise<T>, name: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name}: no end`)), LONGEST);
  });
  return Promise.race([result, late]).finally(() => clearTimeout(timer));
}

/** build/ and dist/ of the project, and the page. */
async function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    response.setHeaders(new Map(Object.entries(HEADERS)));
    response.setHeader("Content-Type", TYPES[extname(pathname)] ?? "application/octet-stream");
    if (pathname === PAGE_PATH) response.end(PAGE);
    else if (!/^\/(build|dist)\//.test(pathname)) response.writeHead(404).end();
    else {
      readFile(new URL(`.${pathname}`, ROOT)).then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      );
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
