// SPDX-License-Identifier: GPL-2.0-only
//
// The recorded process' memory, rebuilt in a UserSpace: the regions at their recorded addresses, with their
// protections.
//
// Before each call the memory that it gets is prepared as the recorder prepared it, and afterwards it is compared byte
// for byte:
//
//   buf, odd    argument | 64 guard bytes 0xa5, which nothing may change
//   edge        argument ends where the region ends; the next byte is EFAULT
//   ro          argument | zeros up to the end of the read-only region
//   split       argument across the border of a writable and a read-only page | zeros up to the end
//   raw         nothing: the pointer itself is the test
//
// Preparing writes through the mappings' own bytes, so the protections bind the library and not this file. A region is
// one mapping and its pieces with another protection are set afterwards. Regions that are only addresses (HOLE) are
// left unmapped.

import { IommufdError, type UserMapping, type UserSpace } from "../index.js";
import { GUARD_BYTE, GUARD_LENGTH, type IoctlRecord, type MetaRecord, type Region } from "./records.js";
import { RecordingError } from "./lines.js";

/** The region that the recorder filled before the first call, and with what. */
const FILLED = { name: "DATA", byte: 0x5a } as const;

interface MappedRegion {
  readonly region: Region;
  readonly mapping: UserMapping;
}

export class RecordedMemory {
  private constructor(
    private readonly userSpace: UserSpace,
    private readonly mapped: readonly MappedRegion[],
  ) {}

  /** Maps the recording's regions. Throws RecordingError when they overlap or do not fit. */
  static map(userSpace: UserSpace, meta: MetaRecord, file: string): RecordedMemory {
    const mapped: MappedRegion[] = [];
    const memory = new RecordedMemory(userSpace, mapped);
    for (const region of meta.regions) {
      const [first, ...others] = region.parts;
      if (first === undefined) continue;
      try {
        const mapping = userSpace.map(region.length, { va: region.address, prot: first.prot });
        mapped.push({ region, mapping });
        let address = region.address + BigInt(first.length);
        for (const part of others) {
          userSpace.protect(address, part.length, part.prot);
          address += BigInt(part.length);
        }
        if (region.name === FILLED.name) mapping.bytes.fill(FILLED.byte);
      } catch (error) {
        memory.unmap();
        if (!(error instanceof IommufdError)) throw error;
        const reason = `cannot map region "${region.name}", ${region.length} bytes at 0x${region.address.toString(16)}`;
        throw new RecordingError(file, meta.line, `${reason}: ${error.code}`);
      }
    }
    return memory;
  }

  unmap(): void {
    for (const { mapping } of this.mapped) this.userSpace.unmap(mapping);
  }

  /** Writes what the recorder had written before this call. */
  prepare(record: IoctlRecord): void {
    if (record.argument !== undefined) {
      const { before } = record.argument;
      const bytes = this.bytesFrom(record.address, before.length);
      bytes.set(before);
      if (record.how === "ro" || record.how === "split") bytes.fill(0, before.length);
      else bytes.fill(GUARD_BYTE, before.length, before.length + GUARD_LENGTH);
    }
    for (const { address, before } of record.memory) this.bytesFrom(address, before.length).set(before);
  }

  /** The argument's bytes as they are now; live. Empty when the call has a raw pointer. */
  argument(record: IoctlRecord): Uint8Array {
    if (record.argument === undefined) return EMPTY;
    const { length } = record.argument.before;
    return this.bytesFrom(record.address, length).subarray(0, length);
  }

  /** The guard behind a prepared argument, as far as its region reaches; live. Empty when the call has none. */
  guard(record: IoctlRecord): Uint8Array {
    if (record.argument === undefined || record.how === "ro" || record.how === "split") return EMPTY;
    const { length } = record.argument.before;
    return this.bytesFrom(record.address, length).subarray(length, length + GUARD_LENGTH);
  }

  /** Mapped bytes; live. */
  other(address: bigint, length: number): Uint8Array {
    return this.bytesFrom(address, length).subarray(0, length);
  }

  /** From `address` to the end of the region that holds `length` bytes there; the reader made sure that there is one. */
  private bytesFrom(address: bigint, length: number): Uint8Array {
    for (const { region, mapping } of this.mapped) {
      const offset = address - region.address;
      if (offset >= 0n && offset + BigInt(length) <= BigInt(region.length))
        return mapping.bytes.subarray(Number(offset));
    }
    throw new RangeError(`0x${address.toString(16)} is in no region`);
  }
}

const EMPTY = new Uint8Array(0);
