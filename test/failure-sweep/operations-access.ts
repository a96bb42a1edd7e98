// SPDX-License-Identifier: GPL-2.0-only
//
// Accesses: their life, pins, copies, and UNMAP of what is pinned.
//
// What is pinned, charged and held is observed, so a call that fails must leave each page, each charge and each owner as it was. Where a
// driver lets go before the call fails, as in the kernel, the call pins anew, and then everything is as before.

import {
  type Access,
  IOMMU_IOAS_UNMAP,
  type Ioas,
  type IommufdContext,
  IommufdError,
  type UserSpace,
  VFIO_IOMMU_UNMAP_DMA,
} from "iommufd-wasm";
import { SharedBuffer } from "../support/shared-buffer.ts";
import type { Operation, World } from "./operation-sweep.ts";
import {
  PAGE,
  type Place,
  type Scene,
  both,
  bytesCaller,
  caller,
  compatible,
  head,
  inTurn,
  numbered,
  pages,
  scene,
  unmapAll,
  words,
} from "./scene.ts";

interface Machine {
  readonly world: World;
  readonly context: IommufdContext;
  readonly ioas: Ioas;
  /** Who maps, and pays for 64 pages at most. */
  readonly payer: UserSpace;
}

/** An address space, and a process that pays for what is pinned of its memory. */
function machine(world: World, mode: "user" | "mm" = "user", memlockBytes = 64 * PAGE): Machine {
  const context = world.iommufd.open();
  if (mode === "mm") context.rlimitMode = mode;
  const ioas = context.ioasAlloc();
  world.observe(() => [world.faults.pinsAndOwners(), ioas.areas()]);
  return { world, context, ioas, payer: world.iommufd.createUserSpace({ uid: 5, memlockBytes }) };
}

/** An access that lets go of everything when it is asked, and in the end. */
function driver({ world, ioas }: Pick<Machine, "world" | "ioas">): Access {
  const access: Access = ioas.access({ unmap: () => access.unpinAll() });
  endOf(world, access);
  world.observe(() => access.ioasId);
  return access;
}

function endOf(world: World, access: Access): void {
  world.atEnd(() => {
    access.unpinAll();
    access.destroy();
  });
}

/** So many pages of the payer, in an area of their own. */
function mapPages({ payer, ioas }: Machine, first: number, count: number): void {
  payer.run(() => ioas.map(payer.map(count * PAGE), { iova: first * PAGE }));
}

/** Two pages of the payer, two of a file, two of memory outside, from IOVA 0 on. Return: views of the first two, and the outer memory. */
function mapThreeSorts(of: Machine): Uint8Array[] {
  const { world, payer, ioas } = of;
  const file = world.iommufd.createMemfd(2 * PAGE);
  const outer = new SharedBuffer(2 * PAGE);
  const { userSpace } = world.iommufd;
  const own = payer.run(() => payer.map(2 * PAGE));
  payer.run(() => ioas.map(own, { iova: 0 }));
  payer.run(() => ioas.mapFile(file, { iova: 2 * PAGE }));
  ioas.map(userSpace.mapExternal(outer), { iova: 4 * PAGE });
  return [own.bytes, file.bytes, new Uint8Array(outer)];
}

const said = (access: Access, first: number, count: number, options = {}): unknown =>
  access.pin(first * PAGE, count * PAGE, options).map(({ iova, length }) => [iova, length]);

/** A pin of pages `first` to before `end`, and what is there before. */
function pin(
  name: string,
  errors: Operation["errors"],
  [first, end]: readonly [number, number],
  before: (of: Machine) => void,
  ...options: [mode?: "user" | "mm", memlockBytes?: number]
): Operation {
  return {
    name: `pin of ${name}`,
    abis: ["mainline"],
    errors,
    prepare(world) {
      const of = machine(world, ...options);
      before(of);
      const access = driver(of);
      return () => said(access, first, end - first);
    },
  };
}

/** Another access pins each of the ranges, first and count of pages. */
function pinned(of: Machine, ranges: readonly (readonly [number, number])[]): Access {
  const access = driver(of);
  for (const [first, count] of ranges) said(access, first, count);
  return access;
}

