// SPDX-License-Identifier: GPL-2.0-only
//
// A page serves one open file to a frame of `sandbox="allow-scripts"`: another origin, no shared memory, no locks. What the frame can do is
// what the port can do, and when it is gone the file is closed.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { readFile } from "node:fs/promises";
import { type Browser, type Page, chromium } from "playwright";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type * as library from "iommufd-wasm";
import type * as remote from "iommufd-wasm/remote";
import { CHROMIUM_FLAGS, requireChromium } from "../support/browser.mjs";

const DIST = new URL("../../dist/", import.meta.url);
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** The frame's document: asks for a port, then runs each text that comes as the body of a function of `port` and `connect`. */
const FRAME = `<!doctype html><title>frame</title><script type="module">
  import { connect } from "/dist/remote.js";
  addEventListener("message", async ({ data, ports }) => {
    if (ports.length > 0) globalThis.port = ports[0];
    const run = new Function("connect", "return (async () => {" + data + "})()");
    parent.postMessage(await run(connect).catch((error) => error instanceof DOMException ? error.name : error.code), "*");
  });
  parent.postMessage("loaded", "*");
</script>`;

/** The page: nothing but the library. */
const PAGE = `<!doctype html><title>page</title><link rel="icon" href="data:," /><script type="module">
  import * as library from "/dist/index.js";
  import * as remote from "/dist/remote.js";
  globalThis.stage = { library, remote };
</script>`;

/** What the page's global `stage` holds. */
interface Stage {
  library: typeof library;
  remote: typeof remote;
  iommufd: library.Iommufd;
  context: library.IommufdContext;
  server: remote.RemoteServer;
  frame: HTMLIFrameElement;
}
declare const stage: Stage;

