// SPDX-License-Identifier: GPL-2.0-only
//
// Address spaces against the reference, with fixed seeds; `npm run test:fuzz` is the long run.

import { expect, test } from "vitest";
import { type Style, fuzzAddressSpaces } from "../fuzz/address-spaces.ts";
import { compileCoreBuild } from "../support/core-build.ts";

const SEED = 20221107;

/** Sequences of each style on the core as it is released, and on the one whose trees assert their order. */
const SEQUENCES: readonly (readonly [style: Style, released: number, debug: number])[] = [
  ["edges", 6, 3],
  ["pages", 6, 3],
  ["many", 1, 1],
];

/** Not chance: with these many calls each of these comes up. */
const KINDS = [
  ...["IOAS_ALLOC done", "IOAS_ALLOC EOPNOTSUPP", "DESTROY done", "DESTROY ENOENT"],
  ...["MAP done", "MAP EEXIST", "MAP EINVAL", "MAP ENOENT", "MAP EOPNOTSUPP", "MAP EOVERFLOW", "MAP ENOSPC"],
  ...["COPY done", "COPY EEXIST", "COPY EINVAL", "COPY ENOENT", "COPY EOVERFLOW", "COPY EPERM", "COPY ENOSPC"],
  ...["UNMAP done", "UNMAP EINVAL", "UNMAP ENOENT", "UNMAP EOVERFLOW"],
  ...["ALLOW_IOVAS done", "ALLOW_IOVAS EFAULT", "ALLOW_IOVAS EINVAL", "ALLOW_IOVAS ENOENT"],
  ...["IOVA_RANGES done", "IOVA_RANGES EFAULT", "IOVA_RANGES EMSGSIZE", "IOVA_RANGES ENOENT"],
  ...["OPTION done", "OPTION EADDRINUSE", "OPTION EBUSY", "OPTION EINVAL", "OPTION ENOENT", "OPTION EOPNOTSUPP"],
  ...["VFIO_IOAS done", "VFIO_IOAS ENODEV", "VFIO_IOAS ENOENT", "VFIO_IOAS EOPNOTSUPP"],
  ...["VFIO_CHECK_EXTENSION done", "VFIO_CHECK_EXTENSION ENODEV"],
  ...["VFIO_SET_IOMMU done", "VFIO_SET_IOMMU EINVAL", "VFIO_SET_IOMMU ENODEV", "VFIO_SET_IOMMU EADDRINUSE"],
  ...["VFIO_GET_INFO done", "VFIO_GET_INFO EFAULT", "VFIO_GET_INFO EINVAL", "VFIO_GET_INFO ENODEV"],
  ...[
    "VFIO_MAP_DMA done",
    "VFIO_MAP_DMA EEXIST",
    "VFIO_MAP_DMA EINVAL",
    "VFIO_MAP_DMA ENODEV",
    "VFIO_MAP_DMA EOVERFLOW",
  ],
  ...["VFIO_UNMAP_DMA done", "VFIO_UNMAP_DMA EINVAL", "VFIO_UNMAP_DMA ENODEV", "VFIO_UNMAP_DMA ENOENT"],
  ...["VFIO_UNMAP_DMA EOVERFLOW"],
];

test.each(["release", "debug"] as const)(
  "random commands are answered as by the reference, %s build",
  async (build) => {
    const module = build === "debug" ? await compileCoreBuild("debug") : undefined;
    const kinds = new Set<string>();
    let mostAreas = 0;
    for (const [style, released, debug] of SEQUENCES) {
      for (let seed = SEED; seed < SEED + (build === "debug" ? debug : released); seed++) {
        const sequence = await fuzzAddressSpaces(seed, style, module);
        expect(sequence.failure).toBeUndefined();
        for (const kind of sequence.tally.keys()) kinds.add(kind);
        mostAreas = Math.max(mostAreas, sequence.mostAreas);
      }
    }
    expect(mostAreas).toBeGreaterThan(3000);
    if (build === "release") expect([...kinds]).toEqual(expect.arrayContaining(KINDS));
  },
);
