// SPDX-License-Identifier: GPL-2.0-only
//
// Random sequences of address spaces' commands: every answer, every reply and every array in user memory is the reference's.
//
// What the maps are shows in the answers: a COPY that would be misplaced looks at its source first, an UNMAP of an area without its last
// byte finds one that sticks out, and an automatic IOVA is the first hole that fits. At the end of a sequence all areas are unmapped one
// by one. It is then played again on the same machine, in another file: memory that the first file has not given back shows.

import { type IommufdContext, type IommufdOptions, Iommufd, type UserMapping } from "iommufd-wasm";
import * as abi from "../reference/address-space-structs.ts";
import {
  type AddressSpace,
  AddressSpaces,
  type Answer,
  type Area,
  type UserMemory,
} from "../reference/address-spaces.ts";
import { answer } from "../support/answer.ts";
import { Random } from "../support/random.ts";

const PAGE = 4096n;
const ULONG_MAX = 2n ** 64n - 1n;
const MEMORY_BYTES = 16 * 1024 * 1024;
const ARRAY_VA = 0x10_0000n;
const ARRAY_BYTES = 4096;

/** What a sequence is like. */
export const STYLES = {
  /** All kinds of numbers, in few and small areas. */
  edges: { steps: 1500, slots: 48, spaces: 4 },
  /** Whole pages, mostly with large pages off, and VFIO. */
  pages: { steps: 1500, slots: 64, spaces: 3 },
  /** So many areas that a tree has several levels, and then none. */
  many: { steps: 8400, slots: 20_000, spaces: 1 },
} as const;
export type Style = keyof typeof STYLES;

export interface Sequence {
  calls: number;
  /** The most areas that one address space had. */
  mostAreas: number;
  /** How often each command gave a value or an errno. */
  tally: Map<string, number>;
  /** What differed, with the seed; undefined when nothing did. */
  failure: string | undefined;
}

/** One sequence from its seed alone. `module`: another build of the core. */
export async function fuzzAddressSpaces(seed: number, style: Style, module?: WebAssembly.Module): Promise<Sequence> {
  const options: IommufdOptions = { abi: "mainline", memoryBytes: MEMORY_BYTES, ...(module && { module }) };
  const iommufd = await Iommufd.create(options);
  const sequence: Sequence = { calls: 0, mostAreas: 0, tally: new Map(), failure: undefined };
  try {
    const array = iommufd.userSpace.map(ARRAY_BYTES, { va: ARRAY_VA });
    const used: number[] = [];
    for (let time = 0; time < 2 && sequence.failure === undefined; time++) {
      const context = iommufd.open();
      new Walk(new Random(seed), style, context, array, sequence).run();
      context.close();
      used.push(iommufd.stats().bytes.used);
    }
    if (sequence.failure === undefined && used[0] !== used[1]) {
      sequence.failure = `played again it leaves ${used[1]} bytes in use instead of ${used[0]}`;
    }
    if (sequence.failure !== undefined) sequence.failure = `seed ${seed}, ${style}: ${sequence.failure}`;
    return sequence;
  } finally {
    iommufd.detach();
  }
}

/** The reference's user memory is one mapping, which the library has, too: before a call it is copied, afterwards compared. */
class ArrayMemory implements UserMemory {
  readonly bytes = new Uint8Array(ARRAY_BYTES);

  read(address: bigint, length: number): Uint8Array | undefined {
    const at = this.#at(address);
    const bytes = this.bytes.slice(at, at + length);
    return bytes.length === length ? bytes : undefined;
  }

  /** What fits is written, as copy_to_user() does. */
  write(address: bigint, bytes: Uint8Array): boolean {
    const at = this.#at(address);
    const fitting = bytes.subarray(0, Math.max(ARRAY_BYTES - at, 0));
    if (fitting.length > 0) this.bytes.set(fitting, at);
    return fitting.length === bytes.length;
  }

