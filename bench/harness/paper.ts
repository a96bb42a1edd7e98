// SPDX-License-Identifier: GPL-2.0-only
//
// What each operation must cost, counted in the core's sources, and where its measured figure is. The table in bench/README.md is
// made of both.

/** An operation on paper. */
export interface PaperCost {
  readonly operation: string;
  readonly wasmCalls: number;
  /** Compare-and-swaps, exchanges and sequentially consistent stores: what a processor may not reorder. */
  readonly locked: number;
  /** Loads that each need the one before, up to the first locked operation. */
  readonly loads: string;
  /** The bench that measures it, its candidate, and what it is divided by in the same rounds. */
  readonly bench: string;
  readonly candidate: string;
  readonly against: string;
}

const GET_PUT = { bench: "get-put", wasmCalls: 2, locked: 2 } as const;
const IOCTL = { bench: "ioctl", wasmCalls: 1 } as const;

export const PAPER: readonly PaperCost[] = [
  {
    ...GET_PUT,
    operation: "get + put, IDs below 3,584",
    loads: "get: leaf, word; put: record, word",
    candidate: "1,024 objects: tryGet + put",
    against: "1,024 objects: floor",
  },
  {
    ...GET_PUT,
    operation: "get + put, with a type",
    loads: "the same",
    candidate: "1,024 objects: tryGet(type) + put",
    against: "1,024 objects: floor",
  },
  {
    ...GET_PUT,
    operation: "get + put, 2^20 IDs in turn",
    loads: "get: root, inner node, leaf, word; put as above",
    candidate: "1 M objects in turn: tryGet + put",
    against: "1 M objects in turn: floor",
  },
  {
    ...GET_PUT,
    operation: "get + put, 2^20 IDs at random",
    loads: "the same, of which leaf and word are far away",
    candidate: "1 M objects at random: tryGet + put",
    against: "1 M objects at random: floor (load, add, sub)",
  },
  {
    bench: "alloc-destroy",
    operation: "alloc + finalize + destroy",
    wasmCalls: 3,
    locked: 6,
    loads: "root, inner node, bitmap; record, entry; leaf, word",
    candidate: "published: alloc + finalize + destroy",
    against: "published: floor",
  },
  {
    bench: "alloc-destroy",
    operation: "alloc + abort",
    wasmCalls: 2,
    locked: 5,
    loads: "root, inner node, bitmap; record, entry, slot",
    candidate: "reserved only: alloc + abort",
    against: "reserved only: floor",
  },
  {
    ...IOCTL,
    operation: "ioctl DESTROY, ENOENT",
    locked: 0,
    loads: "the command's row; leaf, word",
    candidate: "ENOENT: tryIoctl",
    against: "ENOENT: floor",
  },
  {
    ...IOCTL,
    operation: "ioctl DESTROY, success",
    locked: 3,
    loads: "the command's row; leaf, word; root, inner node, bitmap",
    candidate: "success: tryIoctl",
    against: "success: floor",
  },
];
