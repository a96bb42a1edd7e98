// SPDX-License-Identifier: GPL-2.0-only
//
// Memfds: bytes that mappings of all processes share, sizes that move, and pages that go with the last reference. And memory outside.

import type { Iommufd, MapOptions, Memfd } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { SharedBuffer } from "../support/shared-buffer.ts";
import { errnoOf } from "../support/answer.ts";
import { boot, otherThread } from "../support/boot.ts";
import { Random } from "../support/random.ts";

const PAGE = 4096;
const VA = 0x4000_0000n;
const MAX_MEMFDS = 128;
const FIRST_MEMFD = 3 + 1024;
const MIB = 1024 * 1024;

const used = (iommufd: Iommufd): number => iommufd.stats().bytes.used;
const byteAt = (iommufd: Iommufd, va: bigint): number | undefined => iommufd.userSpace.read(va, 1)[0];

describe("a memfd", () => {
  test("is zeroed, has the lowest free number, and takes its pages at once", async () => {
    const { iommufd } = await boot();
    const before = used(iommufd);
    const files = [1, PAGE, PAGE + 1].map((bytes) => iommufd.createMemfd(bytes));
    expect(files.map(({ fd }) => fd)).toEqual([0, 1, 2].map((index) => FIRST_MEMFD + index));
    expect(files.map(({ size }) => size)).toEqual([1, PAGE, PAGE + 1]);
    expect(files.map(({ maxBytes }) => maxBytes)).toEqual([PAGE, PAGE, 2 * PAGE]);
    for (const { bytes, size } of files) expect(bytes).toEqual(new Uint8Array(size));
    expect(used(iommufd)).toBe(before + 4 * PAGE);
    files[1]?.close();
    expect(iommufd.createMemfd(0, { maxBytes: PAGE })).toMatchObject({ fd: FIRST_MEMFD + 1, size: 0 });
    expect(iommufd.stats().memfds).toEqual({ used: 3, max: MAX_MEMFDS });
  });

  test("a number of a memfd is no file of /dev/iommu", async () => {
    const { iommufd } = await boot();
    const { fd } = iommufd.createMemfd(PAGE);
    expect(errnoOf(() => iommufd.file(fd))).toBe("EBADF");
    expect(errnoOf(() => iommufd.fget(fd))).toBe("EBADF");
  });

  test("every mapping and view shows the same bytes", async () => {
    const { iommufd } = await boot();
    const file = iommufd.createMemfd(4 * PAGE);
    const other = iommufd.createUserSpace();
    iommufd.userSpace.map(4 * PAGE, { va: VA, file });
    const tail = other.map(2 * PAGE, { va: VA, file, offset: 2 * PAGE });
    file.bytes[2 * PAGE + 5] = 42;
    expect(byteAt(iommufd, VA + BigInt(2 * PAGE + 5))).toBe(42);
    expect(tail.bytes[5]).toBe(42);
    other.write(VA + 6n, Uint8Array.of(43));
    expect([...file.bytes.subarray(2 * PAGE + 5, 2 * PAGE + 7)]).toEqual([42, 43]);
  });

  test("protections are a mapping's own, page by page", async () => {
    const { iommufd } = await boot();
    const file = iommufd.createMemfd(3 * PAGE);
    const { userSpace } = iommufd;
    const [a, b] = [userSpace.map(3 * PAGE, { file }), userSpace.map(3 * PAGE, { file, prot: "r" })];
    userSpace.protect(a.va + BigInt(PAGE), PAGE, "none");
    const ones = Uint8Array.of(1);
    const tryAll = (va: bigint): string[] =>
      [0, 1, 2].flatMap((page) => [
        errnoOf(() => userSpace.read(va + BigInt(page * PAGE), 1)),
        errnoOf(() => userSpace.write(va + BigInt(page * PAGE), ones)),
      ]);
    const [ok, bad] = ["no error", "EFAULT"];
    expect(tryAll(a.va)).toEqual([ok, ok, bad, bad, ok, ok]);
    expect(tryAll(b.va)).toEqual([ok, bad, ok, bad, ok, bad]);
  });

  test("a mapping beyond the size is EFAULT there, page by page, until the file grows over it", async () => {
    const { iommufd } = await boot();
    const file = iommufd.createMemfd(PAGE + 1, { maxBytes: 4 * PAGE });
    const mapping = iommufd.userSpace.map(4 * PAGE, { va: VA, file });
    expect(mapping.length).toBe(4 * PAGE);
    expect(mapping.bytes.length).toBe(2 * PAGE);
    expect(iommufd.userSpace.read(VA, 2 * PAGE)).toHaveLength(2 * PAGE);
    expect(errnoOf(() => iommufd.userSpace.read(VA, 2 * PAGE + 1))).toBe("EFAULT");
    const past = iommufd.userSpace.map(PAGE, { file, offset: 3 * PAGE });
    expect(past.bytes.length).toBe(0);
    expect(errnoOf(() => byteAt(iommufd, past.va))).toBe("EFAULT");
    file.truncate(4 * PAGE);
    expect(iommufd.userSpace.read(VA, 4 * PAGE)).toHaveLength(4 * PAGE);
    expect(byteAt(iommufd, past.va)).toBe(0);
    file.truncate(0);
    expect(errnoOf(() => byteAt(iommufd, VA))).toBe("EFAULT");
    expect(file.bytes).toHaveLength(0);
  });

  test("bytes that a shorter file lost are zero when it grows again", async () => {
    const { iommufd } = await boot();
    const file = iommufd.createMemfd(3 * PAGE);
    iommufd.userSpace.map(3 * PAGE, { va: VA, file });
    file.bytes.fill(7);
    file.truncate(PAGE + 10);
    iommufd.userSpace.write(VA + BigInt(PAGE + 10), Uint8Array.of(9)); // the rest of the page can still be reached
    file.truncate(2 * PAGE);
    file.truncate(3 * PAGE);
    const want = new Uint8Array(3 * PAGE);
    want.fill(7, 0, PAGE + 10);
    expect(file.bytes).toEqual(want);
  });

  test.each<[string, number, object]>([
    ["a negative size", -1, {}],
    ["a fraction", 0.5, {}],
    ["nothing that can grow", 0, { maxBytes: 0 }],
    ["more than it can become", PAGE + 1, { maxBytes: PAGE }],
    ["more than any memory", 2 ** 31 + 1, {}],
    ["a limit that is no number", PAGE, { maxBytes: "1" }],
  ])("%s is EINVAL", async (_name, bytes, options) => {
    const { iommufd } = await boot();
    expect(errnoOf(() => iommufd.createMemfd(bytes, options))).toBe("EINVAL");
    expect(iommufd.stats().memfds.used).toBe(0);
  });

  test.each([
    [4 * PAGE + 1, "EFBIG"],
    [2 ** 31 + 1, "EFBIG"],
    [2 ** 32 + PAGE, "EFBIG"],
    [-1, "EINVAL"],
    [1.5, "EINVAL"],
    [NaN, "EINVAL"],
    [Infinity, "EINVAL"],
  ])("truncate to %d is %s and changes nothing", async (bytes, code) => {
    const { iommufd } = await boot();
    const file = iommufd.createMemfd(PAGE, { maxBytes: 4 * PAGE });
    expect(errnoOf(() => file.truncate(bytes))).toBe(code);
    expect(file.size).toBe(PAGE);
  });

  test.each<[string, (file: Memfd) => MapOptions & { length: number }, string]>([
    ["an offset within a page", (file) => ({ file, offset: 1, length: PAGE }), "EINVAL"],
    ["a negative offset", (file) => ({ file, offset: -PAGE, length: PAGE }), "EINVAL"],
    ["an offset beyond 64 bits", (file) => ({ file, offset: 2n ** 64n, length: PAGE }), "EINVAL"],
    ["an end beyond what it can become", (file) => ({ file, offset: PAGE, length: PAGE + 1 }), "EOVERFLOW"],
    ["an offset far beyond", (file) => ({ file, offset: 2n ** 63n, length: PAGE }), "EOVERFLOW"],
    ["what is no file", () => ({ file: { fd: FIRST_MEMFD } as never, length: PAGE }), "EINVAL"],
  ])("a mapping of %s is refused: %s", async (_name, options, code) => {
    const { iommufd } = await boot();
    const { length, ...rest } = options(iommufd.createMemfd(2 * PAGE));
    expect(errnoOf(() => iommufd.userSpace.map(length, rest))).toBe(code);
    expect(iommufd.stats().mappings).toBe(0);
  });
});

