// SPDX-License-Identifier: GPL-2.0-only
//
// 10,000 random inputs for each part of the library that takes any: nothing traps, no try… call throws, what is refused is
// refused with an errno, and afterwards the machine is as sound as before. Most inputs are close to good ones; random
// bits alone would never get past the first check. The seeds are fixed and printed with each failure.

import {
  Errno,
  type Iommufd,
  type IommufdContext,
  IOMMU_DESTROY,
  IommufdError,
  type ObjectType,
  type UserMapping,
} from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { ABIS, boot } from "../support/boot.ts";
import { type Echo, defineEcho } from "../support/echo.ts";
import { make, plainType } from "../support/objects.ts";
import { Random } from "../support/random.ts";

const STEPS = 10_000;
const PAGE = 4096;
const KNOWN = new Set<number>(Object.values(Errno).map((errno) => -errno));

interface Scene {
  iommufd: Iommufd;
  context: IommufdContext;
  type: ObjectType;
  echo: Echo;
  mapping: UserMapping;
}

async function scene(abi: "rfc" | "mainline"): Promise<Scene> {
  const { iommufd } = await boot({ abi });
  const context = iommufd.open();
  const type = plainType(iommufd);
  return { iommufd, context, type, echo: defineEcho(iommufd), mapping: iommufd.userSpace.map(4 * PAGE) };
}

/** The machine still works: an object goes through its whole life, and the counts are those of a machine at rest. */
function expectSound({ iommufd, context, type }: Scene): void {
  const id = make(context, type);
  context.get(id).put();
  context.destroy(id);
  const { waiting, threads, objects } = iommufd.stats();
  expect(waiting).toEqual([]);
  expect(threads.list).toEqual([{ number: 0, locked: 0, reserved: 0, waiting: 0 }]);
  expect(objects).toMatchObject({ reserved: 0, leaked: 0, queued: 0 });
  for (const { users, holders, state } of context.objects()) expect([users, holders, state]).toEqual([1, 0, "live"]);
  context.close();
  expect(iommufd.stats()).toMatchObject({ files: { open: 0 }, objects: { live: 0 } });
}

/** Checks one answer of a call that returns -errno. */
function expectAnswer(random: Random, step: number, call: () => number): number {
  let result: number;
  try {
    result = call();
  } catch (error) {
    return expect.fail(`seed ${random.seed}, step ${step}: threw ${String(error)}`);
  }
  if (!Number.isInteger(result) || (result < 0 && !KNOWN.has(result))) {
    expect.fail(`seed ${random.seed}, step ${step}: answered ${result}`);
  }
  return result;
}

/** Runs a call that may throw an IommufdError and nothing else. */
function expectErrnoAtMost(random: Random, step: number, call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof IommufdError)) expect.fail(`seed ${random.seed}, step ${step}: threw ${String(error)}`);
  }
}

/** That the inputs came through to the handlers, and were refused for many reasons. */
function expectVariety(answers: ReadonlySet<number>): void {
  expect([...answers]).toEqual(expect.arrayContaining([0, -Errno.EFAULT, -Errno.ENOTTY, -Errno.ENOENT, -Errno.E2BIG]));
}

function anyNumber(random: Random): number {
  const word = random.next();
  return random.pick([
    word,
    -word,
    word & 0xff,
    word & 0xffff,
    2 ** random.below(60),
    2 ** random.below(60) - 1,
    -(2 ** random.below(60)),
    word + 0.5,
    word * 2 ** 32,
    NaN,
    Infinity,
    -Infinity,
    -0,
    Number.MAX_VALUE,
    Number.MIN_VALUE,
  ]);
}

function anySize(random: Random): number {
  return random.pick([
    0,
    1,
    3,
    4,
    7,
    8,
    9,
    12,
    55,
    56,
    57,
    64,
    4095,
    4096,
    4097,
    9000,
    random.next(),
    random.below(100),
  ]);
}

