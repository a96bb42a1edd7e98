// SPDX-License-Identifier: GPL-2.0-only
//
// <iommufd-trace> in Chromium: alone in a bare page, with calls of real workers, under a flood, and by keyboard only.

import type * as Lab from "iommufd-wasm/lab";
import type { Page } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { bareHtml, closeBrowser, openPage, serveSite, type Site, type Visit } from "../support/lab-page.ts";

/** Attaches, says that it listens, then does what it is told. */
const WORKER = `
import { Iommufd } from "/dist/index.js";
import { defineLab } from "/dist/replay.js";
import { forwardCalls } from "/dist/lab-worker.js";
let iommufd, context, stop;
onmessage = async ({ data }) => {
  if (data.share) {
    iommufd = Iommufd.attachSync(data.share);
    defineLab(iommufd);
    context = iommufd.file(data.fd);
  }
  const forward = data.module ? (await import(data.module)).forwardCalls : forwardCalls;
  if (data.thread) stop = forward(iommufd, self, { thread: data.thread });
  for (let n = 0; n < (data.calls ?? 0); n++) context.tryIoctl(0x3b80, new Uint8Array([8, 0, 0, 0, 99, 0, 0, 0]));
  if (data.alloc) context.tryIoctl(0x3ba0, Uint8Array.of(28, 0, 0, 0, 3, ...new Array(23).fill(0)));
  if (data.stop) stop();
  if (data.then) stop = forward(iommufd, self, { thread: data.then });
  if (data.block) Atomics.wait(data.block, 0, 0);
  postMessage("done");
};
`;

/** What the page's own script puts beside the elements. */
const PAGE = `<h1>Calls</h1><iommufd-trace></iommufd-trace>
<script type="module">
import * as lab from "/dist/lab.js";
Object.assign(globalThis, { lab, seen: { calls: 0, lost: 0 }, workers: new Map() });
</script>`;
declare const lab: typeof Lab;
declare const seen: { calls: number; lost: number };
declare const workers: Map<string, Worker>;

let site: Site;
let visit: Visit;

beforeAll(async () => {
  site = await serveSite({ pages: { "/": bareHtml(PAGE), "/worker.js": WORKER } });
});
afterEach(async () => {
  expect(visit.problems).toEqual([]);
  await visit.close();
});
afterAll(async () => {
  await closeBrowser();
  await site.close();
});

async function open(options: Parameters<typeof openPage>[1] = {}): Promise<Page> {
  visit = await openPage(site.url, options);
  await visit.page.getByRole("button", { name: "Pause" }).waitFor();
  return visit.page;
}

/** Makes calls on the page's shared session: LAB_ALLOC of an IOAS, then DESTROY of ID 77. */
function makeCalls(page: Page, times = 1): Promise<void> {
  return page.evaluate(async (times) => {
    const { context, commands } = await lab.LabSession.shared();
    const alloc = commands.find(({ name }) => name === "LAB_ALLOC")!;
    for (let n = 0; n < times; n++) {
      context.call(alloc, { type: 3 });
      context.tryIoctl(0x3b80, Uint8Array.of(8, 0, 0, 0, 77, 0, 0, 0));
    }
  }, times);
}

/** Reports calls of a thread that need not exist. */
function report(page: Page, calls: number, thread: string): Promise<void> {
  return page.evaluate(
    async ({ calls, thread }) => {
      const session = await lab.LabSession.shared();
      const [command] = session.commands;
      session.addCalls(
        Array.from({ length: calls }, (_, n) => ({
          ...{ fd: 3, request: 0x3b80, address: undefined, result: n % 10 === 0 ? -2 : 0, command, thread },
          before: Uint8Array.of(8, 0, 0, 0, n & 255, (n >> 8) & 255, (n >> 16) & 255, 0),
          bytes: Uint8Array.of(8, 0, 0, 0, n & 255, (n >> 8) & 255, (n >> 16) & 255, 0),
          time: performance.now(),
        })),
      );
    },
    { calls, thread },
  );
}