describe("references", () => {
  test("a closed file lives while a mapping shows it, then its pages are free and wiped", async () => {
    const { iommufd } = await boot();
    const before = used(iommufd);
    const file = iommufd.createMemfd(2 * PAGE);
    const one = iommufd.userSpace.map(PAGE, { file });
    const two = iommufd.createUserSpace();
    two.map(PAGE, { file, offset: PAGE });
    file.bytes.fill(5);
    file.close();
    file.close(); // idempotent
    expect(iommufd.stats().memfds.used).toBe(1);
    iommufd.userSpace.unmap(one);
    expect(two.run(() => two.read(two.mappings()[0]?.va ?? 0n, 1))).toEqual(Uint8Array.of(5));
    two.exit();
    expect(iommufd.stats().memfds.used).toBe(0);
    expect(used(iommufd)).toBe(before);
    expect(iommufd.userSpace.map(4 * PAGE).bytes.every((byte) => byte === 0)).toBe(true);
  });

  test("a file that is open lives without a mapping", async () => {
    const { iommufd } = await boot();
    const file = iommufd.createMemfd(PAGE);
    const mapping = iommufd.userSpace.map(PAGE, { file });
    mapping.bytes.fill(6);
    iommufd.userSpace.unmap(mapping);
    expect(file.bytes[0]).toBe(6);
  });

  test("after close everything is EBADF, also for another thread, and also when the number is another file's", async () => {
    const { iommufd } = await boot();
    const file = iommufd.createMemfd(PAGE);
    const other = otherThread(iommufd);
    const theirs = other.memfd(file.share);
    theirs.bytes[0] = 3;
    expect(file.bytes[0]).toBe(3);
    file.close();
    const next = iommufd.createMemfd(PAGE);
    expect(next.fd).toBe(file.fd);
    for (const stale of [file, theirs]) {
      expect(errnoOf(() => stale.size)).toBe("EBADF");
      expect(errnoOf(() => stale.bytes)).toBe("EBADF");
      expect(errnoOf(() => stale.maxBytes)).toBe("EBADF");
      expect(errnoOf(() => stale.truncate(1))).toBe("EBADF");
      expect(errnoOf(() => stale.truncate(2 ** 40))).toBe("EBADF");
      expect(errnoOf(() => iommufd.userSpace.map(PAGE, { file: stale }))).toBe("EBADF");
      stale.close();
    }
    expect(errnoOf(() => other.memfd(file.share))).toBe("EBADF");
    expect(next.size).toBe(PAGE); // nobody has closed it
  });

  test.each([
    { fd: 3, generation: 1 },
    { fd: FIRST_MEMFD + MAX_MEMFDS, generation: 1 },
    { fd: FIRST_MEMFD + 0.5, generation: 1 },
    { fd: -1, generation: 0 },
  ])("no file has the share %o", async (share) => {
    const { iommufd } = await boot();
    iommufd.createMemfd(PAGE);
    expect(errnoOf(() => iommufd.memfd(share))).toBe("EBADF");
  });

  test("works with using", async () => {
    const { iommufd } = await boot();
    {
      using file = iommufd.createMemfd(PAGE);
      expect(file.size).toBe(PAGE);
    }
    expect(iommufd.stats().memfds.used).toBe(0);
  });
});

