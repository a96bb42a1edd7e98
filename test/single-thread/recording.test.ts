// SPDX-License-Identifier: GPL-2.0-only
//
// The reader of recordings: what it makes of good lines, and that no bad file gets past it or breaks it.

import { expect, test } from "vitest";
import { readRecording, RecordingError, type RecordingRecord, type RecordingSource } from "iommufd-wasm/replay";
import { address, ARG, ARG_BYTES, AUX, call, failure, META, recording } from "../support/recording.ts";

const FILE = "some.jsonl";

async function read(source: RecordingSource, file = FILE): Promise<RecordingRecord[]> {
  const records: RecordingRecord[] = [];
  for await (const record of readRecording(source, { file })) records.push(record);
  return records;
}

async function readError(source: RecordingSource, file = FILE): Promise<RecordingError> {
  const error = await read(source, file).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RecordingError);
  return error as RecordingError;
}

async function gzip(text: string): Promise<Uint8Array> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

const GOOD = recording([call.open(0), call.ioctl(0, 0x80, [8, 1], failure("ENOENT")), call.close(0)]);

test("the first record is the meta line with its regions in pieces", async () => {
  const [meta] = await read(GOOD);
  expect(meta).toMatchObject({ op: "meta", line: 1, mode: "core", abi: "rfc", lab: true });
  expect(meta?.op === "meta" && meta.regions.find(({ name }) => name === "SPL")).toEqual({
    name: "SPL",
    address: 0x106_0000_0000n,
    length: 8192,
    parts: [
      { length: 4096, prot: "rw" },
      { length: 4096, prot: "r" },
    ],
  });
  expect(meta?.op === "meta" && meta.regions.find(({ name }) => name === "HOLE")).toMatchObject({ parts: [] });
});

test("the profile and the lab follow from the recorded kernel", async () => {
  const one = [call.open(0)];
  const pure = await read(recording(one, { ...META, mode: "pure" }));
  expect(pure[0]).toMatchObject({ abi: "rfc", lab: false });
  const mainline = await read(recording(one, { ...META, release: "6.12.117" }));
  expect(mainline[0]).toMatchObject({ abi: "mainline", lab: false });
});

test("an ioctl comes with its argument padded, poked, and unchanged unless recorded", async () => {
  const addr = address(ARG);
  const records = await read(
    recording([
      call.ioctl(0, 0x80, [], { addr, len: 6, in: "08", poke: [5, 0x80], ...failure("E2BIG") }),
      call.ioctl(0, 0x80, [], { addr, len: 4, in: "0102", out: "01" }),
    ]),
  );
  const [, poked, changed] = records;
  expect(poked).toMatchObject({ line: 2, scenario: "test", n: 0, request: 0x3b80, address: ARG, result: -7 });
  expect(poked?.op === "ioctl" && poked.argument?.before).toEqual(Uint8Array.of(8, 0, 0, 0, 0, 0x80));
  expect(poked?.op === "ioctl" && poked.argument?.after).toBe(poked?.op === "ioctl" && poked.argument?.before);
  expect(changed?.op === "ioctl" && changed.argument?.before).toEqual(Uint8Array.of(1, 2, 0, 0));
  expect(changed?.op === "ioctl" && changed.argument?.after).toEqual(Uint8Array.of(1, 0, 0, 0));
});