  /** The mapping's length where the address is none of its. */
  #at(address: bigint): number {
    const at = address - ARRAY_VA;
    return at >= 0n && at < BigInt(ARRAY_BYTES) ? Number(at) : ARRAY_BYTES;
  }
}

class Walk {
  readonly #random: Random;
  readonly #style: Style;
  readonly #context: IommufdContext;
  readonly #array: UserMapping;
  readonly #memory = new ArrayMemory();
  readonly #reference = new AddressSpaces(this.#memory);
  readonly #sequence: Sequence;

  constructor(random: Random, style: Style, context: IommufdContext, array: UserMapping, sequence: Sequence) {
    this.#random = random;
    this.#style = style;
    this.#context = context;
    this.#array = array;
    this.#sequence = sequence;
    array.bytes.fill(0);
  }

  run(): void {
    const { steps } = STYLES[this.#style];
    for (let step = 0; step < steps && this.#isEqual; step++) {
      if (this.#style === "many") this.#stepOfMany(step / steps);
      else this.#step();
      if (step % 100 === 99) this.#lookAtAreas();
    }
    this.#unmapEverything();
  }

  get #isEqual(): boolean {
    return this.#sequence.failure === undefined;
  }

  // ---------------------------------------------------------------------------------------------- comparing

  #call(name: string, request: number, argument: Uint8Array | bigint): Answer {
    if (!this.#isEqual) return "not made";
    const before = typeof argument === "bigint" ? String(argument) : hex(argument);
    const theirs = typeof argument === "bigint" ? argument : argument.slice();
    const is = answer(this.#context.tryIoctl(request, argument));
    const expected = this.#reference.ioctl(request, theirs);
    this.#sequence.calls++;
    const kind = `${name} ${typeof is === "number" ? "done" : is}`;
    this.#sequence.tally.set(kind, (this.#sequence.tally.get(kind) ?? 0) + 1);
    const called = `call ${this.#sequence.calls}, ${name} ${before}`;
    if (is !== expected) this.#sequence.failure = `${called}: ${is} instead of ${expected}`;
    else if (typeof argument !== "bigint" && typeof theirs !== "bigint" && hex(argument) !== hex(theirs)) {
      this.#sequence.failure = `${called}: the reply is ${hex(argument)} instead of ${hex(theirs)}`;
    } else if (!isSame(this.#array.bytes, this.#memory.bytes)) {
      this.#sequence.failure = `${called}: user memory differs`;
    }
    return is;
  }

  #make<F extends Readonly<Record<string, 2 | 4 | 8>>>(
    name: string,
    of: abi.Command<F>,
    values: Partial<abi.Values<F>>,
  ): Answer {
    return this.#call(name, of.request, abi.encode(of, values));
  }

  // ---------------------------------------------------------------------------------------------- choosing

  #spaces(): [id: number, space: AddressSpace][] {
    return [...this.#reference.spaces];
  }

  /** Mostly one that is there. */
  #id(): number {
    const ids = this.#spaces().map(([id]) => id);
    return ids.length === 0 || this.#random.oneIn(25) ? this.#random.below(8) : this.#random.pick(ids);
  }

  #areaOf(id: number): Area | undefined {
    const areas = this.#reference.spaces.get(id)?.areas ?? [];
    return areas.length > 0 ? this.#random.pick(areas) : undefined;
  }

  #special(): bigint {
    const near = this.#random.pick([0n, PAGE, PAGE * 2n, 2n ** 21n, 2n ** 63n, 2n ** 64n, 2n ** 64n - PAGE]);
    return BigInt.asUintN(64, near + this.#random.pick([0n, 0n, 1n, -1n, -2n, PAGE, -PAGE]));
  }

