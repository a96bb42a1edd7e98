// SPDX-License-Identifier: GPL-2.0-only
//
// The command `iommufd-wasm`, run as users run it: the bundled file, in a process of its own.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Call, call, failure, hexWords, recording } from "../support/recording.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const PACKAGE = new URL("../../package.json", import.meta.url);
const VECTORS = fileURLToPath(new URL("../vectors/", import.meta.url));

interface Finished {
  status: number | null;
  out: string;
  err: string;
}

function start(args: readonly string[]): ReturnType<typeof spawn> {
  return spawn(process.execPath, [CLI, ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
}

function finish(child: ReturnType<typeof spawn>): Promise<Finished> {
  const result: Finished = { status: null, out: "", err: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (result.out += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (result.err += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ ...result, status }));
  });
}

const run = (...args: string[]): Promise<Finished> => finish(start(args));

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "iommufd-wasm-"));
});

afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(folder, name), content);
  return name;
}

const alloc = (id: number): Call =>
  call.ioctl(0, 0xa0, [28, 1, 0, 0, 0, 0, 0], { out: hexWords([28, 1, 0, 0, 0, id, 0]) });
const GOOD = recording([
  call.open(0),
  alloc(1),
  call.ioctl(0, 0x80, [8, 1]),
  call.ioctl(0, 0x80, [8, 1], failure("ENOENT")),
  { op: "read16", fd: 0, ret: -1, errno: "EINVAL" },
  call.close(0),
]);
const TAMPERED = recording([
  call.open(0),
  alloc(7),
  call.ioctl(0, 0x80, [8, 1], failure("EBUSY")),
  call.close(0, { warn: ["release:users"] }),
]);

