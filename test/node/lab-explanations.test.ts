// SPDX-License-Identifier: GPL-2.0-only
//
// What the console says of an answer, for calls that a kernel really answered so.

import { beforeEach, describe, expect, test } from "vitest";
import { type Fields, Iommufd, type IoctlCommand } from "../../bindings/index.ts";
import { defineLab } from "../../bindings/replay/index.ts";
import { ConsoleMemory } from "../../bindings/lab/console/console-memory.ts";
import { type Draft, draftOf, reshape, shapeOf, type Shape } from "../../bindings/lab/console/draft.ts";
import { draftWith } from "../../bindings/lab/console/edit-draft.ts";
import { explain } from "../../bindings/lab/console/explanations.ts";
import { bytesOfText, requestOfText, textOfValue, valueOfText } from "../../bindings/lab/console/field-text.ts";
import { runDraft } from "../../bindings/lab/console/run-draft.ts";
import { LabSession } from "../../bindings/lab/session.ts";

let session: LabSession;

beforeEach(async () => {
  session = await LabSession.create();
  return () => session.close();
});

function command(name: string, of = session): IoctlCommand<Fields> {
  const found = of.commands.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

/** Runs a call as the console does; the result and what is said of it. */
async function ask(
  name: string,
  fields: Record<string, number | bigint> = {},
  change: Partial<Draft> & { shape?: Shape } = {},
  of = session,
): Promise<[number, string]> {
  const correct = draftOf(command(name, of), fields);
  const { shape = "exact", ...others } = change;
  const draft: Draft = { ...correct, bytes: reshape(correct.bytes, command(name, of), shape), ...others };
  const { result, after } = await runDraft(of, draft, new AbortController().signal);
  const known = of.commands.find(({ request }) => request === draft.request);
  const objects = of.context.objects();
  return [result, explain({ draft, command: known, result, after, abi: of.iommufd.abi, objects })];
}

describe("success", () => {
  test("is said in the words of the command", async () => {
    expect(await ask("LAB_ALLOC", { type: 3 })).toEqual([0, expect.stringContaining("Object 1 is published")]);
    expect(await ask("LAB_ALLOC", { type: 3, flags: 1 })).toEqual([
      0,
      expect.stringContaining("ID 2 was reserved and"),
    ]);
    expect(await ask("LAB_GET", { id: 1 })).toEqual([0, expect.stringContaining("Object 1 was found")]);
    expect(await ask("LAB_KEEP", { id: 1 })).toEqual([0, expect.stringContaining("one more user")]);
    expect(await ask("LAB_STATE", { id: 1 })).toEqual([0, expect.stringContaining("has 2 users")]);
    expect(await ask("LAB_DROP", { id: 1 })).toEqual([0, expect.stringContaining("was given back")]);
    expect(await ask("LAB_HOLD", { id: 1 })).toEqual([0, expect.stringContaining("held for 0 ms")]);
    expect(await ask("IOMMU_DESTROY", { id: 1 })).toEqual([0, expect.stringContaining("Object 1 is gone")]);
    expect(await ask("LAB_LOG")).toEqual([0, expect.stringContaining("1 object went")]);
  });

  test("of an odd struct says why it did no harm", async () => {
    expect((await ask("LAB_ECHO", {}, { shape: "zeros" }))[1]).toContain("newer program runs on an older kernel");
    const older = { bytes: Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0) };
    expect(await ask("LAB_ECHO", {}, older)).toEqual([
      0,
      expect.stringContaining("older program runs on a newer kernel"),
    ]);
    const modest = { bytes: new Uint8Array(56).fill(8, 0, 1) };
    expect((await ask("LAB_ECHO", {}, modest))[1]).toContain("only at the 8 bytes that the struct claims");
  });
});

