// SPDX-License-Identifier: GPL-2.0-only
/** The sizes and numbers that the parts of the memory map share; memory-map.ts re-exports them. */
import { MODEL_BUILD } from "./config";

export const PAGE_SHIFT: u32 = 12;
export const PAGE_SIZE: u32 = 1 << PAGE_SHIFT;
export const WASM_PAGE_SIZE: u32 = 65536;
export const CACHE_LINE: u32 = 64;
export const MAX_FILES: u32 = MODEL_BUILD ? 4 : 1024;
/** Largest ioctl struct, and size of the buffers that carry arguments. */
export const COMMAND_BYTES: u32 = MODEL_BUILD ? 256 : 4096;
/** Numbers 0 to 2 are a process' standard streams, as on Linux. */
export const FIRST_FD: u32 = 3;
