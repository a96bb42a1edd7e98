// SPDX-License-Identifier: GPL-2.0-only
//
// The reference's side of the oracle: the same operations on test/reference, the same words as answers.
//
// It also is what the generator looks at, to choose among the things that exist.

import { codeOf, defineCommand, ioctl } from "../reference/dispatch.ts";
import { Machine, type MachineOptions } from "../reference/machine.ts";
import type { Context, Handle, Kept, Obj, Thread, TypeRow } from "../reference/objects.ts";
import { type Mapping, copyFrom, copyTo } from "../reference/user-space.ts";
import { COMMANDS, executorsOf } from "./commands.ts";
import {
  type Address,
  type Answer,
  type Operation,
  SKIP,
  SKIPPED,
  type Side,
  bytesOf,
  digestOf,
  hexOf,
} from "./operations.ts";

/** A handle of the class API: it remembers where it came from. */
export interface OwnedHandle {
  readonly context: Context;
  readonly handle: Handle;
  /** What its class is; the handle's own kind is gone once it is used up. */
  readonly kind: "reserved" | "locked";
}

export class ReferenceSide implements Side {
  readonly machine: Machine;
  #hasUnorderedQueue = false;
  readonly threads = new Map<number, Thread>();
  readonly contexts = new Map<number, Context>();
  readonly handles = new Map<number, Handle>();
  readonly objects = new Map<number, OwnedHandle>();
  readonly references = new Map<number, Kept>();
  readonly mappings = new Map<number, Mapping>();
  readonly #first: Thread;

  constructor(options: MachineOptions) {
    this.machine = new Machine(options);
    this.#first = this.machine.attach();
  }

  /**
   * Whether the order of the callbacks of that operation, which has just run, is promised: in which order a thread that leaves gives
   * its handles back is not, nor what it has queued by that.
   */
  isInOrder({ op }: Operation): boolean {
    const inOrder = op !== "detach" && !this.#hasUnorderedQueue;
    this.#hasUnorderedQueue = !inOrder && this.machine.queue.length > 0;
    return inOrder;
  }

  takeEvents(): Answer {
    const { destroyed, warnings } = this.machine;
    if (destroyed.length + warnings.length === 0) return undefined;
    return { destroyed: destroyed.splice(0), warnings: warnings.splice(0) };
  }

  reset(): void {
    const maps = [this.threads, this.contexts, this.handles, this.objects, this.references, this.mappings];
    for (const map of maps) map.clear();
    this.#first.types.clear();
  }

  /** No file, no mapping, nothing in the queue, and no thread but the first. */
  isAtRest(): boolean {
    const { files, userSpace, queue, threads } = this.machine;
    const others = threads.filter((thread) => thread.attached && thread !== this.#first);
    const open = files.filter((file) => file !== undefined);
    return open.length + userSpace.mappings.length + queue.length + others.length === 0;
  }

  run(operation: Operation): Answer {
    try {
      return this.#run(operation);
    } catch (error) {
      return error === SKIP ? SKIPPED : codeOf(error);
    }
  }

  #run(operation: Operation): Answer {
    const { machine } = this;
    switch (operation.op) {
      case "attach": {
        const thread = this.threads.size === 0 ? this.#first : machine.attach();
        this.threads.set(operation.as, thread);
        return thread.number;
      }
      case "detach": {
        const thread = found(this.threads.get(operation.thread));
        if (thread === this.#first) throw SKIP;
        this.threads.delete(operation.thread);
        machine.detach(thread);
        return 0;
      }
      case "type":
        return machine.defineType(
          found(this.threads.get(operation.thread)),
          operation.name,
          operation.bytes,
          operation.callback,
        );
      case "command": {
        const { name, nr, fields, last, size, minSize } = found(COMMANDS[operation.command]);
        const shape = JSON.stringify([fields, last]);
        defineCommand(machine, found(this.threads.get(operation.thread)), { nr, name, shape, size, minSize });
        return 0;
      }
      case "open":
        return this.#newContext(operation, (thread) => machine.open(thread));
      case "fget":
        return this.#newContext(operation, (thread) => machine.fget(thread, operation.fd));
      case "file":
        return this.#newContext(operation, (thread) => machine.byNumber(thread, operation.fd));
      case "close":
        machine.close(this.#context(operation.context));
        return 0;
      case "tryAlloc":
      case "tryGet":
      case "finalizeHandle":
      case "abortHandle":
      case "putHandle":
      case "keepHandle":
      case "dropUserHandle":
      case "describeHandle":
      case "holdHandle":
      case "tryDestroy":
        return this.#hot(operation);
      case "alloc":
      case "get":
      case "finalize":
      case "abort":
      case "put":
      case "dropUser":
      case "keep":
      case "hold":
      case "holdReference":
      case "drop":
      case "destroyUser":
        return this.#cold(operation);
      case "ioctl":
      case "map":
      case "protect":
      case "unmap":
      case "read":
      case "write":
        return this.#user(operation);
      case "inspect": {
        const context = this.#context(operation.context);
        if (!isId(operation.id)) return "none";
        const object = machine.use(context).objects.get(operation.id);
        return object?.state === "live" ? plain(object) : "none";
      }
      case "objects": {
        const { objects } = machine.use(this.#context(operation.context));
        return [...objects.values()].sort((a, b) => a.id - b.id).map(plain);
      }
      case "stats":
        return this.#stats();
      case "memory":
        return machine.userSpace.mappings
          .map((mapping) => `${mapping.va}=${digestOf(machine.userSpace.bytesOf(mapping))}`)
          .join();
    }
  }

  // -------------------------------------------------------------------------------------------------- finding

  #context(name: number): Context {
    return attached(found(this.contexts.get(name)));
  }

  #newContext({ thread, as }: { thread: number; as: number }, make: (thread: Thread) => Context): Answer {
    const context = make(found(this.threads.get(thread)));
    this.contexts.set(as, context);
    return context.fd;
  }

  #type(context: Context, name: string): TypeRow {
    return found(context.thread.types.get(name));
  }

