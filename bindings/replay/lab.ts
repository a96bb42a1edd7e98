// SPDX-License-Identifier: GPL-2.0-only
//
// The lab: eight ioctls and three object types that exercise the whole life cycle of an object. The recorded kernel had
// them beside the seed's one command; here they are defined on the public object API alone, as a user of the library
// would define his own.
//
//   ALLOC   reserve an ID, hold up to two other objects, publish or abort
//   GET     get, put
//   KEEP    get, keep the users reference
//   DROP    drop a kept reference
//   HOLD    get, wait, put
//   LOG     which objects' destroy operations ran
//   STATE   look at an object without touching it
//   ECHO    send bytes back
//
// Types in the order of release, so that what holds goes before what is held: DEVICE (1), HWPT (2), IOAS (3); 0 matches
// any type.
//
// Invariant: a lab object's payload is the number of users references that KEEP took and DROP did not drop yet. The
// library counts those too, but its count also has ALLOC's reference for the moment between get and hold, and a DROP in
// another thread must not take that one. KEEP adds only after it has its reference, DROP subtracts before it drops one,
// so that the payload is never ahead of the library.
//
// Several threads on one Iommufd: each calls defineLab(), with one log that they share.

import {
  Errno,
  type Fields,
  type Iommufd,
  type IommufdContext,
  IommufdError,
  type IoctlCommand,
  type LockedObject,
  type ObjectReference,
  type ObjectType,
  type ReservedObject,
} from "../index.js";
import { createDestroyLog, type DestroyLog } from "./log.js";

/** Options of defineLab(). */
export interface LabOptions {
  /** Where destroy operations are recorded; default: a log of this thread's own. */
  log?: DestroyLog;
  /** How LAB_HOLD passes its milliseconds while it holds an object. Default: block; EAGAIN where that is not allowed. */
  wait?: (msecs: number) => void;
}

/** What defineLab() defined. */
export interface Lab {
  /** The object types DEVICE, HWPT, IOAS: wire numbers 1, 2, 3. */
  readonly types: readonly ObjectType[];
  /** LAB_ALLOC (0xa0) to LAB_ECHO (0xa7), by number. */
  readonly commands: readonly IoctlCommand<Fields>[];
  readonly log: DestroyLog;
}

const TYPE_NAMES = ["DEVICE", "HWPT", "IOAS"] as const;
const PAYLOAD_BYTES = 4;

/** LAB_ALLOC: abort instead of publishing. */
const ALLOC_ABORT = 1;
/** LAB_ALLOC: report what a look-up of the reserved ID says. */
const ALLOC_PROBE = 2;
/** LAB_ECHO: invert the data. */
const ECHO_INVERT = 1;

const LONGEST_HOLD_MSECS = 10_000;

