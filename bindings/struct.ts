// SPDX-License-Identifier: GPL-2.0-only
/**
 * Structs of user memory: declared once as an ordered list of fields, laid out as a C compiler would.
 *
 * Layout rule: each field at the next multiple of its own alignment, the struct padded to its largest one, little endian.
 */
import { invalid } from "./error.js";

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

  /** The struct's bytes for these values; what is left out is zero, but a command's `size`. @throws IommufdError EINVAL for an unknown field or a value out of range. */
  encode(values: Input<F>): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.size);
    this.fill(bytes, values);
    return bytes;
  }

  /** @internal As `encode`, into bytes that are zero. */
  fill(bytes: Uint8Array, values: Input<F>): void {
    this.#write(bytes, values, true);
  }

  /** Reads all fields from the struct's bytes; what the bytes do not cover is zero. */
  decode(bytes: Uint8Array): Values<F> {
    const values: Record<string, number | bigint | Uint8Array> = {};
    for (const codec of this.#codec()) values[codec.name] = load(bytes, codec);
    return values as Values<F>;
  }

  /** @internal As `decode`, of one field. */
  read<K extends string & keyof F>(bytes: Uint8Array, field: K): Values<F>[K] {
    return load(bytes, this.#codec().find(({ name }) => name === field) as Codec) as Values<F>[K];
  }

  /** Writes the given fields into the struct's bytes, leaving all else. @throws IommufdError EINVAL for a value out of range. */
  write(bytes: Uint8Array, values: Readonly<Record<string, unknown>>): void {
    this.#write(bytes, values, false);
  }

  /** Fields mostly come in the struct's order, so each is sought from the last one on. What is inherited is not given. */
  #write(bytes: Uint8Array, values: Readonly<Record<string, unknown>>, isStrict: boolean): void {
    if (values === null || values === undefined) throw new TypeError("no values");
    const codecs = this.#codec();
    let at = 0;
    for (const name in values) {
      if (!Object.hasOwn(values, name)) continue;
      let left = codecs.length;
      for (; left > 0 && codecs[at]?.name !== name; left--) at = at + 1 < codecs.length ? at + 1 : 0;
      const codec = codecs[at];
      if (left === 0 || codec === undefined) {
        if (isStrict) throw invalid("ioctl", `there is no field ${name} to set`, this.name);
        continue;
      }
      const value = values[name];
      if (value !== undefined && !store(bytes, codec, value)) {
        throw invalid("ioctl", `${name} must be a ${codec.type}, not ${describe(value)}`, this.name);
      }
    }
  }

  /** Made at the first use: most programs never look into most structs. */
  #codec(): readonly Codec[] {
    return (this.#codecs ??= Object.entries(this.fields).map(codecOf));
  }
}

/** What reading and writing a field need; made once for each struct, so that a call looks nothing up and makes no closure. */
interface Codec extends FieldLayout {
  readonly name: string;
  readonly isInteger: boolean;
  /** An integer's range: from here on … */
  readonly least: number;
  /** … to below here. */
  readonly limit: number;
  /** Of 64 bits: the scratch that makes a bigint of WORDS, and back. */
  readonly long: BigInt64Array | BigUint64Array | undefined;
}

const WORD = 2 ** 32;
/** A 64-bit number on its way between two words and a bigint, without further bigints; it keeps nothing from call to call. */
const WORDS = /* @__PURE__ */ new Int32Array(2);
const SIGNED = /* @__PURE__ */ (() => new BigInt64Array(WORDS.buffer))();
const UNSIGNED = /* @__PURE__ */ (() => new BigUint64Array(WORDS.buffer))();

function codecOf([name, { offset, size, type }]: [string, FieldLayout]): Codec {
  const [, sign, bits] = INTEGER.exec(type) ?? [];
  const least = sign === "s" ? -(2 ** (size * 8 - 1)) : 0;
  const limit = least + 2 ** (size * 8);
  const long = bits === "64" ? (sign === "s" ? SIGNED : UNSIGNED) : undefined;
  return { name, type, offset, size, isInteger: bits !== undefined, least, limit, long };
}

/** Byte by byte: a DataView would make V8 move a small array's bytes out of its heap. */
function load(bytes: Uint8Array, { offset, size, isInteger, least, long }: Codec): number | bigint | Uint8Array {
  if (!isInteger) {
    const copy = new Uint8Array(size);
    copy.set(bytes.subarray(offset, offset + size));
    return copy;
  }
  let [low, high] = [0, 0];
  for (let at = offset + size - 1; at >= offset; at--) {
    high = (high << 8) | (low >>> 24);
    low = (low << 8) | (bytes[at] ?? 0);
  }
  if (long !== undefined) {
    WORDS[0] = low;
    WORDS[1] = high;
    return long[0] as bigint;
  }
  const unused = 32 - size * 8;
  return least < 0 ? (low << unused) >> unused : low >>> 0;
}

/** Returns false when the value does not fit the type. @throws RangeError where the bytes do not cover the field. */
function store(bytes: Uint8Array, codec: Codec, value: unknown): boolean {
  const { offset, size, isInteger, long } = codec;
  if (offset + size > bytes.length) throw new RangeError(codec.name);
  let low: number;
  let high: number;
  if (isInteger && Number.isSafeInteger(value)) {
    low = value as number;
    if (low < codec.least || low >= codec.limit) return false;
    high = Math.floor(low / WORD);
  } else if (long !== undefined && typeof value === "bigint") {
    long[0] = value;
    if (long[0] !== value) return false;
    low = WORDS[0] as number;
    high = WORDS[1] as number;
  } else {
    if (isInteger || !(value instanceof Uint8Array) || value.length > size) return false;
    bytes.fill(0, offset, offset + size).set(value, offset);
    return true;
  }
  for (let at = 0; at < size; at++) bytes[offset + at] = (at < 4 ? low : high) >> (at * 8); // shifts count modulo 32
  return true;
}

function describe(value: unknown): string {
  return typeof value === "number" || typeof value === "bigint" ? String(value) : `a ${typeof value}`;
}
