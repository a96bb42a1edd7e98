// SPDX-License-Identifier: GPL-2.0-only
//
// A storm on address spaces: several threads map, copy and unmap the same pages, and make and destroy address spaces between.
//
//   what is left in each shared address space is what was mapped less what was unmapped, by all threads together
//   when the file is closed nothing is left, and no byte more is in use than before

import { IOMMU_IOAS_ALLOC, IOMMU_IOAS_MAP, IOMMU_IOAS_UNMAP, Iommufd, type IommufdWarning } from "iommufd-wasm";
import { NOTHING, startCrewThreads, whatIsLeft } from "./crew-threads.ts";
import { mustEqual } from "./even.ts";

export interface SpaceStormOptions {
  threads: number;
  /** Steps of each thread in each round, and the rounds. */
  operations: number;
  rounds: number;
  seed: number;
  /** Another build of the core. */
  module?: WebAssembly.Module;
}

interface Tally {
  counts: Record<string, number>;
  left: Record<string, number>;
}

const SPACES = 3;
const PAGE = 4096n;
const EVERYTHING = 2n ** 64n - 1n;
const MEMORY_BYTES = 16 * 1024 * 1024;
/** More areas at a time than a storm has: their memory stays with the slabs. */
const WARM_AREAS = 6000;
/** Ranges from which the address spaces that come and go pick: four pages of each, far from what is copied there. */
const LIST = [1n, 3n, 5n, 7n].flatMap((n) => [n << 40n, (n << 40n) + 4n * PAGE - 1n]);

/** Return: how often each call gave each answer, in all rounds. */
export async function runSpaceStorm(options: SpaceStormOptions): Promise<Record<string, number>> {
  const { threads, operations, rounds, seed, module } = options;
  const warnings: IommufdWarning[] = [];
  const iommufd = await Iommufd.create({
    ...{ abi: "mainline", memoryBytes: MEMORY_BYTES, onWarning: (warning) => warnings.push(warning) },
    ...(module && { module }),
  });
  const crew = await startCrewThreads("space-storm.js", threads);
  const total: Record<string, number> = {};
  try {
    await crew.attachTo(iommufd);
    warmUp(iommufd);
    const before = iommufd.stats().bytes.used;
    for (let round = 0; round < rounds; round++) {
      const where = `round ${round}, seed ${seed + round * threads}`;
      const list = iommufd.userSpace.map(4096);
      new BigUint64Array(list.bytes.buffer, list.bytes.byteOffset, LIST.length).set(LIST);
      const context = iommufd.open();
      const spaces = Array.from({ length: SPACES }, () => context.call(IOMMU_IOAS_ALLOC, {}).out_ioas_id);
      const task = { fd: context.fd, spaces, operations, threads, seed: seed + round * threads, listVa: list.va };
      const tallies = await crew.all<Tally>("spaceStorm", task);
      for (const { counts } of tallies) {
        for (const [key, count] of Object.entries(counts)) total[key] = (total[key] ?? 0) + count;
      }
      for (const id of spaces) {
        const left = tallies.reduce((sum, tally) => sum + tally.left[id]!, 0);
        const { length } = context.call(IOMMU_IOAS_UNMAP, { ioas_id: id, iova: 0n, length: EVERYTHING });
        mustEqual(Number(length / PAGE), left, `${where}: pages left in address space ${id}`);
      }
      context.close();
      iommufd.userSpace.unmap(list);
      mustEqual(whatIsLeft(iommufd), NOTHING, `${where}: left`);
      mustEqual(warnings, [], `${where}: warnings`);
      mustEqual(iommufd.stats().bytes.used, before, `${where}: bytes in use`);
    }
    return total;
  } finally {
    await crew.end();
    iommufd.detach();
  }
}

function warmUp(iommufd: Iommufd): void {
  const context = iommufd.open();
  for (let space = 0; space < 30; space++) {
    const { out_ioas_id: ioas_id } = context.call(IOMMU_IOAS_ALLOC, {});
    for (let n = 0; n < WARM_AREAS / 30; n++) {
      const iova = BigInt(1 + 2 * n) * PAGE;
      context.call(IOMMU_IOAS_MAP, { flags: 7, ioas_id, user_va: iova, length: PAGE, iova });
    }
  }
  context.close();
  iommufd.userSpace.unmap(iommufd.userSpace.map(4096));
}
