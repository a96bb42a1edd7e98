// SPDX-License-Identifier: GPL-2.0-only
//
// An ioctl that replies: what the dispatch did to an argument becomes visible. Its struct has an optional tail.

import { type FieldType, type Iommufd, type IoctlCommand } from "iommufd-wasm";

const FIELDS = { flags: "u32", data: "u8[48]" } as const satisfies Record<string, FieldType>;

/** struct: size 0, flags 4, data 8 … 55; the smallest ends with flags. */
export const ECHO_SIZE = 56;
export const ECHO_MIN = 8;
/** `flags` for a reply with all data bytes inverted; without it nothing is written back. */
export const ECHO_REPLY = 1;

export interface Echo {
  command: IoctlCommand<typeof FIELDS>;
  request: number;
  /** What each execution saw. */
  seen: { flags: number; data: Uint8Array; userSize: number }[];
}

export function defineEcho(iommufd: Iommufd, nr = 0xa7): Echo {
  const seen: Echo["seen"] = [];
  const command = iommufd.defineIoctl({
    name: "TEST_ECHO",
    nr,
    fields: FIELDS,
    last: "flags",
    execute(cmd) {
      const { flags, data } = cmd.fields;
      seen.push({ flags, data, userSize: cmd.userSize });
      if ((flags & ECHO_REPLY) === 0) return;
      cmd.fields.data = data.map((byte) => ~byte);
      cmd.respond();
    },
  });
  return { command, request: command.request, seen };
}

/** `length` bytes of an argument: declared size, flags, then 1, 2, 3 … up to the struct's end and zeros behind it. */
export function echoBytes(length: number, size = length, flags = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = ECHO_MIN; at < Math.min(length, ECHO_SIZE); at++) bytes[at] = at - ECHO_MIN + 1;
  const head = new DataView(new ArrayBuffer(8));
  head.setUint32(0, size, true);
  head.setUint32(4, flags, true);
  bytes.set(new Uint8Array(head.buffer).subarray(0, Math.min(8, length)));
  return bytes;
}
