// SPDX-License-Identifier: GPL-2.0-only
//
// The user memory that a console's calls point at, besides buffers of their own: a page that may only be read, a writable
// page for pointers inside a struct, and an address with nothing behind it.
//
// One for each kernel, however many consoles look at it, mapped at the first use and kept as long as the kernel.

import type { Iommufd, UserMapping } from "../../index.js";
import { MOST_BYTES } from "./draft.js";

const memories = new WeakMap<Iommufd, ConsoleMemory>();

/** Where the search for an address without memory begins; mappings without a wish of their own lie far above. */
const UNMAPPED = 0xbad0_0000n;

/** User memory of a kernel's consoles. */
export class ConsoleMemory {
  /** May only be read by the kernel's copies; the console writes it through `bytes`. */
  readonly readOnly: UserMapping;
  /** Writable, for pointers inside a struct. */
  readonly scratch: UserMapping;
  readonly #iommufd: Iommufd;

  private constructor(iommufd: Iommufd) {
    this.#iommufd = iommufd;
    this.readOnly = iommufd.userSpace.map(MOST_BYTES, { prot: "r" });
    this.scratch = iommufd.userSpace.map(MOST_BYTES);
  }

  /** The memory of this kernel's consoles. @throws IommufdError ENOMEM */
  static of(iommufd: Iommufd): ConsoleMemory {
    let memory = memories.get(iommufd);
    if (memory === undefined) memories.set(iommufd, (memory = new ConsoleMemory(iommufd)));
    return memory;
  }

  /** An address where nothing is mapped now. */
  unmapped(): bigint {
    let address = UNMAPPED;
    for (const { va, bytes } of this.#iommufd.userSpace.mappings()) {
      const end = va + BigInt(bytes.length);
      if (address >= va && address < end) address = end;
    }
    return address;
  }
}
