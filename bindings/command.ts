// SPDX-License-Identifier: GPL-2.0-only
/**
 * Ioctls: a number, and a struct whose first field is always `size: u32`, the caller's idea of the struct's size, which makes every
 * struct extensible.
 *
 * Kernel counterpart: include/uapi/linux/iommufd.h, IOCTL_OP().
 */
import { invalid, isWithin } from "./error.js";
import { Layout } from "./generated/layout.js";
import { type FieldLayout, type Fields, type FieldType, type Input, Struct, type Values } from "./struct.js";

/** A command's decoded struct: u64 and s64 are bigint, byte arrays Uint8Array, all others number. */
export type Output<F extends Fields> = Values<F> & { size: number };

/**
 * One ioctl of the uAPI: its number, its struct, and how to read and write it.
 *
 * Made by `Iommufd.defineIoctl`, or one of the constants like `IOMMU_DESTROY`.
 */
export class IoctlCommand<F extends Fields> extends Struct<F> {
  /** The number within the type ';', 0x80 … 0xff. */
  readonly nr: number;
  /** What ioctl(2) is called with: _IO(';', nr). */
  readonly request: number;
  /** Smallest size that is accepted: the end of the last mandatory field, in bytes. */
  readonly minSize: number;

  /**
   * Lays the struct out.
   *
   * @throws IommufdError EINVAL: name, number, a field's type, `last`, or a struct of more than 4096 bytes.
   */
  constructor(definition: { name: string; nr: number; fields: F; last?: keyof F }) {
    const { name, nr, fields, last } = definition;
    if (typeof name !== "string" || name === "") throw invalid("defineIoctl", "name must be a non-empty string");
    const bad = (message: string) => invalid("defineIoctl", message, name);
    if (!isWithin(nr, Layout.COMMAND_BASE, Layout.COMMAND_BASE + Layout.MAX_COMMANDS - 1)) {
      throw bad(`nr must be an integer in 0x80 … 0xff, not ${String(nr)}`);
    }
    if (typeof fields !== "object" || fields === null) throw bad("fields must be an object");
    if (Object.hasOwn(fields, "size")) throw bad("the field size is added for you");
    super(name, { size: "u32", ...fields } as Record<string, FieldType> as F);
    if (this.size > Layout.COMMAND_BYTES) {
      throw bad(`the struct has ${this.size} bytes, more than ${Layout.COMMAND_BYTES}`);
    }
    const lastField = last === undefined ? Object.values(this.fields).at(-1) : ownField(this.fields, String(last));
    if (lastField === undefined) throw bad(`last names no field: ${String(last)}`);
    this.nr = nr;
    this.request = Layout.IOMMUFD_TYPE | nr;
    this.minSize = lastField.offset + lastField.size;
    Object.freeze(this);
  }

  /** @internal As Struct's, with `size` filled in. */
  override fill(bytes: Uint8Array, values: Input<F>): void {
    if (Object.hasOwn(values, "size")) throw invalid("ioctl", "there is no field size to set", this.name);
    super.fill(bytes, values);
    bytes[0] = this.size;
    bytes[1] = this.size >> 8;
  }

  /** Reads all fields from the struct's bytes; what the bytes do not cover is zero. */
  override decode(bytes: Uint8Array): Output<F> {
    return super.decode(bytes) as Output<F>;
  }
}

/** What Object.prototype has is no field. */
function ownField(layout: Readonly<Record<string, FieldLayout>>, name: string): FieldLayout | undefined {
  return Object.hasOwn(layout, name) ? layout[name] : undefined;
}

/** Two words that are the same exactly for commands of the same name and fields, as far as a 64-bit digest can tell. */
export function shapeOf(command: IoctlCommand<Fields>): [low: number, high: number] {
  const text = JSON.stringify([command.name, command.minSize, command.fields]);
  return [digest(text, 0x811c9dc5), digest(text, 0x01234567)];
}

/** FNV-1a over UTF-16 units. */
function digest(text: string, basis: number): number {
  let hash = basis;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash;
}
