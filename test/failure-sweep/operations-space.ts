// SPDX-License-Identifier: GPL-2.0-only
//
// Commands of IO address spaces, with their struct in a buffer or at a user address, where the reply may fail, too.
//
// Areas are in no graph. So each call begins or ends with what shows them: a range that is mapped anew, an IOVA that is picked, a copy
// of the whole. What a failed attempt left half done changes the answer of the second call.

import {
  IOMMU_DESTROY,
  IOMMU_FAULT_QUEUE_ALLOC,
  IOMMU_IOAS_ALLOC,
  IOMMU_IOAS_ALLOW_IOVAS,
  IOMMU_IOAS_COPY,
  IOMMU_IOAS_IOVA_RANGES,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_MAP_FILE,
  IOMMU_IOAS_UNMAP,
  IOMMU_OPTION,
  IOMMU_VFIO_IOAS,
  VFIO_CHECK_EXTENSION,
  VFIO_DMA_CC_IOMMU,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
  VFIO_TYPE1_IOMMU,
} from "iommufd-wasm";
import type { Operation } from "./operation-sweep.ts";
import {
  FIXED,
  PAGE,
  type Place,
  RIGHTS,
  type Scene,
  WIDE,
  both,
  bytesCaller,
  caller,
  compatible,
  fill,
  head,
  inTurn,
  mapFixed,
  pages,
  scene,
  unmapAll,
  unmapOrNothing,
  words,
} from "./scene.ts";

function prepareMap(place: Place, before: number): Operation["prepare"] {
  return (world) => {
    const of = scene(world);
    fill(of, before);
    const again = caller(of, "buffer", IOMMU_IOAS_UNMAP, { ioas_id: of.ioas, ...pages(1, 1) });
    const map = mapFixed(of, 1, 1, place);
    // A reply that fails leaves the mapping, as in the kernel.
    if (place === "address") return inTurn(unmapOrNothing(again), map);
    return map;
  };
}

function prepareMapFile(place: Place): Operation["prepare"] {
  return (world) => {
    const of = scene(world);
    const file = world.iommufd.createMemfd(4 * PAGE);
    const where = { ...pages(1, 3), fd: file.fd, start: WIDE };
    const map = caller(of, place, IOMMU_IOAS_MAP_FILE, { flags: FIXED | RIGHTS, ioas_id: of.ioas, ...where });
    const again = caller(of, "buffer", IOMMU_IOAS_UNMAP, { ioas_id: of.ioas, ...pages(1, 3) });
    world.atEnd(() => file.close());
    return place === "address" ? inTurn(unmapOrNothing(again), map) : map;
  };
}

/** Three areas, a page and a half of the first and of the last of them, copied to another address space that has enough to need nodes. */
function prepareCopy(place: Place, isFixed: boolean): Operation["prepare"] {
  return (world) => {
    const of = scene(world);
    for (const [first, count] of [
      [1, 2],
      [3, 1],
      [4, 2],
    ] as const)
      mapFixed(of, first, count)();
    const other = { ...of, ioas: of.context.call(IOMMU_IOAS_ALLOC, {}).out_ioas_id };
    fill(other, 40);
    const to = pages(1000, 1).iova;
    const copy = caller(of, place, IOMMU_IOAS_COPY, {
      flags: RIGHTS | (isFixed ? FIXED : 0),
      ...{ dst_ioas_id: other.ioas, src_ioas_id: of.ioas },
      ...{ length: 4n * WIDE, dst_iova: isFixed ? to : 0n, src_iova: WIDE + WIDE / 2n },
    });
    const gone = unmapOrNothing(
      caller(of, "buffer", IOMMU_IOAS_UNMAP, { ioas_id: other.ioas, iova: to, length: 64n * WIDE }),
    );
    return place === "address" ? inTurn(gone, copy) : copy;
  };
}