describe("replay", () => {
  test("a recording that matches: a line per scenario, totals, silence on standard error, status 0", async () => {
    expect(await run("replay", await write("good.jsonl", GOOD))).toEqual({
      status: 0,
      out:
        "good.jsonl: Linux 6.12.117-rfcseed, rfc profile, with the lab\n" +
        "       5 of       5  test (1 not ours)\n" +
        "good.jsonl: 5 of 5 answers match the kernel (1 not ours: other system calls 1)\n",
      err: "",
    });
  });

  test("a compressed recording of the real kernel", async () => {
    const { status, out, err } = await run("replay", join(VECTORS, "rfc-pure.jsonl.gz"));
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(out).toMatch(/ {5}517 of {5}517 {2}dispatch\.trailing\.80\n/);
    expect(out).toMatch(/14,279 of 14,279 answers match the kernel \(224 not ours: .*\)\n$/);
  });

  test("a recording of a mainline kernel, in its profile and with its table", async () => {
    const { status, out, err } = await run("replay", join(VECTORS, "mainline-core.jsonl.gz"));
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(out).toMatch(/^.*: Linux 6\.12\.117-oracle, mainline profile\n/);
    expect(out).toMatch(/22,558 of 22,558 answers match the kernel \(59 not ours: .*\)\n$/);
  });

  test("differences name file, line and record, and show fields and bytes; status 1", async () => {
    const { status, out } = await run("replay", await write("tampered.jsonl", TAMPERED));
    expect(status).toBe(1);
    expect(out).toContain(`
tampered.jsonl:3  test #1
  recorded   ioctl(0, LAB_ALLOC, {size=28, type=1, hold_id0=0, hold_id1=0, flags=0, out_id=7, out_probe_errno=0}) = 0
  got        ioctl(0, LAB_ALLOC, {size=28, type=1, hold_id0=0, hold_id1=0, flags=0, out_id=1, out_probe_errno=0}) = 0
  argument   1 byte differs, at 0x10000001000
    out_id     recorded 7 (0x7), got 1 (0x1)
    +0x010     recorded  00 00 00 00 07 00 00 00 00 00 00 00
               got       00 00 00 00 01 00 00 00 00 00 00 00
                                     ^^

tampered.jsonl:4  test #2
  recorded   ioctl(0, IOMMU_DESTROY, {size=8, id=1}) = -1 EBUSY (Device or resource busy)
  got        ioctl(0, IOMMU_DESTROY, {size=8, id=1}) = 0

tampered.jsonl:5  test #3
  recorded   close(0) = 0
  warnings   recorded release:users
             got      none

tampered.jsonl: 1 of 4 answers match the kernel, 3 differ
`);
  });

  test("--limit bounds the differences that are shown, not the ones that count", async () => {
    const file = await write("tampered.jsonl", TAMPERED);
    const one = await run("replay", "--limit", "1", file);
    expect(one.out).toContain("test #1\n");
    expect(one.out).not.toContain("test #2\n");
    expect(one.out).toMatch(/… and 2 more differences\n\n.*, 3 differ\n$/);
    const none = await run("replay", "--limit=0", file);
    expect(none.status).toBe(1);
    expect(none.out).toMatch(/^!\s+1 of +4 {2}test\n.*, 3 differ\n$/m);
  });

  test("--json prints one document with scenarios and differences", async () => {
    const good = await write("good.jsonl", GOOD);
    const tampered = await write("tampered.jsonl", TAMPERED);
    const { status, out } = await run("replay", "--json", good, tampered);
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      files: [
        {
          ...{ file: "good.jsonl", abi: "rfc", lab: true, matched: 5, differed: 0, skipped: 1 },
          skippedBy: { syscall: 1 },
          scenarios: [{ scenario: "test", matched: 5, differed: 0, skipped: 1 }],
          differences: [],
        },
        {
          ...{ file: "tampered.jsonl", matched: 1, differed: 3 },
          differences: [
            {
              ...{ line: 3, scenario: "test", n: 1 },
              findings: [
                {
                  ...{ what: "argument", address: "0x10000001000", differingBytes: 1 },
                  fields: [{ name: "out_id", expected: "7 (0x7)", got: "1 (0x1)" }],
                },
              ],
            },
            { findings: [{ what: "result", expected: { ret: -1, errno: "EBUSY" }, got: { ret: 0, errno: "" } }] },
            { findings: [{ what: "warnings", expected: ["release:users"], got: [] }] },
          ],
        },
      ],
    });
  });

  test("--verbose prints every call as strace would, with differing and foreign ones marked", async () => {
    const good = await run("replay", "--verbose", await write("good.jsonl", GOOD));
    expect(good.out).toContain(
      "test\n" +
        '  open("/dev/iommu", 0x2) = 0\n' +
        "  ioctl(0, LAB_ALLOC, {size=28, type=1, hold_id0=0, hold_id1=0, flags=0, out_id=1, out_probe_errno=0}) = 0\n" +
        "  ioctl(0, IOMMU_DESTROY, {size=8, id=1}) = 0\n" +
        "  ioctl(0, IOMMU_DESTROY, {size=8, id=1}) = -1 ENOENT (No such file or directory)\n" +
        "- read16  (other system calls)\n" +
        "  close(0) = 0\n",
    );
    const tampered = await run("replay", "--verbose", await write("tampered.jsonl", TAMPERED));
    expect(tampered.out).toContain("! ioctl(0, IOMMU_DESTROY, {size=8, id=1}) = 0\n");
  });

  test("--abi overrides the recorded kernel's profile", async () => {
    const short = recording([call.open(0), call.ioctl(0, 0x80, [4, 1], failure("EOPNOTSUPP"))]);
    const file = await write("short.jsonl", short);
    expect((await run("replay", "--abi", "rfc", file)).status).toBe(0);
    const mainline = await run("replay", "--abi", "mainline", file);
    expect(mainline.status).toBe(1);
    expect(mainline.out).toContain("-1 EINVAL (Invalid argument)");
  });

  test.each<[what: string, name: string, content: string | Uint8Array, message: RegExp]>([
    ["a malformed line", "bad.jsonl", `${GOOD}{"op":\n`, /^iommufd-wasm: bad\.jsonl:8: not JSON/],
    ["an unknown kind of line", "odd.jsonl", recording([{ op: "teleport" }]), /odd\.jsonl:2: unknown kind of line/],
    ["a text cut in the middle of a line", "cut.jsonl", GOOD.slice(0, -9), /cut\.jsonl:7: .*cut here/],
    ["an empty file", "empty.jsonl", "", /empty\.jsonl:1: the file is empty/],
    ["compressed data cut short", "cut.gz", gzipSync(GOOD).subarray(0, 90), /cut\.gz:\d+: the compressed data/],
    ["a name in .gz without such data", "no.jsonl.gz", GOOD, /no\.jsonl\.gz:1: .*not gzip/],
    ["bytes that are no text", "binary", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0xff, 0x0a), /binary:1: not UTF-8/],
  ])("%s gives file and line, status 2", async (_what, name, content, message) => {
    const { status, err } = await run("replay", await write(name, content));
    expect(err).toMatch(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
    expect(status).toBe(2);
  });

  test("a missing file and a directory are named, and the other files are replayed all the same", async () => {
    const { status, out, err } = await run("replay", "missing.jsonl", ".", await write("good.jsonl", GOOD));
    expect(err).toBe("iommufd-wasm: missing.jsonl: no such file\niommufd-wasm: .: is a directory\n");
    expect(out).toContain("good.jsonl: 5 of 5 answers match");
    expect(status).toBe(2);
  });

  test("--json tells the unreadable files too", async () => {
    const { status, out } = await run("replay", "--json", "missing.jsonl");
    expect(status).toBe(2);
    expect(JSON.parse(out)).toEqual({ files: [{ file: "missing.jsonl", error: "missing.jsonl: no such file" }] });
  });

  test("a reader that goes away early ends it quietly", async () => {
    const child = start(["replay", "--verbose", join(VECTORS, "rfc-core.jsonl.gz")]);
    const finished = finish(child);
    child.stdout?.once("data", () => child.stdout?.destroy());
    expect(await finished).toMatchObject({ status: 0, err: "" });
  });
});

