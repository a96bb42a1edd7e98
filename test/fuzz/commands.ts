// SPDX-License-Identifier: GPL-2.0-only
//
// The ioctls of the oracle, each written twice: for the library's defineIoctl and for the reference.
//
//   ECHO   flags bit 0: inverts its data and replies; bit 1: replies 12 bytes only. The struct may end after flags.
//   COPY   copies `length` bytes from one user address to another, inverted, and replies how many
//   WORK   uses the file of the call: makes, looks at, destroys an object, or closes the file's number under itself
//   CLASH  defines another struct under ECHO's number
//
// Layouts are written down by hand, so that the library's own are checked.

import { Errno, type FieldType, type Iommufd, IommufdError, type UserCommand } from "iommufd-wasm";
import type { Call, Executor } from "../reference/dispatch.ts";
import { Refusal } from "../reference/errors.ts";
import { copyFrom, copyTo } from "../reference/user-space.ts";

type Fields = Record<string, FieldType>;

export interface FuzzCommand {
  readonly name: string;
  readonly nr: number;
  readonly fields: Fields;
  readonly last: string;
  readonly size: number;
  readonly minSize: number;
  define(iommufd: Iommufd): void;
  readonly execute: Executor;
}

/** The longest copy of COPY. */
const LONGEST_COPY = 6000;

function command<F extends Fields>(definition: {
  name: string;
  nr: number;
  fields: F;
  last: keyof F & string;
  size: number;
  minSize: number;
  library: (cmd: UserCommand<F>) => number | void;
  reference: Executor;
}): FuzzCommand {
  const { name, nr, fields, last, size, minSize, library, reference } = definition;
  const define = (iommufd: Iommufd): void => void iommufd.defineIoctl({ name, nr, fields, last, execute: library });
  return { name, nr, fields, last, size, minSize, define, execute: reference };
}

const ECHO = command({
  ...{ name: "ECHO", nr: 0xa7, last: "flags", size: 56, minSize: 8 },
  fields: { flags: "u32", data: "u8[48]" },
  library(cmd) {
    const { flags, data } = cmd.fields;
    cmd.fields.data = data.map((byte) => ~byte);
    if ((flags & 1) !== 0) cmd.respond();
    if ((flags & 2) !== 0) cmd.respond(12);
  },
  reference: ({ struct, respond }) => {
    const flags = struct.getUint32(4, true);
    for (let at = 8; at < 56; at++) struct.setUint8(at, ~struct.getUint8(at) & 0xff);
    if ((flags & 1) !== 0) respond();
    if ((flags & 2) !== 0) respond(12);
    return 0;
  },
});

const COPY = command({
  ...{ name: "COPY", nr: 0xb0, last: "to", size: 32, minSize: 24 },
  fields: { length: "u32", from: "u64", to: "u64", done: "u32" },
  library(cmd) {
    const { length, from, to } = cmd.fields;
    if (length > LONGEST_COPY) return -Errno.EINVAL;
    cmd.copyToUser(
      to,
      cmd.copyFromUser(from, length).map((byte) => ~byte),
    );
    cmd.fields.done = length;
    cmd.respond();
    return length;
  },
  reference: ({ machine: { userSpace }, struct, respond }) => {
    const length = struct.getUint32(4, true);
    if (length > LONGEST_COPY) throw new Refusal("EINVAL");
    const bytes = copyFrom(userSpace, struct.getBigUint64(8, true), length);
    copyTo(
      userSpace,
      struct.getBigUint64(16, true),
      bytes.map((byte) => ~byte),
    );
    struct.setUint32(24, length, true);
    respond();
    return length;
  },
});

const ACTIONS = ["make", "look", "destroy", "close", "answer", "throw"] as const;

const WORK = command({
  ...{ name: "WORK", nr: 0xff, last: "id", size: 16, minSize: 12 },
  fields: { action: "u32", id: "u32", out: "u32" },
  library(cmd) {
    const { context, fields } = cmd;
    switch (ACTIONS[fields.action]) {
      case "make": {
        const lock = context.get(fields.id);
        try {
          const object = context.alloc(lock.type);
          object.hold(lock);
          fields.out = object.finalize();
        } finally {
          lock.put();
        }
        break;
      }
      case "look":
        fields.out = context.inspect(fields.id)?.users ?? 0;
        break;
      case "destroy":
        return context.tryDestroy(fields.id, 0);
      case "close":
        context.close();
        return -Errno.EINPROGRESS;
      case "answer":
        return fields.id & 0xffff;
      case "throw":
        throw new IommufdError("EOVERFLOW");
      case undefined:
        return -Errno.EOPNOTSUPP;
    }
    cmd.respond();
    return 0;
  },
  reference: (call) => {
    const { machine, context, struct, respond } = call;
    const id = struct.getUint32(8, true);
    switch (ACTIONS[struct.getUint32(4, true)]) {
      case "make": {
        const lock = machine.get(context, id);
        try {
          const handle = machine.alloc(context, lock.object.type, 0);
          machine.hold(context, handle, lock);
          struct.setUint32(12, machine.finalize(context, handle), true);
        } finally {
          machine.put(context, lock);
        }
        break;
      }
      case "look":
        struct.setUint32(12, usersOf(call, id), true);
        break;
      case "destroy":
        machine.destroy(context, id);
        return 0;
      case "close":
        machine.close(context);
        throw new Refusal("EINPROGRESS");
      case "answer":
        return id & 0xffff;
      case "throw":
        throw new Refusal("EOVERFLOW");
      case undefined:
        throw new Refusal("EOPNOTSUPP");
    }
    respond();
    return 0;
  },
});

const CLASH = command({
  ...{ name: "CLASH", nr: 0xa7, last: "word", size: 8, minSize: 8 },
  fields: { word: "u32" },
  library: () => 0,
  reference: () => 0,
});

function usersOf({ machine, context }: Call, id: number): number {
  const object = machine.use(context).objects.get(id);
  return object?.state === "live" ? object.users : 0;
}

/** By their number in an operation. */
export const COMMANDS: readonly FuzzCommand[] = [ECHO, COPY, WORK, CLASH];

/** Who executes a number in the reference. CLASH is the row of its number if it came first. */
export function executorsOf(rows: ReadonlyMap<number, { name: string }>): Map<number, Executor> {
  return new Map(
    [...rows].map(([nr, { name }]) => [nr, COMMANDS.find((known) => known.name === name)?.execute ?? (() => 0)]),
  );
}
