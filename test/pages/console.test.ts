// SPDX-License-Identifier: GPL-2.0-only
//
// <iommufd-console> in Chromium: alone in a bare page, by keyboard only, with every mistake, and what it saves.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import type * as Lab from "iommufd-wasm/lab";
import type { Page } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { bareHtml, closeBrowser, openPage, serveSite, type Site, type Visit } from "../support/lab-page.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

const PAGE = `<h1>Calls</h1><iommufd-console></iommufd-console>
<script type="module">
import * as lab from "/dist/lab.js";
Object.assign(globalThis, { lab, console_: document.querySelector("iommufd-console") });
</script>`;
declare const lab: typeof Lab;
declare const console_: Lab.IommufdConsole;

let site: Site;
let plainSite: Site;
let visit: Visit;

beforeAll(async () => {
  site = await serveSite({ pages: { "/": bareHtml(PAGE) } });
  plainSite = await serveSite({ pages: { "/": bareHtml(PAGE) }, isolated: false });
});
afterEach(async () => {
  expect(visit.problems).toEqual([]);
  await visit.close();
});
afterAll(async () => {
  await closeBrowser();
  await site.close();
  await plainSite.close();
});

async function open(options: Parameters<typeof openPage>[1] = {}, from = site): Promise<Page> {
  visit = await openPage(from.url, options);
  await visit.page.getByRole("button", { name: "Run", exact: true }).waitFor();
  return visit.page;
}

const result = (page: Page) => page.getByRole("group", { name: "Result" });
const field = (page: Page, name: string) =>
  page.getByRole("textbox", { name: `${name}, ` }).or(page.getByRole("combobox", { name: `${name}, ` }));
const hex = (page: Page) => page.getByLabel("The same as hex");

/** Fills the form and runs it by the element's methods. */
function run(
  page: Page,
  command: string,
  fields: Record<string, number> = {},
  options: Lab.FillOptions = {},
): Promise<number> {
  return page.evaluate(
    ({ command, fields, options }) => {
      console_.fill(command, fields, options);
      return console_.run();
    },
    { command, fields, options },
  );
}

describe("alone in a bare page", () => {
  test.each([
    [360, "light"],
    [768, "dark"],
    [1440, "light"],
  ] as const)("%i px, %s: accessible, nothing sticks out, no small text", async (width, scheme) => {
    const page = await open({ width, scheme });
    await run(page, "LAB_ALLOC", { type: 3 });
    await run(page, "LAB_ECHO", { flags: 1 }, { shape: "garbage" });
    await page.getByLabel("The same as hex").fill("zz");
    await page.getByText("Pairs of the digits").waitFor();
    expect(await visit.axe()).toEqual([]);
    expect(await visit.overflow()).toEqual([]);
    expect(await visit.smallText()).toEqual([]);
    await run(page, "LAB_ECHO", { flags: 1 });
    expect(await visit.axe()).toEqual([]);
    expect(await visit.overflow()).toEqual([]);
  });

  test("by keyboard only: allocate, look at what answers, destroy what is not there", async () => {
    const page = await open();
    await page.keyboard.press("Tab"); // Command: LAB_ALLOC
    await page.keyboard.press("Tab"); // Request
    await page.keyboard.press("Enter");
    await expect.poll(() => result(page).innerText()).toContain("Object 1 is published");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.type("IOMMU_D");
    await expect.poll(() => field(page, "id").count()).toBe(1);
    await page.keyboard.press("Tab"); // Request
    await page.keyboard.press("Tab"); // size
    await page.keyboard.press("Tab"); // id
    await page.keyboard.type("0x2a");
    await page.keyboard.press("Enter");
    await expect.poll(() => result(page).innerText()).toContain("ENOENT No such file or directory");
    expect(await result(page).innerText()).toContain("There is no object 42.");
  });

  test("runs on one thread where the headers are missing", async () => {
    const page = await open({}, plainSite);
    expect(await run(page, "LAB_ALLOC", { type: 3 })).toBe(0);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  });
});

