// SPDX-License-Identifier: GPL-2.0-only
/**
 * Ours, four times: an `Ioas` by its hot calls; by its typed calls; by `context.tryIoctl` with one buffer for all calls; and by the
 * core's raw export with the struct already in the thread's window, which is what the core itself costs. Raw is no API: it needs the
 * bindings' inside.
 *
 * The ioctls are done in full each way: struct, number and size, the file's mark, the lock on the IOAS, the lock of the space.
 */
import {
  IOMMU_IOAS_COPY,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_MAP_FIXED_IOVA,
  IOMMU_IOAS_MAP_READABLE,
  IOMMU_IOAS_MAP_WRITEABLE,
  IOMMU_IOAS_UNMAP,
  type Ioas,
  IommufdError,
} from "iommufd-wasm";
import { type AddressSpace, type MapSpace, USER } from "./address-space.ts";

const MAP = IOMMU_IOAS_MAP.request;
const UNMAP = IOMMU_IOAS_UNMAP.request;
const COPY = IOMMU_IOAS_COPY.request;
const FIXED = IOMMU_IOAS_MAP_FIXED_IOVA;
const RIGHTS = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE;
const [MAP_BYTES, UNMAP_BYTES, COPY_BYTES] = [IOMMU_IOAS_MAP.size, IOMMU_IOAS_UNMAP.size, IOMMU_IOAS_COPY.size];
/** Low word of the IOVA in MAP's struct. */
const MAP_IOVA = 8;
const HIGH = 2 ** 32;

export class HotSpace implements MapSpace {
  readonly #ioas: Ioas;

  constructor(ioas: Ioas) {
    this.#ioas = ioas;
  }

  map(first: number, length: number): number {
    const iova = this.#ioas.tryMap(USER, length, FIXED | RIGHTS, first);
    return iova < 0 ? iova : 0;
  }

  unmap(first: number, length: number): number {
    const bytes = this.#ioas.tryUnmap(first, length);
    return bytes < 0 ? bytes : 0;
  }

  mapAnywhere(length: number): number {
    return this.#ioas.tryMap(USER, length, RIGHTS);
  }
}

export class TypedSpace implements MapSpace {
  readonly #ioas: Ioas;

  constructor(ioas: Ioas) {
    this.#ioas = ioas;
  }

  map(first: number, length: number): number {
    return refused(() => {
      this.#ioas.map(USER, length, { iova: first });
      return 0;
    });
  }

  unmap(first: number, length: number): number {
    return refused(() => {
      this.#ioas.unmap(first, length);
      return 0;
    });
  }

  mapAnywhere(length: number): number {
    return refused(() => Number(this.#ioas.map(USER, length)));
  }
}

function refused(call: () => number): number {
  try {
    return call();
  } catch (error) {
    if (error instanceof IommufdError) return error.errno;
    throw error;
  }
}

/** The words of a MAP, with all that stays the same. */
function mapWords(ioas: number, flags: number): Uint32Array {
  return new Uint32Array([MAP_BYTES, flags | RIGHTS, ioas, 0, USER, 0, 0, 0, 0, 0]);
}

const bytesOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer);

export class IoctlSpace implements AddressSpace {
  readonly #context: Ioas["context"];
  readonly #map: Uint32Array;
  readonly #mapBytes: Uint8Array;
  readonly #anywhere: Uint32Array;
  readonly #anywhereBytes: Uint8Array;
  readonly #unmap: Uint32Array;
  readonly #unmapBytes: Uint8Array;
  readonly #copy: Uint32Array;
  readonly #copyBytes: Uint8Array;

  constructor({ context, id: ioas }: Ioas) {
    this.#context = context;
    this.#map = mapWords(ioas, FIXED);
    this.#mapBytes = bytesOf(this.#map);
    this.#anywhere = mapWords(ioas, 0);
    this.#anywhereBytes = bytesOf(this.#anywhere);
    this.#unmap = new Uint32Array([UNMAP_BYTES, ioas, 0, 0, 0, 0]);
    this.#unmapBytes = bytesOf(this.#unmap);
    this.#copy = new Uint32Array([COPY_BYTES, FIXED | RIGHTS, ioas, ioas, 1, 0, 0, 0, 0, 0]);
    this.#copyBytes = bytesOf(this.#copy);
  }

