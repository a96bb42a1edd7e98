// SPDX-License-Identifier: GPL-2.0-only
//
// Chooses the operations of the oracle: a random walk that looks at the reference to find things that exist, and now and
// then takes one that does not, or does not fit.
//
// Numbers that could run out in the library but are without limit in the reference stay small here: handles of a thread, files,
// mappings, bytes of memory. What happens when they do run out is test/single-thread/exhaustion.test.ts.
//
// A sequence ends with an epilogue that gives everything back. A gentle one never leaves a user behind, so nothing may leak.

import type { Handle, OpenFile } from "../reference/objects.ts";
import type { Random } from "../support/random.ts";
import { PAGE, anyAddress, anyStruct, oddId } from "./arguments.ts";
import { Names, weighted } from "./choices.ts";
import { type Address, type HandleOperation, type Operation, hexOf } from "./operations.ts";
import type { ReferenceSide } from "./reference-side.ts";

const MAX_THREADS = 4;
const MAX_FILES = 6;
const MAX_HANDLES = 48;
const MAX_MAPPINGS = 5;
/** A look at everything, every so many operations. */
const LOOK_EVERY = 250;

/** Name and payload bytes; odd ones may have a callback. */
const TYPES: readonly { name: string; bytes: number }[] = [0, 4, 8, 8, 24, 64].map((bytes, n) => ({
  name: `T${n}`,
  bytes,
}));

const WEIGHTS = {
  ...{ attach: 3, detach: 2, type: 8, command: 4, open: 10, fget: 12, file: 10, close: 9 },
  ...{ alloc: 80, finalize: 60, abort: 12, get: 170, put: 80, keep: 30, dropUser: 24, hold: 60 },
  ...{ holdReference: 12, drop: 20, destroyUser: 20, destroy: 90, describe: 10, ioctl: 90 },
  ...{ map: 6, protect: 10, unmap: 4, read: 12, write: 10, inspect: 25, objects: 2 },
};

export class Generator {
  readonly #random: Random;
  readonly #reference: ReferenceSide;
  readonly #gentle: boolean;
  readonly #pending: Operation[] = [];
  readonly #contexts: Names;
  readonly #reserved: Names;
  readonly #locked: Names;
  readonly #objects: Names;
  readonly #lockedObjects: Names;
  readonly #references: Names;
  readonly #mappings: Names;
  #name = 0;
  #count = 0;