describe("exhaustion", () => {
  test("one memfd too many is EMFILE and changes nothing; a closed one makes room", async () => {
    const { iommufd } = await boot();
    const files = Array.from({ length: MAX_MEMFDS }, () => iommufd.createMemfd(PAGE));
    const before = iommufd.stats();
    expect(errnoOf(() => iommufd.createMemfd(PAGE))).toBe("EMFILE");
    expect(iommufd.stats()).toEqual(before);
    files[9]?.close();
    expect(iommufd.createMemfd(PAGE).fd).toBe(FIRST_MEMFD + 9);
  });

  test("one that does not fit is ENOMEM and changes nothing", async () => {
    const { iommufd } = await boot();
    const { heap } = iommufd.stats().bytes;
    const before = iommufd.stats();
    expect(errnoOf(() => iommufd.createMemfd(0, { maxBytes: heap + 1 }))).toBe("ENOMEM");
    expect(iommufd.stats()).toEqual(before);
    iommufd.createMemfd(heap - before.bytes.used).close();
    expect(iommufd.stats()).toEqual(before);
  });

  test("a mapping of a file needs a page for its protections: ENOMEM without one", async () => {
    const { iommufd } = await boot();
    const { heap } = iommufd.stats().bytes;
    const file = iommufd.createMemfd(heap - used(iommufd));
    const before = iommufd.stats();
    expect(errnoOf(() => iommufd.userSpace.map(PAGE, { file }))).toBe("ENOMEM");
    expect(iommufd.stats()).toEqual(before);
  });
});

