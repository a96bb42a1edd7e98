// SPDX-License-Identifier: GPL-2.0-only
//
// User memory that threads map, protect and unmap while others copy from and to it: a copy sees EFAULT or the bytes that
// belong to its address, and a fresh page is zero.

import { expect, test } from "vitest";
import { expectNothingLeft, startCrew } from "./support/crew.ts";

const SEED = 20220318;
const MiB = 2 ** 20;
const MAX_MAPPINGS = 1024;

/** Adds up what threads counted. */
function sum(tallies: readonly Record<string, number>[], key: string): number {
  return tallies.reduce((total, tally) => total + (tally[key] ?? 0), 0);
}

test("an ioctl at an address that others map and unmap reads that place's bytes or nothing", async () => {
  const { iommufd, members } = await startCrew("crowd.js", 4);
  const before = iommufd.stats().bytes.used;
  const [mapper, reader] = ["remap", "readPlaces"];
  members.forEach(({ begin, number }) =>
    begin(number < 2 ? mapper : reader, { rounds: 2500, mappers: 2, places: 3, seed: SEED, threads: 4 }),
  );
  expect(await members[0]?.next()).toBe(2500);
  expect(await members[1]?.next()).toBe(2500);
  const tallies = [await members[2]?.next<Record<string, number>>(), await members[3]?.next<Record<string, number>>()];
  const both = tallies.filter((tally) => tally !== undefined);
  expect(sum(both, "0")).toBeGreaterThan(0);
  expect(sum(both, "EFAULT")).toBeGreaterThan(0);
  expectNothingLeft(iommufd);
  expect(iommufd.stats().bytes.used).toBe(before);
});

test("an ioctl at an address whose protection others change reads its bytes or nothing", async () => {
  const { iommufd, members } = await startCrew("crowd.js", 3);
  const mappings = await members[2]?.call<number>("stampPlaces", { places: 3 });
  expect(mappings).toBe(3);
  members.forEach(({ begin, number }) =>
    begin(number < 1 ? "reprotect" : "readPlaces", { rounds: 6000, mappers: 1, places: 3, seed: SEED, threads: 3 }),
  );
  expect(await members[0]?.next()).toBe(6000);
  const tallies = [await members[1]?.next<Record<string, number>>(), await members[2]?.next<Record<string, number>>()];
  const both = tallies.filter((tally) => tally !== undefined);
  expect(sum(both, "0")).toBeGreaterThan(0);
  expect(sum(both, "EFAULT")).toBeGreaterThan(0);
  expect(await members[2]?.call("unmapPlaces")).toBe(0);
  expectNothingLeft(iommufd);
});

test("pages that several threads map and give back are zero at first and nobody else's later", async () => {
  const { all, iommufd } = await startCrew("crowd.js", 4, { memoryBytes: 4 * MiB });
  const { heap, used } = iommufd.stats().bytes;
  const tallies = await all<Record<string, number>>("hoard", { rounds: 1500, seed: SEED, threads: 4 });
  expect(sum(tallies, "rounds")).toBe(6000);
  expect(sum(tallies, "refused")).toBeGreaterThan(0); // the heap is small enough to run out
  expectNothingLeft(iommufd);
  expect(iommufd.stats().bytes.used).toBe(used);
  iommufd.userSpace.unmap(iommufd.userSpace.map(heap - used)); // in one piece again
});

test("processes that some threads make and end are read by others: each has its own bytes, or none", async () => {
  const { all, iommufd } = await startCrew("crowd.js", 4);
  const { used } = iommufd.stats().bytes;
  const tallies = await all<Record<string, number>>("processes", { rounds: 2500, seed: SEED, threads: 4 });
  expect(tallies.filter((tally) => typeof tally === "string")).toEqual([]); // an error that ended a thread's task
  expect(sum(tallies, "seen")).toBeGreaterThan(0);
  expect(sum(tallies, "gone")).toBeGreaterThan(0);
  expectNothingLeft(iommufd);
  expect(iommufd.stats()).toMatchObject({ mappings: 0, processes: { alive: 1 }, memfds: { used: 0 }, bytes: { used } });
});

test("threads that protect one large range at the same time all come back", async () => {
  const bytes = 1900 * MiB;
  const { all, iommufd } = await startCrew("crowd.js", 4, { memoryBytes: 2048 * MiB });
  const mapping = iommufd.userSpace.map(bytes);
  const rounds = 400;
  const answers = await all("protectTogether", { va: mapping.va, bytes, rounds, threads: 4 });
  expect(answers).toEqual([rounds, rounds, rounds, rounds]);
});

test("a mapping that comes while the largest of 1024 is being wiped waits for its row, and no page is lost", async () => {
  const { all, iommufd } = await startCrew("crowd.js", 2, { memoryBytes: 160 * MiB });
  const { heap, used } = iommufd.stats().bytes;
  for (let round = 0; round < 3; round++) {
    const answers = await all("lastRow", { largest: 96 * MiB, rows: MAX_MAPPINGS, threads: 2 });
    expect(answers).toEqual(["unmapped", "mapped"]);
    expectNothingLeft(iommufd);
    expect(iommufd.stats().bytes.used).toBe(used);
  }
  const whole = iommufd.userSpace.map(heap - used);
  expect(whole.bytes.length).toBe(heap - used);
});