describe("the struct", () => {
  test("as fields and as hex stays in step, whichever is edited", async () => {
    const page = await open();
    await page.getByLabel("Command").selectOption("LAB_GET");
    expect(await hex(page).inputValue()).toBe("0c 00 00 00 00 00 00 00\n00 00 00 00");
    await field(page, "id").fill("258");
    expect(await hex(page).inputValue()).toBe("0c 00 00 00 02 01 00 00\n00 00 00 00");
    await hex(page).fill("0c000000 07 00 00 00 03000000");
    expect(await field(page, "id").inputValue()).toBe("7");
    expect(await field(page, "type").inputValue()).toBe("3");
    await field(page, "id").fill("4294967296");
    await page.getByText("It does not fit u32.").waitFor();
    expect(await hex(page).inputValue()).toContain("07 00 00 00");
    await hex(page).focus();
    expect(await field(page, "id").inputValue()).toBe("4294967296"); // left, it still says what is wrong
    await hex(page).fill("0c 00 00 00 07 00 00 00 03 00 00 00");
    expect(await field(page, "id").inputValue()).toBe("7");
    await hex(page).fill("0c 00 00 00 07 00");
    await expect.poll(() => page.getByText("not passed").count()).toBe(2);
  });

  test("suggests IDs of objects that exist", async () => {
    const page = await open();
    await run(page, "LAB_ALLOC", { type: 3 });
    await run(page, "LAB_ALLOC", { type: 2, hold_id0: 1 });
    await page.getByLabel("Command").selectOption("IOMMU_DESTROY");
    await field(page, "id").focus();
    await expect
      .poll(() => page.locator("datalist option").evaluateAll((all) => all.map((option) => option.textContent)))
      .toEqual(["IOAS, 2 users", "HWPT, 1 user"]);
  });

  test("of another request is only bytes", async () => {
    const page = await open();
    await page.getByLabel("Command").selectOption("Another request");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await expect.poll(() => result(page).innerText()).toContain("ENOTTY");
    await page.getByLabel("Request", { exact: true }).fill("0x3ba6");
    expect(await page.getByLabel("Command").locator("option:checked").textContent()).toContain("LAB_STATE");
  });

  test("is that of the command that was chosen, also where two have one name", async () => {
    const page = await open();
    await page.evaluate(async () => {
      const session = await lab.LabSession.shared();
      for (const [nr, field] of [
        [0xb0, "first"],
        [0xb1, "second"],
      ] as const) {
        const definition = { name: "TWIN", nr, fields: { [field]: "u32" }, execute: () => 0 } as const;
        session.addCommand(session.iommufd.defineIoctl(definition));
      }
    });
    const command = page.getByLabel("Command");
    await command.selectOption("0x3bb1");
    await field(page, "second").waitFor();
    expect(await page.getByLabel("Request", { exact: true }).inputValue()).toBe("0x3bb1");
    await command.selectOption("0x3bb0");
    await field(page, "first").waitFor();
    expect(await command.inputValue()).toBe("0x3bb0");
    expect(await command.locator("option:checked").count()).toBe(1);
  });
});

describe("mistakes on purpose", () => {
  test.each([
    ["LAB_ALLOC", ["Too short"], "EOPNOTSUPP", "says that it has 20 bytes. LAB_ALLOC needs at least 24"],
    ["LAB_ALLOC", ["Zero tail"], "0 success", "The tail of zeros did no harm"],
    ["LAB_ALLOC", ["Garbage tail"], "E2BIG", "behind byte 28 is not all zero"],
    ["LAB_ALLOC", ["Lying size"], "EFAULT", "claims 36 bytes, but only 28 are there"],
    ["LAB_ALLOC", ["Read-only"], "EFAULT", "The new object was taken back"],
    ["LAB_ALLOC", ["Unmapped"], "EFAULT", "Nothing is mapped at that address"],
    ["LAB_ALLOC", ["Null"], "EFAULT", "The pointer is null"],
    ["LAB_ALLOC", ["Closed"], "EBADF", "The file number is not open"],
    ["LAB_ALLOC", ["Garbage tail", "Closed"], "EBADF", "The file number is not open"],
    ["LAB_ECHO", ["Too short"], "EOPNOTSUPP", "needs at least 8"],
    ["LAB_STATE", ["Garbage tail", "Null"], "EFAULT", "The pointer is null"],
    ["IOMMU_DESTROY", ["Too short"], "EOPNOTSUPP", "Later kernels answer EINVAL here"],
  ])("%s, %j: %s", async (command, mistakes, answer, why) => {
    const page = await open();
    await page.getByLabel("Command").selectOption(command);
    for (const name of mistakes) {
      const button = page.getByRole("button", { name, exact: true });
      await button.click();
      expect(await button.getAttribute("aria-pressed")).toBe("true");
    }
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await expect.poll(() => result(page).innerText()).toContain(answer);
    expect(await result(page).innerText()).toContain(why);
  });
});