let site: Server;
let browser: Browser;
beforeAll(async () => {
  site = createServer((request, response) => {
    const { pathname: path } = new URL(request.url ?? "/", "http://127.0.0.1");
    response.setHeaders(new Map(Object.entries({ ...ISOLATION, "Access-Control-Allow-Origin": "*" })));
    if (path === "/" || path === "/frame") {
      response.setHeader("Content-Type", "text/html").end(path === "/" ? PAGE : FRAME);
    } else if (/^\/dist\/[\w-]+\.js$/.test(path)) {
      response.setHeader("Content-Type", "text/javascript");
      readFile(new URL(path.slice("/dist/".length), DIST)).then(
        (file) => response.end(file),
        () => response.writeHead(404).end(),
      );
    } else response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  browser = await chromium.launch({ executablePath: requireChromium(), args: CHROMIUM_FLAGS });
});
afterAll(async () => {
  await browser.close();
  site.close();
});

/** A page that serves a file with one object, 1, held by another, 2, to a sandboxed frame. */
async function openStage(
  options: Omit<remote.ServeOptions, "frame"> & { watchesFrame?: boolean; inShadow?: boolean } = {},
): Promise<Page> {
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  onTestFinished(() => expect(problems).toEqual([]));
  await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => "stage" in globalThis);
  await page.evaluate(async ({ watchesFrame = false, inShadow = false, ...limits }) => {
    const { library, remote } = stage;
    const iommufd = await library.Iommufd.create({ memoryBytes: 2 ** 23 });
    const context = iommufd.open();
    const type = iommufd.defineObjectType({ name: "A", payloadBytes: 8 });
    context.alloc(type).finalize();
    const above = context.alloc(type);
    const below = context.get(1);
    above.hold(below);
    below.put();
    above.finalize();
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts");
    frame.src = "/frame";
    const loaded = new Promise((resolve) => addEventListener("message", resolve, { once: true }));
    const host = document.createElement("div");
    document.body.append(host);
    (inShadow ? host.attachShadow({ mode: "open" }) : host).append(frame);
    await loaded;
    const { port1, port2 } = new MessageChannel();
    const server = remote.serve(port1, context, watchesFrame ? { ...limits, frame } : limits);
    Object.assign(stage, { iommufd, context, server, frame });
    const ready = new Promise((resolve) => addEventListener("message", resolve, { once: true }));
    frame.contentWindow?.postMessage("return 'ready'", "*", [port2]);
    await ready;
  }, options);
  return page;
}

/** Runs a function's body in the frame, and gives what it returns, or the code or name of what it throws. */
async function inFrame(page: Page, body: string): Promise<unknown> {
  return page.evaluate(async (body) => {
    const { frame } = stage;
    const said = new Promise<MessageEvent>((resolve) => addEventListener("message", resolve, { once: true }));
    frame.contentWindow?.postMessage(body, "*");
    const event = await said;
    if (event.source !== frame.contentWindow || event.origin !== "null") throw new Error("somebody else spoke");
    return event.data as unknown;
  }, body);
}

/** How the connection ended, and what is open and alive then. */
async function endOf(page: Page): Promise<{ code: string; open: number; live: number }> {
  return page.evaluate(async () => {
    const { code } = await stage.server.closed;
    const { files, objects } = stage.iommufd.stats();
    return { code, open: files.open, live: objects.live };
  });
}

const CONNECT = "globalThis.remote = connect(port); await remote.ready;";
const DESTROY = (id: number) => `return remote.tryIoctl(0x3b80, Uint32Array.of(8, ${id}))`;
const CLOSED = { open: 0, live: 0 };

describe("a sandboxed frame", () => {
  test("has the file's ioctls, with the kernel's errnos, and nothing else of the page", async () => {
    const page = await openStage();
    expect(await inFrame(page, "return [crossOriginIsolated, typeof SharedArrayBuffer, origin]")).toEqual([
      false,
      "undefined",
      "null",
    ]);
    expect(await inFrame(page, "return parent.iommufd")).toBe("SecurityError");
    expect(await inFrame(page, `${CONNECT} return "connected"`)).toBe("connected");
    const results = [];
    for (const id of [1, 2, 1, 1]) results.push(await inFrame(page, DESTROY(id)));
    expect(results).toEqual([-16, 0, 0, -2]); // EBUSY, then from above, then ENOENT
    expect(await inFrame(page, "return remote.tryIoctl(0x3b80, 4096n)")).toBe(-14); // EFAULT
    expect(await page.evaluate(() => stage.context.objects())).toEqual([]);
    expect(await inFrame(page, "remote.close(); return (await remote.closed).code")).toBe("closed");
    expect(await endOf(page)).toEqual({ code: "closed", ...CLOSED });
  });

  test.each([
    ["is removed", (page: Page) => page.evaluate(() => stage.frame.remove())],
    ["is reloaded", (page: Page) => page.evaluate(() => void (stage.frame.src = "/frame?again"))],
    [
      "leaves by itself",
      (page: Page) => page.evaluate(() => stage.frame.contentWindow?.postMessage("location = 'about:blank'", "*")),
    ],
  ])("that %s says goodbye, and the file is released", async (_how, leave) => {
    const page = await openStage();
    await inFrame(page, `${CONNECT} return 0`);
    await leave(page);
    expect(await endOf(page)).toEqual({ code: "closed", ...CLOSED });
  });

  test.each([false, true])(
    "that says nothing is known to be gone when it is removed; in a shadow tree: %s",
    async (inShadow) => {
      const page = await openStage({ watchesFrame: true, inShadow });
      expect(
        await inFrame(page, "port.postMessage({ kind: 'hello', version: 1 }); port.start(); return 'silent'"),
      ).toBe("silent");
      await page.evaluate(() => stage.frame.remove());
      expect(await endOf(page)).toEqual({ code: "gone", ...CLOSED });
    },
  );

  test("keeps its connection while other parts of the page change", async () => {
    const page = await openStage({ watchesFrame: true });
    expect(await inFrame(page, `${CONNECT} return 0`)).toBe(0);
    await page.evaluate(() => document.body.append(document.createElement("p")));
    expect(await inFrame(page, DESTROY(1))).toBe(-16);
  });
});

describe("a hostile frame", () => {
  test.each([
    [
      "floods",
      "flood",
      `for (let id = 1; id < 100; id++) port.postMessage({ kind: "call", id, request: 0x3b80, bytes: new Uint8Array(Uint32Array.of(8, 2).buffer), timeoutMs: Infinity });`,
    ],
    ["sends what is no message", "protocol", `port.postMessage({ kind: "open", path: "/dev/iommu" });`],
    [
      "sends a great lot",
      "protocol",
      `port.postMessage({ kind: "call", id: 1, request: 0x3b80, bytes: new Uint8Array(2 ** 26), timeoutMs: 0 });`,
    ],
    [
      "sends ports along",
      "protocol",
      `const { port1, port2 } = new MessageChannel(); port.postMessage({ kind: "bye" }, [port2]);`,
    ],
    ["sends a blob", "protocol", `port.postMessage(new Blob(["bye"]));`],
  ])("that %s is cut off, and changes nothing", async (_what, code, attack) => {
    const page = await openStage({ maxInFlight: 1, closeContext: false });
    await page.evaluate(() => void stage.context.get(2)); // whoever destroys it waits
    await inFrame(page, `port.postMessage({ kind: "hello", version: 1 }); ${attack} return 0`);
    expect(await endOf(page)).toEqual({ code, open: 1, live: 2 });
    expect(await page.evaluate(() => stage.context.objects().map(({ state, users }) => [state, users]))).toEqual([
      ["live", 2],
      ["live", 2],
    ]);
  });
});
