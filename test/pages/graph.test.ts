// SPDX-License-Identifier: GPL-2.0-only
//
// <iommufd-graph> alone in a bare page: what it shows, by mouse and by keyboard, at three widths, in light and dark, with
// 500 and with 100,000 objects, and in a page whose policy forbids workers.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { LabSession } from "iommufd-wasm/lab";
import {
  bareHtml,
  closeBrowser,
  openPage,
  serveSite,
  type Site,
  type Visit,
  type VisitOptions,
} from "../support/lab-page.ts";

/** What the page gets to make objects with. */
interface Tools {
  readonly session: LabSession;
  /** LAB_ALLOC; returns the ID. */
  alloc(type: number, hold0?: number, hold1?: number): number;
}
declare global {
  var tools: Tools;
}

const TOOLS = `<script type="module">
  import { LabSession } from "/dist/lab.js";
  const session = await LabSession.shared();
  const command = session.commands.find(({ name }) => name === "LAB_ALLOC");
  const alloc = (type, hold_id0 = 0, hold_id1 = 0) => session.context.call(command, { type, hold_id0, hold_id1 }).out_id;
  globalThis.tools = { session, alloc };
</script>`;
const NO_WORKERS = `<meta http-equiv="Content-Security-Policy" content="worker-src 'none'">`;

const [DEVICE, HWPT, IOAS] = [1, 2, 3];

let site: Site;
let visit: Visit;

beforeAll(async () => {
  const body = `<h1>Bare</h1><iommufd-graph></iommufd-graph>${TOOLS}`;
  site = await serveSite({
    pages: {
      "/": bareHtml(body),
      "/strict": bareHtml(body).replace("<title>", `${NO_WORKERS}<title>`),
    },
  });
});
afterEach(() => visit.close());
afterAll(async () => {
  await closeBrowser();
  await site.close();
});

async function open(options: VisitOptions = {}, path = ""): Promise<void> {
  visit = await openPage(`${site.url}${path}`, options);
  await visit.page.waitForFunction(() => "tools" in globalThis);
  // The first look has found nothing, so that all that comes later is seen to appear.
  await graph().getByText("No objects yet").waitFor();
}

/** Waits until the picture has exactly these boxes, by their labels' beginnings, in no order. */
async function boxes(...labels: string[]): Promise<void> {
  const shown = (): Promise<string[]> =>
    visit.page
      .locator("iommufd-graph .picture [role=option]")
      .evaluateAll((all) => all.map((box) => box.querySelector("title")?.textContent ?? ""));
  const matching = (all: string[]): boolean =>
    all.length === labels.length && labels.every((label) => all.some((text) => text.startsWith(label)));
  await expect.poll(async () => matching(await shown()) || (await shown()), { timeout: 20_000 }).toBe(true);
}

/** An IOAS, an HWPT on it, and a DEVICE with two references to the HWPT. */
async function chain(): Promise<void> {
  await visit.page.evaluate(
    ([device = 0, hwpt = 0, ioas = 0]) => {
      const first = tools.alloc(ioas);
      const second = tools.alloc(hwpt, first);
      tools.alloc(device, second, second);
    },
    [DEVICE, HWPT, IOAS],
  );
  await boxes("IOAS 1, live, 2 users", "HWPT 2, live, 3 users", "DEVICE 3, live, 1 user, holds 2, 2");
}

const graph = () => visit.page.locator("iommufd-graph");
const focused = (): Promise<string | undefined> =>
  visit.page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.getAttribute("data-key") ?? undefined);
const selectedId = (): Promise<number | undefined> =>
  visit.page.evaluate(() => document.querySelector("iommufd-graph")?.selected);

test("says what to do while there is nothing, and does it", async () => {
  await open();
  await graph().getByRole("button", { name: "Make three objects" }).click();
  await boxes("IOAS 1", "HWPT 2", "DEVICE 3");
  expect(await graph().getByText("No objects yet").count()).toBe(0);
  expect(visit.problems).toEqual([]);
});

test("leaves the first objects to a page that makes its own", async () => {
  await open();
  const asked = visit.page.evaluate(
    () =>
      new Promise((resolve) => {
        document.addEventListener("iommufd-example", (event) => {
          event.preventDefault();
          resolve((event.target as Element).localName);
        });
      }),
  );
  await graph().getByRole("button", { name: "Make three objects" }).click();
  expect(await asked).toBe("iommufd-graph");
  expect(await visit.page.evaluate(() => tools.session.context.objects().length)).toBe(0);
  expect(visit.problems).toEqual([]);
});

