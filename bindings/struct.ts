// SPDX-License-Identifier: GPL-2.0-only
/**
 * Structs of user memory: declared once as an ordered list of fields, laid out as a C compiler would.
 *
 * Layout rule: each field at the next multiple of its own alignment, the struct padded to its largest one, little endian.
 */
import { invalid, isWithin } from "./error.js";

/** Type of a field: an integer of 8 to 64 bits, or a byte array like "u8[48]". */
export type FieldType = "u8" | "u16" | "u32" | "u64" | "s8" | "s16" | "s32" | "s64" | `u8[${number}]`;

/** A struct's fields in order; those of an ioctl's struct without its `size`. */
export type Fields = Record<string, FieldType>;

type ValueOf<T extends FieldType> = T extends "u64" | "s64" ? bigint : T extends `u8[${number}]` ? Uint8Array : number;
type InputOf<T extends FieldType> = T extends "u64" | "s64"
  ? bigint | number
  : T extends `u8[${number}]`
    ? Uint8Array
    : number;

/** A decoded struct: u64 and s64 are bigint, byte arrays Uint8Array, all others number. */
export type Values<F extends Fields> = { -readonly [K in keyof F]: ValueOf<F[K]> };
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

/** A struct's layout, and how to read and write its bytes. */
export class Struct<F extends Fields> {
  /** The kernel's name of it, e.g. "iommu_iova_range", or an ioctl's. */
  readonly name: string;
  /** sizeof the struct, in bytes. */
  readonly size: number;
  /** All fields, in order. */
  readonly fields: Readonly<Record<string, FieldLayout>>;
  #codecs: readonly Codec[] | undefined;

  /** Lays the struct out. @throws IommufdError EINVAL for a field's name or type. */
  constructor(name: string, fields: F) {
    const layout: Record<string, FieldLayout> = {};
    let end = 0;
    let align = 1;
    for (const [field, type] of Object.entries(fields)) {
      const is = measure(type);
      if (is === undefined) throw invalid("struct", `field ${field} has the unknown type ${String(type)}`, name);
      if (!FIELD_NAME.test(field)) throw invalid("struct", `${field} is no name of a field`, name);
      const offset = Math.ceil(end / is.align) * is.align;
      layout[field] = { offset, size: is.size, type };
      end = offset + is.size;
      align = Math.max(align, is.align);
    }
    this.name = name;
    this.size = Math.ceil(end / align) * align;
    this.fields = Object.freeze(layout);
    if (new.target === Struct) Object.freeze(this);
  }

  /** The struct's bytes for these values; what is left out is zero. @throws IommufdError EINVAL for an unknown field or a value out of range. */
  encode(values: Input<F>): Uint8Array<ArrayBuffer> {
    for (const field of Object.keys(values)) {
      if (!Object.hasOwn(this.fields, field)) throw invalid("ioctl", `there is no field ${field} to set`, this.name);
    }
    const bytes = new Uint8Array(this.size);
    this.write(bytes, values);
    return bytes;
  }

  /** Reads all fields from the struct's bytes; what the bytes do not cover is zero. */
  decode(bytes: Uint8Array): Values<F> {
    let whole = bytes;
    if (bytes.length < this.size) {
      whole = new Uint8Array(this.size);
      whole.set(bytes);
    }
    const view = new DataView(whole.buffer, whole.byteOffset, this.size);
    const values: Record<string, number | bigint | Uint8Array> = {};
    for (const { name, read } of this.#codec()) values[name] = read(view);
    return values as Values<F>;
  }

  /** Writes the given fields into the struct's bytes, leaving all else. @throws IommufdError EINVAL for a value out of range. */
  write(bytes: Uint8Array, values: Readonly<Record<string, unknown>>): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const { name, type, write } of this.#codec()) {
      const value = Object.hasOwn(values, name) ? values[name] : undefined; // a field may be called constructor
      if (value !== undefined && !write(view, value)) {
        throw invalid("ioctl", `${name} must be a ${type}, not ${describe(value)}`, this.name);
      }
    }
  }

  /** Made at the first use: most programs never look into most structs. */
  #codec(): readonly Codec[] {
    return (this.#codecs ??= Object.entries(this.fields).map(codecOf));
  }
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

function describe(value: unknown): string {
  return typeof value === "number" || typeof value === "bigint" ? String(value) : `a ${typeof value}`;
}