const PINS: readonly Operation[] = [
  pin("one page", ["EFAULT", "ENOMEM"], [1, 2], (of) => mapPages(of, 0, 3)),
  pin("one page, charged to the process", ["EFAULT", "ENOMEM"], [1, 2], (of) => mapPages(of, 0, 3), "mm"),
  pin("an area that shows five mappings", ["EFAULT", "ENOMEM"], [0, 10], ({ payer, ioas }) => {
    const va = 0x10_0000;
    for (let n = 0; n < 5; n++) payer.map(2 * PAGE, { va: BigInt(va + n * 2 * PAGE) });
    payer.run(() => ioas.map(va, 10 * PAGE, { iova: 0 }));
  }),
  pin("memory, a file and memory outside", ["EFAULT", "ENOMEM"], [0, 6], mapThreeSorts),
  pin("pages beside, between and in what is pinned", ["EFAULT", "ENOMEM"], [1, 39], (of) => {
    mapPages(of, 0, 40);
    pinned(of, [[0, 3], ...Array.from({ length: 16 }, (_, n) => [4 + 2 * n, 1] as const), [37, 3]]);
  }),
  pin("a part of what is pinned in one piece", ["ENOMEM"], [3, 5], (of) => {
    mapPages(of, 0, 8);
    pinned(of, [[0, 8]]);
  }),
  pin("what other ranges pin already", ["ENOMEM"], [0, 4], (of) => {
    mapPages(of, 0, 4);
    pinned(of, [
      [0, 1],
      [1, 3],
    ]);
  }),
  pin("pages that an earlier copy of the mapping pins", ["ENOMEM"], [1, 3], (of) => {
    mapPages(of, 0, 4);
    of.ioas.copyFrom(of.ioas, 0, 4 * PAGE, { iova: 8 * PAGE });
    pinned(of, [[8, 4]]);
  }),
  // The first area is pinned and charged by the time that the second one is too much.
  pin(
    "more than may be locked",
    ["EFAULT", "ENOMEM"],
    [0, 6],
    (of) => {
      mapPages(of, 0, 3);
      mapPages(of, 3, 3);
    },
    "user",
    5 * PAGE,
  ),
  pin(
    "more than the process may lock",
    ["EFAULT", "ENOMEM"],
    [0, 6],
    (of) => {
      mapPages(of, 0, 3);
      mapPages(of, 3, 3);
    },
    "mm",
    5 * PAGE,
  ),
  pin("a page that is not there, behind others", ["EFAULT", "ENOMEM"], [0, 4], ({ payer, ioas }) => {
    const { va } = payer.map(3 * PAGE);
    payer.run(() => ioas.map(va, 4 * PAGE, { iova: 0 }));
  }),
  pin("what lies behind the end of a file, behind others", ["EFAULT", "ENOMEM"], [0, 4], (of) => {
    mapPages(of, 0, 2);
    const file = of.world.iommufd.createMemfd(PAGE, { maxBytes: 2 * PAGE });
    of.payer.run(() => of.ioas.mapFile(file, { iova: 2 * PAGE, length: 2 * PAGE }));
  }),
  {
    name: "the same pin twice more, and as many unpins",
    abis: ["mainline"],
    errors: [],
    prepare(world) {
      const of = machine(world);
      mapPages(of, 0, 4);
      const access = pinned(of, [[1, 2]]);
      return () => {
        const pieces = [said(access, 1, 2), said(access, 1, 2)];
        for (let n = 0; n < 3; n++) access.unpin(PAGE, 2 * PAGE);
        return pieces;
      };
    },
  },
  {
    name: "unpin of ranges that others pin, too",
    abis: ["mainline"],
    errors: [],
    prepare(world) {
      const of = machine(world);
      mapThreeSorts(of);
      pinned(of, [
        [1, 4],
        [3, 3],
      ]);
      const access = pinned(of, [
        [0, 6],
        [2, 2],
      ]);
      return () => {
        access.unpin(2 * PAGE, 2 * PAGE);
        access.unpin(0, 6 * PAGE);
      };
    },
  },
  {
    name: "unpin of memory that its process has unmapped, and the process' end",
    abis: ["mainline"],
    errors: [],
    prepare(world) {
      const of = machine(world);
      const mapping = of.payer.map(4 * PAGE);
      of.payer.run(() => of.ioas.map(mapping, { iova: 0 }));
      mapPages(of, 4, 4);
      const access = pinned(of, [
        [0, 2],
        [2, 4],
      ]);
      return () => {
        of.payer.unmap(mapping);
        access.unpin(0, 2 * PAGE);
        of.payer.exit();
        access.unpinAll();
      };
    },
  },
];

