// SPDX-License-Identifier: GPL-2.0-only
//
// Operations on objects, files and types whose attempts the sweep lets fail one by one: everything of the public API that
// allocates, and what must never fail. operations-memory.ts has those that touch user memory.
//
// `errors` is the whole list: an operation with none makes no attempt at all.

import { Iommufd, type IommufdContext, type ObjectReference, type ObjectType, type ReservedObject } from "iommufd-wasm";
import type { Operation, World } from "./operation-sweep.ts";

const LEAF_IDS = 255;
const INNER_IDS = 16_383;

/** A type without and one with a callback, and an open file. */
export function basics({ iommufd }: World): { context: IommufdContext; plain: ObjectType; logged: ObjectType } {
  const plain = iommufd.defineObjectType({ name: "plain", payloadBytes: 8 });
  const logged = iommufd.defineObjectType({ name: "logged", payloadBytes: 40, destroy: () => undefined });
  return { context: iommufd.open(), plain, logged };
}

function fill(context: IommufdContext, type: ObjectType, count: number): number[] {
  return Array.from({ length: count }, () => context.alloc(type).finalize());
}

/** Adds a hold on each of the objects; what fails leaves the locks as they were. */
function holdAll(context: IommufdContext, object: ReservedObject, ids: readonly number[]): void {
  for (const id of ids) {
    const target = context.get(id);
    try {
      object.hold(target);
    } finally {
      target.put();
    }
  }
}

/** Allocates, lets `build` work on it, publishes; undone when that fails. */
function make(context: IommufdContext, type: ObjectType, build: (object: ReservedObject) => void): number {
  const object = context.alloc(type);
  try {
    build(object);
  } catch (error) {
    object.abort();
    throw error;
  }
  return object.finalize();
}

/** A reserved object with `count` holds, kept reserved until the end. */
function reservedWith(world: World, count: number) {
  const { context, plain } = basics(world);
  const [id = 0] = fill(context, plain, 1);
  const object = context.alloc(plain);
  for (let n = 0; n < count; n++) holdAll(context, object, [id]);
  world.atEnd(() => object.abort());
  return { context, object, id };
}

function allocAfter(count: number): Operation["prepare"] {
  return (world) => {
    const { context, plain } = basics(world);
    fill(context, plain, count);
    return () => context.alloc(plain).finalize();
  };
}

function kept(world: World, type: "plain" | "logged"): { context: IommufdContext; reference: ObjectReference } {
  const all = basics(world);
  const id = all.context.alloc(all[type]).finalize();
  return { context: all.context, reference: all.context.get(id).putKeepUser() };
}