const rows = (page: Page) => page.getByRole("listitem");
const foot = (page: Page) => page.locator("iommufd-trace .foot");

describe("alone in a bare page", () => {
  test.each([
    [360, "light"],
    [768, "dark"],
    [1440, "light"],
  ] as const)("%i px, %s: accessible, nothing sticks out, no small text", async (width, scheme) => {
    const page = await open({ width, scheme });
    await makeCalls(page, 20);
    await rows(page).first().waitFor();
    expect(await visit.axe()).toEqual([]);
    expect(await visit.overflow()).toEqual([]);
    expect(await visit.smallText()).toEqual([]);
  });

  test("calls become lines, and what failed is filtered by keyboard", async () => {
    const page = await open();
    await makeCalls(page);
    await expect.poll(() => rows(page).allInnerTexts()).toHaveLength(2);
    const [alloc, destroy] = await rows(page).allInnerTexts();
    expect(alloc).toMatch(/page\s+ioctl\(3, LAB_ALLOC, \{size=28, type=3, .*, out_id=1, .*\}\) = 0$/s);
    expect(destroy).toMatch(/IOMMU_DESTROY, \{size=8, id=77\}\) = -1 ENOENT \(No such file or directory\)$/);

    await page.keyboard.press("Tab"); // Thread
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab"); // Result
    await page.keyboard.type("ENOENT");
    await expect.poll(() => rows(page).count()).toBe(1);
    expect(await foot(page).innerText()).toContain("2 calls, 1 with an errno; 1 shown");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter"); // Pause
    await makeCalls(page);
    await expect.poll(() => foot(page).innerText()).toContain("Paused: 2 waiting");
    await page.keyboard.press("Space");
    await expect.poll(() => rows(page).count()).toBe(2);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter"); // Clear
    await expect.poll(() => rows(page).count()).toBe(0);
  });

  test("a command that the session learns later is known by name, in lines that are there already, too", async () => {
    const page = await open();
    const answers = await page.evaluate(async () => {
      const session = await lab.LabSession.shared();
      const command = session.iommufd.defineIoctl({ name: "DOUBLE", nr: 0xb0, fields: { value: "u32" }, execute() {} });
      const call = () => session.context.tryIoctl(command.request, Uint8Array.of(8, 0, 0, 0, 21, 0, 0, 0));
      const before = call();
      session.addCommand(command);
      return [before, call()];
    });
    expect(answers).toEqual([0, 0]);
    await expect.poll(() => rows(page).allInnerTexts()).toHaveLength(2);
    for (const line of await rows(page).allInnerTexts())
      expect(line).toContain("ioctl(3, DOUBLE, {size=8, value=21}) = 0");
  });

  test("filters by thread and command hold for calls that come later", async () => {
    const page = await open();
    await report(page, 3, "worker 1");
    await makeCalls(page);
    await page.getByLabel("Thread").selectOption("worker 1");
    await expect.poll(() => rows(page).count()).toBe(3);
    await page.getByLabel("Thread").selectOption("");
    await page.getByLabel("Command").selectOption("LAB_ALLOC");
    await expect.poll(() => rows(page).count()).toBe(1);
    await makeCalls(page);
    await expect.poll(() => rows(page).count()).toBe(2);
  });
});

describe("copies", () => {
  test("the lines that are shown", async () => {
    const page = await open();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await makeCalls(page);
    await page.getByLabel("Result").selectOption("failed");
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("Copied 1 lines.").waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toMatch(/^\d+\.\d{3} \[page\] ioctl\(3, IOMMU_DESTROY, \{size=8, id=77\}\) = -1 ENOENT .*\n$/);
  });

  test("into a text field where the page may not write to the clipboard", async () => {
    const page = await open();
    await page.evaluate(() => {
      Object.defineProperty(navigator.clipboard, "writeText", { value: () => Promise.reject(new Error("denied")) });
    });
    await makeCalls(page);
    await page.getByRole("button", { name: "Copy" }).click();
    const field = page.getByLabel("This page may not write");
    expect(await field.inputValue()).toContain("IOMMU_DESTROY");
    expect(await visit.axe()).toEqual([]);
    await page.getByRole("button", { name: "Done" }).click();
    await field.waitFor({ state: "detached" });
  });
});