/** An access on memory, a file and memory outside, which all hold a pattern. */
function copied(world: World): { access: Access; memory: readonly Uint8Array[] } {
  const of = machine(world);
  const memory = mapThreeSorts(of);
  for (const bytes of memory) bytes.forEach((_, index) => (bytes[index] = 1 + (index % 250)));
  return { access: driver(of), memory };
}

const COPIES: readonly Operation[] = [
  {
    name: "read across memory, a file and memory outside",
    abis: ["mainline"],
    errors: ["EFAULT"],
    prepare(world) {
      const { access } = copied(world);
      return () => {
        const bytes = new Uint8Array(4 * PAGE);
        access.read(PAGE + 100, bytes);
        return [...bytes];
      };
    },
  },
  {
    name: "write across memory, a file and memory outside",
    abis: ["mainline"],
    errors: ["EFAULT"],
    prepare(world) {
      const { access, memory } = copied(world);
      for (const bytes of memory) world.watch(bytes);
      return () => access.write(PAGE + 100, new Uint8Array(4 * PAGE).fill(255));
    },
  },
  {
    name: "write of a few bytes across two pages",
    abis: ["mainline"],
    errors: ["EFAULT"],
    prepare(world) {
      const { access, memory } = copied(world);
      world.watch(memory[0]!);
      return () => access.write(PAGE - 3, Uint8Array.of(255, 254, 253, 252, 251));
    },
  },
  {
    name: "copy between two mappings, by the core",
    abis: ["mainline"],
    errors: ["EFAULT"],
    prepare(world) {
      const { access, memory } = copied(world);
      const { bytes } = world.iommufd.userSpace.map(PAGE);
      world.watch(memory[0]!);
      return () => {
        access.write(100, bytes);
        access.read(PAGE, bytes);
      };
    },
  },
];

/** Two address spaces of `pages` pages each. */
function twoSpaces(world: World): Machine & { other: Ioas } {
  const of = machine(world);
  mapPages(of, 0, 4);
  const other = of.context.ioasAlloc();
  other.copyFrom(of.ioas, 0, 4 * PAGE, { iova: 0 });
  return { ...of, other };
}

/** Pages 0 to 2 are pinned, which the driver may have let go by the time that the call fails: then they are pinned again. */
function pinAnew(access: Access, call: () => unknown): () => unknown {
  return () => {
    try {
      return call();
    } catch (error) {
      access.unpinAll();
      said(access, 0, 3);
      throw error;
    }
  };
}