test("other memory, raw pointers, warnings, dup and named calls are read", async () => {
  const mem = [{ va: address(AUX), len: 3, in: "01", out: "0203" }];
  const raw = { op: "ioctl", fd: -1, cmd: "0xffffffff", how: "raw", addr: "0xffffffffffffffff", ...failure("EBADF") };
  const records = await read(
    recording([
      call.ioctl(0, 0xa5, [24], { mem }),
      raw,
      call.close(0, { warn: ["release:users"] }),
      call.dup(0, 1),
      { op: "poll_revents", ret: 5, errno: "" },
      { op: "drop_privileges_to_uid_1000" },
      { op: "implicit_close" },
    ]),
  );
  expect(records[1]).toMatchObject({
    memory: [{ address: AUX, before: Uint8Array.of(1, 0, 0), after: Uint8Array.of(2, 3, 0) }],
  });
  expect(records[2]).toMatchObject({
    fd: -1,
    request: 0xffff_ffff,
    address: 0xffff_ffff_ffff_ffffn,
    argument: undefined,
  });
  expect(records[3]).toMatchObject({ op: "close", warnings: ["release:users"] });
  expect(records[4]).toMatchObject({ op: "dup", fd: 0, newFd: 1 });
  expect(records[5]).toMatchObject({ op: "named", name: "poll_revents", result: 5 });
  expect(records[6]).toMatchObject({ op: "named", name: "drop_privileges_to_uid_1000", result: undefined });
  expect(records[7]).toMatchObject({ op: "implicit_close", warnings: [] });
});

const [META_LINE = "", OPEN_LINE = ""] = GOOD.split("\n");
const ioctl = (more: object): string => recording([call.ioctl(0, 0x80, [8, 1], more)]);
const meta = (more: object): string => recording([call.open(0)], { ...META, ...more });

