// SPDX-License-Identifier: GPL-2.0-only
//
// An IO address space for one test of its typed API, and what is mapped in it.

import { type Ioas, type Iommufd, type IommufdContext, IommufdError } from "iommufd-wasm";
import { boot } from "./boot.ts";

export const PAGE = 4096;
export const HUGE = 2 * 1024 * 1024;
export const END = 2n ** 64n;
/** Aligned to 2 MiB; nothing is mapped there, which nobody asks before a device reads. */
export const ADDRESS = 0x1000_0000;

export interface Scene {
  iommufd: Iommufd;
  context: IommufdContext;
  ioas: Ioas;
}

export async function scene(): Promise<Scene> {
  const { iommufd } = await boot({ abi: "mainline" });
  const context = iommufd.open();
  return { iommufd, context, ioas: context.ioasAlloc() };
}

/** "first-last" of each mapping, in hexadecimal. */
export function shown(ioas: Ioas): string[] {
  return ioas.areas().map(({ start, last }) => `${start.toString(16)}-${last.toString(16)}`);
}

/** What a failing call threw. */
export function errorOf(call: () => unknown): IommufdError {
  try {
    call();
  } catch (error) {
    if (error instanceof IommufdError) return error;
    throw error;
  }
  throw new Error("no error");
}