/** 40 ranges in place of one. What is picked while the call fails is from the old list. */
function prepareAllow(place: Place): Operation["prepare"] {
  return (world) => {
    const of = scene(world);
    const { va, bytes } = world.iommufd.userSpace.map(2 * PAGE);
    const list = new BigUint64Array(bytes.buffer, bytes.byteOffset, 82);
    for (let n = 0; n < 40; n++) list.set([BigInt(100 + 2 * n) * WIDE, BigInt(101 + 2 * n) * WIDE - 1n], 2 * n);
    list.set([7n * WIDE, 9n * WIDE - 1n], 80);
    const allow = (at: Place, first: number, count: number) =>
      caller(of, at, IOMMU_IOAS_ALLOW_IOVAS, {
        ...{ ioas_id: of.ioas, num_iovas: count, allowed_iovas: va + BigInt(first * 16) },
      });
    const old = allow("buffer", 40, 1);
    old();
    const map = caller(of, "buffer", IOMMU_IOAS_MAP, { flags: RIGHTS, ioas_id: of.ioas, user_va: WIDE, length: WIDE });
    const unmap = unmapAll(of);
    const pick = (): number | string => {
      const picked = map();
      const unmapped = unmap();
      if (unmapped < 0) unmap(); // only one attempt fails
      return unmapped < 0 ? unmapped : picked;
    };
    const before = pick();
    const replace = allow(place, 0, 40);
    return () => {
      const result = replace();
      const picked = pick();
      if (typeof result === "number") return picked === before ? result : "the old list is gone";
      return typeof picked === "number" ? picked : `${result}; ${picked}`;
    };
  };
}

function prepareRanges(place: Place): Operation["prepare"] {
  return (world) => {
    const of = scene(world);
    const { va, bytes } = world.iommufd.userSpace.map(PAGE);
    world.watch(bytes.subarray(0, 32));
    return caller(of, place, IOMMU_IOAS_IOVA_RANGES, { ioas_id: of.ioas, num_iovas: 2, allowed_iovas: va });
  };
}

/** All is mapped anew before it is unmapped. */
function prepareUnmap(place: Place): Operation["prepare"] {
  return (world) => {
    const of = scene(world);
    const maps = Array.from({ length: 20 }, (_, n) => mapFixed(of, 1 + 2 * n, 1));
    const unmap = caller(of, place, IOMMU_IOAS_UNMAP, { ioas_id: of.ioas, ...pages(1, 40) });
    return inTurn(unmapAll(of), ...maps, unmap);
  };
}

function prepareQueue(place: Place): Operation["prepare"] {
  return (world) => {
    const of = scene(world);
    const make = caller(of, place, IOMMU_FAULT_QUEUE_ALLOC, {});
    return () => {
      const result = make();
      if (typeof result === "string") {
        const words = new Uint32Array(Uint8Array.from(result.split(" ").slice(1).map(Number)).buffer);
        world.atEnd(() => world.iommufd.faultFile(words[3]!).close());
      }
      return result;
    };
  };
}

function mapDma(of: Scene, place: Place, first: number, count: number): () => number | string {
  const { iova, length } = pages(first, count);
  return bytesCaller(of, place, VFIO_IOMMU_MAP_DMA, words(head(32, 3), 0x100_0000n, iova, length));
}

function prepareUnmapDma(place: Place): Operation["prepare"] {
  return (world) => {
    const of = compatible(world);
    of.context.tryIoctl(VFIO_SET_IOMMU, BigInt(VFIO_TYPE1_IOMMU));
    const { iova, length } = pages(3, 4);
    const unmap = bytesCaller(of, place, VFIO_IOMMU_UNMAP_DMA, words(head(24), iova, length));
    return inTurn(unmapAll(of), mapDma(of, "buffer", 1, 8), unmap, mapDma(of, "buffer", 3, 4));
  };
}

