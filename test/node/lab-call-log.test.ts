// SPDX-License-Identifier: GPL-2.0-only
//
// What a trace lists and counts, compared with a log that forgets nothing; and batches of calls, good ones and damaged ones.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BATCH_BYTES, BatchWriter, readBatch } from "../../bindings/lab/trace/call-batch.ts";
import { type CallFilter, CallLog } from "../../bindings/lab/trace/call-log.ts";
import { Ring } from "../../bindings/lab/trace/ring.ts";
import type { LabCall } from "../../bindings/lab/session.ts";

const NO_BYTES = new Uint8Array(0);

function call(time: number, thread = "page", request = 0x3b80, result = 0): LabCall {
  return {
    fd: 3,
    request,
    address: undefined,
    before: NO_BYTES,
    bytes: NO_BYTES,
    result,
    command: undefined,
    thread,
    time,
  };
}

const someCall = fc
  .tuple(fc.constantFrom("page", "worker 1"), fc.constantFrom(0x3b80, 0x3ba0), fc.constantFrom(0, 5, -2, -16))
  .map(([thread, request, result]) => ({ thread, request, result }));
const someFilter = fc.record<CallFilter>({
  thread: fc.constantFrom(undefined, "page", "worker 1", "nobody"),
  request: fc.constantFrom(undefined, 0x3b80, 0x3ba0),
  result: fc.constantFrom<CallFilter["result"]>(undefined, "failed", "succeeded", -2, 5),
});

test("a ring keeps the newest items under the index that they had", () => {
  const ring = new Ring<string>(3);
  expect(["a", "b", "c", "d", "e"].map((item) => ring.push(item))).toEqual([undefined, undefined, undefined, "a", "b"]);
  expect([ring.first, ring.end, [...ring]]).toEqual([2, 5, ["c", "d", "e"]]);
  expect([ring.at(1), ring.at(2), ring.at(4), ring.at(5)]).toEqual([undefined, "c", "e", undefined]);
  ring.shift();
  expect([...ring]).toEqual(["d", "e"]);
  ring.clear();
  expect([ring.length, ring.at(4), ring.end]).toEqual([0, undefined, 5]);
  ring.push("f");
  expect([...ring]).toEqual(["f"]);
});

describe("a log", () => {
  const CAPACITY = 8;

  test("shows and counts what a log shows that forgets nothing", () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.array(someCall, { maxLength: 6 }).map((calls) => ({ add: calls })) },
      { weight: 1, arbitrary: someFilter.map((filter) => ({ filter })) },
      { weight: 2, arbitrary: fc.boolean().map((paused) => ({ paused })) },
      { weight: 1, arbitrary: fc.constant({ clear: true }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const log = new CallLog(CAPACITY);
        let all: LabCall[] = [];
        let held: LabCall[] = [];
        let filter: CallFilter = {};
        let paused = false;
        let time = 0;
        for (const each of steps) {
          if ("add" in each) {
            const calls = each.add.map(({ thread, request, result }) => call(time++, thread, request, result));
            log.add(calls);
            (paused ? held : all).push(...calls);
          } else if ("filter" in each) {
            log.filter = filter = each.filter;
          } else if ("paused" in each) {
            log.paused = paused = each.paused;
            if (!paused) {
              // What was held beyond the capacity is only counted, so it is as if it had fallen out at once.
              all.push(...held);
              held = [];
            }
          } else {
            log.clear();
            all = [];
            held = [];
          }
          const kept = all.slice(-CAPACITY);
          const shown: (LabCall | undefined)[] = [];
          for (let row = log.firstRow; row < log.endRow; row++) shown.push(log.row(row));
          expect(shown).toEqual(kept.filter((one) => passes(one, filter)));
          const failed = (calls: readonly LabCall[]): number => calls.filter(({ result }) => result < 0).length;
          expect(log.total).toEqual({ calls: all.length, failed: failed(all) });
          const gone = all.slice(0, all.length - kept.length);
          expect(log.summarised).toEqual({ calls: gone.length, failed: failed(gone) });
          expect(log.held).toEqual({ calls: held.length, lost: Math.max(0, held.length - CAPACITY) });
        }
      }),
    );
  });

  test("offers a bounded number of choices, whatever names come", () => {
    const log = new CallLog(CAPACITY);
    for (let n = 0; n < 1_000; n++) log.add([call(n, `worker ${n}`, n, -n)]);
    expect([log.threads.size, log.requests.size, log.errnos.size]).toEqual([64, 64, 64]);
    expect(log.total).toEqual({ calls: 1_000, failed: 999 });
  });
});

function passes(one: LabCall, { thread, request, result }: CallFilter): boolean {
  const asked = { failed: one.result < 0, succeeded: one.result >= 0 };
  return (
    (thread ?? one.thread) === one.thread &&
    (request ?? one.request) === one.request &&
    (typeof result === "string" ? asked[result] : (result ?? one.result) === one.result)
  );
}

describe("a batch", () => {
  const event = fc.record({
    fd: fc.integer(),
    request: fc.integer({ min: 0, max: 0xffff_ffff }),
    result: fc.integer(),
    address: fc.option(fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: null }), { nil: undefined }),
    before: fc.uint8Array({ maxLength: 80 }),
    bytes: fc.uint8Array({ maxLength: 80 }),
  });
  const events = fc.array(
    event.map((one) => ({ ...one, command: undefined })),
    { minLength: 1, maxLength: 20 },
  );

  test("has the calls that were added", () => {
    fc.assert(
      fc.property(events, (calls) => {
        const writer = new BatchWriter();
        calls.forEach((one, n) => expect(writer.add(one, n + 0.5)).toBe(true));
        const read = readBatch(writer.take());
        expect(writer.empty).toBe(true);
        expect(read).toEqual(calls.map(({ command: _, ...one }, n) => ({ ...one, time: n + 0.5 })));
      }),
    );
  });

  test("takes no call that does not fit, and loses none of the others", () => {
    const writer = new BatchWriter();
    const long = {
      fd: 3,
      request: 0,
      result: 0,
      address: undefined,
      command: undefined,
      before: new Uint8Array(5000),
      bytes: NO_BYTES,
    };
    let added = 0;
    while (writer.add(long, added)) added++;
    const batch = writer.take();
    expect(batch.byteLength).toBeLessThanOrEqual(BATCH_BYTES);
    expect(readBatch(batch)?.map(({ before }) => before.length)).toEqual(new Array(added).fill(4096));
  });

  test("that is damaged is none, or still calls of the right shape", () => {
    fc.assert(
      fc.property(
        events,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
        fc.nat(60),
        (calls, changes, cut) => {
          const writer = new BatchWriter();
          calls.forEach((one, n) => writer.add(one, n));
          const whole = new Uint8Array(writer.take());
          for (const [at, value] of changes) whole[at % whole.length] = value;
          const read = readBatch(whole.buffer.slice(0, Math.max(0, whole.length - cut)));
          for (const one of read ?? []) {
            expect(Number.isFinite(one.time)).toBe(true);
            expect(one.before.length).toBeLessThanOrEqual(4096);
            expect(one.bytes.length).toBeLessThanOrEqual(4096);
          }
        },
      ),
    );
    for (const nothing of [
      undefined,
      null,
      5,
      "x",
      {},
      new Uint8Array(40),
      new ArrayBuffer(BATCH_BYTES + 1),
      new ArrayBuffer(39),
    ]) {
      expect(readBatch(nothing)).toBe(undefined);
    }
  });
});