  map(first: number, length: number): number {
    const words = this.#map;
    words[6] = length;
    words[MAP_IOVA] = first;
    words[MAP_IOVA + 1] = first / HIGH;
    return this.#context.tryIoctl(MAP, this.#mapBytes);
  }

  unmap(first: number, length: number): number {
    const words = this.#unmap;
    words[2] = first;
    words[3] = first / HIGH;
    words[4] = length;
    words[5] = 0;
    return this.#context.tryIoctl(UNMAP, this.#unmapBytes);
  }

  mapAnywhere(length: number): number {
    const words = this.#anywhere;
    words[6] = length;
    const result = this.#context.tryIoctl(MAP, this.#anywhereBytes);
    return result < 0 ? result : (words[MAP_IOVA + 1] ?? 0) * HIGH + (words[MAP_IOVA] ?? 0);
  }

  /** A COPY of the byte to where it is. */
  look(address: number): number {
    const words = this.#copy;
    words[6] = words[8] = address;
    words[7] = words[9] = address / HIGH;
    return this.#context.tryIoctl(COPY, this.#copyBytes);
  }
}

/** What raw needs of the bindings. */
interface Inside {
  readonly kernel: {
    readonly core: {
      readonly ioctlWindow: (
        file: number,
        expected: number,
        request: number,
        length: number,
        blocking: number,
      ) => number;
    };
    readonly windowWords: Int32Array;
  };
  readonly fileAddress: number;
  readonly expected: number;
}

/** Context: no other call of this thread comes between the writing of the window and the export, so each writes all of it. */
export class RawSpace implements AddressSpace {
  readonly #ioctl: Inside["kernel"]["core"]["ioctlWindow"];
  readonly #window: Int32Array;
  readonly #file: number;
  readonly #expected: number;
  readonly #ioas: number;

  constructor({ context, id: ioas }: Ioas) {
    const { kernel, fileAddress, expected } = context as unknown as Inside;
    this.#ioctl = kernel.core.ioctlWindow;
    this.#window = kernel.windowWords;
    this.#file = fileAddress;
    this.#expected = expected;
    this.#ioas = ioas;
  }

  map(first: number, length: number): number {
    return this.#mapAt(FIXED, first, length);
  }

  unmap(first: number, length: number): number {
    const window = this.#window;
    window[0] = UNMAP_BYTES;
    window[1] = this.#ioas;
    window[2] = first;
    window[3] = first / HIGH;
    window[4] = length;
    window[5] = 0;
    return this.#ioctl(this.#file, this.#expected, UNMAP, UNMAP_BYTES, 0);
  }

  mapAnywhere(length: number): number {
    const result = this.#mapAt(0, 0, length);
    if (result < 0) return result;
    return (this.#window[MAP_IOVA + 1] ?? 0) * HIGH + ((this.#window[MAP_IOVA] ?? 0) >>> 0);
  }

  look(address: number): number {
    const window = this.#window;
    window[0] = COPY_BYTES;
    window[1] = FIXED | RIGHTS;
    window[2] = window[3] = this.#ioas;
    window[4] = 1;
    window[5] = 0;
    window[6] = window[8] = address;
    window[7] = window[9] = address / HIGH;
    return this.#ioctl(this.#file, this.#expected, COPY, COPY_BYTES, 0);
  }

  #mapAt(flags: number, first: number, length: number): number {
    const window = this.#window;
    window[0] = MAP_BYTES;
    window[1] = flags | RIGHTS;
    window[2] = this.#ioas;
    window[3] = 0;
    window[4] = USER;
    window[5] = 0;
    window[6] = length;
    window[7] = 0;
    window[MAP_IOVA] = first;
    window[MAP_IOVA + 1] = first / HIGH;
    return this.#ioctl(this.#file, this.#expected, MAP, MAP_BYTES, 0);
  }
}
