// SPDX-License-Identifier: GPL-2.0-only
//
// LAB_RESERVE (0xa8): reserves an ID, waits, and publishes the object. The lab's own LAB_ALLOC is over before anybody could look;
// this one shows the state between.
//
// Every thread of the page defines it, so that each one's trace knows its name. Only a worker may wait: the page itself gets EAGAIN, as
// by LAB_HOLD.

import { Errno, type Iommufd, IommufdError, type IoctlCommand, type ObjectType } from "iommufd-wasm";

/** As long as LAB_HOLD holds at most, in milliseconds. */
const LONGEST_MSECS = 10_000;

const FIELDS = { type: "u32", msecs: "u32", out_id: "u32" } as const;

/**
 * Adds the ioctl to this thread's table.
 *
 * @param types the lab's types, by wire number from 1 on
 * @throws IommufdError as `Iommufd.defineIoctl`
 */
export function defineReserve(iommufd: Iommufd, types: readonly ObjectType[]): IoctlCommand<typeof FIELDS> {
  return iommufd.defineIoctl({
    name: "LAB_RESERVE",
    nr: 0xa8,
    fields: FIELDS,
    last: "msecs",
    execute(cmd) {
      const { context, fields } = cmd;
      const type = types[fields.type - 1];
      if (type === undefined) return -Errno.EOPNOTSUPP;
      if (fields.msecs > LONGEST_MSECS) return -Errno.EINVAL;
      const reserved = context.alloc(type);
      try {
        block(fields.msecs);
        fields.out_id = reserved.id;
        cmd.respond();
      } catch (error) {
        reserved.abort();
        throw error;
      }
      reserved.finalize();
      return 0;
    },
  });
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
