// SPDX-License-Identifier: GPL-2.0-only
//
// Why a call answered as it did, in plain words that fit the case.
//
// What an errno means depends on how the call was made (the pointer, the declared size, the tail), then on the command, and
// in two cases on what the file contains now: who uses a busy object, and whether a missing one has merely another type.
// The order of the questions is the kernel's own: file number, size word, request, size, tail, command.

import { Errno, type Fields, type IoctlCommand, type ObjectInfo } from "../../index.js";
import { errnoText } from "../../trace.js";
import { declaredSize, type Draft, knownSize, shapeOf } from "./draft.js";
import { type IoasCall, whatIoasDid, whyIoasFailed } from "./explain-ioas.js";

/** What an explanation is of. */
export interface Situation {
  readonly draft: Draft;
  readonly command: IoctlCommand<Fields> | undefined;
  /** ≥ 0, or -errno. */
  readonly result: number;
  /** The argument after the call. */
  readonly after: Uint8Array;
  readonly abi: "rfc" | "mainline";
  /** What the file contains after the call. */
  readonly objects: readonly ObjectInfo[];
}

type Values = Readonly<Record<string, number | bigint | Uint8Array>>;

/** LAB_ALLOC's flags, and its types by number. */
const ALLOC_ABORT = 1;
const ALLOC_FLAGS = 3;
const TYPES = ["any type", "DEVICE", "HWPT", "IOAS"] as const;

/** Why the call answered as it did. */
export function explain(situation: Situation): string {
  const { result, command, draft, after } = situation;
  if (result >= 0) return success(situation, command === undefined ? {} : command.decode(after));
  const values: Values = command === undefined ? {} : command.decode(draft.bytes);
  const ofIoas = isTooShort(situation) ? undefined : whyIoasFailed(-result, ioasCall(situation));
  if (ofIoas !== undefined) return ofIoas;
  switch (-result) {
    case Errno.EBADF:
      return "The file number is not open. The kernel looks it up before anything else, so the command was never reached.";
    case Errno.EFAULT:
      return badAddress(situation);
    case Errno.ENOTTY:
      return unknownRequest(situation);
    case Errno.E2BIG:
      return `The struct is longer than the kernel knows, and what stands behind byte ${knownSize(command)} is not all zero. The kernel refuses what it does not understand; a tail of zeros would have been fine.`;
    case Errno.EOPNOTSUPP:
      return isTooShort(situation) ? tooShort(situation) : unsupported(values);
    case Errno.EINVAL:
      return isTooShort(situation) ? tooShort(situation) : invalid(situation, values);
    case Errno.ENOENT:
      return missing(situation, values);
    case Errno.EBUSY:
      return busy(situation, values);
    case Errno.EAGAIN:
      return "The call would have to block, and this thread must not: a page that blocks is frozen. A worker could make the same call.";
    case Errno.ENOMEM:
      return "There is no memory left for it. Nothing has changed.";
    case Errno.EIO:
      return "A thread died in the middle of a change to this file and left it inconsistent. Closing the file frees everything.";
    case Errno.ENOSYS:
      return "The call has to wait for somebody, and this browser cannot wait without blocking the page.";
    default:
      return `${errnoText(result) ?? "An error that Linux has no name for"}.`;
  }
}

function ioasCall({ command, draft, after, objects }: Situation): IoasCall {
  const decode = (bytes: Uint8Array): Values => command?.decode(bytes) ?? {};
  return { name: command?.name ?? "", given: decode(draft.bytes), reply: decode(after), objects };
}

// ------------------------------------------------------------------------------------------------- shape and pointer

