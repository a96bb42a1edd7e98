// SPDX-License-Identifier: GPL-2.0-only
/**
 * What every rival offers: the hot calls of `IommufdContext`, by the same names and with the same meaning, so that one text of a
 * loop measures all of them. Numbers in, numbers out.
 *
 * The same checks: a missing, reserved or differently typed object is ENOENT; the lowest free ID comes first, from 1; a handle
 * names one use, so a stale, repeated or made-up one is refused; destroy refuses what is still in use.
 */
import { Errno } from "iommufd-wasm";

/** @typeParam T - How a type is named: an `ObjectType` in ours, a number from 1 on in the rivals. */
export interface ObjectTable<T> {
  /** Reserves the lowest free ID. Returns a handle > 0, or -errno. */
  tryAlloc(type: T): number;
  /** Publishes a reservation. Returns its ID. Throws for a handle that is none. */
  finalize(handle: number): number;
  /** Gives a reservation back. Throws for a handle that is none. */
  abort(handle: number): void;
  /** Locks a published object, of that type if one is given. Returns a handle > 0, or -errno. */
  tryGet(id: number, type?: T): number;
  /** Unlocks. Throws for a stale handle. */
  put(handle: number): void;
  /** Returns 0; -ENOENT; -EBUSY while there is a user beside the table. */
  tryDestroy(id: number): number;
  /** Releases all objects. */
  close(): void;
}

export type Rival = ObjectTable<number>;

/** Makes a rival with room for that many objects. */
export type MakeRival = (objects: number) => Rival;

export const ENOENT = -Errno.ENOENT;
export const EBUSY = -Errno.EBUSY;
export const ENOMEM = -Errno.ENOMEM;

/** What a rival throws for a handle that names nothing. */
export function staleHandle(): Error {
  return new Error("EINVAL: stale or foreign handle");
}