describe("external memory", () => {
  test("is mapped, but no copy of ours reaches it", async () => {
    const { iommufd } = await boot();
    const before = used(iommufd);
    const ram = new SharedBuffer(16 * PAGE);
    const mapping = iommufd.userSpace.mapExternal(ram, { va: VA });
    expect(mapping).toMatchObject({ va: VA, length: 16 * PAGE, external: 1 });
    expect(mapping.bytes).toHaveLength(0);
    expect(errnoOf(() => iommufd.userSpace.read(VA, 1))).toBe("EFAULT");
    expect(errnoOf(() => iommufd.userSpace.write(VA, Uint8Array.of(1)))).toBe("EFAULT");
    expect(errnoOf(() => iommufd.open().ioctl(0x3b80, VA))).toBe("EFAULT");
    expect(errnoOf(() => iommufd.userSpace.map(PAGE, { va: VA + BigInt(PAGE) }))).toBe("EEXIST");
    iommufd.userSpace.protect(VA, PAGE, "r");
    expect(iommufd.userSpace.mappings()).toEqual([mapping]);
    iommufd.userSpace.unmap(mapping);
    expect(used(iommufd)).toBe(before);
  });

  test("numbers are never given twice, and other threads can bind theirs", async () => {
    const { iommufd } = await boot();
    const memory = { bytes: PAGE, read: () => undefined, write: () => undefined };
    const numbers = [0, 1, 2].map(() => {
      const mapping = iommufd.userSpace.mapExternal(memory);
      iommufd.userSpace.unmap(mapping);
      return mapping.external;
    });
    expect(new Set(numbers).size).toBe(3);
    const other = otherThread(iommufd);
    other.userSpace.bindExternal(numbers[0] as number, memory);
    for (const bad of [0, -1, 1.5, 2 ** 32]) {
      expect(errnoOf(() => other.userSpace.bindExternal(bad, memory))).toBe("EINVAL");
    }
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["an ArrayBuffer", new ArrayBuffer(PAGE)],
    ["a part of a page", new SharedBuffer(PAGE + 1)],
    ["no bytes", new SharedBuffer(0)],
    ["callbacks without a length", { read: () => undefined, write: () => undefined }],
    ["4 GiB", { bytes: 2 ** 32, read: () => undefined, write: () => undefined }],
    ["a memory that cannot be written", { bytes: PAGE, read: () => undefined }],
  ])("%s is EINVAL", async (_name, memory) => {
    const { iommufd } = await boot();
    expect(errnoOf(() => iommufd.userSpace.mapExternal(memory as never))).toBe("EINVAL");
    expect(iommufd.stats().mappings).toBe(0);
  });
});