  #owned(name: number, kind: "reserved" | "locked"): OwnedHandle {
    const owned = found(this.objects.get(name));
    attached(owned.context);
    if (owned.kind !== kind) throw SKIP;
    return owned;
  }

  #kept(name: number): Kept {
    return attached(found(this.references.get(name)));
  }

  // -------------------------------------------------------------------------------------------------- objects

  #hot(operation: Operation & { context: number }): Answer {
    const { machine } = this;
    const context = this.#context(operation.context);
    switch (operation.op) {
      case "tryAlloc": {
        const type = this.#type(context, operation.type);
        const handle = machine.alloc(context, type, type.payloadBytes < 4 ? 0 : operation.value);
        this.handles.set(operation.as, handle);
        return [handle.object.id, 0];
      }
      case "tryGet": {
        const type = operation.type === undefined ? undefined : this.#type(context, operation.type);
        if (!isId(operation.id)) return "ENOENT";
        this.handles.set(operation.as, machine.get(context, operation.id, type));
        return 0;
      }
      case "finalizeHandle":
        return machine.finalize(context, found(this.handles.get(operation.handle)));
      case "abortHandle":
        machine.abort(context, found(this.handles.get(operation.handle)));
        return 0;
      case "putHandle":
        machine.put(context, found(this.handles.get(operation.handle)));
        return 0;
      case "keepHandle":
        machine.putKeepUser(context, found(this.handles.get(operation.handle)));
        return 0;
      case "dropUserHandle":
        machine.dropKeptUser(context, found(this.handles.get(operation.handle)));
        return 0;
      case "describeHandle":
        return machine.describe(context, found(this.handles.get(operation.handle))).id;
      case "holdHandle":
        machine.hold(context, found(this.handles.get(operation.handle)), found(this.handles.get(operation.target)));
        return 0;
      default: {
        const { id } = operation as Operation & { op: "tryDestroy" };
        if (!isId(id)) return "ENOENT";
        machine.destroy(context, id);
        return 0;
      }
    }
  }

  #cold(operation: Operation): Answer {
    const { machine } = this;
    switch (operation.op) {
      case "alloc": {
        const context = this.#context(operation.context);
        const type = this.#type(context, operation.type);
        const handle = machine.alloc(context, type, type.payloadBytes < 4 ? 0 : operation.value);
        this.objects.set(operation.as, { context, handle, kind: "reserved" });
        return [handle.object.id, 0];
      }
      case "get": {
        const context = this.#context(operation.context);
        const type = operation.type === undefined ? undefined : this.#type(context, operation.type);
        if (!isId(operation.id)) return "ENOENT";
        const handle = machine.get(context, operation.id, type);
        this.objects.set(operation.as, { context, handle, kind: "locked" });
        return [handle.object.type.name, handle.object.value];
      }
      case "finalize": {
        const { context, handle } = this.#owned(operation.object, "reserved");
        return machine.finalize(context, handle);
      }
      case "abort": {
        const { context, handle } = this.#owned(operation.object, "reserved");
        machine.abort(context, handle);
        return 0;
      }
      case "put": {
        const { context, handle } = this.#owned(operation.object, "locked");
        machine.put(context, handle);
        return 0;
      }
      case "dropUser": {
        const { context, handle } = this.#owned(operation.object, "locked");
        machine.dropKeptUser(context, handle);
        return 0;
      }
      case "keep": {
        const { context, handle } = this.#owned(operation.object, "locked");
        this.references.set(operation.as, machine.putKeepUser(context, handle));
        return 0;
      }
      case "hold": {
        const { context, handle } = this.#owned(operation.object, "reserved");
        machine.hold(context, handle, this.#owned(operation.target, "locked").handle);
        return 0;
      }
      case "holdReference": {
        const { context, handle } = this.#owned(operation.object, "reserved");
        machine.holdKept(context, handle, this.#kept(operation.reference));
        return 0;
      }
      case "drop":
        machine.dropKept(this.#kept(operation.reference));
        return 0;
      default:
        return machine.destroyKept(this.#kept((operation as { reference: number }).reference));
    }
  }

  // -------------------------------------------------------------------------------------------------- user memory

  #user(operation: Operation): Answer {
    const { userSpace } = this.machine;
    switch (operation.op) {
      case "ioctl": {
        const context = this.#context(operation.context);
        const argument =
          "buffer" in operation.argument ? bytesOf(operation.argument.buffer) : this.#address(operation.argument.user);
        const result = this.#ioctl(context, operation.request, argument);
        return typeof argument === "bigint" ? result : [result, hexOf(argument)];
      }
      case "map": {
        found(this.threads.get(operation.thread));
        const va = operation.va === undefined ? undefined : BigInt(operation.va);
        const mapping = userSpace.map(operation.length, va, operation.prot);
        this.mappings.set(operation.as, mapping);
        return `${mapping.va}+${mapping.pages * 4096}`;
      }
      case "protect":
        found(this.threads.get(operation.thread));
        userSpace.protect(this.#address(operation.address), operation.length, operation.prot);
        return 0;
      case "unmap":
        userSpace.unmap(found(this.mappings.get(operation.mapping)));
        return 0;
      case "read":
        found(this.threads.get(operation.thread));
        return digestOf(copyFrom(userSpace, this.#address(operation.address), operation.length));
      default: {
        const { thread, address, bytes } = operation as Operation & { op: "write" };
        found(this.threads.get(thread));
        copyTo(userSpace, this.#address(address), bytesOf(bytes));
        return 0;
      }
    }
  }

  #ioctl(context: Context, request: number, argument: Uint8Array | bigint): Answer {
    try {
      return ioctl(this.machine, context, request, argument, executorsOf(this.machine.commands));
    } catch (error) {
      return codeOf(error);
    }
  }

  #address(address: Address): bigint {
    if ("at" in address) return BigInt(address.at);
    return BigInt.asUintN(64, found(this.mappings.get(address.mapping)).va + BigInt(address.offset));
  }

  // -------------------------------------------------------------------------------------------------- looking

  #stats(): Answer {
    const { machine } = this;
    const files = machine.files.filter((file) => file !== undefined);
    const objects = files.flatMap((file) => [...file.objects.values()]);
    const threads = machine.threads.filter((thread) => thread.attached).sort((a, b) => a.number - b.number);
    const kinds = (thread: Thread, kind: string) => [...thread.handles].filter((handle) => handle.kind === kind).length;
    return {
      objects: {
        live: objects.filter(({ state }) => state === "live").length,
        reserved: objects.filter(({ state }) => state === "reserved").length,
        leaked: machine.leaked,
        queued: machine.queue.length,
      },
      open: files.length,
      threads: threads.map((thread) => [thread.number, kinds(thread, "locked"), kinds(thread, "reserved"), 0]),
      mappings: machine.userSpace.mappings.length,
      warnings: WARNING_KINDS.filter((kind) => machine.warningCounts.has(kind)).map((kind) => [
        kind,
        machine.warningCounts.get(kind),
      ]),
      waiting: [],
    };
  }
}

/** In the library's order. */
const WARNING_KINDS = ["release:users", "refcount:decrement_hit_0_leaking_memory", "detach:held"];

function found<T>(thing: T | undefined): T {
  if (thing === undefined) throw SKIP;
  return thing;
}

/** What a thread had is of no use once it has left. */
function attached<T extends { readonly thread: Thread }>(thing: T): T {
  if (!thing.thread.attached) throw SKIP;
  return thing;
}

function isId(id: number): boolean {
  return id >>> 0 === id;
}

function plain({ id, type, state, users, holders, holds }: Obj): Answer {
  return [id, type.name, state, users, holders, holds.map((held) => held.id).sort((a, b) => a - b)];
}