const LIVES: readonly Operation[] = [
  {
    name: "an access that is made and attached",
    abis: ["mainline"],
    errors: ["EBUSY", "EMFILE", "ENOMEM"],
    prepare(world) {
      const of = machine(world);
      return () => driver(of).id;
    },
  },
  {
    name: "an access that is made, attached, used and ended",
    abis: ["mainline"],
    errors: ["EBUSY", "EFAULT", "EMFILE", "ENOMEM"],
    prepare(world) {
      const of = machine(world);
      mapPages(of, 0, 3);
      return () => {
        const access = of.ioas.access();
        try {
          const pieces = said(access, 0, 3);
          access.unpinAll();
          access.write(0, Uint8Array.of(1));
          access.detach();
          return pieces;
        } catch (error) {
          access.unpinAll();
          throw error;
        } finally {
          endAnyhow(access);
        }
      };
    },
  },
  {
    name: "attach",
    abis: ["mainline"],
    errors: ["ENOMEM"],
    prepare(world) {
      const of = twoSpaces(world);
      const access = of.context.access();
      world.atEnd(() => access.destroy());
      world.observe(() => access.ioasId);
      return () => access.attach(of.ioas);
    },
  },
  {
    name: "attach to another address space, with pins that are let go",
    abis: ["mainline"],
    errors: ["ENOMEM"],
    prepare(world) {
      const of = twoSpaces(world);
      const access = pinned(of, [[0, 3]]);
      return pinAnew(access, () => access.replace(of.other));
    },
  },
  {
    name: "attach to another address space, with pins that stay",
    abis: ["mainline"],
    errors: ["ENOMEM"],
    prepare(world) {
      const of = twoSpaces(world);
      const access = of.ioas.access();
      endOf(world, access);
      said(access, 0, 3);
      return () => access.replace(of.other);
    },
  },
  {
    name: "detach, with pins that are let go",
    abis: ["mainline"],
    errors: [],
    prepare(world) {
      const of = twoSpaces(world);
      const access: Access = of.ioas.access({ unmap: () => access.unpinAll() });
      world.atEnd(() => access.destroy());
      said(access, 0, 3);
      return () => access.detach();
    },
  },
  {
    name: "the end of an access, with pins that are let go",
    abis: ["mainline"],
    errors: ["ENOMEM"],
    prepare(world) {
      const of = twoSpaces(world);
      const access: Access = of.ioas.access({ unmap: () => access.unpinAll() });
      said(access, 0, 3);
      // It stays attached when its object cannot go.
      return pinAnew(access, () => access.destroy());
    },
  },
  {
    name: "the end of an access that is attached to nothing",
    abis: ["mainline"],
    errors: ["ENOMEM"],
    prepare(world) {
      const access = machine(world).context.access();
      return () => access.destroy();
    },
  },
  {
    name: "the end of the last access of a file that is closed",
    abis: ["mainline"],
    errors: ["ENOMEM"],
    prepare(world) {
      const context = world.iommufd.open();
      const ioas = context.ioasAlloc();
      ioas.map(world.iommufd.userSpace.map(2 * PAGE), { iova: 0 });
      const access = ioas.access();
      access.pin(0, PAGE);
      access.unpinAll();
      context.close();
      return () => access.destroy();
    },
  },
];

/** The end of an access, whatever runs out meanwhile. */
function endAnyhow(access: Access): void {
  try {
    access.destroy();
  } catch (error) {
    if (!(error instanceof IommufdError) || error.code !== "ENOMEM") throw error;
    access.destroy();
    throw error;
  }
}

/** Pages 1 to 8 are mapped and 3 and 4 pinned, anew each time; then UNMAP takes all of them. */
function unmapPinned(of: Scene, unmap: () => number | string, obeys: boolean): () => number | string {
  const { world, context } = of;
  const ioas = context.ioas(of.ioas);
  const mapping = world.iommufd.userSpace.map(8 * PAGE);
  const { iova } = pages(1, 8);
  const access: Access = ioas.access({ unmap: () => void (obeys && access.unpinAll()) });
  endOf(world, access);
  const pin = numbered(() => said(access, 3, 2));
  if (obeys)
    return inTurn(
      unmapAll(of),
      numbered(() => ioas.map(mapping, { iova })),
      pin,
      unmap,
    );
  ioas.map(mapping, { iova });
  pin();
  world.observe(() => [world.faults.pinsAndOwners(), ioas.areas()]);
  return unmap;
}

function prepareUnmap(obeys: boolean): (place: Place) => Operation["prepare"] {
  return (place) => (world) => {
    const of = scene(world);
    return unmapPinned(of, caller(of, place, IOMMU_IOAS_UNMAP, { ioas_id: of.ioas, ...pages(1, 8) }), obeys);
  };
}

function prepareUnmapDma(place: Place): Operation["prepare"] {
  return (world) => {
    const of = compatible(world);
    const { iova, length } = pages(1, 8);
    const unmap = bytesCaller(of, place, VFIO_IOMMU_UNMAP_DMA, words(head(24), iova, length));
    return unmapPinned(of, unmap, true);
  };
}

export const ACCESS_OPERATIONS: readonly Operation[] = [
  ...LIVES,
  ...PINS,
  ...COPIES,
  ...both("UNMAP of what is pinned and let go", prepareUnmap(true), ["EFAULT", "ENOMEM"]),
  ...both("UNMAP of what stays pinned", prepareUnmap(false), ["ENOMEM"]),
  ...both("VFIO's UNMAP_DMA of what is pinned and let go", prepareUnmapDma, ["EFAULT", "ENOMEM"]),
];
