// SPDX-License-Identifier: GPL-2.0-only
//
// A machine for one test: an Iommufd whose warnings are collected and whose thread leaves when the test is over.

import { Iommufd, type IommufdOptions, type IommufdWarning } from "iommufd-wasm";
import { onTestFinished } from "vitest";

/** Both profiles, for `describe.each`. */
export const ABIS = ["rfc", "mainline"] as const;

const MEMORY_BYTES = 8 * 1024 * 1024;

export interface Booted {
  iommufd: Iommufd;
  /** What onWarning got, in order. */
  warnings: IommufdWarning[];
}

/** Boots with 8 MiB; the options can say otherwise. */
export async function boot(options: IommufdOptions = {}): Promise<Booted> {
  const warnings: IommufdWarning[] = [];
  const iommufd = await Iommufd.create({
    memoryBytes: MEMORY_BYTES,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  onTestFinished(() => iommufd.detach());
  return { iommufd, warnings };
}

/**
 * A second thread of the machine, run by this very JavaScript thread.
 *
 * To the library it is another thread: it has a slot, handles and callbacks of its own. Whoever blocks for it blocks both.
 */
export function otherThread(iommufd: Iommufd): Iommufd {
  const other = Iommufd.attachSync(iommufd.share);
  onTestFinished(() => other.detach());
  return other;
}
