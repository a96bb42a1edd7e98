// SPDX-License-Identifier: GPL-2.0-only
//
// The structs of address spaces' commands for the reference and its fuzzer, written from the specification: not from the core's uapi.ts,
// so that an offset that is wrong there shows.
//
// A value is a number, of 64-bit fields a bigint.

type Width = 2 | 4 | 8;

/** A command's request and the fields of its struct, in order, each on a multiple of its width. */
export interface Command<F extends Readonly<Record<string, Width>> = Readonly<Record<string, Width>>> {
  readonly request: number;
  readonly fields: F;
}

export type Values<F> = { [K in keyof F]: F[K] extends 8 ? bigint : number };

function command<const F extends Readonly<Record<string, Width>>>(request: number, fields: F): Command<F> {
  return { request, fields };
}

export const DESTROY = command(0x3b80, { size: 4, id: 4 });
export const IOAS_ALLOC = command(0x3b81, { size: 4, flags: 4, outIoasId: 4 });
export const ALLOW_IOVAS = command(0x3b82, { size: 4, ioasId: 4, numIovas: 4, reserved: 4, allowedIovas: 8 });
export const COPY = command(0x3b83, {
  ...{ size: 4, flags: 4, dstIoasId: 4, srcIoasId: 4 },
  ...{ length: 8, dstIova: 8, srcIova: 8 },
});
export const IOVA_RANGES = command(0x3b84, {
  ...{ size: 4, ioasId: 4, numIovas: 4, reserved: 4 },
  ...{ allowedIovas: 8, outIovaAlignment: 8 },
});
export const MAP = command(0x3b85, { size: 4, flags: 4, ioasId: 4, reserved: 4, userVa: 8, length: 8, iova: 8 });
export const UNMAP = command(0x3b86, { size: 4, ioasId: 4, iova: 8, length: 8 });
export const OPTION = command(0x3b87, { size: 4, optionId: 4, op: 2, reserved: 2, objectId: 4, val64: 8 });
export const VFIO_IOAS = command(0x3b88, { size: 4, ioasId: 4, op: 2, reserved: 2 });
export const VFIO_GET_INFO = command(0x3b70, { argsz: 4, flags: 4, iovaPgsizes: 8, capOffset: 4, pad: 4 });
export const VFIO_MAP_DMA = command(0x3b71, { argsz: 4, flags: 4, vaddr: 8, iova: 8, size: 8 });
export const VFIO_UNMAP_DMA = command(0x3b72, { argsz: 4, flags: 4, iova: 8, size: 8 });

// By value.
export const VFIO_GET_API_VERSION = 0x3b64;
export const VFIO_CHECK_EXTENSION = 0x3b65;
export const VFIO_SET_IOMMU = 0x3b66;

export const FIXED_IOVA = 1;
export const WRITEABLE = 2;
export const READABLE = 4;
export const OPTION_RLIMIT_MODE = 0;
export const OPTION_HUGE_PAGES = 1;
export const OP_SET = 0;
export const OP_GET = 1;
export const VFIO_IOAS_GET = 0;
export const VFIO_IOAS_SET = 1;
export const VFIO_IOAS_CLEAR = 2;
export const UNMAP_DMA_ALL = 2;

export function bytesOf({ fields }: Command): number {
  return Object.values(fields).reduce((end, width) => Math.ceil(end / width) * width + width, 0);
}

/** The struct's bytes; what `values` has not is 0, and `size` or `argsz` is the struct's. */
export function encode<F extends Readonly<Record<string, Width>>>(
  of: Command<F>,
  values: Partial<Values<F>>,
): Uint8Array {
  const bytes = new Uint8Array(bytesOf(of));
  const view = new DataView(bytes.buffer);
  const sized: Record<string, number | bigint | undefined> = { size: bytes.length, argsz: bytes.length, ...values };
  // MAP_DMA and UNMAP_DMA have both; there `size` is what the caller maps.
  if ("argsz" in of.fields && !("size" in values)) sized.size = 0n;
  eachField(of, (name, width, at) => {
    const value = sized[name] ?? 0;
    if (width === 8) view.setBigUint64(at, BigInt(value), true);
    else if (width === 4) view.setUint32(at, Number(value), true);
    else view.setUint16(at, Number(value), true);
  });
  return bytes;
}

/** The fields of a struct; what its bytes have not is 0. */
export function decode<F extends Readonly<Record<string, Width>>>(of: Command<F>, bytes: Uint8Array): Values<F> {
  const whole = new Uint8Array(bytesOf(of));
  whole.set(bytes.subarray(0, whole.length));
  const view = new DataView(whole.buffer);
  const values: Record<string, number | bigint> = {};
  eachField(of, (name, width, at) => {
    if (width === 8) values[name] = view.getBigUint64(at, true);
    else values[name] = width === 4 ? view.getUint32(at, true) : view.getUint16(at, true);
  });
  return values as Values<F>;
}

function eachField({ fields }: Command, visit: (name: string, width: Width, at: number) => void): void {
  let end = 0;
  for (const [name, width] of Object.entries(fields)) {
    const at = Math.ceil(end / width) * width;
    visit(name, width, at);
    end = at + width;
  }
}
