// SPDX-License-Identifier: GPL-2.0-only
// Why a call on an address space answered as it did. What is true of every command is said by explanations.ts.

import { Errno, IOMMU_IOAS_MAP_FIXED_IOVA, type ObjectInfo } from "../../index.js";

/** A call on an address space. */
export interface IoasCall {
  /** The command's name. */
  readonly name: string;
  /** The struct as it was given. */
  readonly given: Values;
  /** The struct after the call. */
  readonly reply: Values;
  readonly objects: readonly ObjectInfo[];
}

type Values = Readonly<Record<string, number | bigint | Uint8Array>>;

const FLAGS = 7;
const RIGHTS = 6;

/** Why it failed; undefined when there is nothing more to say than of any command. */
export function whyIoasFailed(errno: number, call: IoasCall): string | undefined {
  const { name, given } = call;
  if (!/^IOMMU_IOAS_(MAP|MAP_FILE|COPY|UNMAP)$/.test(name)) return undefined;
  switch (errno) {
    case Errno.ENOENT:
      return missing(call);
    case Errno.EEXIST:
      return "Something is mapped in that range already. A fixed IOVA takes only what is free; unmap first, or let the kernel pick.";
    case Errno.ENOSPC:
      return "No hole is large enough, or none of what IOMMU_IOAS_ALLOW_IOVAS allows.";
    case Errno.EPERM:
      return "The copy was to be writeable, but this memory was first mapped without write.";
    case Errno.EOVERFLOW:
      return "The range ends beyond the last IOVA, 0xffffffffffffffff.";
    case Errno.EDEADLK:
      return "A device keeps pins on the memory, and does not let go although it was asked to.";
    case Errno.EOPNOTSUPP:
      return `flags has bits that nobody knows: only 1 (fixed IOVA), 2 (writeable) and 4 (readable) mean something.`;
    case Errno.EINVAL:
      return invalid(name, given);
    default:
      return undefined;
  }
}

function invalid(name: string, given: Values): string | undefined {
  const { flags, length } = given;
  if (length === 0n) return "length is 0: there is nothing to do.";
  if (name === "IOMMU_IOAS_UNMAP" || typeof flags !== "number") return undefined;
  return (flags & RIGHTS) === 0 && (flags & ~FLAGS) === 0
    ? "flags has no right: a device must be able to read (4), to write (2), or both (6)."
    : undefined;
}

function missing({ name, given, objects }: IoasCall): string {
  const ids = [given["ioas_id"], given["dst_ioas_id"], given["src_ioas_id"]].filter((id) => id !== undefined);
  const unknown = ids.find(
    (id) => !objects.some((object) => object.id === id && object.type.name === "IOMMUFD_OBJ_IOAS"),
  );
  if (unknown !== undefined) return `There is no address space ${shown(unknown)}.`;
  if (name === "IOMMU_IOAS_COPY") return "The range of the source has a gap, or nothing is mapped there.";
  return "Nothing is mapped there, or an area sticks out of the range. An area is unmapped as a whole, never a part of it; the range may hold several.";
}

/** What it did; undefined for another command. */
export function whatIoasDid({ name, given, reply }: IoasCall): string | undefined {
  switch (name) {
    case "IOMMU_IOAS_ALLOC":
      return `Address space ${shown(reply["out_ioas_id"])} is there: 2^64 IOVAs, and nothing is mapped.`;
    case "IOMMU_IOAS_MAP":
    case "IOMMU_IOAS_MAP_FILE":
      return `A device sees the memory from IOVA ${shown(reply["iova"])} on${picked(given)}.`;
    case "IOMMU_IOAS_COPY":
      return `The same memory is seen from IOVA ${shown(reply["dst_iova"])} on${picked(given)}. It stays until the last area that shows it is unmapped.`;
    case "IOMMU_IOAS_UNMAP":
      return `${shown(reply["length"])} bytes were unmapped.`;
    case "IOMMU_IOAS_IOVA_RANGES":
      return `${shown(reply["num_iovas"])} ranges are usable.`;
    case "IOMMU_IOAS_ALLOW_IOVAS":
      return "From now on IOVAs are picked from these ranges only. A fixed IOVA may still be anywhere.";
    default:
      return undefined;
  }
}

function picked({ flags }: Values): string {
  return typeof flags === "number" && (flags & IOMMU_IOAS_MAP_FIXED_IOVA) === 0 ? ": the lowest place that suits" : "";
}

/** Numbers that fit a line as decimal; addresses as hex. */
function shown(value: number | bigint | Uint8Array | undefined): string {
  return typeof value === "bigint" ? `0x${value.toString(16)}` : typeof value === "number" ? String(value) : "?";
}