test("objects appear, are published, change and vanish as calls of any kind make them", async () => {
  await open();
  await chain();
  await visit.page.evaluate(() => {
    const { context } = tools.session;
    const info = context.inspect(3);
    if (info !== undefined) Object.assign(globalThis, { reserved: context.alloc(info.type), lock: context.get(1) });
  });
  await boxes("IOAS 1, live, 3 users, 1 holder", "HWPT 2", "DEVICE 3", "DEVICE 4, reserved");
  expect(await graph().locator(".picture .reserved .mark").getAttribute("d")).not.toBe("");
  await visit.page.evaluate(() => {
    const { reserved, lock } = globalThis as unknown as { reserved: { finalize(): void }; lock: { put(): void } };
    reserved.finalize();
    lock.put();
    tools.session.context.destroy(3);
  });
  await boxes("IOAS 1, live, 2 users", "HWPT 2, live, 1 user", "DEVICE 4, live");
  expect(visit.problems).toEqual([]);
});

test("an object whose destroyer waits says so by word, outline and mark", async () => {
  await open();
  await chain();
  await visit.page.evaluate(() => {
    const { context } = tools.session;
    const lock = context.get(3);
    Object.assign(globalThis, { lock, done: context.destroyAsync(3) });
  });
  await boxes("IOAS 1, live", "HWPT 2, live", "DEVICE 3, destroying");
  const box = graph().locator(".picture .destroying");
  expect(await box.locator(".line").first().textContent()).toBe("destroying");
  const outlines = await graph()
    .locator(".picture .shape")
    .evaluateAll((all) => all.map((shape) => shape.getAttribute("d")));
  expect(new Set(outlines).size).toBe(2);
  await visit.page.evaluate(() => (globalThis as unknown as { lock: { put(): void } }).lock.put());
  await boxes("IOAS 1, live", "HWPT 2, live, 1 user");
  expect(visit.problems).toEqual([]);
});

test("each reference is an arrow from what holds down to what is held", async () => {
  await open();
  await chain();
  const heads = graph().locator(".arrows .all .heads");
  await expect.poll(async () => (await heads.getAttribute("d"))?.match(/M/g)?.length).toBe(3);
  const tops = await graph()
    .locator(".picture [role=option]")
    .evaluateAll((all): Record<string, number> =>
      Object.fromEntries(
        all.map((box) => [box.getAttribute("data-key") ?? "", box.getBoundingClientRect().top] as const),
      ),
    );
  expect(tops["3"]).toBeLessThan(tops["2"] ?? 0);
  expect(tops["2"]).toBeLessThan(tops["1"] ?? 0);
});

test("a mouse selects, the panel shows payload and history, and an event tells", async () => {
  await open();
  await chain();
  await visit.page.evaluate(() => {
    const told: unknown[] = [];
    Object.assign(globalThis, { told });
    document.addEventListener("iommufd-select", (event) => told.push((event as CustomEvent<unknown>).detail));
    const object = tools.session.context.get(2);
    new Uint8Array(object.payload.buffer, object.payload.byteOffset, 4).set([0x41, 0, 0xff, 7]);
    object.put();
  });
  await graph().locator(".picture [data-key='2']").click();
  const panel = graph().getByRole("region", { name: "HWPT 2" });
  await panel.getByText("41 00 ff 07").waitFor();
  await panel.getByText(/HWPT appeared/).waitFor();
  await panel.getByRole("button", { name: "Go to object 1" }).click();
  await graph().getByRole("region", { name: "IOAS 1" }).waitFor();
  await visit.page.evaluate(() => tools.session.context.destroy(3));
  await visit.page.evaluate(() => tools.session.context.destroy(2));
  await graph().getByText("users 2 → 1").waitFor();
  await graph().getByRole("button", { name: "Close" }).click();
  expect(await visit.page.evaluate(() => (globalThis as unknown as { told: unknown }).told)).toEqual([
    { id: 2 },
    { id: 1 },
    { id: undefined },
  ]);
  expect(visit.problems).toEqual([]);
});

test("looking disturbs nothing, and reading the selected payload leaves nothing behind", async () => {
  await open();
  await chain();
  const before = await visit.page.evaluate(() =>
    tools.session.context.objects().map(({ users, holders }) => [users, holders]),
  );
  await visit.page.evaluate(() => document.querySelector("iommufd-graph")?.select(2));
  await graph().getByRole("region", { name: "HWPT 2" }).getByText("4 bytes").waitFor();
  await graph().getByRole("button", { name: "Read again" }).click();
  const after = await visit.page.evaluate(() =>
    tools.session.context.objects().map(({ users, holders }) => [users, holders]),
  );
  expect(after).toEqual(before);
  expect(
    await graph()
      .getByText(/holders 0/)
      .count(),
  ).toBe(0);
});