test.each<[what: string, text: string, line: number, reason: RegExp]>([
  ["an empty file", "", 1, /empty/],
  ["a meta line and nothing else", `${META_LINE}\n`, 1, /no call/],
  ["a file without a meta line", `${OPEN_LINE}\n`, 1, /meta/],
  ["two meta lines", `${META_LINE}\n${META_LINE}\n`, 2, /second "meta"/],
  ["text that is not JSON", `${META_LINE}\n{"op":\n`, 2, /not JSON/],
  ["a last line cut short", GOOD.slice(0, -10), 4, /not JSON.*cut here/],
  ["an empty line", `${META_LINE}\n\n${OPEN_LINE}\n`, 2, /empty/],
  ["a line that is no object", `${META_LINE}\n[1]\n`, 2, /not an object/],
  ["a line that is null", `${META_LINE}\nnull\n`, 2, /not an object/],
  ["nesting deeper than a parser's stack", `${META_LINE}\n${"[".repeat(200_000)}\n`, 2, /not JSON/],
  ["a line without op", `${META_LINE}\n{"s":"x","n":0}\n`, 2, /"op" is missing/],
  ["an unknown kind of line", recording([{ op: "teleport" }]), 2, /unknown kind of line "teleport"/],
  ["a call without a scenario", `${META_LINE}\n{"op":"close","n":0,"fd":0,"ret":0,"errno":""}\n`, 2, /"s" is missing/],
  ["lines out of order", recording([call.open(0, { n: 5 }), call.open(1, { n: 5 })]), 3, /out of order/],
  ["a negative position", recording([call.open(0, { n: -2 })]), 2, /"n" is out of range/],
  ["a call without its answer", recording([{ op: "close", fd: 0 }]), 2, /"ret" is missing/],
  ["a fraction as answer", recording([call.close(0, { ret: 0.5 })]), 2, /"ret" must be an integer/],
  ["an answer below -1", recording([call.close(0, { ret: -2, errno: "EBADF" })]), 2, /"ret" is out of range/],
  ["a failure without errno", recording([call.close(0, { ret: -1 })]), 2, /contradict/],
  ["a success with errno", recording([call.close(0, { errno: "EBADF" })]), 2, /contradict/],
  ["an errno that Linux has not", recording([call.close(0, failure("EWHAT"))]), 2, /unknown errno "EWHAT"/],
  ["an errno that every object has", recording([call.close(0, failure("toString"))]), 2, /unknown errno/],
  ["a warning that is no text", recording([call.close(0, { warn: [1] })]), 2, /list of strings/],
  ["an open without path", recording([{ op: "open", fd: 0, flags: 0, ret: 0, errno: "" }]), 2, /"path" is missing/],
  ["a dup without its label", recording([{ op: "dup", fd: 0, ret: 0, errno: "" }]), 2, /"newfd" is missing/],
  ["a request that is no number", ioctl({ cmd: "IOMMU_DESTROY" }), 2, /"cmd" must be a 32-bit number/],
  ["a request of more than 32 bits", ioctl({ cmd: "0x100003b80" }), 2, /"cmd" must be a 32-bit number/],
  ["an address of more than 64 bits", ioctl({ addr: "0x10000000000000000" }), 2, /not a 64-bit address/],
  ["an argument of unknown kind", ioctl({ how: "magic" }), 2, /unknown kind of argument "magic"/],
  ["an argument outside of the regions", ioctl({ addr: "0x5000" }), 2, /not inside a region/],
  ["an argument over a region's end", ioctl({ addr: address(ARG + BigInt(ARG_BYTES - 4)) }), 2, /not inside a region/],
  ["an argument where nothing is mapped", ioctl({ addr: "0x10300000000", len: 0, in: "" }), 2, /not inside a region/],
  ["an argument at the end of all addresses", ioctl({ addr: "0xffffffffffffffff" }), 2, /not inside a region/],
  ["a negative length", ioctl({ len: -1 }), 2, /"len" is out of range/],
  ["a length beyond all memory", ioctl({ len: 2 ** 53 - 1 }), 2, /not inside a region/],
  ["hex of odd length", ioctl({ in: "080" }), 2, /"in" is not hex/],
  ["hex that is none", ioctl({ in: "zz" }), 2, /"in" is not hex/],
  ["more bytes than announced", ioctl({ len: 4, in: "0102030405" }), 2, /holds 5 bytes, more than the 4/],
  ["a reply that is no text", ioctl({ out: 7 }), 2, /"out" must be a string/],
  ["a poke outside of the argument", ioctl({ poke: [8, 1] }), 2, /"poke"/],
  ["a poke of more than a byte", ioctl({ poke: [0, 256] }), 2, /"poke"/],
  ["a poke of half a pair", ioctl({ poke: [0] }), 2, /"poke"/],
  ["a split without its cut", ioctl({ how: "split" }), 2, /"cut" is missing/],
  ["a negative cut", ioctl({ how: "split", cut: -1 }), 2, /"cut" is out of range/],
  ["other memory that is no list", ioctl({ mem: {} }), 2, /"mem" must be a list/],
  ["other memory without address", ioctl({ mem: [{ len: 1, in: "" }] }), 2, /"va" is missing/],
  ["other memory outside of the regions", ioctl({ mem: [{ va: "0x0", len: 1, in: "" }] }), 2, /not inside a region/],
  ["too much other memory", ioctl({ mem: Array(17).fill({ va: address(AUX), len: 1, in: "" }) }), 2, /"mem" has 17/],
  ["a recording of races", meta({ mode: "races" }), 1, /races/],
  ["an unknown mode", meta({ mode: "dream" }), 1, /unknown mode "dream"/],
  ["another page size", meta({ page_size: 65_536 }), 1, /"page_size" must be 4096/],
  ["regions that are no object", meta({ regions: [] }), 1, /"regions" is not an object/],
  ["a region of two values", meta({ regions: { A: ["0x0", 1] } }), 1, /region "A" must be/],
  ["a region of no length", meta({ regions: { A: ["0x0", "1", "rw"] } }), 1, /region "A": the length/],
  ["a region of half a page", meta({ regions: { A: ["0x0", 2048, "rw"] } }), 1, /not whole pages/],
  ["a region between pages", meta({ regions: { A: ["0x800", 4096, "rw"] } }), 1, /does not start at a page/],
  ["an unknown protection", meta({ regions: { A: ["0x0", 4096, "rwx"] } }), 1, /unknown protection "rwx"/],
  ["regions larger than any memory", meta({ regions: { A: ["0x0", 2 ** 40, "rw"] } }), 1, /1099511627776 bytes in all/],
  ["parts that do not add up", meta({ regions: { A: ["0x0", 8192, "4096 rw"] } }), 1, /parts are 4096 bytes/],
])("refuses %s with its line", async (_what, text, line, reason) => {
  const error = await readError(text);
  expect(error.reason).toMatch(reason);
  expect(error.line).toBe(line);
  expect(error.message).toBe(`${FILE}:${line}: ${error.reason}`);
});