describe("an errno", () => {
  test("of a value names the value", async () => {
    expect(await ask("LAB_ALLOC", { type: 9 })).toEqual([-95, expect.stringContaining("There is no type 9")]);
    expect(await ask("LAB_ALLOC", { type: 3, flags: 4 })).toEqual([-95, expect.stringContaining("flags has bits")]);
    expect(await ask("LAB_ALLOC", { type: 3, hold_id1: 7 })).toEqual([
      -2,
      expect.stringContaining("hold object 7, which"),
    ]);
    await ask("LAB_ALLOC", { type: 3 });
    expect(await ask("LAB_DROP", { id: 1 })).toEqual([-22, expect.stringContaining("Nobody keeps object 1")]);
    expect(await ask("LAB_HOLD", { id: 1, msecs: 10_001 })).toEqual([
      -22,
      expect.stringContaining("10,000 milliseconds"),
    ]);
  });

  test("ENOENT tells a missing object from one of another type, and from one that is only reserved", async () => {
    expect(await ask("LAB_GET", { id: 1 })).toEqual([-2, expect.stringContaining("There is no object 1.")]);
    await ask("LAB_ALLOC", { type: 3 });
    expect((await ask("LAB_GET", { id: 1, type: 2 }))[1]).toContain("is of type IOAS, and the call asked for HWPT");
    expect((await ask("LAB_GET", { id: 1, type: 99 }))[1]).toContain("asked for type 99");
    const type = session.context.inspect(1)!.type;
    const reserved = session.context.alloc(type);
    expect((await ask("IOMMU_DESTROY", { id: reserved.id }))[1]).toContain("ID 2 is reserved");
    reserved.abort();
    const locked = session.context.get(1);
    const destroyed = session.context.destroyAsync(1);
    expect((await ask("LAB_GET", { id: 1 }))[1]).toContain("Somebody is destroying object 1");
    locked.put();
    await destroyed;
  });

  test("EBUSY names those who use the object", async () => {
    await ask("LAB_ALLOC", { type: 3 });
    await ask("LAB_ALLOC", { type: 2, hold_id0: 1, hold_id1: 1 });
    await ask("LAB_ALLOC", { type: 1, hold_id0: 1 });
    expect(await ask("IOMMU_DESTROY", { id: 1 })).toEqual([
      -16,
      "Object 1 is still in use. It has 4 users, and one of them is the table of IDs. HWPT 2, DEVICE 3 hold it: destroy that first.",
    ]);
    await ask("LAB_KEEP", { id: 3 });
    await ask("LAB_KEEP", { id: 3 });
    expect((await ask("IOMMU_DESTROY", { id: 3 }))[1]).toContain(
      "Somebody keeps 2 references on it: LAB_DROP gives one",
    );
  });

  test("EFAULT says which memory", async () => {
    expect((await ask("LAB_STATE", { id: 1 }, { pointer: "null" }))[1]).toContain("The pointer is null");
    await ask("LAB_ALLOC", { type: 3 });
    expect((await ask("LAB_STATE", { id: 1 }, { pointer: "readonly" }))[1]).toContain("could not be written back");
    expect((await ask("LAB_STATE", { id: 1 }, { bytes: new Uint8Array(3) }))[1]).toContain(
      "Not even that word is there",
    );
    await ask("IOMMU_DESTROY", { id: 1 });
    expect((await ask("LAB_LOG", { capacity: 1, uptr: 16n }))[1]).toContain("uptr (0x10) does not point at writable");
    const uptr = ConsoleMemory.of(session.iommufd).scratch.va;
    expect((await ask("LAB_LOG", { capacity: 1, uptr }, { pointer: "readonly" }))[1]).toContain("The log was emptied");
  });

  test("ENOTTY tells an unknown number from what is no request of iommufd", async () => {
    expect((await ask("LAB_GET", {}, { request: 0x3b99 }))[1]).toContain("has no command of that number");
    expect((await ask("LAB_GET", {}, { request: 0x4008_3ba1 }))[1]).toContain("without a direction and a size");
  });

  test("of a short struct says what the other profile answers", async () => {
    expect(await ask("LAB_GET", {}, { shape: "short" })).toEqual([
      -95,
      expect.stringContaining("Later kernels answer EINVAL"),
    ]);
    const iommufd = await Iommufd.create({ abi: "mainline", memoryBytes: 16 * 2 ** 20 });
    const mainline = LabSession.of(iommufd, iommufd.open(), defineLab(iommufd).commands);
    const answer = await ask("LAB_GET", {}, { shape: "short" }, mainline);
    expect(answer).toEqual([-22, expect.stringContaining("The first version answered EOPNOTSUPP")]);
    mainline.close();
  });
});

