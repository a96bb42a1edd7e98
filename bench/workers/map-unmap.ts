// SPDX-License-Identifier: GPL-2.0-only
/** A thread of threads-map-unmap: maps and unmaps a page in one hole after the other, for as long as it is told. */
import { Iommufd, type IommufdShare } from "iommufd-wasm";
import { type Window, work } from "../harness/crew.ts";
import { peer } from "../harness/peer.ts";
import { type AddressSpace, PAGE } from "../rivals/address-space.ts";
import { IoctlSpace } from "../rivals/ioas.ts";
import { SortedBTreeSpace } from "../rivals/tree-packages.ts";

/** Whose space it is: an IOAS of a file, or of a package, in the thread's own memory. */
export type MapSetup =
  | { readonly kind: "ours"; readonly share: IommufdShare; readonly fd: number; readonly ioas: number }
  | { readonly kind: "control" };

/** `holes` (a power of two) of a page at least, `stride` bytes apart from `first` on. */
export interface MapTask {
  readonly first: number;
  readonly holes: number;
  readonly stride: number;
}

function mapUnmap(space: AddressSpace, operations: number, { first, holes, stride }: MapTask): number {
  let right = 0;
  for (let index = 0; index < operations; index++) {
    const place = first + (index & (holes - 1)) * stride;
    right += space.map(place, PAGE) === 0 && space.unmap(place, PAGE) === 0 ? 1 : 0;
  }
  return right;
}

const setup = (await peer.next()) as MapSetup;
const space: AddressSpace =
  setup.kind === "ours"
    ? new IoctlSpace(Iommufd.attachSync(setup.share).fget(setup.fd), setup.ioas)
    : new SortedBTreeSpace();
peer.post("ready");
for (;;) {
  const task = (await peer.next()) as MapTask & Window;
  peer.post(work(task, (operations) => mapUnmap(space, operations, task)));
}