export const OBJECT_OPERATIONS: readonly Operation[] = [
  { name: "alloc in a fresh table", errors: ["EBUSY", "ENOMEM"], prepare: allocAfter(0) },
  { name: "alloc in a used leaf", errors: ["EBUSY", "ENOMEM"], prepare: allocAfter(1) },
  { name: "alloc that needs a new leaf", errors: ["EBUSY", "ENOMEM"], prepare: allocAfter(LEAF_IDS) },
  { name: "alloc that needs a new inner node", errors: ["EBUSY", "ENOMEM"], prepare: allocAfter(INNER_IDS) },
  {
    name: "tryAlloc and abort",
    errors: ["EBUSY", "ENOMEM"],
    prepare(world) {
      const { context, logged } = basics(world);
      return () => {
        const handle = context.tryAlloc(logged);
        if (handle < 0) return handle;
        context.abort(handle);
        return 0;
      };
    },
  },
  {
    name: "alloc of a large object",
    errors: ["EBUSY", "ENOMEM"],
    prepare(world) {
      const context = world.iommufd.open();
      const large = world.iommufd.defineObjectType({ name: "large", payloadBytes: 100_000 });
      return () => context.alloc(large).finalize();
    },
  },
  {
    name: "finalize",
    errors: [],
    prepare(world) {
      const { context, plain } = basics(world);
      const object = context.alloc(plain);
      return () => object.finalize();
    },
  },
  {
    name: "an object with twenty holds",
    errors: ["EBUSY", "ENOMEM"],
    prepare(world) {
      const { context, plain, logged } = basics(world);
      const ids = fill(context, plain, 20);
      return () => make(context, logged, (object) => holdAll(context, object, ids));
    },
  },
  {
    name: "three types that hold each other, built in one go",
    errors: ["EBUSY", "ENOMEM"],
    prepare(world) {
      const { context, plain, logged } = basics(world);
      return () => {
        const made: number[] = [];
        try {
          made.push(make(context, plain, () => undefined));
          made.push(make(context, plain, (object) => holdAll(context, object, made)));
          made.push(make(context, logged, (object) => holdAll(context, object, made)));
        } catch (error) {
          for (const id of made.reverse()) context.destroy(id);
          throw error;
        }
        return made;
      };
    },
  },
  // Two holds lie in the object, the next seven in a list, the tenth needs another list.
  ...[0, 2, 9].map((count): Operation => ({
    name: `hold after ${count} others`,
    errors: count === 0 ? [] : ["ENOMEM"],
    prepare(world) {
      const { context, object, id } = reservedWith(world, count);
      const target = context.get(id);
      world.atEnd(() => target.put());
      return () => object.hold(target);
    },
  })),
  {
    name: "hold that takes a reference over",
    errors: ["ENOMEM"],
    prepare(world) {
      const { context, object, id } = reservedWith(world, 2);
      const reference = context.get(id).putKeepUser();
      return () => object.hold(reference);
    },
  },
  {
    name: "get and put",
    errors: ["ENOMEM"],
    prepare(world) {
      const { context, plain } = basics(world);
      const id = context.alloc(plain).finalize();
      return () => context.get(id, plain).put();
    },
  },
  {
    name: "tryGet by number",
    errors: ["ENOMEM"],
    prepare(world) {
      const { context, plain } = basics(world);
      const id = context.alloc(plain).finalize();
      const byNumber = world.iommufd.file(context.fd);
      return () => {
        const handle = byNumber.tryGet(id);
        if (handle < 0) return handle;
        byNumber.put(handle);
        return 0;
      };
    },
  },
  {
    name: "putKeepUser",
    errors: [],
    prepare(world) {
      const { context, plain } = basics(world);
      const locked = context.get(context.alloc(plain).finalize());
      return () => {
        const reference = locked.putKeepUser();
        world.atEnd(() => reference.drop());
      };
    },
  },
  {
    name: "drop",
    errors: [],
    prepare(world) {
      const { reference } = kept(world, "logged");
      return () => reference.drop();
    },
  },
  {
    name: "destroyUser",
    errors: ["ENOMEM"],
    prepare(world) {
      const { reference } = kept(world, "logged");
      return () => reference.destroyUser();
    },
  },
  {
    name: "destroyUserAsync",
    errors: ["ENOMEM"],
    prepare(world) {
      const { reference } = kept(world, "plain");
      return () => reference.destroyUserAsync();
    },
  },
  {
    name: "destroy without a callback",
    errors: [],
    prepare(world) {
      const { context, plain } = basics(world);
      const id = context.alloc(plain).finalize();
      return () => context.destroy(id);
    },
  },
  {
    name: "destroy with a callback",
    errors: ["ENOMEM"],
    prepare(world) {
      const { context, logged } = basics(world);
      const id = context.alloc(logged).finalize();
      return () => context.tryDestroy(id);
    },
  },
  {
    name: "destroyAsync of an object that is locked for a moment",
    errors: ["ENOMEM"],
    prepare(world) {
      const { context, logged } = basics(world);
      const id = context.alloc(logged).finalize();
      return async () => {
        const lock = context.get(id);
        const destroyed = context.destroyAsync(id);
        lock.put();
        await destroyed;
      };
    },
  },
];

export const FILE_OPERATIONS: readonly Operation[] = [
  { name: "open", errors: ["EMFILE"], prepare: (world) => () => world.iommufd.open().fd },
  {
    name: "fget, file and close",
    errors: [],
    prepare(world) {
      const { context } = basics(world);
      return () => {
        world.iommufd.file(context.fd).objects();
        world.iommufd.fget(context.fd).close();
        context.close();
      };
    },
  },
  {
    name: "close that releases a graph with callbacks",
    errors: [],
    prepare(world) {
      const { context, plain, logged } = basics(world);
      const ids = fill(context, plain, 10);
      make(context, logged, (object) => holdAll(context, object, ids));
      return () => context.close();
    },
  },
  {
    name: "detach of a thread that holds things",
    errors: [],
    prepare(world) {
      const { context, plain, logged } = basics(world);
      const id = context.alloc(plain).finalize();
      const other = Iommufd.attachSync(world.iommufd.share);
      other.defineObjectType({ name: logged.name, payloadBytes: logged.payloadBytes, destroy: () => undefined });
      const file = other.file(context.fd);
      file.get(id);
      file.alloc(other.defineObjectType({ name: plain.name, payloadBytes: plain.payloadBytes }));
      return () => other.detach();
    },
  },
  {
    name: "defineObjectType of a new size",
    errors: ["ENOSPC"],
    prepare:
      ({ iommufd }) =>
      () =>
        iommufd.defineObjectType({ name: "new", payloadBytes: 72, destroy: () => undefined }).name,
  },
  {
    name: "defineObjectType of a known size",
    errors: ["ENOSPC"],
    prepare(world) {
      const { plain } = basics(world);
      return () => world.iommufd.defineObjectType({ name: "new", payloadBytes: plain.payloadBytes }).name;
    },
  },
  {
    name: "defineObjectType of a known name",
    errors: [],
    prepare(world) {
      const { plain } = basics(world);
      return () => world.iommufd.defineObjectType({ name: plain.name, payloadBytes: plain.payloadBytes }).name;
    },
  },
  {
    name: "defineIoctl",
    errors: [],
    prepare:
      ({ iommufd }) =>
      () =>
        iommufd.defineIoctl({ name: "NOTHING", nr: 0xf0, fields: { a: "u32" }, execute: () => 0 }).name,
  },
];
