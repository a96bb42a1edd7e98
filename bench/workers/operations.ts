// SPDX-License-Identifier: GPL-2.0-only
/**
 * A thread of threads-get-put and owner-thread: it does one kind of operation for as long as it is told, on the table that its
 * first message names. A thread knows one table all its life, so that the loops are compiled for it alone.
 */
import { IOMMU_DESTROY, Iommufd, type IommufdShare, type ObjectType } from "iommufd-wasm";
import { type Window, work } from "../harness/crew.ts";
import { peer } from "../harness/peer.ts";
import { AtomicsTable } from "../rivals/atomics.ts";
import { STRIDE, attachFloor, floorMemory, floorPairs } from "../rivals/floor.ts";
import type { ObjectTable } from "../rivals/rival.ts";
import { SharedMapTable, type SharedMapShare } from "../rivals/sharedmap.ts";

/** The table, by who has made it. */
export type TableSetup =
  | { readonly kind: "ours"; readonly share: IommufdShare; readonly fd: number }
  | { readonly kind: "atomics"; readonly buffer: SharedArrayBuffer }
  | { readonly kind: "sharedmap"; readonly share: SharedMapShare }
  /** No table: memory of this thread only. */
  | { readonly kind: "control"; readonly module: WebAssembly.Module };

export type Operation = "get + put" | "alloc + finalize + destroy" | "alloc + abort" | "destroy of a missing ID";

/** `first` and `stride` say which 256 IDs get and put take in turn. */
export interface Task {
  readonly operation: Operation;
  readonly first: number;
  readonly stride: number;
}

/** Objects that a thread takes in turn. */
export const IDS = 256;
const MASK = IDS - 1;
const MISSING = 0x7fff_0000;
const ENOENT = -2;

type GetPut = Pick<ObjectTable<unknown>, "tryGet" | "put">;
type Loop = (operations: number, done: number) => number;

function getPut(table: GetPut, operations: number, first: number, stride: number): number {
  let right = 0;
  for (let index = 0; index < operations; index++) {
    const handle = table.tryGet(first + (index & MASK) * stride);
    right += handle > 0 ? 1 : 0;
    table.put(handle);
  }
  return right;
}

function lives<T>(table: ObjectTable<T>, operations: number, type: T): number {
  let right = 0;
  for (let index = 0; index < operations; index++) {
    const id = table.finalize(table.tryAlloc(type));
    right += table.tryDestroy(id) === 0 ? 1 : 0;
  }
  return right;
}

function reservations<T>(table: ObjectTable<T>, operations: number, type: T): number {
  let right = 0;
  for (let index = 0; index < operations; index++) {
    const handle = table.tryAlloc(type);
    right += handle > 0 ? 1 : 0;
    table.abort(handle);
  }
  return right;
}

function missing(ioctl: (bytes: Uint8Array) => number, operations: number): number {
  const words = new Uint32Array([8, MISSING]);
  const bytes = new Uint8Array(words.buffer);
  let right = 0;
  for (let index = 0; index < operations; index++) right += ioctl(bytes) === ENOENT ? 1 : 0;
  return right;
}

function loopsOf<T>(table: ObjectTable<T>, type: T): (task: Task) => Loop {
  return ({ operation, first, stride }) => {
    if (operation === "get + put") return (operations) => getPut(table, operations, first, stride);
    if (operation === "alloc + abort") return (operations) => reservations(table, operations, type);
    return (operations) => lives(table, operations, type);
  };
}

function ours(share: IommufdShare, fd: number): (task: Task) => Loop {
  const iommufd = Iommufd.attachSync(share);
  const context = iommufd.fget(fd);
  const type = iommufd.defineObjectType({ name: "BENCH", payloadBytes: 16 });
  const others = loopsOf<ObjectType>(context, type);
  const ioctl = (bytes: Uint8Array): number => context.tryIoctl(IOMMU_DESTROY.request, bytes);
  return (task) =>
    task.operation === "destroy of a missing ID" ? (operations) => missing(ioctl, operations) : others(task);
}

function open(setup: TableSetup): (task: Task) => Loop {
  switch (setup.kind) {
    case "ours":
      return ours(setup.share, setup.fd);
    case "atomics":
      return loopsOf(new AtomicsTable(setup.buffer), 1);
    case "sharedmap": {
      const table = new SharedMapTable(setup.share);
      return ({ first, stride }) =>
        (operations) =>
          getPut(table, operations, first, stride);
    }
    case "control": {
      const floor = attachFloor(setup.module, floorMemory(IDS * STRIDE));
      return () => (operations) => floorPairs(floor, operations, MASK);
    }
  }
}

const loopOf = open((await peer.next()) as TableSetup);
peer.post("ready");
for (;;) {
  const task = (await peer.next()) as Task & Window;
  peer.post(work(task, loopOf(task)));
}
