// SPDX-License-Identifier: GPL-2.0-only
//
// A machine with an address space for one test of accesses: pages that are mapped there, and what an access reads.

import type { Access, Ioas, Iommufd, IommufdContext, IommufdWarning } from "iommufd-wasm";
import { boot } from "./boot.ts";

export const PAGE = 4096;
export const LAST = 2n ** 64n - 1n;

export interface Machine {
  iommufd: Iommufd;
  warnings: IommufdWarning[];
  context: IommufdContext;
  ioas: Ioas;
}

export async function machine(): Promise<Machine> {
  const { iommufd, warnings } = await boot({ abi: "mainline" });
  const context = iommufd.open();
  return { iommufd, warnings, context, ioas: context.ioasAlloc() };
}

/** Pages of the calling process, filled with 1, 2, 3 …, mapped at `iova`. */
export function mapPages({ iommufd, ioas }: Machine, pages: number, iova: number): Uint8Array {
  const memory = iommufd.userSpace.map(pages * PAGE);
  for (let page = 0; page < pages; page++) memory.bytes.fill(page + 1, page * PAGE, (page + 1) * PAGE);
  ioas.map(memory, { iova });
  return memory.bytes;
}

export function read(access: Access, iova: number | bigint, length: number): number[] {
  const into = new Uint8Array(length);
  access.read(iova, into);
  return [...into];
}