/** Defines the lab's types and ioctls in this thread. EEXIST when something else has one of the names or numbers. */
export function defineLab(iommufd: Iommufd, options: LabOptions = {}): Lab {
  const log = options.log ?? createDestroyLog();
  const wait = options.wait ?? block;

  const types = TYPE_NAMES.map((name, index) =>
    iommufd.defineObjectType({
      name,
      payloadBytes: PAYLOAD_BYTES,
      // Its two holds are dropped by the library right after this, in the order in which they were taken.
      destroy: (object) => log.append(index + 1, object.id),
    }),
  );

  const get = (context: IommufdContext, id: number, type: number): LockedObject => {
    if (type === 0) return context.get(id);
    const wanted = types[type - 1];
    // No object has such a type, and a wrong type is a missing object.
    if (wanted === undefined) throw new IommufdError("ENOENT", { syscall: "ioctl" });
    return context.get(id, wanted);
  };

  const alloc = iommufd.defineIoctl({
    name: "LAB_ALLOC",
    nr: 0xa0,
    fields: { type: "u32", hold_id0: "u32", hold_id1: "u32", flags: "u32", out_id: "u32", out_probe_errno: "u32" },
    last: "out_id",
    execute(cmd) {
      const { context, fields } = cmd;
      const type = types[fields.type - 1];
      if (type === undefined) return -Errno.EOPNOTSUPP;
      if ((fields.flags & ~(ALLOC_ABORT | ALLOC_PROBE)) !== 0) return -Errno.EOPNOTSUPP;

      const references: ObjectReference[] = [];
      let reserved: ReservedObject | undefined;
      try {
        for (const id of [fields.hold_id0, fields.hold_id1]) {
          if (id !== 0) references.push(context.get(id).putKeepUser());
        }
        reserved = context.alloc(type);
        for (let next = references[0]; next !== undefined; next = references[0]) {
          reserved.hold(next);
          references.shift();
        }
        fields.out_id = reserved.id;
        fields.out_probe_errno = (fields.flags & ALLOC_PROBE) === 0 ? 0 : lookupErrno(context, reserved.id);
        // The last step that can fail: once published, anybody may use the object and it cannot be taken back.
        cmd.respond();
      } catch (error) {
        reserved?.abort();
        for (const reference of references) reference.drop();
        throw error;
      }
      if ((fields.flags & ALLOC_ABORT) === 0) reserved.finalize();
      else reserved.abort();
      return 0;
    },
  });

  const getPut = iommufd.defineIoctl({
    name: "LAB_GET",
    nr: 0xa1,
    fields: { id: "u32", type: "u32" },
    execute({ context, fields }) {
      get(context, fields.id, fields.type).put();
    },
  });

  const keep = iommufd.defineIoctl({
    name: "LAB_KEEP",
    nr: 0xa2,
    fields: { id: "u32", type: "u32" },
    execute({ context, fields }) {
      const object = get(context, fields.id, fields.type);
      const kept = keptCounter(object);
      object.putKeepUser();
      Atomics.add(kept, 0, 1);
    },
  });

  const drop = iommufd.defineIoctl({
    name: "LAB_DROP",
    nr: 0xa3,
    fields: { id: "u32" },
    execute({ context, fields }) {
      const object = context.get(fields.id);
      try {
        if (!takeOne(keptCounter(object))) return -Errno.EINVAL;
        object.dropUser();
        return 0;
      } finally {
        object.put();
      }
    },
  });

  const hold = iommufd.defineIoctl({
    name: "LAB_HOLD",
    nr: 0xa4,
    fields: { id: "u32", type: "u32", msecs: "u32" },
    execute({ context, fields }) {
      if (fields.msecs > LONGEST_HOLD_MSECS) return -Errno.EINVAL;
      const object = get(context, fields.id, fields.type);
      try {
        wait(fields.msecs);
      } finally {
        object.put();
      }
      return 0;
    },
  });

  const readLog = iommufd.defineIoctl({
    name: "LAB_LOG",
    nr: 0xa5,
    fields: { capacity: "u32", uptr: "u64", out_count: "u32", pad: "u32" },
    last: "out_count",
    execute(cmd) {
      const { fields } = cmd;
      fields.out_count = log.take(fields.capacity, (pairs) => {
        if (pairs.length > 0) cmd.copyToUser(fields.uptr, littleEndian(pairs));
      });
      cmd.respond();
    },
  });

  const state = iommufd.defineIoctl({
    name: "LAB_STATE",
    nr: 0xa6,
    fields: { id: "u32", out_users: "u32", out_type: "u32" },
    execute(cmd) {
      const { fields } = cmd;
      const info = cmd.context.inspect(fields.id);
      if (info === undefined) return -Errno.ENOENT;
      fields.out_users = info.users;
      fields.out_type = 1 + types.indexOf(info.type);
      cmd.respond();
      return 0;
    },
  });

  const echo = iommufd.defineIoctl({
    name: "LAB_ECHO",
    nr: 0xa7,
    fields: { flags: "u32", data: "u8[48]" },
    last: "flags",
    execute(cmd) {
      const { fields } = cmd;
      if ((fields.flags & ECHO_INVERT) !== 0) fields.data = fields.data.map((byte) => ~byte);
      cmd.respond();
    },
  });

  return { types, commands: [alloc, getPut, keep, drop, hold, readLog, state, echo], log };
}

/** What a look-up of the ID would fail with, as a positive errno; 0 if it would succeed. */
function lookupErrno(context: IommufdContext, id: number): number {
  const handle = context.tryGet(id);
  if (handle < 0) return -handle;
  context.put(handle);
  return 0;
}

/** The payload of a lab object as a counter that several threads may change. */
function keptCounter(object: LockedObject): Int32Array {
  const { buffer, byteOffset } = object.payload;
  return new Int32Array(buffer, byteOffset, 1);
}

/** Subtracts one unless the counter is zero. */
function takeOne(counter: Int32Array): boolean {
  for (let count = Atomics.load(counter, 0); count > 0;) {
    const seen = Atomics.compareExchange(counter, 0, count, count - 1);
    if (seen === count) return true;
    count = seen;
  }
  return false;
}

function littleEndian(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => view.setUint32(4 * index, word, true));
  return bytes;
}

function block(msecs: number): void {
  if (msecs === 0) return;
  try {
    // Nobody notifies a word that only this call knows.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, msecs);
  } catch {
    throw new IommufdError("EAGAIN", { syscall: "ioctl", message: "this thread may not block" });
  }
}
