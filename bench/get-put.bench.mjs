// SPDX-License-Identifier: GPL-2.0-only
//
// get + put of one object after the other, 1,024 in all, from JavaScript and with every check on, against two bare Wasm
// calls that each do one atomic read-modify-write on as many words of the same spacing.

import { readFile } from "node:fs/promises";
import { Iommufd } from "iommufd-wasm";
import { alternate, ratio, show, summary } from "./rounds.mjs";

const OBJECTS = 1024;
const SPACING = 16; // bytes from one state word to the next, as in the ID table
/** At most this many times the floor: the bar of the project. */
const BAR = 2.8;

const iommufd = Iommufd.createSync();
const context = iommufd.open();
const type = iommufd.defineObjectType({ name: "BENCH", payloadBytes: 16 });
for (let index = 0; index < OBJECTS; index++) context.finalize(context.tryAlloc(type));

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
const floor = new WebAssembly.Instance(
  new WebAssembly.Module(await readFile(new URL("../build/floor.wasm", import.meta.url))),
  { env: { memory } },
).exports;

export const name = "get + put";

export function run({ smoke }) {
  const operations = smoke ? 20_000 : 400_000;
  const sum = (operations / OBJECTS) | 0;
  const samples = alternate(
    { floor: bare, "tryGet + put": getPut, "tryGet(type) + put": getPutTyped },
    {
      operations: sum * OBJECTS,
      rounds: smoke ? 3 : 51,
      expected: { floor: 0, "tryGet + put": sum * OBJECTS, "tryGet(type) + put": sum * OBJECTS },
    },
  );
  if (context.objects().some(({ users, holders }) => users !== 1 || holders !== 0)) throw new Error("a lock was lost");
  const figures = Object.fromEntries(Object.entries(samples).map(([key, values]) => [key, summary(values)]));
  const ratios = Object.fromEntries(
    Object.keys(samples)
      .filter((key) => key !== "floor")
      .map((key) => [key, ratio(samples[key], samples.floor)]),
  );
  return {
    unit: "ns per pair",
    figures,
    ratios,
    bars: { "tryGet + put": BAR },
    lines: [
      ...Object.entries(figures).map(([key, value]) => `${key}: ${show(value, " ns")}`),
      ...Object.entries(ratios).map(([key, value]) => `${key} / floor: ${show(value, " ×")}`),
    ],
  };
}

function bare(operations) {
  let sum = 0;
  for (let index = 0; index < operations; index++) {
    const word = (index & (OBJECTS - 1)) * SPACING;
    sum += floor.increment(word);
    floor.decrement(word);
  }
  return sum;
}

function getPut(operations) {
  let sum = 0;
  for (let index = 0; index < operations; index++) {
    const handle = context.tryGet((index & (OBJECTS - 1)) + 1);
    sum += handle > 0 ? 1 : 0;
    context.put(handle);
  }
  return sum;
}

function getPutTyped(operations) {
  let sum = 0;
  for (let index = 0; index < operations; index++) {
    const handle = context.tryGet((index & (OBJECTS - 1)) + 1, type);
    sum += handle > 0 ? 1 : 0;
    context.put(handle);
  }
  return sum;
}
