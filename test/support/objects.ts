// SPDX-License-Identifier: GPL-2.0-only
//
// Objects for tests: published in one call, with their holds, and their counts in one word.

import type { Iommufd, IommufdContext, ObjectType } from "iommufd-wasm";

/** A type without a callback. */
export function plainType(iommufd: Iommufd, name = "plain", payloadBytes = 8): ObjectType {
  return iommufd.defineObjectType({ name, payloadBytes });
}

/** A type whose destroyed objects' IDs go to `log`. */
export function loggedType(iommufd: Iommufd, log: number[], name = "logged", payloadBytes = 8): ObjectType {
  return iommufd.defineObjectType({ name, payloadBytes, destroy: ({ id }) => void log.push(id) });
}

/** The ID of a published object that holds a user of each of the objects `on`. */
export function make(context: IommufdContext, type: ObjectType, ...on: number[]): number {
  const object = context.alloc(type);
  for (const id of on) {
    const target = context.get(id);
    object.hold(target);
    target.put();
  }
  return object.finalize();
}

/** "users/holders state" of a published object, "absent" without one. */
export function counts(context: IommufdContext, id: number): string {
  const info = context.inspect(id);
  return info === undefined ? "absent" : `${info.users}/${info.holders} ${info.state}`;
}

/** The IDs in the table, reservations included. */
export function idsOf(context: IommufdContext): number[] {
  return context.objects().map(({ id }) => id);
}
