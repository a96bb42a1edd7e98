// SPDX-License-Identifier: GPL-2.0-only
// The objects that the page begins with: a device attached to a page table of an address space, each holding the next.

import type { Fields, IommufdContext, IoctlCommand } from "iommufd-wasm";
import { TYPE } from "./lessons/evidence.js";

/** Makes the chain DEVICE → HWPT → IOAS by three calls. @throws IommufdError as LAB_ALLOC does */
export function addSample(context: IommufdContext, commands: readonly IoctlCommand<Fields>[]): void {
  const alloc = commands.find(({ name }) => name === "LAB_ALLOC");
  if (alloc === undefined) return;
  let held = 0;
  for (const type of [TYPE.IOAS, TYPE.HWPT, TYPE.DEVICE]) {
    held = Number(context.call(alloc, { type, hold_id0: held })["out_id"]);
  }
}