function badAddress({ draft, command, after }: Situation): string {
  const { bytes, pointer } = draft;
  const declared = declaredSize(bytes);
  if (pointer === "null")
    return "The pointer is null. The kernel first reads the struct's size through it, and there is nothing to read.";
  if (pointer === "unmapped") {
    return "Nothing is mapped at that address. The kernel first reads the struct's size there, and the read fails.";
  }
  if (pointer === "readonly") {
    const ran =
      "The struct could be read, so the command ran. Its answer could not be written back: the memory is read-only.";
    if (command?.name === "LAB_ALLOC")
      return `${ran} The new object was taken back, as if it had never been allocated.`;
    if (command?.name === "LAB_LOG") return `${ran} The log was emptied before that.`;
    return ran;
  }
  if (bytes.length < 4) return "The first word of a struct is its size. Not even that word is there.";
  if (declared > bytes.length) {
    return `The struct claims ${declared} bytes, but only ${bytes.length} are there. Reading on, the kernel ran into memory that is not the caller's.`;
  }
  if (command?.name === "LAB_LOG") {
    const uptr = command.decode(after)["uptr"];
    return `The struct is fine, but uptr (0x${BigInt(uptr as bigint).toString(16)}) does not point at writable memory. Nothing was removed from the log.`;
  }
  return "The kernel could not read or write memory that the call points at.";
}

function unknownRequest({ draft: { request }, command }: Situation): string {
  if (command !== undefined) return `Nobody executes ${command.name} in this thread.`;
  const hex = `0x${request.toString(16)}`;
  if (request >>> 8 === 0x3b) return `${hex} has iommufd's type letter, but the kernel has no command of that number.`;
  return `${hex} is no command of iommufd: all of its requests are 0x3b and a number, without a direction and a size.`;
}

function isTooShort({ draft, command }: Situation): boolean {
  return declaredSize(draft.bytes) < (command?.minSize ?? 0);
}

function tooShort({ draft, command, abi }: Situation): string {
  const other = abi === "rfc" ? "Later kernels answer EINVAL here." : "The first version answered EOPNOTSUPP here.";
  return `The struct says that it has ${declaredSize(draft.bytes)} bytes. ${command?.name ?? "The command"} needs at least ${command?.minSize ?? 0}: its mandatory fields end there. ${other}`;
}

// ------------------------------------------------------------------------------------------------------- by command

function unsupported(values: Values): string {
  const { type, flags } = values;
  if (typeof type === "number" && (type < 1 || type >= TYPES.length)) {
    return `There is no type ${type}. An object can be a DEVICE (1), an HWPT (2) or an IOAS (3).`;
  }
  if (typeof flags === "number" && (flags & ~ALLOC_FLAGS) !== 0) {
    return `flags has bits that nobody knows: only 1 (abort) and 2 (probe) mean something.`;
  }
  return "A field holds a value that this kernel does not support: unknown flags, or something reserved that is not zero.";
}

function invalid({ command }: Situation, values: Values): string {
  switch (command?.name) {
    case "LAB_DROP":
      return `Nobody keeps object ${shown(values["id"])} by LAB_KEEP, so there is no reference to drop. References that other objects hold do not count: they go with those objects.`;
    case "LAB_HOLD":
      return "An object can be held for 10,000 milliseconds at most.";
    default:
      return "The kernel understood the call, and one of its values makes no sense.";
  }
}

function missing({ command, objects, abi }: Situation, values: Values): string {
  if (command?.name === "LAB_ALLOC") {
    const ids = [values["hold_id0"], values["hold_id1"]].filter(
      (id) => id !== 0 && objects.find((object) => object.id === id)?.state !== "live",
    );
    return `The new object was to hold ${ids.length === 0 ? "an object" : `object ${ids.map(shown).join(" and object ")}`}, which does not exist. Nothing was allocated.`;
  }
  const { id, type } = values;
  const found = objects.find((object) => object.id === id);
  if (found === undefined) return `There is no object ${shown(id)}. An ID is free again as soon as its object is gone.`;
  if (found.state === "reserved") {
    return `ID ${shown(id)} is reserved: somebody is making an object of it. Until that is published, nobody finds it.`;
  }
  if (found.state === "destroying") {
    return abi === "rfc"
      ? `Somebody is destroying object ${shown(id)} and waits for its holders. From that moment on, nobody else finds it.`
      : `Object ${shown(id)} is being destroyed.`;
  }
  if (typeof type === "number" && type !== 0 && TYPES[type] !== found.type.name) {
    return `Object ${shown(id)} exists, but it is of type ${found.type.name}, and the call asked for ${TYPES[type] ?? `type ${type}`}. An object of the wrong type is a missing object.`;
  }
  return `There was no object ${shown(id)} at that moment.`;
}

