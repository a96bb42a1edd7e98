// SPDX-License-Identifier: GPL-2.0-only
/**
 * The structs of ioctls: declared once as an ordered list of fields, laid out as a C compiler would.
 *
 * Layout rule: each field at the next multiple of its own alignment, the struct padded to its largest one, little endian. The
 * first field is always `size: u32`, the caller's idea of the struct's size, which makes every struct extensible.
 *
 * Kernel counterpart: include/uapi/linux/iommufd.h, IOCTL_OP().
 */
import { invalid, isWithin } from "./error.js";
import { Layout } from "./generated/layout.js";

/** Type of a field: an integer of 8 to 64 bits, or a byte array like "u8[48]". */
export type FieldType = "u8" | "u16" | "u32" | "u64" | "s8" | "s16" | "s32" | "s64" | `u8[${number}]`;

/** A struct's fields behind `size`, in order. */
export type Fields = Record<string, FieldType>;

type ValueOf<T extends FieldType> = T extends "u64" | "s64" ? bigint : T extends `u8[${number}]` ? Uint8Array : number;
type InputOf<T extends FieldType> = T extends "u64" | "s64"
  ? bigint | number
  : T extends `u8[${number}]`
    ? Uint8Array
    : number;

/** A decoded struct: u64 and s64 are bigint, byte arrays Uint8Array, all others number. */
export type Output<F extends Fields> = { -readonly [K in keyof F]: ValueOf<F[K]> } & { size: number };
/** Values for a struct: what is left out is zero; 64-bit fields take safe integers too. */
export type Input<F extends Fields> = { [K in keyof F]?: InputOf<F[K]> };

/** Where a field lies in its struct. */
export interface FieldLayout {
  /** Bytes from the start of the struct. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  readonly type: FieldType;
}

const INTEGER = /^([us])(8|16|32|64)$/;
/** A C identifier; numbers would change the order of an object's keys. */
const FIELD_NAME = /^(?!__proto__$)[A-Za-z_]\w*$/;
const BYTES = /^u8\[([1-9]\d*)\]$/;

/** Size and alignment of a type, in bytes; undefined when there is no such type. */
function measure(type: string): { size: number; align: number } | undefined {
  const integer = INTEGER.exec(type);
  if (integer) {
    const size = Number(integer[2]) / 8;
    return { size, align: size };
  }
  const bytes = BYTES.exec(type);
  return bytes ? { size: Number(bytes[1]), align: 1 } : undefined;
}

/**
 * One ioctl of the uAPI: its number, its struct, and how to read and write it.
 *
 * Made by `Iommufd.defineIoctl`, or one of the constants like `IOMMU_DESTROY`.
 */
export class IoctlCommand<F extends Fields> {
  /** E.g. "IOMMU_DESTROY". */
  readonly name: string;
  /** The number within the type ';', 0x80 … 0xff. */
  readonly nr: number;
  /** What ioctl(2) is called with: _IO(';', nr). */
  readonly request: number;
  /** sizeof the struct, in bytes. */
  readonly size: number;
  /** Smallest size that is accepted: the end of the last mandatory field, in bytes. */
  readonly minSize: number;
  /** All fields, `size` first. */
  readonly fields: Readonly<Record<string, FieldLayout>>;
  readonly #codecs: readonly Codec[];

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
    const layout: Record<string, FieldLayout> = { size: { offset: 0, size: 4, type: "u32" } };
    let end = 4;
    let align = 4;
    for (const [field, type] of Object.entries(fields)) {
      const is = measure(type);
      if (is === undefined) throw bad(`field ${field} has the unknown type ${String(type)}`);
      if (field === "size") throw bad("the field size is added for you");
      if (!FIELD_NAME.test(field)) throw bad(`${field} is no name of a field`);
      const offset = Math.ceil(end / is.align) * is.align;
      layout[field] = { offset, size: is.size, type };
      end = offset + is.size;
      align = Math.max(align, is.align);
    }
    const size = Math.ceil(end / align) * align;
    if (size > Layout.COMMAND_BYTES) throw bad(`the struct has ${size} bytes, more than ${Layout.COMMAND_BYTES}`);
    const lastField = last === undefined ? Object.values(layout).at(-1) : ownField(layout, String(last));
    if (lastField === undefined) throw bad(`last names no field: ${String(last)}`);
    this.name = name;
    this.nr = nr;
    this.request = Layout.IOMMUFD_TYPE | nr;
    this.size = size;
    this.minSize = lastField.offset + lastField.size;
    this.fields = Object.freeze(layout);
    this.#codecs = Object.entries(layout).map(codecOf);
    Object.freeze(this);
  }