test("the lines before a bad one are delivered", async () => {
  const ops: string[] = [];
  const reading = async (): Promise<void> => {
    for await (const record of readRecording(`${META_LINE}\n${OPEN_LINE}\n{`)) ops.push(record.op);
  };
  await expect(reading()).rejects.toThrow(/^recording:3: /);
  expect(ops).toEqual(["meta", "open"]);
});

test("a last line without newline and lines that end in CR LF are complete", async () => {
  expect(await read(GOOD.trimEnd())).toHaveLength(4);
  expect(await read(GOOD.replaceAll("\n", "\r\n"))).toHaveLength(4);
});

test("chunk borders do not matter, wherever they fall", async () => {
  const text = recording([call.open(0, { s: "größe" }), call.close(0)]);
  const bytes = new TextEncoder().encode(text);
  const whole = await read(bytes);
  for (const size of [1, 2, 7, 64]) {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    expect(await read(chunks)).toEqual(whole);
  }
});

test("a stream is read and, when the reader stops early, cancelled", async () => {
  let cancelled = false;
  const stream = (): ReadableStream<Uint8Array> =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode(GOOD)),
      cancel: () => {
        cancelled = true;
      },
    });
  for await (const record of readRecording(stream())) {
    if (record.op === "open") break;
  }
  expect(cancelled).toBe(true);
});

test("an error of the source passes through unchanged", async () => {
  const broken = new Error("disk on fire");
  async function* source(packed: boolean): AsyncGenerator<Uint8Array> {
    yield packed ? (await gzip(GOOD)).subarray(0, 20) : new TextEncoder().encode(GOOD);
    throw broken;
  }
  await expect(read(source(false))).rejects.toBe(broken);
  await expect(read(source(true))).rejects.toBe(broken);
});

test("gzip is recognized by its content", async () => {
  expect(await read(await gzip(GOOD), "no-hint")).toEqual(await read(GOOD));
});

test("a name in .gz with other content is refused", async () => {
  expect(await readError(GOOD, "some.jsonl.gz")).toMatchObject({ line: 1, file: "some.jsonl.gz" });
});

test("compressed data that ends early or is damaged is refused at the line that it reached", async () => {
  const lines = Array.from({ length: 2000 }, (_, fd) => call.open(fd));
  const packed = await gzip(recording(lines));
  for (const length of [2, 9, 10, 11, Math.floor(packed.length / 2), packed.length - 9, packed.length - 1]) {
    const error = await readError(packed.subarray(0, length));
    expect(error.reason, `${length} bytes`).toMatch(/compressed data|cut here|empty|no call/);
  }
  const damaged = packed.slice();
  for (let at = 2000; at < 2100; at++) damaged[at] = ~(damaged[at] ?? 0);
  await readError(damaged);
});

test("text that is not UTF-8 is refused with its line", async () => {
  const bytes = new TextEncoder().encode(GOOD);
  bytes[META_LINE.length + 5] = 0xff;
  expect(await readError(bytes)).toMatchObject({ line: 2, reason: "not UTF-8 text" });
});

test("a line without end is refused before it fills the memory", async () => {
  let produced = 0;
  function* endless(): Generator<Uint8Array> {
    const chunk = new Uint8Array(1 << 20).fill(0x20);
    for (;;) {
      produced += chunk.length;
      yield chunk;
    }
  }
  expect((await readError(endless())).reason).toMatch(/longer than/);
  expect(produced).toBeLessThanOrEqual(17 << 20);
});
