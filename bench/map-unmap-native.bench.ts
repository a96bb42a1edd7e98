// SPDX-License-Identifier: GPL-2.0-only
/**
 * map + unmap of a page against native C++ (bench/native/map-unmap.cpp): a std::map under a mutex.
 *
 * C++ and JavaScript are two processes, so they take turns in blocks of some rounds, as in native.bench.ts. Both map in the same
 * places among the same areas.
 */
import { Iommufd } from "iommufd-wasm";
import type { Bench, Spread } from "./harness/bench.ts";
import { alternate, fresh, ratio, summaries } from "./harness/rounds.ts";
import { type AddressSpace, PAGE } from "./rivals/address-space.ts";
import { HOLE, fillWithPages, mapUnmap, randomBases } from "./rivals/address-space-loops.ts";
import { IoctlSpace, RawSpace, allocIoas } from "./rivals/ioas.ts";

const OURS = "tryIoctl";
const RAW = "raw";
const NATIVE = "native std::map";
const PROGRAM = "map-unmap-native";
const COUNTS = [100, 100_000];

export default {
  title: "map + unmap, against native C++",
  only: "node",
  async run(host) {
    const iommufd = Iommufd.createSync({ abi: "mainline", memoryBytes: 2 ** 28 });
    const context = iommufd.open();
    const [operations, rounds, blocks] = host.smoke ? [64, 2, 1] : [1024, 5, 12];
    const samples: Record<string, number[]> = {};
    const keep = (name: string, values: readonly number[]): number => (samples[name] ??= []).push(...values);
    const spaces = COUNTS.map((count) => {
      const ioas = allocIoas(context);
      fillWithPages(new IoctlSpace(context, ioas), count);
      const places = randomBases(count, operations).map((base) => base + HOLE);
      const candidate = (space: AddressSpace): { run: (operations: number) => number } => {
        const loop = fresh(mapUnmap);
        return { run: (operations) => loop(space, operations, places, PAGE) };
      };
      return {
        count,
        situation: `${count.toLocaleString("en")} areas`,
        [OURS]: candidate(new IoctlSpace(context, ioas)),
        [RAW]: candidate(new RawSpace(context, ioas)),
      };
    });
    for (let block = 0; block < blocks; block++) {
      for (const { count, situation, [OURS]: ours, [RAW]: raw } of spaces) {
        const measured = alternate({ [OURS]: ours, [RAW]: raw }, { operations, rounds, warmup: 2 });
        const output = await host.native?.(PROGRAM, [count, rounds, operations].map(String));
        if (output === undefined) return undefined; // no C++ compiler
        const wrong = output["sum"]?.find((sum) => sum !== operations);
        if (wrong !== undefined) throw new Error(`${PROGRAM} computed ${wrong}`);
        for (const [name, values] of Object.entries(measured)) keep(`${situation}: ${name}`, values);
        keep(`${situation}: ${NATIVE}`, output["ns"] ?? []);
      }
    }
    iommufd.detach();
    const ratios: Record<string, Spread> = {};
    for (const { situation } of spaces) {
      const native = samples[`${situation}: ${NATIVE}`] ?? [];
      for (const name of [OURS, RAW]) {
        ratios[`${situation}: ${name} / ${NATIVE}`] = ratio(samples[`${situation}: ${name}`] ?? [], native);
      }
    }
    return { unit: "ns per operation", candidates: summaries(samples), ratios, bars: [] };
  },
} satisfies Bench;