describe("many calls", () => {
  test("few rows are in the page, old calls are counted, and the list stays where its reader is", async () => {
    const page = await open();
    await report(page, 25_000, "worker 1");
    await expect.poll(() => foot(page).innerText()).toContain("25,000 calls, 2,500 with an errno");
    expect(await foot(page).innerText()).toContain("5,000 older ones only counted, 500 with an errno");
    expect(await rows(page).count()).toBeLessThan(60);
    await expect.poll(() => rows(page).last().innerText()).toContain(`id=${24_999}`);

    const region = page.getByRole("region", { name: "Calls, newest last" });
    await region.focus();
    await page.keyboard.press("Home");
    await expect.poll(() => rows(page).first().innerText()).toContain(`id=${5_000}`);
    // At once, not by a key: a browser may take some frames for that.
    await region.evaluate((scroller) => (scroller.scrollTop = 1_000));
    const visible = async (): Promise<string> => {
      const texts = await region.evaluate((scroller) => {
        const top = scroller.getBoundingClientRect().top;
        return [...scroller.querySelectorAll(".row")].filter((row) => row.getBoundingClientRect().top >= top)[0]
          ?.textContent;
      });
      return /id=\d+/.exec(texts ?? "")?.[0] ?? "";
    };
    await expect.poll(visible).toBe("id=5042");
    await report(page, 5, "worker 1"); // five rows fall out above it
    await expect.poll(() => foot(page).innerText()).toContain("25,005 calls");
    await expect.poll(visible).toBe("id=5042");
    await page.getByRole("button", { name: "Newest" }).click();
    await expect.poll(() => rows(page).last().innerText()).toContain("id=4}");
  });

  test("a pause holds as many as the list, and counts the rest", async () => {
    const page = await open();
    await page.getByRole("button", { name: "Pause" }).click();
    await report(page, 21_000, "worker 1");
    await expect.poll(() => foot(page).innerText()).toContain("Paused: 21,000 waiting, 1,000 of them only counted");
    await page.getByRole("button", { name: "Resume" }).click();
    await expect.poll(() => foot(page).innerText()).toContain("21,000 calls, 2,100 with an errno");
    expect(await foot(page).innerText()).toContain("1,000 older ones only counted, 100 with an errno");
  });
});

