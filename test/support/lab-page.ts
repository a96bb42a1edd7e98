// SPDX-License-Identifier: GPL-2.0-only
//
// Pages of the lab in the installed Chromium: served by a plain web server, looked at by a person's means.
//
//   const site = await serveSite({ pages: { "/": bareHtml("<iommufd-graph></iommufd-graph>") } });
//   const visit = await openPage(site.url, { width: 360, scheme: "dark" });
//   expect(await visit.axe()).toEqual([]);
//
// The server sends the files as they are, like any static host: dist/ is at /dist/, and further folders are put wherever a
// test wants them. With `isolated` it sends the two headers with every answer; without, it is the plain host that most
// people have.
//
// A visit collects what a reader of the browser's console would see: errors, uncaught rejections, and requests that failed.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, type Page, chromium } from "playwright";
import { CHROMIUM_FLAGS, requireChromium } from "./browser.mjs";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));

const ISOLATION_HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".map": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

// ---------------------------------------------------------------------------------------------------- the server

/** What a site consists of. */
export interface SiteOptions {
  /** Pages by path, as text. */
  readonly pages?: Readonly<Record<string, string>>;
  /** Folders of files by the path that they appear at, which ends with a slash. dist/ is always at /dist/. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Send the isolation headers; default true. */
  readonly isolated?: boolean;
}

/** A running web server. */
export interface Site {
  /** Address of the root, with a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** A page that consists of the elements' entry and the given body. */
export function bareHtml(body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>A bare page</title>
<style>:root { color-scheme: light dark } body { margin: 0; background: light-dark(#fff, #000) }</style>
<script type="module" src="/dist/lab.js"></script>
<main>${body}</main>
</html>`;
}

/** Serves pages and folders on a port of its own. */
export async function serveSite({ pages = {}, folders = {}, isolated = true }: SiteOptions): Promise<Site> {
  const places = Object.entries({ ...folders, "/dist/": DIST });
  const headers = isolated ? ISOLATION_HEADERS : {};

  const read = async (path: string): Promise<Uint8Array | string | undefined> => {
    const page = pages[path];
    if (page !== undefined) return page;
    const [prefix, folder] = places.find(([start]) => path.startsWith(start)) ?? [];
    if (prefix === undefined || folder === undefined) return undefined;
    return readFile(join(folder, path.slice(prefix.length))).catch(() => undefined);
  };
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    const name = path.endsWith("/") && pages[path] === undefined ? `${path}index.html` : path;
    void read(name).then((body) => {
      const type = MEDIA_TYPES[extname(name)] ?? (name in pages ? "text/html" : "application/octet-stream");
      response.writeHead(body === undefined ? 404 : 200, { ...headers, "Content-Type": type }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

// ------------------------------------------------------------------------------------------------------ the visit

/** How a page is looked at. */
export interface VisitOptions {
  /** CSS pixels; default 1440. */
  readonly width?: number;
  /** CSS pixels; default 900. */
  readonly height?: number;
  /** What the reader's system prefers; default "light". */
  readonly scheme?: "light" | "dark";
  /** Whether the reader's system lets things move; default false, so that a visit never waits for what moves. */
  readonly motion?: boolean;
  /** Whether the browser lets the page have service workers; default false. */
  readonly serviceWorkers?: boolean;
}

let browser: Promise<Browser> | undefined;

/** Ends the browser that all visits of this process share. */
export async function closeBrowser(): Promise<void> {
  const closing = browser;
  browser = undefined;
  await (await closing)?.close();
}

/** Opens a page in a fresh profile: no storage, no service worker of an earlier visit. */
export async function openPage(url: string, options: VisitOptions = {}): Promise<Visit> {
  browser ??= chromium.launch({ executablePath: requireChromium(), args: CHROMIUM_FLAGS });
  const { width = 1440, height = 900, scheme = "light", motion = false, serviceWorkers = false } = options;
  const context = await (
    await browser
  ).newContext({
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: motion ? "no-preference" : "reduce",
    serviceWorkers: serviceWorkers ? "allow" : "block",
  });
  const visit = new Visit(context, await context.newPage());
  await visit.page.goto(url);
  return visit;
}

/** One reader's look at a page. */
export class Visit {
  /** The page. */
  readonly page: Page;
  /** What the browser's console complained about, oldest first. */
  readonly problems: string[] = [];
  readonly #context: BrowserContext;

  constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.problems.push(message.text());
    });
    page.on("requestfailed", (request) => {
      const reason = request.failure()?.errorText ?? "failed";
      // A reload ends what the page before it was loading.
      if (reason !== "net::ERR_ABORTED") this.problems.push(`${request.url()}: ${reason}`);
    });
  }

  /** What axe finds wrong with the page, one line each: the rule and the places. */
  async axe(): Promise<string[]> {
    const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    await this.page.evaluate(source);
    return this.page.evaluate(async () => {
      type Axe = {
        run(): Promise<{ violations: { id: string; nodes: { target: unknown; failureSummary: string }[] }[] }>;
      };
      const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run();
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${JSON.stringify(target)} ${failureSummary}`),
      );
    });
  }

  /** What makes the page wider than its window: nothing, or the elements that stick out, also those in shadow trees. */
  overflow(): Promise<string[]> {
    return this.page.evaluate(() => {
      const root = document.documentElement;
      if (root.scrollWidth <= root.clientWidth) return [];
      const found = [`the page is ${root.scrollWidth} px wide in a window of ${root.clientWidth} px`];
      const search = (parent: ParentNode): void => {
        for (const element of parent.querySelectorAll("*")) {
          if (element.getBoundingClientRect().right > root.clientWidth + 1) {
            found.push(`${element.localName}.${element.className.toString()}#${element.id}`);
          }
          if (element.shadowRoot !== null) search(element.shadowRoot);
        }
      };
      search(document);
      return found;
    });
  }

  /** Text that is set smaller than 12 px and visible, also in shadow trees. */
  smallText(): Promise<string[]> {
    return this.page.evaluate(() => {
      const found: string[] = [];
      const search = (parent: ParentNode): void => {
        for (const element of parent.querySelectorAll<HTMLElement>("*")) {
          if (element.shadowRoot !== null) search(element.shadowRoot);
          const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue?.trim() !== "");
          if (!hasText || element.getClientRects().length === 0) continue;
          const size = Number.parseFloat(getComputedStyle(element).fontSize);
          if (size < 12) found.push(`${element.localName}: ${size} px: ${element.textContent.trim().slice(0, 40)}`);
        }
      };
      search(document.body);
      return found;
    });
  }

  /** Ends the visit with its profile. */
  close(): Promise<void> {
    return this.#context.close();
  }
}