function anyRequest(random: Random, { echo }: Scene): number {
  return random.pick([
    IOMMU_DESTROY.request,
    echo.request,
    echo.request,
    0x3b00 | random.below(256),
    random.next(),
    random.next() | 0,
    IOMMU_DESTROY.request | (1 << (16 + random.below(16))),
    anyNumber(random),
  ]);
}

function anyBytes(random: Random): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(random.pick([0, 1, 3, 4, 7, 8, 9, 12, 56, 57, 100, 4096, 4097, 8200]));
  if (random.oneIn(4)) for (let at = 0; at < Math.min(bytes.length, 64); at++) bytes[at] = random.below(256);
  if (bytes.length >= 4)
    new DataView(bytes.buffer).setUint32(0, random.oneIn(2) ? bytes.length : anySize(random), true);
  if (bytes.length >= 8)
    new DataView(bytes.buffer).setUint32(4, random.oneIn(4) ? random.next() : random.below(8), true);
  if (bytes.length > 8 && random.oneIn(5)) bytes[8 + random.below(bytes.length - 8)] = random.below(256);
  return bytes;
}

function anyView(random: Random): ArrayBufferView {
  const bytes = anyBytes(random);
  switch (random.below(6)) {
    case 0:
      return new DataView(bytes.buffer);
    case 1:
      return bytes.length % 4 === 0 ? new Uint32Array(bytes.buffer) : bytes;
    case 2: {
      const offset = random.below(9);
      const buffer = new ArrayBuffer(bytes.length + offset + random.below(5));
      const view = new Uint8Array(buffer, offset, bytes.length);
      view.set(bytes);
      return view;
    }
    case 3:
      return new Int8Array(bytes.buffer);
    default:
      return bytes;
  }
}

function anyAddress(random: Random, { mapping }: Scene): bigint {
  const near = mapping.va + BigInt(random.pick([0, PAGE, 2 * PAGE, 4 * PAGE]) + random.below(140) - 70);
  const bit = 1n << BigInt(random.below(70));
  return random.pick([
    near,
    near,
    near,
    bit,
    bit - 1n,
    -bit,
    BigInt(random.next()),
    (BigInt(random.next()) << 32n) | BigInt(random.next()),
    0x7fff_ffff_f000n - BigInt(random.below(20)),
    2n ** 64n - BigInt(random.below(20)),
  ]);
}