test("by keyboard alone: Tab to the picture, along references and rows, select, leave", async () => {
  await open();
  await chain();
  const press = (key: string): Promise<void> => visit.page.keyboard.press(key);
  for (let tab = 0; tab < 8 && (await focused()) === undefined; tab++) await press("Tab");
  expect(await focused()).toBe("3");
  await press("ArrowDown");
  expect(await focused()).toBe("2");
  await press("ArrowDown");
  expect(await focused()).toBe("1");
  await press("Enter");
  expect(await selectedId()).toBe(1);
  await press("ArrowUp");
  await press("Space");
  expect(await selectedId()).toBe(2);
  await press("Home");
  expect(await focused()).toBe("3");
  await press("Escape");
  expect(await selectedId()).toBeUndefined();
  expect(await graph().locator(".picture [tabindex='0']").count()).toBe(1);
  // What has the focus vanishes: the focus goes to a neighbour, not to nowhere.
  await visit.page.evaluate(() => tools.session.context.destroy(3));
  await boxes("IOAS 1", "HWPT 2");
  expect(await focused()).toBe("2");
  await press("Tab");
  expect(await focused()).toBeUndefined();
});

test("the table says the same, and selects, too", async () => {
  await open();
  await chain();
  await graph().getByRole("button", { name: "Table" }).click();
  const rows = await graph()
    .locator("tbody tr")
    .evaluateAll((all) => all.map((row) => [...row.children].map((cell) => (cell as HTMLElement).innerText.trim())));
  expect(rows).toEqual([
    ["1", "IOAS", "live", "2", "0", "nothing", "2"],
    ["2", "HWPT", "live", "3", "0", "1", "3, 3"],
    ["3", "DEVICE", "live", "1", "0", "2, 2", "nothing"],
  ]);
  await graph().getByRole("button", { name: "Object 2", exact: true }).click();
  expect(await selectedId()).toBe(2);
  expect(await visit.axe()).toEqual([]);
  await graph().getByRole("button", { name: "Graph" }).click();
  await boxes("IOAS 1", "HWPT 2", "DEVICE 3");
});

test("an ID typed in is shown, one that does not exist is said not to exist", async () => {
  await open();
  await chain();
  await graph().getByLabel("Object", { exact: true }).fill("2");
  await visit.page.keyboard.press("Enter");
  await graph().getByRole("region", { name: "HWPT 2" }).waitFor();
  await visit.page.evaluate(() => document.querySelector("iommufd-graph")?.setAttribute("selected", "99"));
  await graph().getByText("There is no object 99 now.").waitFor();
});

test("a new file starts anew, a closed one says so", async () => {
  await open();
  await chain();
  await visit.page.evaluate(() => void tools.session.reopen());
  await graph().getByText("No objects yet").waitFor();
  await visit.page.evaluate(([type = 0]) => void tools.alloc(type), [HWPT]);
  await boxes("HWPT 1");
  await visit.page.evaluate(() => tools.session.close());
  await graph().getByText("The file is closed.").waitFor();
  expect(visit.problems).toEqual([]);
});

test("what another thread makes appears, too", async () => {
  await open();
  await chain();
  await visit.page.evaluate(async () => {
    const base = new URL("/dist/", location.href).href;
    const text = `
      import { Iommufd } from "${base}index.js";
      import { defineLab } from "${base}replay.js";
      onmessage = async ({ data: { share, fd } }) => {
        const iommufd = await Iommufd.attach(share);
        const { types } = defineLab(iommufd);
        const context = iommufd.file(fd);
        const object = context.alloc(types[0]);
        object.hold(context.get(2));
        object.finalize();
        postMessage("done");
      };`;
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const worker = new Worker(url, { type: "module" });
    const done = new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = ({ message }) => reject(new Error(message));
    });
    worker.postMessage({ share: tools.session.iommufd.share, fd: tools.session.context.fd });
    await done;
  });
  await boxes("IOAS 1", "HWPT 2, live, 5 users, 1 holder", "DEVICE 3", "DEVICE 4, live, 1 user, holds 2");
  expect(visit.problems).toEqual([]);
});

test("it looks by itself while it can be seen, and not at all while nobody can see it", async () => {
  await open();
  await chain();
  const looksIn = (frames: number): Promise<number> =>
    visit.page.evaluate(async (count) => {
      const { context } = tools.session;
      let looks = 0;
      const objects = context.objects.bind(context);
      context.objects = (range) => {
        looks++;
        return objects(range);
      };
      for (let frame = 0; frame < count; frame++) await new Promise(requestAnimationFrame);
      context.objects = objects;
      return looks;
    }, frames);
  expect(await looksIn(30)).toBeGreaterThan(1);
  await visit.page.evaluate(async () => {
    const spacer = document.createElement("div");
    spacer.style.blockSize = "500vh";
    document.querySelector("main")?.append(spacer);
    scrollTo(0, document.documentElement.scrollHeight);
    // The observer tells at the latest with the second frame.
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
  });
  expect(await looksIn(30)).toBe(0);
  await visit.page.evaluate(() => {
    tools.session.context.destroy(3);
    scrollTo(0, 0);
  });
  await boxes("IOAS 1", "HWPT 2");
});