test("10,000 random steps of two processes and two files agree with a model of bytes", async () => {
  const random = new Random(0x3e3f);
  const { iommufd } = await boot({ memoryBytes: 8 * MIB });
  const spaces = [iommufd.userSpace, iommufd.createUserSpace()];
  const PAGES = 8;
  const files = [0, 1].map(() => ({
    file: iommufd.createMemfd(PAGES * PAGE, { maxBytes: PAGES * PAGE }),
    bytes: new Uint8Array(PAGES * PAGE),
    size: PAGES * PAGE,
  }));
  type Shown = {
    mapping: ReturnType<(typeof spaces)[0]["map"]>;
    file: (typeof files)[0];
    offset: number;
    pages: number;
  };
  const shown: Shown[][] = [[], []];
  for (let step = 0; step < 10_000; step++) {
    const index = random.below(2);
    const space = spaces[index] as (typeof spaces)[0];
    const own = shown[index] as Shown[];
    const file = random.pick(files);
    const action = random.below(5);
    const fail = (what: string): never => expect.fail(`seed ${random.seed}, step ${step}: ${what}`);
    if (action === 0 && own.length < 5) {
      const offset = random.below(PAGES);
      const pages = 1 + random.below(PAGES - offset);
      const mapping = space.map(pages * PAGE, { file: file.file, offset: offset * PAGE });
      own.push({ mapping, file, offset: offset * PAGE, pages });
    } else if (action === 1 && own.length > 0) {
      const [gone] = own.splice(random.below(own.length), 1);
      if (gone !== undefined) space.unmap(gone.mapping);
    } else if (action === 2) {
      const size = random.below(PAGES * PAGE + 1);
      // The rest of the last page can be reached; growing over it makes it zero.
      if (size > file.size) file.bytes.fill(0, file.size, size);
      file.file.truncate(size);
      file.bytes.fill(0, Math.ceil(Math.max(size, 1) / PAGE) * PAGE);
      file.size = size;
    } else if (own.length > 0) {
      const { mapping, file: behind, offset, pages } = random.pick(own);
      const at = random.below(pages * PAGE);
      const length = 1 + random.below(2 * PAGE);
      const end = Math.min(offset + pages * PAGE, Math.ceil(behind.size / PAGE) * PAGE);
      const last = own.some((other) => other.mapping.va === mapping.va + BigInt(mapping.length));
      if (last && at + length > pages * PAGE) continue; // it would go on in the next mapping
      const want = offset + at + length <= end ? "no error" : "EFAULT";
      if (action === 3) {
        const value = random.below(256);
        const code = errnoOf(() => space.write(mapping.va + BigInt(at), new Uint8Array(length).fill(value)));
        if (code !== want) fail(`write answered ${code}`);
        if (offset + at < end) behind.bytes.fill(value, offset + at, Math.min(end, offset + at + length));
      } else {
        let got: Uint8Array | undefined;
        const code = errnoOf(() => (got = space.read(mapping.va + BigInt(at), length)));
        if (code !== want) fail(`read answered ${code}`);
        if (got === undefined) continue;
        // What lies between the size and the end of its page is whatever was written there last, or before the file was shortened.
        const sure = Math.min(length, Math.max(0, behind.size - offset - at));
        const expected = behind.bytes.subarray(offset + at, offset + at + sure);
        if (expected.some((byte, n) => byte !== got?.[n])) fail("read other bytes");
      }
    }
  }
  for (const { file, bytes, size } of files) expect(file.bytes).toEqual(bytes.subarray(0, size));
});
