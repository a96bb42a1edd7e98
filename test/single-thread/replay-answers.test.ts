// SPDX-License-Identifier: GPL-2.0-only
//
// The replay compares all that a call can change: its result, the argument and the memory around it, warnings. Each kind of argument
// lies in memory as the recorder laid it.

import { describe, expect, test } from "vitest";
import {
  address,
  ARG,
  ARG_BYTES,
  AUX,
  type Call,
  call,
  failure,
  hexWords,
  READ_ONLY,
  SPLIT,
} from "../support/recording.ts";
import { ALLOC, alloc, DESTROY, ECHO, expectAllToMatch, KEEP, log, run } from "../support/replayed.ts";

describe("what is compared", () => {
  const findings = async (calls: readonly Call[]): Promise<object[]> => {
    const { differences, totals } = await run(calls);
    expect(totals.differed).toBe(1);
    return differences.flatMap((difference) => [...difference.findings]);
  };

  test("the result", async () => {
    const wrong = call.ioctl(0, DESTROY, [8, 1], failure("EBUSY"));
    expect(await findings([call.open(0), wrong])).toEqual([{ what: "result", expected: -16, got: -2 }]);
  });

  test("each byte of the argument, also the ones that must not change", async () => {
    const wrong = call.ioctl(0, DESTROY, [8, 1], { ...failure("ENOENT"), out: hexWords([8, 0x0100_0001]) });
    expect(await findings([call.open(0), wrong])).toMatchObject([
      { what: "argument", address: ARG + 4096n, offset: 0, count: 1, expected: { 7: 1 }, got: { 7: 0 } },
    ]);
  });

  test("a difference far behind the argument's start, by a window around it", async () => {
    const addr = address(ARG);
    const far = { addr, len: 5000, in: hexWords([8, 1]), out: `${hexWords([8, 1]).padEnd(2 * 4000, "0")}11` };
    const [finding] = await findings([call.open(0), call.ioctl(0, DESTROY, [], { ...far, ...failure("ENOENT") })]);
    expect(finding).toMatchObject({ offset: 4000, count: 1, expected: { 0: 0x11 }, got: { 0: 0 } });
  });

  test("other memory", async () => {
    const right = log(0, []);
    const wrong = { ...right, mem: [{ va: address(AUX), len: 8, in: "", out: "01" }] };
    expect(await findings([call.open(0), wrong])).toMatchObject([{ what: "memory", address: AUX, count: 1 }]);
  });

  test("the guard behind the argument", async () => {
    const wrong = call.ioctl(0, DESTROY, [8, 1], { ...failure("ENOENT"), past_end: "00" });
    expect(await findings([call.open(0), wrong])).toMatchObject([{ what: "guard", address: ARG + 4104n, count: 64 }]);
  });

  test("warnings that were recorded and do not come", async () => {
    const wrong = call.close(0, { warn: ["release:users"] });
    expect(await findings([call.open(0), wrong])).toEqual([{ what: "warnings", expected: ["release:users"], got: [] }]);
  });

  test("warnings that come and were not recorded, even where the closing itself was not", async () => {
    const kept = [call.open(0), alloc(0, 1, 2), call.ioctl(0, KEEP, [12, 1, 0])];
    const unrecorded = [{ what: "warnings", expected: [], got: ["release:users"] }];
    expect(await findings([...kept, call.close(0)])).toEqual(unrecorded);
    expect(await findings(kept)).toEqual(unrecorded);
    await expectAllToMatch([...kept, { op: "implicit_close", warn: ["release:users"] }]);
  });
});

describe("how an argument's memory is prepared", () => {
  const ENOENT = failure("ENOENT");

  test("buf and odd are followed by guard bytes, which a larger declared size runs into", async () => {
    await expectAllToMatch([
      call.open(0),
      call.ioctl(0, DESTROY, [8, 1], ENOENT),
      call.ioctl(0, DESTROY, [9, 1], failure("E2BIG")),
      call.ioctl(0, DESTROY, [8, 1], { how: "odd", addr: address(ARG + 4097n), ...ENOENT }),
      call.ioctl(0, DESTROY, [9, 1], { how: "odd", addr: address(ARG + 4097n), ...failure("E2BIG") }),
    ]);
  });

  test("behind the edge nothing is accessible", async () => {
    const addr = address(ARG + BigInt(ARG_BYTES - 8));
    await expectAllToMatch([
      call.open(0),
      call.ioctl(0, DESTROY, [8, 1], { how: "edge", addr, ...ENOENT }),
      call.ioctl(0, DESTROY, [9, 1], { how: "edge", addr, ...failure("EFAULT") }),
      call.ioctl(0, DESTROY, [], { how: "edge", addr: address(ARG + BigInt(ARG_BYTES)), ...failure("EFAULT") }),
    ]);
  });

  test("a read-only argument can be read, zeros follow, and no reply fits", async () => {
    const at = { how: "ro", addr: address(READ_ONLY) };
    await expectAllToMatch([
      call.open(0),
      call.ioctl(0, DESTROY, [12, 1, 7], { ...at, ...failure("E2BIG") }),
      call.ioctl(0, DESTROY, [200, 1], { ...at, ...ENOENT }),
      call.ioctl(0, ALLOC, [28, 1, 0, 0, 0, 0, 0], { ...at, ...failure("EFAULT") }),
      alloc(0, 1, 1),
    ]);
  });

  test("a split argument is writable up to its cut; what a failed reply left there is no promise", async () => {
    const words = [56, 1, ...Array<number>(12).fill(0)];
    const split = (cut: number, more: object): Call =>
      call.ioctl(0, ECHO, words, { how: "split", cut, addr: address(SPLIT + 4096n - BigInt(cut)), ...more });
    const inverted = hexWords([56, 1, ...Array<number>(12).fill(0xffff_ffff)]);
    await expectAllToMatch([
      call.open(0),
      split(56, { out: inverted }),
      split(20, failure("EFAULT")),
      split(20, { out: inverted, ...failure("EFAULT") }),
    ]);
  });

  test("a raw pointer is passed as it is", async () => {
    const raw = (addr: string): Call => ({
      ...{ op: "ioctl", fd: 0, cmd: "0x00003b80", how: "raw", addr },
      ...failure("EFAULT"),
    });
    const addresses = ["0x0", "0x10300000000", "0x10500000000", "0x8000000000000000", "0xffffffffffffffff"];
    await expectAllToMatch([call.open(0), ...addresses.map(raw)]);
  });
});
