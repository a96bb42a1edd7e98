// SPDX-License-Identifier: GPL-2.0-only
//
// Processes and memfds: making, growing, mapping and ending them, and who owns and pays for mappings of files.

import { IOMMU_IOAS_CHANGE_PROCESS, type UserSpace } from "iommufd-wasm";
import { SharedBuffer } from "../support/shared-buffer.ts";
import type { Operation, World } from "./operation-sweep.ts";
import { PAGE, type Place, both, bytesCaller } from "./scene.ts";

/** Rows that a failed call must leave as they are. */
function observeRows(world: World): void {
  const { iommufd, faults } = world;
  world.observe(() => [faults.pinsAndOwners(), iommufd.userSpaces().map(({ pid, credentials }) => [pid, credentials])]);
}

/** Two files' pages are pinned, mapped by one process; another one becomes their owner. */
function prepareChange(mode: "user" | "mm", memlockPages: number): (place: Place) => Operation["prepare"] {
  return (place) => (world) => {
    const { iommufd } = world;
    const context = iommufd.open();
    context.rlimitMode = mode;
    const [ioas, other] = [context.ioasAlloc(), context.ioasAlloc()];
    const giver = iommufd.createUserSpace({ uid: 5 });
    const taker = iommufd.createUserSpace({ uid: 6, memlockBytes: memlockPages * PAGE });
    const file = iommufd.createMemfd(8 * PAGE);
    giver.run(() => ioas.mapFile(file, { iova: 0, length: 4 * PAGE }));
    // What was mapped with CAP_IPC_LOCK stays free.
    other.mapFile(file, { iova: 0, start: 4 * PAGE, length: 4 * PAGE });
    for (const each of [ioas, other]) {
      const access = each.access();
      access.pin(0, 3 * PAGE);
      world.atEnd(() => {
        access.unpinAll();
        access.destroy();
      });
    }
    observeRows(world);
    return bytesCaller(
      { context, world },
      place,
      IOMMU_IOAS_CHANGE_PROCESS.request,
      IOMMU_IOAS_CHANGE_PROCESS.encode({}),
      taker,
    );
  };
}

function ended(world: World, options: { uid: number }): UserSpace {
  const space = world.iommufd.createUserSpace(options);
  space.map(PAGE);
  space.exit();
  return space;
}

export const PROCESS_OPERATIONS: readonly Operation[] = [
  {
    name: "a process that maps and ends",
    errors: ["EAGAIN", "ENOMEM"],
    prepare:
      ({ iommufd }) =>
      () => {
        const space = iommufd.createUserSpace({ uid: 7 });
        try {
          return space.map(2 * PAGE).va;
        } finally {
          space.exit();
        }
      },
  },
  {
    name: "a change of user",
    errors: ["EAGAIN"],
    prepare({ iommufd }) {
      const space = iommufd.createUserSpace({ uid: 7 });
      return () => {
        space.setCredentials({ uid: 8, capabilities: [] });
        space.setMemlock(1);
      };
    },
  },
  {
    name: "a memfd that grows, is mapped and goes",
    errors: ["EMFILE", "ENOMEM"],
    prepare:
      ({ iommufd }) =>
      () => {
        const file = iommufd.createMemfd(PAGE, { maxBytes: 3 * PAGE });
        try {
          file.truncate(3 * PAGE);
          iommufd.userSpace.unmap(iommufd.userSpace.map(2 * PAGE, { file, offset: PAGE }));
        } finally {
          file.close();
        }
      },
  },
  {
    name: "a mapping of external memory",
    errors: ["ENOMEM"],
    prepare:
      ({ iommufd }) =>
      () =>
        iommufd.userSpace.mapExternal(new SharedBuffer(3 * PAGE)).va,
  },
  {
    name: "read as another process, across two mappings of a file",
    errors: ["EFAULT"],
    prepare({ iommufd }) {
      const file = iommufd.createMemfd(2 * PAGE);
      const space = iommufd.createUserSpace();
      const { va } = space.map(PAGE, { file, va: 0x10_0000n });
      space.map(PAGE, { file, va: va + BigInt(PAGE), offset: PAGE });
      file.bytes.fill(6);
      return () => [...space.read(va + 100n, PAGE)];
    },
  },
  {
    name: "createUserSpace",
    errors: ["EAGAIN"],
    prepare(world) {
      ended(world, { uid: 7 });
      observeRows(world);
      return () => world.iommufd.createUserSpace({ uid: 8 }).credentials;
    },
  },
  {
    name: "the end of a process, in which a thread is, with mappings of all sorts",
    errors: [],
    prepare(world) {
      const { iommufd } = world;
      const file = iommufd.createMemfd(2 * PAGE);
      const space = iommufd.createUserSpace();
      space.map(3 * PAGE);
      space.map(2 * PAGE, { file });
      space.mapExternal(new SharedBuffer(PAGE));
      file.close();
      const other = iommufd.createUserSpace();
      other.map(PAGE);
      iommufd.enter(space);
      world.atEnd(() => iommufd.enter(iommufd.userSpace));
      return () => space.exit();
    },
  },
  {
    name: "createMemfd",
    errors: ["EMFILE", "ENOMEM"],
    prepare(world) {
      observeRows(world);
      return () => {
        const file = world.iommufd.createMemfd(PAGE + 1, { maxBytes: 5 * PAGE });
        world.atEnd(() => file.close());
        return [file.fd, file.size, file.maxBytes];
      };
    },
  },
  {
    name: "a file that shrinks, grows and is closed while it is mapped",
    errors: [],
    prepare(world) {
      const { iommufd } = world;
      const file = iommufd.createMemfd(3 * PAGE);
      const mapping = iommufd.userSpace.map(3 * PAGE, { file });
      world.watch(mapping.bytes.fill(5));
      return () => {
        file.truncate(100);
        file.truncate(2 * PAGE);
        file.close();
        iommufd.userSpace.unmap(mapping);
      };
    },
  },
  {
    name: "a mapping of a file, which needs pages for its protections",
    errors: ["ENOMEM"],
    prepare(world) {
      const file = world.iommufd.createMemfd(3 * PAGE);
      world.atEnd(() => file.close());
      observeRows(world);
      return () => world.iommufd.userSpace.map(2 * PAGE, { file, offset: PAGE, prot: "r" }).va;
    },
  },
  ...both("CHANGE_PROCESS with pins, charged to the user", prepareChange("user", 64), ["ENOMEM"]),
  ...both("CHANGE_PROCESS with pins, charged to the process", prepareChange("mm", 64), ["ENOMEM"]),
  ...both("CHANGE_PROCESS to who may not lock so much", prepareChange("user", 2), ["ENOMEM"]),
];