  #some(): bigint {
    const page = BigInt(this.#random.below(STYLES[this.#style].slots)) * PAGE;
    const isWhole = this.#style === "pages" ? !this.#random.oneIn(8) : this.#random.oneIn(2);
    return page + (isWhole ? 0n : this.#random.pick([1n, 8n, 2048n, 4095n, BigInt(this.#random.below(4096))]));
  }

  #iova(id: number): bigint {
    const area = this.#areaOf(id);
    if (this.#random.oneIn(12)) return this.#special();
    if (area === undefined || this.#random.oneIn(3)) return this.#some();
    const edge = this.#random.pick([area.first, area.first, area.last + 1n, area.last, area.first - 1n]);
    return BigInt.asUintN(64, this.#random.oneIn(6) ? edge + PAGE : edge);
  }

  /** From `iova` on: often just up to where an area begins or ends. */
  #length(id: number, iova: bigint): bigint {
    if (this.#random.oneIn(12)) return this.#special();
    const area = this.#areaOf(id);
    if (area !== undefined && this.#random.oneIn(2)) {
      const end = this.#random.pick([area.first, area.last, area.last + 1n]);
      if (end > iova) return end - iova;
    }
    if (this.#style === "pages" && !this.#random.oneIn(8)) return PAGE * BigInt(1 + this.#random.below(8));
    return this.#random.pick([1n, 2n, 3n, 100n, 4095n, PAGE, 4097n, PAGE * 3n, this.#some() + 1n, 2n ** 21n + 5n]);
  }

  #flags(): number {
    if (this.#random.oneIn(20)) return this.#random.below(16);
    const rights = this.#random.pick([abi.READABLE, abi.READABLE | abi.WRITEABLE, abi.READABLE | abi.WRITEABLE]);
    return rights | (this.#random.oneIn(2) ? abi.FIXED_IOVA : 0);
  }

  // ---------------------------------------------------------------------------------------------- one step

  #step(): void {
    const random = this.#random;
    const kinds =
      this.#style === "pages" ? [...KINDS, ...VFIO_KINDS, ...VFIO_KINDS] : [...KINDS, ...KINDS, ...VFIO_KINDS];
    switch (random.pick(kinds)) {
      case "alloc":
        if (this.#spaces().length < STYLES[this.#style].spaces || random.oneIn(20)) {
          this.#make("IOAS_ALLOC", abi.IOAS_ALLOC, { flags: random.oneIn(20) ? 1 : 0 });
          if (this.#style === "pages") this.#make("OPTION", abi.OPTION, { optionId: 1, objectId: this.#id() });
        }
        return;
      case "destroy":
        if (random.oneIn(12)) this.#make("DESTROY", abi.DESTROY, { id: this.#id() });
        return;
      case "map":
        return this.#mapSomething();
      case "copy":
        return this.#copySomething();
      case "unmap":
        return this.#unmapSomething();
      case "allow":
        return this.#allowSomething();
      case "ranges": {
        const numIovas = random.pick([0, 1, 2, 1]);
        const allowedIovas = random.oneIn(8) ? ARRAY_VA + BigInt(ARRAY_BYTES) - 8n : ARRAY_VA + 64n;
        this.#make("IOVA_RANGES", abi.IOVA_RANGES, { ioasId: this.#id(), numIovas, allowedIovas });
        return;
      }
      case "option": {
        const optionId = random.oneIn(15) ? random.below(4) : random.oneIn(4) ? 0 : 1;
        const objectId = optionId === 0 && !random.oneIn(8) ? 0 : this.#id();
        const val64 = random.oneIn(10) ? this.#special() : BigInt(random.below(2));
        const reserved = random.oneIn(30) ? 1 : 0;
        this.#make("OPTION", abi.OPTION, { optionId, objectId, val64, reserved, op: random.pick([0, 0, 1, 1, 2]) });
        return;
      }
      case "compat":
        this.#make("VFIO_IOAS", abi.VFIO_IOAS, { ioasId: this.#id(), op: random.pick([0, 1, 1, 1, 1, 2, 3]) });
        return;
      case "by value":
        this.#call("VFIO_CHECK_EXTENSION", abi.VFIO_CHECK_EXTENSION, BigInt(random.below(11)));
        this.#call("VFIO_SET_IOMMU", abi.VFIO_SET_IOMMU, BigInt(random.pick([1, 3, 0, 8])));
        return;
      case "info": {
        const bytes = new Uint8Array(random.pick([96, 96, 72, 71, 56, 40, 36, 24, 20, 16, 12]));
        new DataView(bytes.buffer).setUint32(0, random.oneIn(3) ? 72 : random.below(100), true);
        if (bytes.length >= 4) this.#call("VFIO_GET_INFO", abi.VFIO_GET_INFO.request, bytes);
        return;
      }
      case "map dma": {
        const iova = this.#iova(this.#compatId());
        const size = this.#length(this.#compatId(), iova);
        const flags = random.oneIn(30) ? 4 : random.below(4);
        this.#make("VFIO_MAP_DMA", abi.VFIO_MAP_DMA, { flags, iova, size, vaddr: this.#some() + PAGE });
        return;
      }
      case "unmap dma": {
        const iova = this.#iova(this.#compatId());
        const size = random.oneIn(12) ? this.#special() : this.#length(this.#compatId(), iova);
        const all = random.oneIn(40)
          ? { flags: 2, iova: 0n, size: random.oneIn(3) ? 1n : 0n }
          : { flags: 0, iova, size };
        this.#make("VFIO_UNMAP_DMA", abi.VFIO_UNMAP_DMA, all);
      }
    }
  }

  #compatId(): number {
    return this.#spaces().find(([, space]) => space === this.#reference.compat)?.[0] ?? 0;
  }

  #mapSomething(): void {
    const ioasId = this.#id();
    const iova = this.#iova(ioasId);
    const length = this.#length(ioasId, iova);
    const userVa = this.#random.oneIn(8) ? this.#special() : this.#some();
    const reserved = this.#random.oneIn(40) ? 1 : 0;
    this.#make("MAP", abi.MAP, { flags: this.#flags(), ioasId, reserved, userVa, length, iova });
  }

  #copySomething(): void {
    const srcIoasId = this.#id();
    const dstIoasId = this.#id();
    const srcIova = this.#iova(srcIoasId);
    const length = this.#length(srcIoasId, srcIova);
    const dstIova = this.#iova(dstIoasId);
    this.#make("COPY", abi.COPY, { flags: this.#flags(), dstIoasId, srcIoasId, length, dstIova, srcIova });
  }

  #unmapSomething(): void {
    const ioasId = this.#id();
    if (this.#random.oneIn(50)) {
      this.#make("UNMAP", abi.UNMAP, { ioasId, iova: 0n, length: ULONG_MAX });
      return;
    }
    const iova = this.#iova(ioasId);
    this.#make("UNMAP", abi.UNMAP, { ioasId, iova, length: this.#length(ioasId, iova) });
  }

  /** Up to some dozen ranges, which often touch, sometimes meet, and now and then lie where nobody may read. */
  #allowSomething(): void {
    const random = this.#random;
    const numIovas = random.oneIn(3) ? 0 : random.below(random.oneIn(4) ? 60 : 6);
    const list = new BigUint64Array(numIovas * 2);
    let at = random.oneIn(6) ? this.#special() : this.#some();
    for (let index = 0; index < numIovas; index++) {
      const first = at;
      const last = BigInt.asUintN(64, first + this.#random.pick([PAGE - 1n, 1n, 2n * PAGE - 1n, this.#some() + 1n]));
      list.set([first, random.oneIn(60) ? first : last], index * 2);
      at = BigInt.asUintN(
        64,
        last + random.pick([1n, 1n, 2n, PAGE + 1n, this.#some() + 1n]) - (random.oneIn(80) ? PAGE : 0n),
      );
    }
    // The order in which they are given does not matter.
    const shuffled = Array.from({ length: numIovas }, (_, index) => index).sort(() => random.below(3) - 1);
    const bytes = new BigUint64Array(shuffled.flatMap((index) => [list[index * 2]!, list[index * 2 + 1]!]));
    const offset = random.oneIn(15) ? ARRAY_BYTES - 40 : 128;
    const image = new Uint8Array(bytes.buffer).subarray(0, ARRAY_BYTES - offset);
    this.#array.bytes.set(image, offset);
    this.#memory.bytes.set(image, offset);
    const allowedIovas = random.oneIn(40) ? this.#special() : ARRAY_VA + BigInt(offset);
    this.#make("ALLOW_IOVAS", abi.ALLOW_IOVAS, { ioasId: this.#id(), numIovas, allowedIovas });
  }

  // ---------------------------------------------------------------------------------------------- many areas

  /** `part`: how much of the sequence is over. Grows for the first half of it, then shrinks to nothing. */
  #stepOfMany(part: number): void {
    const random = this.#random;
    if (this.#spaces().length === 0) this.#make("IOAS_ALLOC", abi.IOAS_ALLOC, {});
    const id = this.#spaces()[0]![0];
    const area = this.#areaOf(id);
    const grows = random.below(100) < (part < 0.5 ? 92 : 8);
    if (grows || area === undefined) {
      const iova = BigInt(random.below(STYLES.many.slots)) * 2n * PAGE;
      const length = random.pick([PAGE, PAGE, 1n, 2n * PAGE, 4097n]);
      const flags = abi.READABLE | (random.oneIn(8) ? 0 : abi.FIXED_IOVA);
      if (random.oneIn(6) && area !== undefined) {
        const part = { srcIova: area.first, length: area.last - area.first + 1n };
        this.#make("COPY", abi.COPY, { flags, dstIoasId: id, srcIoasId: id, dstIova: iova, ...part });
      } else this.#make("MAP", abi.MAP, { flags, ioasId: id, userVa: iova + PAGE, length, iova });
      return;
    }
    const several = random.oneIn(10) ? PAGE * BigInt(random.below(80)) : 0n;
    this.#make("UNMAP", abi.UNMAP, { ioasId: id, iova: area.first, length: area.last - area.first + 1n + several });
  }

  // ---------------------------------------------------------------------------------------------- looking

  /** A COPY to where none can go answers ENOENT where its source has a hole, and changes nothing; so does an UNMAP of less than an area. */
  #lookAtAreas(): void {
    for (const [id, { areas }] of this.#spaces()) {
      for (const area of areas.length > 40 ? [this.#random.pick(areas), this.#random.pick(areas)] : areas) {
        const length = area.last - area.first + 1n;
        const beyond = area.last < ULONG_MAX ? length + 1n : length;
        for (const some of [length, beyond]) {
          this.#make("COPY", abi.COPY, {
            ...{ flags: abi.READABLE | abi.FIXED_IOVA, srcIoasId: id, dstIoasId: id },
            ...{ length: some, srcIova: area.first, dstIova: area.first },
          });
        }
        if (length > 1n) this.#make("UNMAP", abi.UNMAP, { ioasId: id, iova: area.first, length: length - 1n });
      }
      this.#sequence.mostAreas = Math.max(this.#sequence.mostAreas, areas.length);
    }
  }

  #unmapEverything(): void {
    this.#lookAtAreas();
    for (const [id, space] of this.#spaces()) {
      while (this.#isEqual && space.areas.length > 0) {
        const { first, last } = this.#random.pick(space.areas);
        this.#make("UNMAP", abi.UNMAP, { ioasId: id, iova: first, length: last - first + 1n });
      }
      if (!this.#random.oneIn(3)) this.#make("DESTROY", abi.DESTROY, { id });
    }
  }
}

const KINDS = [
  ...["alloc", "destroy", "map", "map", "map", "map", "map", "copy", "copy", "copy", "unmap", "unmap", "unmap"],
  ...["allow", "ranges", "option"],
] as const;
const VFIO_KINDS = ["compat", "by value", "info", "map dma", "map dma", "map dma", "unmap dma", "unmap dma"] as const;

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** In words, for it is asked after each call. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  const [these, those] = [a, b].map(
    ({ buffer, byteOffset, length }) => new BigUint64Array(buffer, byteOffset, length / 8),
  );
  return these!.every((word, index) => word === those![index]);
}