  /** The struct's bytes for these values, with `size` filled in. @throws IommufdError EINVAL for an unknown field or a value out of range. */
  encode(values: Input<F>): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.size);
    for (const field of Object.keys(values)) {
      if (field === "size" || !Object.hasOwn(this.fields, field)) {
        throw invalid("ioctl", `there is no field ${field} to set`, this.name);
      }
    }
    this.write(bytes, { ...values, size: this.size });
    return bytes;
  }

  /** Reads all fields from the struct's bytes; what the bytes do not cover is zero. */
  decode(bytes: Uint8Array): Output<F> {
    let whole = bytes;
    if (bytes.length < this.size) {
      whole = new Uint8Array(this.size);
      whole.set(bytes);
    }
    const view = new DataView(whole.buffer, whole.byteOffset, this.size);
    const values: Record<string, number | bigint | Uint8Array> = {};
    for (const { name, read } of this.#codecs) values[name] = read(view);
    return values as Output<F>;
  }

  /** Writes the given fields, own properties, into the struct's bytes, leaving all else. @throws IommufdError EINVAL for a value out of range. */
  write(bytes: Uint8Array, values: Readonly<Record<string, unknown>>): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const { name, type, write } of this.#codecs) {
      const value = Object.hasOwn(values, name) ? values[name] : undefined; // a field may be called toString
      if (value !== undefined && !write(view, value)) {
        throw invalid("ioctl", `${name} must be a ${type}, not ${describe(value)}`, this.name);
      }
    }
  }
}

/** What Object.prototype has is no field. */
function ownField(layout: Readonly<Record<string, FieldLayout>>, name: string): FieldLayout | undefined {
  return Object.hasOwn(layout, name) ? layout[name] : undefined;
}

/** How one field is read and written; made once for each command, so that a call looks nothing up. */
interface Codec {
  readonly name: string;
  readonly type: FieldType;
  readonly read: (view: DataView) => number | bigint | Uint8Array;
  /** Returns false when the value does not fit the type. */
  readonly write: (view: DataView, value: unknown) => boolean;
}

function codecOf([name, { offset, size, type }]: [string, FieldLayout]): Codec {
  const [, sign, bits] = INTEGER.exec(type) ?? [];
  if (bits === undefined) return { name, type, ...bytesCodec(offset, size) };
  const accessor = `${bits === "64" ? "Big" : ""}${sign === "s" ? "Int" : "Uint"}${bits}` as "Uint32";
  const { [`get${accessor}` as const]: get, [`set${accessor}` as const]: set } = DataView.prototype;
  const wrap = (value: bigint): bigint => BigInt[sign === "s" ? "asIntN" : "asUintN"](64, value);
  const least = sign === "s" ? -(2 ** (size * 8 - 1)) : 0;
  const most = least + 2 ** (size * 8) - 1;
  return {
    name,
    type,
    read: (view) => get.call(view, offset, true),
    write(view, value) {
      if (size < 8) {
        if (!isWithin(value, least, most)) return false;
      } else if (typeof value === "bigint" || Number.isSafeInteger(value)) {
        const wide = BigInt(value as number | bigint);
        if (wrap(wide) !== wide) return false;
        value = wide;
      } else return false;
      set.call(view, offset, value as number, true);
      return true;
    },
  };
}

function bytesCodec(offset: number, size: number): Pick<Codec, "read" | "write"> {
  const bytesAt = (view: DataView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset + offset, size);
  return {
    read: (view) => bytesAt(view).slice(),
    write(view, value) {
      if (!(value instanceof Uint8Array) || value.length > size) return false;
      bytesAt(view).fill(0).set(value);
      return true;
    },
  };
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

/** struct iommu_destroy: destroys any object by its ID. ENOENT, EBUSY. */
export const IOMMU_DESTROY = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_DESTROY",
  nr: Layout.NR_DESTROY,
  fields: { id: "u32" },
});

function describe(value: unknown): string {
  return typeof value === "number" || typeof value === "bigint" ? String(value) : `a ${typeof value}`;
}