describe("the answer", () => {
  test("marks the bytes that the kernel changed", async () => {
    const page = await open();
    await run(page, "LAB_ALLOC", { type: 3 });
    expect(await result(page).innerText()).toContain("out_id 0 → 1");
    expect(await result(page).locator("mark").allInnerTexts()).toEqual(["00", "01"]);
    await run(page, "LAB_GET", { id: 1 });
    expect(await result(page).innerText()).toContain("The kernel wrote nothing back.");
  });

  test("says who keeps a busy object", async () => {
    const page = await open();
    await run(page, "LAB_ALLOC", { type: 3 });
    await run(page, "LAB_ALLOC", { type: 2, hold_id0: 1 });
    await run(page, "LAB_KEEP", { id: 1 });
    expect(await run(page, "IOMMU_DESTROY", { id: 1 })).toBe(-16);
    const text = await result(page).innerText();
    expect(text).toContain("It has 3 users");
    expect(text).toContain("HWPT 2 holds it: destroy that first; somebody keeps a reference on it");
    expect(await run(page, "LAB_GET", { id: 1, type: 1 })).toBe(-2);
    expect(await result(page).innerText()).toContain("it is of type IOAS, and the call asked for DEVICE");
  });

  test("comes as an event with the call and the explanation", async () => {
    const page = await open();
    const detail = await page.evaluate(async () => {
      const told = new Promise<Lab.RunDetail>((resolve) =>
        document.addEventListener("iommufd-run", (event) => resolve((event as CustomEvent<Lab.RunDetail>).detail)),
      );
      console_.fill("LAB_STATE", { id: 9 });
      await console_.run();
      const { call, explanation } = await told;
      return [call.thread, call.command?.name, call.result, explanation];
    });
    expect(detail).toEqual(["page", "LAB_STATE", -2, expect.stringContaining("There is no object 9.")]);
  });

  test("is not made while a field has what cannot be a value, which stays until it is mended", async () => {
    const page = await open();
    await page.evaluate(() => console_.fill("LAB_ALLOC", { type: 3 }));
    await field(page, "type").fill("2x");
    await page.keyboard.press("Tab");
    expect(await field(page, "type").inputValue()).toBe("2x");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    expect(await page.evaluate(() => console_.shadowRoot?.activeElement?.getAttribute("aria-invalid"))).toBe("true");
    expect(await page.evaluate(async () => (await lab.LabSession.shared()).context.objects().length)).toBe(0);
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type("2");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await expect.poll(() => result(page).innerText()).toContain("Object 1");
  });

  test("is waited for when somebody uses the object, and can be given up", async () => {
    const page = await open();
    await run(page, "LAB_ALLOC", { type: 3 });
    await page.evaluate(async () => {
      const { context } = await lab.LabSession.shared();
      Object.assign(globalThis, { locked: context.get(1) });
      console_.fill("IOMMU_DESTROY", { id: 1 });
    });
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByRole("button", { name: "Stop waiting" }).click();
    await page.getByText("You stopped waiting.").waitFor();
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByRole("button", { name: "Stop waiting" }).waitFor();
    await expect.poll(() => result(page).innerText()).toContain("There is no answer yet.");
    await page.evaluate(() => (globalThis as unknown as { locked: { put(): void } }).locked.put());
    await expect.poll(() => result(page).innerText()).toContain("Object 1 is gone");
    // The button that was pressed is still there, and still has the focus.
    expect(await page.evaluate(() => console_.shadowRoot?.activeElement?.textContent?.trim())).toBe("Run");
  });
});

describe("the history", () => {
  test("runs calls again, puts them into the form, and is bounded", async () => {
    const page = await open();
    await run(page, "LAB_ALLOC", { type: 1 });
    await run(page, "LAB_STATE", { id: 1 });
    await page.getByRole("button", { name: /^Run again: ioctl\(3, LAB_ALLOC/ }).click();
    await expect.poll(() => result(page).innerText()).toContain("Object 2 is published");
    await page.getByRole("button", { name: /^Edit: ioctl\(3, LAB_STATE/ }).click();
    expect(await field(page, "id").inputValue()).toBe("1");
    for (let n = 0; n < 55; n++) await run(page, "LAB_GET", { id: 1 });
    expect(await page.getByRole("list", { name: "Finished calls" }).getByRole("listitem").count()).toBe(50);
  });

  test("stays when the element is moved in its page", async () => {
    const page = await open();
    await run(page, "LAB_ALLOC", { type: 1 });
    await page.evaluate(() => document.body.append(console_));
    expect(await run(page, "LAB_STATE", { id: 1 })).toBe(0);
    expect(await page.getByRole("list", { name: "Finished calls" }).getByRole("listitem").count()).toBe(2);
    const replayed = await page.evaluate(async () => (await console_.exportHistory()).replayed);
    expect(replayed.differed).toBe(0);
  });

  test("is saved as a trace that the command replays without a difference", async () => {
    const page = await open();
    await page.evaluate(async () => {
      const { context, commands } = await lab.LabSession.shared();
      context.call(commands[1]!, { type: 3 }); // not by the console, and yet what follows depends on it
    });
    await run(page, "LAB_ALLOC", { type: 2, hold_id0: 1 });
    for (const shape of ["short", "zeros", "garbage", "lying"] as const) await run(page, "LAB_ECHO", {}, { shape });
    for (const pointer of ["readonly", "unmapped", "null"] as const)
      await run(page, "LAB_STATE", { id: 1 }, { pointer });
    await run(page, "IOMMU_DESTROY", { id: 1 });
    await run(page, "LAB_GET", { id: 1 }, { file: "closed" });
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save as a trace" }).click(),
    ]);
    await page.getByText("Saved 11 calls as iommufd-console.jsonl. Replayed here: 13 matched, 0 differed.").waitFor();
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, "replay", await download.path()]);
    expect(stdout).toContain("13 of 13 answers match");
  });
});
