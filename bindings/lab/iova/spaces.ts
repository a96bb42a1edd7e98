// SPDX-License-Identifier: GPL-2.0-only
// The address spaces of a file: which there are, and where else some memory is shown.

import { type IoasArea, IommufdError, type IommufdContext } from "../../index.js";

const TYPE_NAME = "IOMMUFD_OBJ_IOAS";
/** Objects that are looked through for address spaces: IDs are handed out lowest first. */
const MOST_OBJECTS = 512;
/** Areas that are looked through for other places of some memory, in all address spaces together. */
const MOST_AREAS = 2048;
/** Places that are told. */
const MOST_PLACES = 8;

/** IDs of the address spaces among the file's first objects. @throws IommufdError EBADF, ESRCH, EIO */
export function spacesOf(context: IommufdContext): number[] {
  return context
    .objects({ limit: MOST_OBJECTS })
    .filter(({ type, state }) => type.name === TYPE_NAME && state === "live")
    .map(({ id }) => id);
}

/** Where else memory is shown. */
export interface Place {
  readonly id: number;
  readonly start: bigint;
}

/** Other areas that show the same memory, as far as they are among the first. @throws IommufdError EBADF, ESRCH, EIO */
export function otherPlaces(context: IommufdContext, ids: readonly number[], id: number, area: IoasArea): Place[] {
  const found: Place[] = [];
  let left = MOST_AREAS;
  for (const each of ids) {
    for (const { pages, start } of areasOf(context, each, left)) {
      left--;
      if (pages === area.pages && (each !== id || start !== area.start)) found.push({ id: each, start });
      if (found.length === MOST_PLACES) return found;
    }
    if (left <= 0) break;
  }
  return found;
}

/** Nothing for an address space that is destroyed meanwhile. */
function areasOf(context: IommufdContext, id: number, limit: number): IoasArea[] {
  try {
    return context.ioas(id).areas({ limit });
  } catch (error) {
    if (error instanceof IommufdError && error.code === "ENOENT") return [];
    throw error;
  }
}