describe.each(ABIS)("%s", (abi) => {
  test("any ioctl on any view", async () => {
    const random = new Random(0xab1);
    const here = await scene(abi);
    const answers = new Set<number>();
    for (let step = 0; step < STEPS; step++) {
      if (step % 100 === 0) make(here.context, here.type);
      const request = anyRequest(random, here);
      const view = anyView(random);
      answers.add(expectAnswer(random, step, () => here.context.tryIoctl(request, view)));
    }
    expectVariety(answers);
    expectSound(here);
  });

  test("any ioctl on any address, in memory of any protection", async () => {
    const random = new Random(0xadd);
    const here = await scene(abi);
    const answers = new Set<number>();
    const { context, iommufd, mapping } = here;
    for (let step = 0; step < STEPS; step++) {
      if (step % 100 === 0) make(context, here.type);
      const page = mapping.va + BigInt(random.below(4) * PAGE);
      if (random.oneIn(8)) iommufd.userSpace.protect(page, PAGE, random.pick(["rw", "rw", "r", "none"]));
      const address = anyAddress(random, here);
      const offset = Number(address - mapping.va);
      const bytes = anyBytes(random).subarray(0, 100);
      if (offset >= 0 && offset <= mapping.bytes.length - bytes.length) mapping.bytes.set(bytes, offset);
      const arg = random.oneIn(50) ? null : address;
      answers.add(expectAnswer(random, step, () => context.tryIoctl(anyRequest(random, here), arg)));
    }
    expectVariety(answers);
    expectSound(here);
  });

  test("any ID and any handle", async () => {
    const random = new Random(0x1d);
    const here = await scene(abi);
    const { context, type } = here;
    let live = 0;
    // Good handles, and some that were good once; a stale one must never work again.
    const locked = new Set<number>();
    const reserved = new Set<number>();
    const once: number[] = [];
    const handle = (): number =>
      random.pick([
        ...locked,
        ...reserved,
        ...once.slice(-8),
        anyNumber(random),
        random.next(),
        random.below(2 ** 30),
        (1 << 16) | random.below(64),
      ]);
    const id = (): number => random.pick([random.below(40), random.below(40), anyNumber(random), random.next()]);
    let successes = 0;
    const outcome = (call: () => unknown): boolean => {
      try {
        call();
        return true;
      } catch (error) {
        if (error instanceof IommufdError && error.code === "EINVAL") return false;
        throw error;
      }
    };
    const check = (step: number, what: string, worked: boolean, should: boolean): void => {
      if (worked) successes++;
      if (worked !== should) expect.fail(`seed ${random.seed}, step ${step}: ${what} ${worked ? "worked" : "failed"}`);
    };
    const kept = new Map<number, number>();
    for (let step = 0; step < STEPS; step++) {
      const which = handle();
      switch (random.below(9)) {
        case 0: {
          if (live + reserved.size >= 32) break;
          const got = expectAnswer(random, step, () => context.tryAlloc(type));
          if (got > 0) reserved.add(got);
          break;
        }
        case 1: {
          const got = expectAnswer(random, step, () => context.tryGet(id(), random.oneIn(2) ? type : undefined));
          if (got > 0) locked.add(got);
          break;
        }
        case 2: {
          const wanted = id();
          const before = context.inspect(wanted)?.users;
          const got = expectAnswer(random, step, () => context.tryDestroy(wanted));
          check(step, `destroy of ${wanted}`, got === 0, before === 1);
          if (got === 0) live--;
          break;
        }
        case 3:
          check(
            step,
            "put",
            outcome(() => context.put(which)),
            locked.has(which),
          );
          if (locked.delete(which)) once.push(which);
          break;
        case 4: {
          const target = locked.has(which) ? context.idOf(which) : 0;
          const got = expectAnswer(random, step, () => context.putKeepUser(which));
          check(step, "putKeepUser", got === 0, locked.has(which));
          if (target !== 0) kept.set(target, (kept.get(target) ?? 0) + 1);
          if (locked.delete(which)) once.push(which);
          break;
        }
        case 5:
          check(
            step,
            "finalize",
            outcome(() => context.finalize(which)),
            reserved.has(which),
          );
          if (reserved.delete(which)) {
            once.push(which);
            live++;
          }
          break;
        case 6:
          check(
            step,
            "abort",
            outcome(() => context.abort(which)),
            reserved.has(which),
          );
          if (reserved.delete(which)) once.push(which);
          break;
        case 7: {
          const target = handle();
          const got = expectAnswer(random, step, () => context.hold(which, target));
          check(step, "hold", got === 0, reserved.has(which) && locked.has(target));
          break;
        }
        default: {
          const target = locked.has(which) ? context.idOf(which) : 0;
          const got = expectAnswer(random, step, () => context.dropUser(which));
          check(step, "dropUser", got === 0, (kept.get(target) ?? 0) > 0);
          if (got === 0) kept.set(target, (kept.get(target) ?? 0) - 1);
          break;
        }
      }
    }
    expect(successes).toBeGreaterThan(STEPS / 20);
    for (const last of locked) context.put(last);
    for (const last of reserved) context.abort(last);
    for (const [target, count] of kept) {
      for (let n = 0; n < count; n++) {
        const lock = context.get(target);
        lock.dropUser();
        lock.put();
      }
    }
    // Holders before their targets.
    for (let left = context.objects().length; left > 0; left--) {
      for (const info of context.objects()) if (info.users === 1) context.destroy(info.id);
    }
    expect(context.objects()).toEqual([]);
    expectSound(here);
  });

  test("any mapping, protection and copy", async () => {
    const random = new Random(0x3a9);
    const here = await scene(abi);
    const { userSpace } = here.iommufd;
    const mappings: unknown[] = [here.mapping];
    for (let step = 0; step < STEPS; step++) {
      const va = anyAddress(random, here);
      const length = random.pick([0, 1, PAGE - 1, PAGE, PAGE + 1, 10 * PAGE, anyNumber(random)]);
      const prot = random.pick(["rw", "r", "none", "rw", "", "x", undefined] as never[]);
      switch (random.below(5)) {
        case 0:
          expectErrnoAtMost(random, step, () => {
            const options = random.oneIn(2) ? { va, prot } : { prot };
            mappings.push(userSpace.map(Math.min(length, 64 * PAGE), options));
          });
          break;
        case 1:
          expectErrnoAtMost(random, step, () => userSpace.protect(va, length, prot));
          break;
        case 2:
          expectErrnoAtMost(random, step, () => userSpace.unmap(random.pick(mappings) as UserMapping));
          break;
        case 3:
          expectErrnoAtMost(random, step, () => userSpace.read(va, Math.min(length, 100 * PAGE)));
          break;
        default:
          expectErrnoAtMost(random, step, () => userSpace.write(va, new Uint8Array(random.below(3 * PAGE)).fill(step)));
      }
    }
    expectSound(here);
  });

  test("any definition", async () => {
    const random = new Random(0xdef);
    const here = await scene(abi);
    const types = [
      "u8",
      "u16",
      "u32",
      "u64",
      "s8",
      "s16",
      "s32",
      "s64",
      "u8[1]",
      "u8[300]",
      "u8[5000]",
      "u8[0]",
      "f64",
      "",
      "u33",
    ];
    for (let step = 0; step < STEPS / 5; step++) {
      const fields = Object.fromEntries(
        Array.from({ length: random.below(12) }, (_, n) => [random.oneIn(20) ? "size" : `f${n}`, random.pick(types)]),
      );
      const definition = {
        name: random.pick(["A", "B", "", "IOMMU_DESTROY"]),
        nr: random.oneIn(3) ? anyNumber(random) : random.below(300),
        fields: random.oneIn(30) ? undefined : fields,
        ...(random.oneIn(3) && { last: random.pick(["f0", "f5", "size", "no such field"]) }),
        execute: random.oneIn(20) ? undefined : () => anyNumber(random),
      };
      expectErrnoAtMost(random, step, () => here.iommufd.defineIoctl(definition as never));
      expectErrnoAtMost(random, step, () =>
        here.iommufd.defineObjectType({
          name: random.pick(["plain", "x".repeat(random.below(60)), `t${random.below(100)}`]),
          payloadBytes: random.pick([0, 8, 8, anyNumber(random)]),
        }),
      );
    }
    expectSound(here);
  });

  test("any field value", async () => {
    const random = new Random(0xf1e);
    const here = await scene(abi);
    const command = here.iommufd.defineIoctl({
      name: "ANY_FIELD",
      nr: 0xc5,
      fields: { a: "u8", b: "s16", c: "u32", d: "s64", e: "u64", f: "u8[9]" },
      execute(cmd) {
        cmd.fields.c = anyNumber(random);
        cmd.respond();
      },
    });
    const anything = (): unknown =>
      random.pick([
        anyNumber(random),
        anyNumber(random),
        BigInt(random.next()),
        -1n,
        2n ** 70n,
        anyBytes(random),
        "x",
        null,
        undefined,
        {},
      ]);
    for (let step = 0; step < STEPS; step++) {
      const input = Object.fromEntries(
        Array.from({ length: random.below(5) }, () => [
          random.pick(["a", "b", "c", "d", "e", "f", "g", "size"]),
          anything(),
        ]),
      );
      expectErrnoAtMost(random, step, () => here.context.call(command, input));
    }
    expectSound(here);
  });
});