describe("ioctls", () => {
  test("prints the table of the library's commands", async () => {
    expect(await run("ioctls")).toEqual({
      status: 0,
      out:
        "nr    request  name           size  min  fields\n" +
        "0x80  0x3b80   IOMMU_DESTROY     8    8  size u32 @0, id u32 @4\n",
      err: "",
    });
  });

  test("--lab adds the lab's", async () => {
    const { out } = await run("ioctls", "--lab");
    expect(out.trimEnd().split("\n")).toHaveLength(10);
    expect(out).toMatch(/^0xa7 {2}0x3ba7 {3}LAB_ECHO {9}56 {4}8 {2}size u32 @0, flags u32 @4, data u8\[48\] @8$/m);
  });

  test("--abi mainline prints today's table, --release the one of an older kernel", async () => {
    const { out } = await run("ioctls", "--abi", "mainline");
    expect(out.trimEnd().split("\n")).toHaveLength(20);
    expect(out).toMatch(/^0x8a {2}0x3b8a {3}IOMMU_GET_HW_INFO +40 +32 {2}size u32 @0, .*, __reserved u8\[3\] @29, /m);
    expect(out).toMatch(/^0x92 .*\n$/m);
    const old = await run("ioctls", "--abi", "mainline", "--release", "6.12");
    expect(out.startsWith(old.out.slice(0, old.out.indexOf("\n")))).toBe(true);
    expect(old.out).toMatch(/^0x8e {2}0x3b8e {3}IOMMU_FAULT_QUEUE_ALLOC .*\n$/m);
    expect(old.out).not.toContain("IOMMU_IOAS_MAP_FILE");
  });

  test("--json prints the same for a program", async () => {
    const { out } = await run("ioctls", "--json", "--abi", "rfc");
    expect(JSON.parse(out)).toEqual([
      {
        ...{ nr: 0x80, request: 0x3b80, name: "IOMMU_DESTROY", size: 8, minSize: 8 },
        fields: [
          { name: "size", offset: 0, size: 4, type: "u32" },
          { name: "id", offset: 4, size: 4, type: "u32" },
        ],
      },
    ]);
  });
});

describe("usage", () => {
  test("--help explains every command and option", async () => {
    const { status, out, err } = await run("--help");
    expect({ status, err }).toEqual({ status: 0, err: "" });
    for (const word of [
      "replay",
      "ioctls",
      "--json",
      "--verbose",
      "--limit",
      "--abi",
      "--lab",
      "--release",
      "--version",
    ]) {
      expect(out).toContain(word);
    }
    expect((await run("replay", "--help")).out).toBe(out);
  });

  test("--version prints the package's version", async () => {
    const { version } = JSON.parse(await readFile(PACKAGE, "utf8")) as { version: string };
    expect(await run("--version")).toEqual({ status: 0, out: `${version}\n`, err: "" });
  });

  test.each<[what: string, args: string[], message: RegExp]>([
    ["nothing", [], /a command is needed/],
    ["an unknown command", ["mount"], /unknown command "mount"/],
    ["an unknown option", ["--fast"], /--fast/],
    ["an unknown option of replay", ["replay", "--fast", "x"], /--fast/],
    ["replay without a file", ["replay"], /at least one file/],
    ["a limit that is no number", ["replay", "--limit", "many", "x"], /--limit: "many"/],
    ["a negative limit", ["replay", "--limit=-1", "x"], /--limit: "-1"/],
    ["an unknown profile", ["replay", "--abi", "posix", "x"], /--abi: "posix"/],
    ["a profile left out", ["replay", "--abi"], /--abi/],
    ["both JSON and verbose", ["replay", "--json", "--verbose", "x"], /exclude each other/],
    ["an argument too many", ["ioctls", "x"], /x/],
    ["an unknown release", ["ioctls", "--abi", "mainline", "--release", "6.1"], /--release: "6\.1"/],
    ["a release of the seed", ["ioctls", "--release", "6.12"], /--abi mainline/],
  ])("%s is wrong usage: status 2 and a hint", async (_what, args, message) => {
    const { status, out, err } = await run(...args);
    expect(status).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(message);
    expect(err).toMatch(/Try "iommufd-wasm --help"\.\n$/);
  });
});
