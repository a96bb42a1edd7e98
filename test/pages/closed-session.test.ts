// SPDX-License-Identifier: GPL-2.0-only
//
// Elements whose session or file was closed say so and throw nothing, and one receiver of a worker's calls may follow another.

import type * as Lab from "iommufd-wasm/lab";
import type { Page } from "playwright";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { bareHtml, closeBrowser, openPage, serveSite, type Site, type Visit } from "../support/lab-page.ts";

const PAGE = `<h1>Closed</h1><iommufd-graph selected="1"></iommufd-graph><iommufd-console></iommufd-console><iommufd-trace></iommufd-trace>
<script type="module">
import * as lab from "/dist/lab.js";
Object.assign(globalThis, { lab, elements: [...document.querySelectorAll("main > :not(h1, script)")] });
</script>`;
declare const lab: typeof Lab;
declare const elements: (HTMLElement & { session: Lab.LabSession | undefined; problem: string | undefined })[];

let site: Site;
let visit: Visit;

beforeAll(async () => {
  site = await serveSite({ pages: { "/": bareHtml(PAGE) } });
});
afterEach(async () => {
  expect(visit.problems).toEqual([]);
  await visit.close();
});
afterAll(async () => {
  await closeBrowser();
  await site.close();
});

async function open(): Promise<Page> {
  visit = await openPage(site.url);
  await visit.page.getByRole("button", { name: "Run", exact: true }).waitFor();
  await visit.page.getByRole("button", { name: "Pause" }).waitFor();
  return visit.page;
}

const notices = (page: Page) => page.getByText("The file is closed.", { exact: true });

test("a closed session is said, also after a move; undefined takes a new shared one", async () => {
  const page = await open();
  await page.evaluate(async () => (await lab.LabSession.shared()).close());
  await expect.poll(() => notices(page).count()).toBe(3);
  await page.evaluate(() => document.body.append(...elements));
  await expect.poll(() => notices(page).count()).toBe(3);
  await page.evaluate(() => {
    for (const element of elements) [element.problem, element.session] = ["an old one", undefined];
  });
  await page.getByText("No objects yet").waitFor();
  await page.getByRole("button", { name: "Run", exact: true }).waitFor();
  expect(await notices(page).count()).toBe(0);
  expect(await page.getByRole("alert").count()).toBe(0);
});

test("a file that was closed by its number is said by the graph, and the console may be moved", async () => {
  const page = await open();
  await page.getByText("No objects yet").waitFor();
  await page.evaluate(async () => {
    const { iommufd, context } = await lab.LabSession.shared();
    iommufd.file(context.fd).close();
  });
  await expect.poll(() => notices(page).count()).toBe(1);
  await page.evaluate(() => document.body.append(...elements));
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByText("EBADF").first().waitFor();
});

test("a thread that has left the kernel is said as a closed file", async () => {
  const page = await open();
  await page.evaluate(async () => {
    (await lab.LabSession.shared()).iommufd.detach();
    document.body.append(...elements);
  });
  await expect.poll(() => notices(page).count()).toBe(3);
});

test("a later receiver of a port hears its calls, and all leave is given back", async () => {
  const page = await open();
  const heard = await page.evaluate(async () => {
    const session = await lab.LabSession.shared();
    const heard: number[] = [];
    session.addEventListener("calls", (event) => {
      for (const { fd } of (event as Lab.LabCallsEvent).calls) heard.push(fd);
    });
    const { port1, port2 } = new MessageChannel();
    const credit = new Int32Array(new SharedArrayBuffer(8));
    const batch = (fd: number): unknown => {
      const view = new DataView(new ArrayBuffer(40));
      view.setInt32(16, fd, true);
      view.setUint32(36, 0xffff_ffff, true);
      return { iommufd: "calls", thread: "worker", credit, calls: view.buffer };
    };
    const arrived = async (...messages: unknown[]): Promise<void> => {
      const last = new Promise<void>((resolve) => {
        port1.addEventListener("message", ({ data }) => data === "last" && resolve(), { once: false });
      });
      for (const message of [...messages, "last"]) port2.postMessage(message);
      await last;
    };
    const stop = lab.receiveCalls(session, port1);
    await arrived(batch(1));
    stop(); // what has arrived is reported
    const atStop = [...heard];
    await arrived(batch(2), batch(3));
    const taken = [credit[0]];
    lab.receiveCalls(session, port1);
    taken.push(credit[0]);
    stop(); // once more: the later one goes on
    await arrived(batch(4));
    while (heard.at(-1) !== 4) await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return { atStop, heard, taken: [...taken, credit[0]] };
  });
  expect(heard).toEqual({ atStop: [1], heard: [1, 4], taken: [1, 3, 4] });
});