  constructor(random: Random, reference: ReferenceSide, gentle: boolean) {
    this.#random = random;
    this.#reference = reference;
    this.#gentle = gentle;
    const { contexts, handles, objects, references, mappings } = reference;
    this.#contexts = new Names((name) => {
      const context = contexts.get(name);
      return context !== undefined && !context.ended && context.thread.attached;
    });
    const isLive = (handle: Handle | undefined, kind: string) => handle?.kind === kind;
    this.#reserved = new Names((name) => isLive(handles.get(name), "reserved"));
    this.#locked = new Names((name) => isLive(handles.get(name), "locked"));
    this.#objects = new Names((name) => isLive(objects.get(name)?.handle, "reserved"));
    this.#lockedObjects = new Names((name) => isLive(objects.get(name)?.handle, "locked"));
    this.#references = new Names((name) => references.get(name)?.usedUp === false);
    this.#mappings = new Names((name) => mappings.get(name)?.isMapped === true);
    this.#prelude();
  }

  /** The next operation. The one before must have run on the reference. */
  next(): Operation {
    this.#count++;
    if (this.#pending.length === 0 && this.#count % LOOK_EVERY === 0) this.#look();
    for (;;) {
      const operation = this.#pending.shift() ?? this.#choose();
      if (operation !== undefined) return operation;
    }
  }

  /** To be told of each operation once the reference has run it. */
  note(operation: Operation): void {
    if (!("as" in operation)) return;
    const { as, op } = operation;
    if (op === "open" || op === "fget" || op === "file") this.#contexts.add(as);
    else if (op === "tryAlloc") this.#reserved.add(as);
    else if (op === "tryGet") this.#locked.add(as);
    else if (op === "alloc") this.#objects.add(as);
    else if (op === "get") this.#lockedObjects.add(as);
    else if (op === "keep") this.#references.add(as);
    else if (op === "map") this.#mappings.add(as);
  }

  // -------------------------------------------------------------------------------------------------- whole sequences

  #prelude(): void {
    this.#pending.push({ op: "attach", as: this.#newName() });
    const order = [...TYPES.keys()].sort(() => this.#random.below(3) - 1);
    for (const type of order.slice(0, 4)) this.#pending.push(this.#typeOf(0, type, true));
    // Where the table ends depends on the highest number that anybody has defined.
    const commands = this.#random.pick([[], [0], [0, 1], [0, 1, 2], [0, 1, 2], [0, 1, 2]]);
    for (const command of commands) this.#pending.push({ op: "command", thread: 0, command });
    this.#pending.push({ op: "open", thread: 0, as: this.#newName() });
    this.#pending.push({ op: "map", thread: 0, length: 3 * PAGE, prot: "rw", as: this.#newName() });
  }

  /** Gives back all that is there, ends all threads but the first, and looks whether anything is left. */
  *epilogue(): Iterable<Operation> {
    const { handles, machine, objects, references, threads, mappings } = this.#reference;
    for (const name of [...this.#reserved.all(), ...this.#locked.all()]) {
      const handle = handles.get(name);
      const context = handle && this.#contextFor(handle.thread.number, handle.object.file.fd);
      if (context === undefined) continue; // cannot be: it came from one
      yield { op: handle?.kind === "reserved" ? "abortHandle" : "putHandle", context, handle: name };
    }
    for (const [object, { handle }] of objects) {
      if (handle.kind !== undefined) yield { op: handle.kind === "reserved" ? "abort" : "put", object };
    }
    for (const [reference, { usedUp }] of references) if (!usedUp) yield { op: "drop", reference };
    for (const context of this.#contexts.all()) yield { op: "close", context };
    for (const file of [...machine.files]) {
      if (file === undefined || !file.isNumberOpen) continue;
      // Its opener has left, and the number stayed.
      const context = this.#newName();
      yield { op: "file", thread: 0, fd: file.fd, as: context };
      yield { op: "close", context };
    }
    for (const [thread] of threads) if (thread !== 0) yield { op: "detach", thread };
    for (const [mapping, { isMapped }] of mappings) if (isMapped) yield { op: "unmap", mapping };
    // The first thread gets all callbacks, in whatever shape they were first defined: the queue is empty then.
    for (const { name, payloadBytes: bytes, hasDestroy: callback } of machine.types) {
      yield { op: "type", thread: 0, name, bytes, callback };
    }
    yield { op: "stats" };
  }

  #look(): void {
    const seen = new Set<number>();
    for (const context of this.#contexts.all()) {
      const { fd } = this.#reference.contexts.get(context) ?? { fd: 0 };
      if (seen.has(fd)) continue;
      seen.add(fd);
      this.#pending.push({ op: "objects", context });
    }
    this.#pending.push({ op: "stats" }, { op: "memory" });
  }

  // -------------------------------------------------------------------------------------------------- one operation

  #choose(): Operation | undefined {
    const random = this.#random;
    if (this.#locked.size + this.#lockedObjects.size > MAX_HANDLES) return this.#end("put", "locked");
    if (this.#reserved.size + this.#objects.size > MAX_HANDLES) return this.#end("finalize", "reserved");
    const kind = weighted(random, WEIGHTS);
    switch (kind) {
      case "attach":
        if (this.#reference.threads.size >= MAX_THREADS) return undefined;
        return this.#attach();
      case "detach": {
        const others = [...this.#reference.threads.keys()].filter((name) => name !== 0);
        return others.length === 0 ? undefined : { op: "detach", thread: random.pick(others) };
      }
      case "type":
        return this.#typeOf(this.#thread(), random.below(TYPES.length), random.oneIn(2));
      case "command":
        return { op: "command", thread: this.#thread(), command: random.below(4) };
      case "open":
        if (this.#reference.machine.files.filter((file) => file !== undefined).length >= MAX_FILES) return undefined;
        return { op: "open", thread: this.#thread(), as: this.#newName() };
      case "fget":
      case "file":
        return { op: kind, thread: this.#thread(), fd: 2 + random.below(MAX_FILES + 2), as: this.#newName() };
      case "close": {
        const context = this.#contexts.any(random);
        return context === undefined ? undefined : { op: "close", context };
      }
      case "alloc": {
        const context = this.#contexts.any(random);
        const type = this.#typeIn(context);
        if (context === undefined || type === undefined) return undefined;
        const op = random.oneIn(2) ? "alloc" : "tryAlloc";
        return { op, context, type, value: this.#count, as: this.#newName() };
      }
      case "get": {
        const context = this.#contextWithObjects();
        if (context === undefined) return undefined;
        const type = random.oneIn(3) ? this.#typeIn(context) : undefined;
        const op = random.oneIn(2) ? "get" : "tryGet";
        return { op, context, id: this.#id(context), ...(type !== undefined && { type }), as: this.#newName() };
      }
      case "finalize":
      case "abort":
        return this.#end(kind, "reserved");
      case "put":
        return this.#end(kind, "locked");
      case "keep":
        if (this.#gentle) return undefined;
        return random.oneIn(5) ? this.#onHandle("keepHandle", this.#locked) : this.#keep();
      case "dropUser":
        return random.oneIn(2) ? this.#onHandle("dropUserHandle", this.#locked) : this.#onObject("dropUser");
      case "describe":
        return this.#onHandle("describeHandle", random.pick([this.#locked, this.#reserved]));
      case "hold":
        return this.#gentle ? undefined : this.#hold();
      case "holdReference": {
        const reference = this.#references.any(random);
        const kept = this.#reference.references.get(reference ?? -1);
        const as = kept && { thread: kept.thread, object: kept.object, kind: undefined };
        const object = this.#fitting(this.#objects, as, (name) => this.#reference.objects.get(name)?.handle);
        return object === undefined || reference === undefined ? undefined : { op: kind, object, reference };
      }
      case "drop":
      case "destroyUser": {
        const reference = this.#references.any(random);
        return reference === undefined ? undefined : { op: kind, reference };
      }
      case "destroy": {
        const context = this.#contextWithObjects();
        return context === undefined ? undefined : { op: "tryDestroy", context, id: this.#id(context) };
      }
      case "inspect": {
        const context = this.#contexts.any(random);
        return context === undefined ? undefined : { op: kind, context, id: this.#id(context) };
      }
      case "objects": {
        const context = this.#contexts.any(random);
        return context === undefined ? undefined : { op: kind, context };
      }
      case "ioctl":
        return this.#ioctl();
      default:
        return this.#memory(kind);
    }
  }

  #attach(): Operation {
    const thread = this.#newName();
    const types = [...TYPES.keys()].filter(() => this.#random.below(3) > 0);
    for (const type of types) this.#pending.push(this.#typeOf(thread, type, this.#random.oneIn(2)));
    for (const command of [0, 1, 2]) {
      if (this.#random.oneIn(2)) this.#pending.push({ op: "command", thread, command });
    }
    this.#pending.push({ op: "file", thread, fd: 3 + this.#random.below(3), as: this.#newName() });
    return { op: "attach", as: thread };
  }

  #typeOf(thread: number, type: number, callback: boolean): Operation {
    const { name, bytes } = TYPES[type] as (typeof TYPES)[0];
    const wrong = this.#random.oneIn(40) ? 1 : 0;
    return { op: "type", thread, name, bytes: bytes + wrong, callback: callback && type % 2 === 1 };
  }

  #end(op: "finalize" | "abort" | "put", kind: "reserved" | "locked"): Operation | undefined {
    const hot = kind === "reserved" ? this.#reserved : this.#locked;
    const cold = kind === "reserved" ? this.#objects : this.#lockedObjects;
    const useHot = this.#random.below(hot.size + cold.size + 1) < hot.size;
    if (useHot) return this.#onHandle(`${op}Handle`, hot);
    const object = cold.any(this.#random);
    return object === undefined ? undefined : { op, object };
  }

  #onHandle(op: HandleOp, names: Names): HandleOperation | undefined {
    const random = this.#random;
    const handle = random.oneIn(40) ? random.pick([this.#locked, this.#reserved]).any(random) : names.any(random);
    if (handle === undefined) return undefined;
    const is = this.#reference.handles.get(handle);
    const fitting = is && !random.oneIn(25) ? this.#contextFor(is.thread.number, is.object.file.fd) : undefined;
    const context = fitting ?? this.#contexts.any(random);
    return context === undefined ? undefined : { op, context, handle };
  }

  #onObject(op: "dropUser"): Operation | undefined {
    const object = this.#lockedObjects.any(this.#random);
    return object === undefined ? undefined : { op, object };
  }

  #keep(): Operation | undefined {
    const object = this.#lockedObjects.any(this.#random);
    return object === undefined ? undefined : { op: "keep", object, as: this.#newName() };
  }

  #hold(): Operation | undefined {
    const random = this.#random;
    const { objects, handles } = this.#reference;
    if (random.oneIn(2)) {
      const object = this.#objects.any(random);
      const target = this.#fitting(
        this.#lockedObjects,
        objects.get(object ?? -1)?.handle,
        (name) => objects.get(name)?.handle,
      );
      return object === undefined || target === undefined ? undefined : { op: "hold", object, target };
    }
    const holder = this.#onHandle("describeHandle", this.#reserved);
    const target = this.#fitting(this.#locked, handles.get(holder?.handle ?? -1), (name) => handles.get(name));
    if (holder === undefined || target === undefined) return undefined;
    return { op: "holdHandle", context: holder.context, handle: holder.handle, target };
  }

  /** A name whose handle probably is of the same thread and file as another. */
  #fitting(names: Names, as: Handle | undefined, handleOf: (name: number) => Handle | undefined): number | undefined {
    let name = names.any(this.#random);
    for (let attempt = 0; attempt < 6 && name !== undefined; attempt++) {
      const is = handleOf(name);
      if (is?.thread === as?.thread && is?.object.file === as?.object.file) break;
      name = names.any(this.#random);
    }
    return name;
  }

  #ioctl(): Operation | undefined {
    const random = this.#random;
    const context = this.#contexts.any(random);
    if (context === undefined) return undefined;
    const [from, to] = [this.#address(), this.#address()];
    const values = { id: this.#id(context) >>> 0, from: this.#numberOf(from), to: this.#numberOf(to) };
    const { request, hex } = anyStruct(random, values);
    if (random.oneIn(2)) return { op: "ioctl", context, request, argument: { buffer: hex } };
    const address = this.#address();
    this.#pending.push({ op: "ioctl", context, request, argument: { user: address } });
    return { op: "write", thread: this.#thread(), address, bytes: hex };
  }

  #memory(kind: "map" | "protect" | "unmap" | "read" | "write"): Operation | undefined {
    const random = this.#random;
    const thread = this.#thread();
    const prot = random.pick(["rw", "rw", "rw", "r", "none"] as const);
    switch (kind) {
      case "map": {
        const odd = random.oneIn(6);
        if (!odd && this.#mappings.all().length >= MAX_MAPPINGS) return undefined;
        const length = odd ? random.pick([0, 0.5, -1, 2 ** 24, 2 ** 33, 2 ** 47, 2 ** 53]) : 1 + random.below(4 * PAGE);
        const va = random.pick([
          undefined,
          undefined,
          "0x10000",
          "0x11000",
          "0x7fffffffe000",
          "0x7fffffffd000",
          "0x10001",
        ]);
        return { op: kind, thread: 0, length, prot, as: this.#newName(), ...(va !== undefined && { va }) };
      }
      case "protect": {
        const mapping = this.#mappings.any(random);
        const offset = PAGE * random.below(4) + (random.oneIn(15) ? 1 : 0);
        const address = mapping === undefined || random.oneIn(15) ? this.#address() : { mapping, offset };
        return { op: kind, thread, address, length: random.pick([0, 1, PAGE, PAGE, 2 * PAGE, 3 * PAGE]), prot };
      }
      case "unmap": {
        const mapping = this.#mappings.any(random);
        return mapping === undefined ? undefined : { op: kind, mapping };
      }
      case "read":
        return { op: kind, thread, address: this.#address(), length: random.pick([0, 1, 4, 64, 64, PAGE, 5000]) };
      case "write": {
        const bytes = Uint8Array.from({ length: random.pick([0, 1, 4, 64, 64, 300, random.oneIn(5) ? 5000 : 8]) }, () =>
          random.below(256),
        );
        return { op: kind, thread, address: this.#address(), bytes: hexOf(bytes) };
      }
    }
  }

  // -------------------------------------------------------------------------------------------------- choices

  #newName(): number {
    return this.#name++;
  }

  #thread(): number {
    return this.#random.pick([...this.#reference.threads.keys()]);
  }

  #address(): Address {
    const mapping = this.#mappings.any(this.#random);
    const pages = mapping === undefined ? 0 : (this.#reference.mappings.get(mapping)?.pages ?? 1);
    return anyAddress(this.#random, mapping, pages);
  }

  #numberOf(address: Address): bigint {
    if ("at" in address) return BigInt(address.at);
    return (this.#reference.mappings.get(address.mapping)?.va ?? 0n) + BigInt(address.offset);
  }

  /** A context of that thread on that file; if there is no other, one that is closed: handles outlive it. */
  #contextFor(thread: number, fd: number): number | undefined {
    const { contexts } = this.#reference;
    const fits = (name: number): boolean => {
      const context = contexts.get(name);
      return context?.thread.number === thread && context.thread.attached && context.fd === fd;
    };
    return this.#contexts.all().find(fits) ?? [...contexts.keys()].find(fits);
  }

  /** Any context, but hardly ever one on a file without objects. */
  #contextWithObjects(): number | undefined {
    const context = this.#contexts.any(this.#random);
    if (context === undefined || this.#random.oneIn(12)) return context;
    return (this.#fileOf(context)?.objects.size ?? 0) > 0 ? context : undefined;
  }

  #fileOf(context: number): OpenFile | undefined {
    const { contexts, machine } = this.#reference;
    const is = contexts.get(context);
    return is?.file ?? machine.files[(is?.fd ?? 0) - 3];
  }

  #typeIn(context: number | undefined): string | undefined {
    const types = context === undefined ? undefined : this.#reference.contexts.get(context)?.thread.types;
    return types === undefined || types.size === 0 ? undefined : this.#random.pick([...types.keys()]);
  }

  /** Mostly an ID that exists on the context's file. */
  #id(context: number): number {
    const file = this.#fileOf(context);
    if (file === undefined || file.objects.size === 0 || this.#random.oneIn(16)) return oddId(this.#random);
    return this.#random.pick([...file.objects.keys()]);
  }
}

type HandleOp = HandleOperation["op"];