export const SPACE_OPERATIONS: readonly Operation[] = [
  ...both("IOAS_ALLOC", (place) => (world) => caller(scene(world), place, IOMMU_IOAS_ALLOC, {}), ["EBUSY", "ENOMEM"]),
  ...both("MAP, the file's first", (place) => prepareMap(place, 0), ["ENOMEM"]),
  // 16 areas fill a node; the next chunk of memory is needed behind some dozens.
  ...both("MAP that splits the tree's only node", (place) => prepareMap(place, 15), ["ENOMEM"]),
  ...both("MAP that needs more memory", (place) => prepareMap(place, 300), ["ENOMEM"]),
  ...both("MAP_FILE", prepareMapFile, ["ENOMEM"]),
  ...both("COPY of three pieces", (place) => prepareCopy(place, true), ["ENOMEM"]),
  {
    name: "COPY of three pieces to an IOVA that is picked",
    abis: ["mainline"],
    errors: ["ENOMEM"],
    prepare: prepareCopy("buffer", false),
  },
  ...both("ALLOW_IOVAS", prepareAllow, ["EFAULT", "ENOMEM"]),
  ...both("IOVA_RANGES", prepareRanges, ["EFAULT", "ENOMEM"]),
  {
    name: "ranges and allow, which take memory for as long as they run",
    abis: ["mainline"],
    errors: ["EFAULT", "ENOMEM"],
    prepare(world) {
      const ioas = world.iommufd.open().ioasAlloc();
      const list = (first: number) =>
        Array.from({ length: 8 }, (_, n) => ({ start: first + n * 64, last: first + n * 64 + 9 }));
      ioas.allow(list(10));
      world.observe(() => [ioas.allowedRanges().at(-1), world.iommufd.stats().mappings]);
      return () => {
        const ranges = ioas.ranges();
        ioas.allow(list(20));
        return ranges;
      };
    },
  },
  {
    name: "tryMap and tryUnmap",
    abis: ["mainline"],
    errors: ["ENOMEM"],
    prepare(world) {
      const ioas = world.iommufd.open().ioasAlloc();
      world.observe(() => ioas.areas());
      return () => {
        const iova = ioas.tryMap(0x10_0000, 3 * PAGE, RIGHTS);
        if (iova < 0) return iova;
        const bytes = ioas.tryUnmap(iova, 3 * PAGE);
        if (bytes < 0) ioas.unmap(iova, 3 * PAGE);
        return bytes < 0 ? bytes : [iova, bytes];
      };
    },
  },
  ...both("UNMAP of twenty areas", prepareUnmap, ["ENOMEM"]),
  ...both(
    "OPTION",
    (place) => (world) => {
      const of = scene(world);
      const option = (op: number) => caller(of, place, IOMMU_OPTION, { option_id: 1, op, object_id: of.ioas });
      return inTurn(option(0), option(1));
    },
    ["ENOMEM"],
  ),
  ...both("FAULT_QUEUE_ALLOC", prepareQueue, ["EBUSY", "EMFILE", "ENOMEM"]),
  ...both(
    "VFIO_IOAS",
    (place) => (world) => {
      const of = scene(world);
      const set = caller(of, place, IOMMU_VFIO_IOAS, { op: 1, ioas_id: of.ioas });
      return inTurn(set, caller(of, place, IOMMU_VFIO_IOAS, { op: 0 }));
    },
    ["ENOMEM"],
  ),
  ...both(
    "VFIO's GET_INFO",
    (place) => (world) => bytesCaller(compatible(world), place, VFIO_IOMMU_GET_INFO, new Uint8Array(96).fill(96, 0, 1)),
    ["ENOMEM"],
  ),
  ...both(
    "VFIO's MAP_DMA",
    (place) => (world) => {
      const of = compatible(world);
      return inTurn(unmapAll(of), mapDma(of, place, 1, 8));
    },
    ["ENOMEM"],
  ),
  ...both("VFIO's UNMAP_DMA, which cuts twice", prepareUnmapDma, ["ENOMEM"]),
  {
    name: "VFIO's requests with a number",
    abis: ["mainline"],
    errors: ["ENOMEM"],
    prepare(world) {
      const { context } = compatible(world);
      return inTurn(
        () => context.tryIoctl(VFIO_CHECK_EXTENSION, BigInt(VFIO_DMA_CC_IOMMU)),
        () => context.tryIoctl(VFIO_SET_IOMMU, BigInt(VFIO_TYPE1_IOMMU)),
      );
    },
  },
  {
    name: "DESTROY of an address space with areas and a list",
    abis: ["mainline"],
    errors: [],
    prepare(world) {
      const of = scene(world);
      fill(of, 100);
      return () => of.context.tryIoctl(IOMMU_DESTROY.request, IOMMU_DESTROY.encode({ id: of.ioas }));
    },
  },
  {
    name: "close of a file with address spaces and a queue, then of the queue",
    abis: ["mainline"],
    errors: [],
    prepare(world) {
      const of = scene(world);
      fill(of, 100);
      const { out_fault_fd: fd } = of.context.call(IOMMU_FAULT_QUEUE_ALLOC, {});
      const queue = world.iommufd.faultFile(fd);
      return () => {
        of.context.close();
        queue.close();
      };
    },
  },
];
