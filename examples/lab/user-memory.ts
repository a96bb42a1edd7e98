// SPDX-License-Identifier: GPL-2.0-only
// Memory for pointers in a struct: the page maps some for itself, and reads whatever is mapped.

import type { Iommufd } from "iommufd-wasm";
import type { UserMemory } from "./lessons/lesson.js";

/** Bytes of the page's own mapping: one page. */
const SCRATCH_BYTES = 4096;

/** Maps the scratch memory. @throws IommufdError ENOMEM */
export function mapScratch({ userSpace }: Iommufd): UserMemory {
  const { va: scratch } = userSpace.map(SCRATCH_BYTES);
  return {
    scratch,
    read(address) {
      for (const { va, bytes } of userSpace.mappings()) {
        if (address >= va && address < va + BigInt(bytes.length)) return bytes.slice(Number(address - va));
      }
      return undefined;
    },
  };
}