test("taken out and put in again it goes on", async () => {
  await open();
  await chain();
  await visit.page.evaluate(() => {
    const element = document.querySelector("iommufd-graph");
    const parent = element?.parentElement;
    element?.remove();
    tools.session.context.destroy(3);
    if (element) parent?.append(element);
  });
  await boxes("IOAS 1", "HWPT 2");
  expect(visit.problems).toEqual([]);
});

test("where a policy forbids workers, the layout is the plain one", async () => {
  await open({}, "strict");
  await chain();
  const policy = /worker-src|Content Security Policy/;
  expect(visit.problems.filter((problem) => !policy.test(problem))).toEqual([]);
  expect(visit.problems.length).toBeGreaterThan(0);
});

describe.each([360, 768, 1440])("at %i px", (width) => {
  test.each(["light", "dark"] as const)("%s: nothing sticks out, nothing is small, axe is content", async (scheme) => {
    await open({ width, scheme });
    expect(await visit.axe()).toEqual([]);
    await chain();
    await visit.page.evaluate(() => document.querySelector("iommufd-graph")?.select(2));
    await graph().getByRole("region", { name: "HWPT 2" }).waitFor();
    expect(await visit.axe()).toEqual([]);
    expect(await visit.overflow()).toEqual([]);
    expect(await visit.smallText()).toEqual([]);
    expect(visit.problems).toEqual([]);
  });
});

test("500 objects are drawn, each with a place of its own", async () => {
  await open();
  await visit.page.evaluate(
    ([device = 0, hwpt = 0, ioas = 0]) => {
      const roots = Array.from({ length: 50 }, () => tools.alloc(ioas));
      const middle = Array.from({ length: 150 }, (_, n) => tools.alloc(hwpt, roots[(n * 7) % 50]));
      for (let n = 0; n < 300; n++) tools.alloc(device, middle[(n * 11) % 150], middle[(n * 17) % 150]);
    },
    [DEVICE, HWPT, IOAS],
  );
  await graph().getByText("500 objects, 750 references").waitFor();
  await expect.poll(() => graph().locator(".picture [role=option]").count(), { timeout: 30_000 }).toBe(500);
  const places = await graph()
    .locator(".picture [role=option]")
    .evaluateAll((all) => all.map((box) => box.getAttribute("transform")));
  expect(new Set(places).size).toBe(500);
  expect(await visit.overflow()).toEqual([]);
  // The lowest box is out of sight until it is selected.
  const lowest = await graph()
    .locator(".picture [role=option]")
    .evaluateAll((all) =>
      all
        .map((box) => ({ id: Number(box.getAttribute("data-key")), y: box.getBoundingClientRect().y }))
        .reduce((a, b) => (b.y > a.y ? b : a)),
    );
  await visit.page.evaluate((id) => document.querySelector("iommufd-graph")?.select(id), lowest.id);
  const inSight = (): Promise<boolean> =>
    graph()
      .locator(`.picture [data-key='${lowest.id}']`)
      .evaluate((box) => {
        const scroll = box.closest(".scroll")?.getBoundingClientRect();
        const { top, bottom } = box.getBoundingClientRect();
        return scroll !== undefined && top >= scroll.top && bottom <= scroll.bottom;
      });
  await expect.poll(inSight, { timeout: 20_000 }).toBe(true);
  expect(await visit.axe()).toEqual([]);
  expect(visit.problems).toEqual([]);
});

test("100,000 objects are added up by type, and one of them can be looked at", async () => {
  await open();
  await visit.page.evaluate(
    ([hwpt = 0, ioas = 0]) => {
      const first = tools.alloc(ioas);
      for (let n = 1; n < 100_000; n++) tools.alloc(hwpt, first);
    },
    [HWPT, IOAS],
  );
  await boxes("HWPT: 99,999 objects, 99,999 live; references: 99999 to type 3", "IOAS: 1 object, 1 live");
  expect(await graph().locator(".labels text").allTextContents()).toEqual(["99,999"]);
  await visit.page.evaluate(() => document.querySelector("iommufd-graph")?.select(77_777));
  await graph().getByRole("region", { name: "HWPT 77777" }).waitFor();
  await graph().getByRole("button", { name: "Table" }).click();
  expect(await graph().locator("tbody tr").first().innerText()).toContain("99,999");
  expect(await visit.axe()).toEqual([]);
  await visit.page.evaluate(() => void tools.session.reopen());
  await graph().getByText("No objects yet").waitFor();
  expect(visit.problems).toEqual([]);
});