describe("calls of real workers", () => {
  /** Starts a worker whose calls are forwarded; the page's `workers` has it. */
  function startWorker(page: Page, thread: string): Promise<void> {
    return page.evaluate(async (thread) => {
      const session = await lab.LabSession.shared();
      const worker = new Worker("/worker.js", { type: "module" });
      lab.receiveCalls(session, worker);
      session.addEventListener("calls", (event) => {
        for (const call of (event as Lab.LabCallsEvent).calls) if (call.thread === thread) seen.calls++;
      });
      session.addEventListener("lost", (event) => (seen.lost += (event as Lab.LabLostEvent).count));
      workers.set(thread, worker);
      const done = new Promise((resolve) =>
        worker.addEventListener("message", ({ data }) => data === "done" && resolve(0)),
      );
      worker.postMessage({ share: session.iommufd.share, fd: session.context.fd, thread });
      await done;
    }, thread);
  }

  /** Tells a worker to do something; resolves when it says that it has. */
  function tell(page: Page, thread: string, what: object): Promise<void> {
    return page.evaluate(
      ({ thread, what }) =>
        new Promise<void>((resolve) => {
          const worker = workers.get(thread)!;
          worker.addEventListener("message", ({ data }) => data === "done" && resolve());
          worker.postMessage(what);
        }),
      { thread, what },
    );
  }

  /**
   * Has a worker make more calls one after the other than batches may be on their way, each when the one before has been taken; whose
   * they are said to be.
   */
  function oneByOne(page: Page, worker: string, calls: number): Promise<string[]> {
    return page.evaluate(
      async ({ worker, calls }) => {
        const session = await lab.LabSession.shared();
        const threads: string[] = [];
        for (let n = 0; n < calls; n++) {
          const taken = new Promise<string>((resolve) =>
            session.addEventListener("calls", (event) => resolve((event as Lab.LabCallsEvent).calls[0]!.thread), {
              once: true,
            }),
          );
          workers.get(worker)!.postMessage({ calls: 1 });
          threads.push(await taken);
        }
        return threads;
      },
      { worker, calls },
    );
  }

  test("are lines under the worker's name, decoded with the page's commands", async () => {
    const page = await open();
    await startWorker(page, "worker 1");
    await startWorker(page, "worker 2");
    await tell(page, "worker 1", { alloc: true });
    await tell(page, "worker 2", { calls: 2 });
    await expect.poll(() => rows(page).count()).toBe(3);
    const texts = (await rows(page).allInnerTexts()).join("\n");
    expect(texts).toMatch(/worker 1\s+ioctl\(3, LAB_ALLOC, \{size=28, type=3, .*out_id=1/);
    expect(texts).toMatch(/worker 2\s+ioctl\(3, IOMMU_DESTROY, \{size=8, id=99\}\) = -1 ENOENT/);
    await page.getByLabel("Thread").selectOption("worker 2");
    await expect.poll(() => rows(page).count()).toBe(2);
  });

  test("are shown although the worker then blocks for ever", async () => {
    const page = await open();
    await startWorker(page, "worker 1");
    await page.evaluate(() => {
      const worker = workers.get("worker 1")!;
      worker.postMessage({ calls: 1, block: new Int32Array(new SharedArrayBuffer(4)) });
    });
    await expect.poll(() => rows(page).count()).toBe(1);
  });

  test("that come too fast are counted: none is missing without being said", async () => {
    const page = await open();
    await startWorker(page, "worker 1");
    await tell(page, "worker 1", { calls: 100_000 });
    await expect.poll(() => page.evaluate(() => seen.calls + seen.lost)).toBe(100_000);
    const { calls, lost } = await page.evaluate(() => seen);
    expect(calls).toBeGreaterThan(1_000);
    if (lost > 0) await expect.poll(() => foot(page).innerText()).toContain("of other threads came too fast");
  });

  test("end when forwarding is stopped", async () => {
    const page = await open();
    await startWorker(page, "worker 1");
    await tell(page, "worker 1", { calls: 3, stop: true }); // what was made before is still posted
    await tell(page, "worker 1", { calls: 5 });
    await expect.poll(() => rows(page).count()).toBe(3);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    expect(await rows(page).count()).toBe(3);
  });

  test("go on when forwarding begins again on the port, under another name, too", async () => {
    const page = await open();
    await startWorker(page, "worker 1");
    for (const thread of ["worker 1", "worker 1", "again"]) {
      await tell(page, "worker 1", { stop: true, then: thread });
      expect(await oneByOne(page, "worker 1", 12)).toEqual(new Array(12).fill(thread));
    }
  });

  test("that come too fast are all counted when forwarding begins again with no room left", async () => {
    const page = await open();
    await startWorker(page, "worker 1");
    for (const stop of [true, false]) {
      const before = await page.evaluate(() => seen.calls + seen.lost);
      await tell(page, "worker 1", { calls: 30_000, stop, then: "worker 1" });
      await tell(page, "worker 1", { calls: 30_000 });
      await expect.poll(() => page.evaluate(() => seen.calls + seen.lost)).toBe(before + 60_000);
    }
  });

  test("go on after a second copy of the module has forwarded too much through the port", async () => {
    const page = await open();
    await startWorker(page, "worker 1");
    await tell(page, "worker 1", { calls: 30_000, stop: true });
    await tell(page, "worker 1", { calls: 30_000, thread: "copy", module: "/dist/lab-worker.js?copy" });
    await expect.poll(() => page.evaluate(() => seen.calls)).toBeGreaterThan(0);
    expect(await oneByOne(page, "worker 1", 12)).toContain("copy");
  });

  test("of a hostile one are ignored unless they are exactly calls", async () => {
    const page = await open();
    const accepted = await page.evaluate(async () => {
      const session = await lab.LabSession.shared();
      const taken: string[] = [];
      session.addEventListener("calls", (event) => {
        for (const call of (event as Lab.LabCallsEvent).calls) taken.push(`${call.thread} ${call.fd}`);
      });
      const { port1, port2 } = new MessageChannel();
      const stop = lab.receiveCalls(session, port1);
      const credit = new Int32Array(new SharedArrayBuffer(8));
      const good = (fd: number): ArrayBuffer => {
        const view = new DataView(new ArrayBuffer(48));
        view.setInt32(16, fd, true);
        view.setUint32(20, 0x3b80, true);
        view.setUint32(32, 8, true);
        view.setUint32(36, 0xffff_ffff, true);
        return view.buffer;
      };
      const bad = (change: (view: DataView) => void): ArrayBuffer => {
        const buffer = good(66);
        change(new DataView(buffer));
        return buffer;
      };
      const calls = (batch: unknown, other: object = {}): unknown => {
        return { iommufd: "calls", thread: "w".repeat(10_000), credit, calls: batch, ...other };
      };
      for (const message of [
        ...[null, undefined, 7, "calls", [], {}, { iommufd: 1 }, { iommufd: "calls" }],
        { iommufd: "calls", calls: good(66) },
        calls(good(66), { iommufd: "thread" }),
        calls(good(66), { thread: "page" }),
        calls(good(66), { thread: "" }),
        calls(good(66), { thread: "\u0000\u202e" }),
        calls(good(66), { thread: 7 }),
        calls(good(66), { credit: undefined }),
        calls(good(66), { credit: new Int32Array(2) }),
        calls(good(66), { credit: new Int32Array(new SharedArrayBuffer(4)) }),
        calls(good(66), { credit: new Uint32Array(new SharedArrayBuffer(8)) }),
        calls(good(66), { credit: 5 }),
        ...["text", 5, null, {}, new Uint8Array(48), new ArrayBuffer(100_000), new ArrayBuffer(39)].map((batch) =>
          calls(batch),
        ),
        calls(bad((view) => view.setUint32(32, 9, true))), // one byte more than there is
        calls(bad((view) => view.setUint32(32, 0xffff_ffff, true))),
        calls(bad((view) => view.setUint32(36, 4097, true))),
        calls(bad((view) => view.setUint32(28, 3, true))),
        calls(bad((view) => view.setFloat64(0, Infinity, true))),
        calls(good(1)),
      ]) {
        port2.postMessage(message);
      }
      while (taken.length === 0) await new Promise(requestAnimationFrame);
      const first = taken.splice(0);
      // A flood without leave: no more is taken in a frame than may be on its way.
      for (let n = 0; n < 200; n++) port2.postMessage(calls(good(2)));
      port2.postMessage("last");
      await new Promise<void>((resolve) =>
        port1.addEventListener("message", ({ data }) => data === "last" && resolve()),
      );
      for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
      const flood = taken.splice(0).length;
      stop();
      port2.postMessage(calls(good(3)));
      for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
      return { first, flood, afterwards: taken };
    });
    expect(accepted.first).toEqual([`${"w".repeat(40)} 1`]);
    expect(accepted.flood).toBeGreaterThan(0);
    expect(accepted.flood).toBeLessThan(200);
    expect(accepted.afterwards).toEqual([]);
  });
});