describe("a draft", () => {
  test("has the shape that it was given, for every command", () => {
    const shapes: Shape[] = ["exact", "short", "zeros", "garbage", "lying"];
    for (const each of session.commands) {
      const { bytes } = draftOf(each);
      for (const first of shapes) {
        for (const shape of shapes) {
          const shaped = reshape(reshape(bytes, each, first), each, shape);
          expect(shapeOf(shaped, each)).toBe(shape);
        }
      }
    }
  });

  test("keeps the values of its fields when it gets another shape", () => {
    const get = command("LAB_GET");
    const { bytes } = draftOf(get, { id: 7, type: 3 });
    const round = reshape(reshape(bytes, get, "garbage"), get, "exact");
    expect(round).toEqual(bytes);
  });

  test("changes by what is typed, or says what is wrong with it", () => {
    const get = command("LAB_GET");
    const draft = draftOf(get);
    const typed = (name: Parameters<typeof draftWith>[2], text: string): Draft | string =>
      draftWith(draft, get, name, text);
    expect(typed({ input: "field", field: "id" }, "0x10")).toMatchObject({ bytes: draftOf(get, { id: 16 }).bytes });
    expect(typed({ input: "field", field: "id" }, "-1")).toBe("It does not fit u32.");
    expect(typed({ input: "field", field: "id" }, "1.5")).toBe("A number, decimal or with 0x.");
    expect(typed({ input: "field", field: "size" }, "99")).toMatchObject({
      bytes: Uint8Array.of(99, ...new Array<number>(11).fill(0)),
    });
    expect(typed({ input: "hex" }, "0c 0")).toBe("Pairs of the digits 0–9 and a–f.");
    expect(typed({ input: "hex" }, "00".repeat(4097))).toBe("At most 4096 bytes.");
    expect(typed({ input: "request" }, "0x100000000")).toBe("A number of 32 bits, e.g. 0x3b80.");
  });
});

test("values read as they are written", () => {
  for (const [value, type] of [
    [0, "u32"],
    [0xffff_ffff, "u32"],
    [-5, "s32"],
    [2n ** 64n - 1n, "u64"],
    [7n, "u64"],
    [Uint8Array.of(1, 0xab), "u8[2]"],
  ] as const) {
    expect(valueOfText(textOfValue(value), type)).toEqual(value);
  }
  for (const text of ["", " ", "0x", "1e3", "--1", "0b1", "١"]) expect(valueOfText(text, "u32")).toBe(undefined);
  expect(valueOfText("010203", "u8[2]")).toBe(undefined);
  expect(bytesOfText(" 0A\n0b ")).toEqual(Uint8Array.of(10, 11));
  expect([requestOfText("-1"), requestOfText("15232")]).toEqual([undefined, 0x3b80]);
});

describe("a call on an address space", () => {
  let memory: LabSession;
  beforeEach(async () => {
    memory = await LabSession.create("mainline");
    return () => memory.close();
  });
  const askMemory = (name: string, fields: Record<string, number | bigint> = {}): Promise<[number, string]> =>
    ask(`IOMMU_IOAS_${name}`, fields, {}, memory);
  const page = { flags: 6, ioas_id: 1, length: 4096, user_va: 4096 };

  test("that worked says where the memory is seen", async () => {
    expect(await askMemory("ALLOC")).toEqual([0, expect.stringContaining("Address space 1 is there")]);
    expect(await askMemory("MAP", page)).toEqual([0, expect.stringContaining("from IOVA 0x1000 on: the lowest")]);
    expect(await askMemory("MAP", { ...page, flags: 7, iova: 0x5000 })).toEqual([
      0,
      "A device sees the memory from IOVA 0x5000 on.",
    ]);
    expect(
      await askMemory("COPY", { flags: 6, dst_ioas_id: 1, src_ioas_id: 1, src_iova: 0x1000, length: 4096 }),
    ).toEqual([0, expect.stringContaining("0x2000 on: the lowest place that suits. It stays")]);
    expect(await askMemory("UNMAP", { ioas_id: 1, length: 0x8000 })).toEqual([0, "0x3000 bytes were unmapped."]);
  });

  test("that failed says why", async () => {
    await askMemory("ALLOC");
    await askMemory("MAP", { ...page, flags: 4, length: 8192 });
    const cases: [string, Record<string, number | bigint>, number, string][] = [
      ["MAP", { ...page, ioas_id: 9 }, -2, "There is no address space 9"],
      ["MAP", { ...page, flags: 7, iova: 0x2000 }, -17, "mapped in that range already"],
      ["MAP", { ...page, flags: 0 }, -22, "flags has no right"],
      ["MAP", { ...page, length: 0 }, -22, "length is 0"],
      ["MAP", { ...page, flags: 14 }, -95, "flags has bits"],
      ["UNMAP", { ioas_id: 1, iova: 0x2000, length: 4096 }, -2, "never a part of it"],
      [
        "COPY",
        { flags: 6, dst_ioas_id: 1, src_ioas_id: 1, src_iova: 0x1000, length: 8192 },
        -1,
        "first mapped without write",
      ],
      ["COPY", { flags: 4, dst_ioas_id: 1, src_ioas_id: 1, src_iova: 0x9000, length: 4096 }, -2, "has a gap"],
    ];
    for (const [name, fields, errno, words] of cases) {
      expect([name, ...(await askMemory(name, fields))]).toEqual([name, errno, expect.stringContaining(words)]);
    }
  });
});
