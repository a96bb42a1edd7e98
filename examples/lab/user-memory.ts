// SPDX-License-Identifier: GPL-2.0-only
// Memory for pointers in a struct: the page maps some for itself, and reads whatever is mapped.

import type { Iommufd } from "iommufd-wasm";
import type { UserMemory } from "./lessons/lesson.js";

/** Bytes of the page's own mapping: one page. */
const SCRATCH_BYTES = 4096;

/** Bytes that the lesson on mapping has to map: more than its largest mapping. */
export const MAPPED_BYTES = 0x1_0000;
/** What the memory's address is a multiple of there, so that IOVAs may be. */
const ALIGNMENT = 0x4000n;

/** Maps the scratch memory. @throws IommufdError ENOMEM */
export function mapScratch({ userSpace }: Iommufd, bytes = SCRATCH_BYTES): UserMemory {
  const { va } = userSpace.map(bytes);
  const scratch = bytes === SCRATCH_BYTES ? va : ((va + ALIGNMENT - 1n) / ALIGNMENT) * ALIGNMENT;
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