function busy({ command, objects }: Situation, values: Values): string {
  const { id } = values;
  if (command?.name !== "IOMMU_DESTROY") return "There is no free ID left in this file.";
  const info = objects.find((object) => object.id === id);
  const holders = objects.filter((object) => typeof id === "number" && object.references.includes(id));
  const names = holders.map((object) => `${object.type.name} ${object.id}`);
  const held = holders.reduce((sum, { references }) => sum + references.filter((to) => to === id).length, 0);
  const kept = info === undefined ? 0 : info.users - info.holders - 1 - held;
  const reasons = [
    ...(names.length === 0
      ? []
      : [`${names.join(", ")} ${names.length === 1 ? "holds" : "hold"} it: destroy that first`]),
    ...(kept <= 0
      ? []
      : [`somebody keeps ${kept === 1 ? "a reference" : `${kept} references`} on it: LAB_DROP gives one back`]),
  ];
  const users = info === undefined ? "" : ` It has ${info.users} users, and one of them is the table of IDs.`;
  return `Object ${shown(id)} is still in use.${users}${reasons.length === 0 ? "" : ` ${capital(reasons.join("; "))}.`}`;
}

function success(situation: Situation, values: Values): string {
  const done = doneBy(situation, values);
  switch (shapeOf(situation.draft.bytes, situation.command)) {
    case "zeros":
      return `${done} The tail of zeros did no harm: so a newer program runs on an older kernel.`;
    case "short":
      return `${done} The fields that were left out count as zero, and the answer was cut to what the struct has: so an older program runs on a newer kernel.`;
    case "lying":
      return `${done} The kernel looked only at the ${declaredSize(situation.draft.bytes)} bytes that the struct claims.`;
    default:
      return done;
  }
}

function doneBy(situation: Situation, values: Values): string {
  const { command, draft } = situation;
  const ofIoas = whatIoasDid(ioasCall(situation));
  if (ofIoas !== undefined) return ofIoas;
  const id = shown(values["id"]);
  switch (command?.name) {
    case "IOMMU_DESTROY":
      return `Object ${id} is gone, and its ID is free again.`;
    case "LAB_ALLOC": {
      const out = shown(values["out_id"]);
      const flags = command.decode(draft.bytes)["flags"];
      if (typeof flags === "number" && (flags & ALLOC_ABORT) !== 0) {
        return `ID ${out} was reserved and given back: nobody ever found the object.`;
      }
      return `Object ${out} is published: from now on everybody finds it.`;
    }
    case "LAB_GET":
      return `Object ${id} was found, used for a moment, and put back.`;
    case "LAB_KEEP":
      return `Object ${id} has one more user. Until LAB_DROP, destroying it is EBUSY.`;
    case "LAB_DROP":
      return `A kept reference on object ${id} was given back.`;
    case "LAB_HOLD":
      return `Object ${id} was held for ${shown(values["msecs"])} ms; whoever wanted to destroy it meanwhile had to wait.`;
    case "LAB_LOG":
      return `Since the log was last read, ${counted(values["out_count"], "object")} went. It is empty now.`;
    case "LAB_STATE":
      return `Object ${id} has ${counted(values["out_users"], "user")}. Looking did not disturb it.`;
    case "LAB_ECHO":
      return "The kernel sent the struct back.";
    default:
      return "The command succeeded.";
  }
}

function shown(value: number | bigint | Uint8Array | undefined): string {
  return typeof value === "number" || typeof value === "bigint" ? String(value) : "?";
}

function counted(value: number | bigint | Uint8Array | undefined, noun: string): string {
  return `${shown(value)} ${noun}${value === 1 ? "" : "s"}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
