// SPDX-License-Identifier: GPL-2.0-only
/**
 * Object types: what an object's payload is and what happens when it is destroyed.
 *
 * A type is registered by name in the shared memory; each thread that defines it gets an `ObjectType` of its own, with its
 * own callback. The numbers follow the order of definition, which is the rfc profile's order of release.
 *
 * Kernel counterpart: enum iommufd_object_type, struct iommufd_object_ops.
 */
import type { IommufdContext } from "./context.js";

/** An object whose destroy callback runs. Valid during the callback only. */
export interface DyingObject {
  /** The ID that it had; it may belong to another object already. */
  readonly id: number;
  /** The type whose callback runs. */
  readonly type: ObjectType;
  /** Its payload; the memory is reused after the callback. */
  readonly payload: DataView;
  /** The file that it belonged to; closed when this is the file's release. */
  readonly context: IommufdContext;
}

/** A definition for `Iommufd.defineObjectType`. */
export interface ObjectTypeDefinition {
  /** Identifies the type across threads: 1 to 48 bytes of UTF-8. */
  name: string;
  /** Bytes of payload of each object, zeroed at allocation: 0 … 1 MiB. */
  payloadBytes: number;
  /**
   * Runs when an object of the type is destroyed, in a thread that defined the type with one, after its ID was given back and
   * before its holds are dropped. It cannot refuse. An exception is rethrown once the destruction is complete.
   */
  destroy?(object: DyingObject): void;
}

/** A defined type, to be passed to `alloc` and `get`. */
export class ObjectType {
  /** The name that it is registered by. */
  readonly name: string;
  /** Bytes of payload of each object. */
  readonly payloadBytes: number;
  /** 1, 2, 3 … in the order of definition. */
  readonly number: number;
  /** @internal The instance that it belongs to. */
  readonly owner: object;

  /** Made by `Iommufd.defineObjectType`. */
  constructor(owner: object, number: number, name: string, payloadBytes: number) {
    this.owner = owner;
    this.number = number;
    this.name = name;
    this.payloadBytes = payloadBytes;
    Object.freeze(this);
  }
}
