// SPDX-License-Identifier: GPL-2.0-only
//
// The null page (assembly/core/memory-map.ts) is zero for ever: lookups read it where a table has no node. What is found there was
// written through a spoilt address.

import type { Iommufd } from "iommufd-wasm";
import { Layout } from "../../bindings/generated/layout.ts";

/** The words of the null page that are not zero: address → value. */
export function nullPageLeftovers({ share }: Iommufd): Record<number, number> {
  const words = new Uint32Array(share.memory.buffer, 0, Layout.NULL_BYTES >> 2);
  return Object.fromEntries([...words.entries()].filter(([, word]) => word !== 0).map(([at, word]) => [at * 4, word]));
}
