// SPDX-License-Identifier: GPL-2.0-only
//
// The library's side of the oracle: runs operations through the public API and puts the answers into plain words.
//
// Every thread of the library is an Iommufd of this one JavaScript thread, attached to the same memory. An error that is no
// IommufdError is a failure whatever the reference says.

import type { ObjectReference } from "iommufd-wasm";
import {
  Errno,
  Iommufd,
  type IommufdContext,
  IommufdError,
  LockedObject,
  type ObjectType,
  ReservedObject,
  type UserMapping,
} from "iommufd-wasm";
import { COMMANDS } from "./commands.ts";
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

interface LibraryThread {
  readonly number: number;
  readonly iommufd: Iommufd;
  readonly types: Map<string, ObjectType>;
}

interface LibraryContext {
  readonly thread: LibraryThread;
  readonly context: IommufdContext;
}

interface Owned<T> {
  readonly thread: LibraryThread;
  readonly it: T;
}

const NAMES = new Map(Object.entries(Errno).map(([name, value]) => [-value, name]));

export class LibrarySide implements Side {
  readonly #first: Iommufd;
  readonly #threads = new Map<number, LibraryThread>();
  readonly #contexts = new Map<number, LibraryContext>();
  readonly #handles = new Map<number, number>();
  readonly #objects = new Map<number, Owned<ReservedObject | LockedObject>>();
  readonly #references = new Map<number, Owned<ObjectReference>>();
  readonly #mappings = new Map<number, Owned<UserMapping>>();
  readonly #mapped = new Set<UserMapping>();
  #destroyed: unknown[] = [];
  #warnings: unknown[] = [];

  constructor(first: Iommufd) {
    this.#first = first;
  }

  /** Whether the thread may block: the host's business, so it is asked and not compared. */
  get mayBlock(): boolean {
    try {
      Atomics.wait(new Int32Array(this.#first.share.memory.buffer, 0, 1), 0, -1, 0);
      return true;
    } catch {
      return false;
    }
  }

  usedBytes(): number {
    return this.#first.stats().bytes.used;
  }

  end(): void {
    for (const { iommufd } of this.#threads.values()) iommufd.detach();
    this.#first.detach();
  }

  takeEvents(): Answer {
    if (this.#destroyed.length + this.#warnings.length === 0) return undefined;
    const events = { destroyed: this.#destroyed, warnings: this.#warnings };
    this.#destroyed = [];
    this.#warnings = [];
    return events;
  }

  reset(): void {
    const maps = [this.#threads, this.#contexts, this.#handles, this.#objects, this.#references, this.#mappings];
    for (const map of maps) map.clear();
  }

  run(operation: Operation): Answer {
    try {
      const result = this.#run(operation);
      return typeof result === "number" && result < 0 ? (NAMES.get(result) ?? result) : result;
    } catch (error) {
      if (error === SKIP) return SKIPPED;
      if (error instanceof IommufdError) return error.code;
      return `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    }
  }

  #run(operation: Operation): Answer {
    switch (operation.op) {
      case "attach":
        return this.#attach(operation.as);
      case "detach":
        return this.#detach(operation.thread);
      case "type":
        return this.#defineType(operation);
      case "command":
        COMMANDS[operation.command]?.define(this.#thread(operation.thread).iommufd);
        return 0;
      case "open":
        return this.#newContext(operation, ({ iommufd }) => iommufd.open());
      case "fget":
        return this.#newContext(operation, ({ iommufd }) => iommufd.fget(operation.fd));
      case "file":
        return this.#newContext(operation, ({ iommufd }) => iommufd.file(operation.fd));
      case "close":
        this.#context(operation.context).context.close();
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
        const info = this.#context(operation.context).context.inspect(operation.id);
        return info === undefined ? "none" : plain(info);
      }
      case "objects":
        return this.#context(operation.context).context.objects().map(plain);
      case "stats":
        return this.#stats();
      case "memory":
        return this.#memory();
    }
  }

  // -------------------------------------------------------------------------------------------------- threads, files

  #attach(as: number): Answer {
    const iommufd = this.#threads.size === 0 ? this.#first : Iommufd.attachSync(this.#first.share);
    const attached = this.#first.stats().threads.list.map((thread) => thread.number);
    const others = [...this.#threads.values()].map((thread) => thread.number);
    const number = attached.find((candidate) => !others.includes(candidate)) ?? -1;
    iommufd.onWarning(({ kind, count, ...rest }) => {
      this.#warnings.push({ thread: number, kind, ...rest, ...(count !== 1 && { count }) });
    });
    this.#threads.set(as, { number, iommufd, types: new Map() });
    return number;
  }

  #detach(name: number): Answer {
    const { iommufd } = this.#thread(name);
    if (iommufd === this.#first) throw SKIP;
    this.#threads.delete(name);
    iommufd.detach();
    return 0;
  }

  #thread(name: number): LibraryThread {
    return found(this.#threads.get(name));
  }

  #isAttached(thread: LibraryThread): boolean {
    return [...this.#threads.values()].includes(thread);
  }

  #context(name: number): LibraryContext {
    const context = found(this.#contexts.get(name));
    if (!this.#isAttached(context.thread)) throw SKIP;
    return context;
  }

  #owned<T>(things: Map<number, Owned<T>>, name: number): Owned<T> {
    const thing = found(things.get(name));
    if (!this.#isAttached(thing.thread)) throw SKIP;
    return thing;
  }

  #newContext(
    { thread: name, as }: { thread: number; as: number },
    make: (thread: LibraryThread) => IommufdContext,
  ): Answer {
    const thread = this.#thread(name);
    const context = make(thread);
    this.#contexts.set(as, { thread, context });
    return context.fd;
  }

  #defineType({ thread: name, name: typeName, bytes, callback }: Operation & { op: "type" }): Answer {
    const thread = this.#thread(name);
    const type = thread.iommufd.defineObjectType({
      name: typeName,
      payloadBytes: bytes,
      ...(callback && {
        destroy: ({ id, type, payload, context }) =>
          void this.#destroyed.push({
            thread: thread.number,
            type: type.name,
            id,
            value: payload.byteLength < 4 ? 0 : payload.getUint32(0, true),
            fd: context.fd,
          }),
      }),
    });
    thread.types.set(typeName, type);
    return type.number;
  }

  // -------------------------------------------------------------------------------------------------- objects

  #hot(operation: Operation & { context: number }): Answer {
    const { thread, context } = this.#context(operation.context);
    switch (operation.op) {
      case "tryAlloc": {
        const handle = context.tryAlloc(found(thread.types.get(operation.type)));
        if (handle < 0) return handle;
        this.#handles.set(operation.as, handle);
        const type = found(thread.types.get(operation.type));
        const payload = new DataView(thread.iommufd.share.memory.buffer, context.payloadOf(handle), type.payloadBytes);
        return [context.idOf(handle), fillFresh(payload, operation.value)];
      }
      case "tryGet": {
        const type = operation.type === undefined ? undefined : found(thread.types.get(operation.type));
        const handle = context.tryGet(operation.id, type);
        if (handle > 0) this.#handles.set(operation.as, handle);
        return Math.min(handle, 0);
      }
      case "finalizeHandle":
        return context.finalize(found(this.#handles.get(operation.handle)));
      case "abortHandle":
        context.abort(found(this.#handles.get(operation.handle)));
        return 0;
      case "putHandle":
        context.put(found(this.#handles.get(operation.handle)));
        return 0;
      case "keepHandle":
        return context.putKeepUser(found(this.#handles.get(operation.handle)));
      case "dropUserHandle":
        return context.dropUser(found(this.#handles.get(operation.handle)));
      case "describeHandle":
        return context.idOf(found(this.#handles.get(operation.handle)));
      case "holdHandle":
        return context.hold(found(this.#handles.get(operation.handle)), found(this.#handles.get(operation.target)));
      default:
        return context.tryDestroy((operation as { id: number }).id, 0);
    }
  }

  #cold(operation: Operation): Answer {
    switch (operation.op) {
      case "alloc": {
        const { thread, context } = this.#context(operation.context);
        const object = context.alloc(found(thread.types.get(operation.type)));
        this.#objects.set(operation.as, { thread, it: object });
        return [object.id, fillFresh(object.payload, operation.value)];
      }
      case "get": {
        const { thread, context } = this.#context(operation.context);
        const type = operation.type === undefined ? undefined : found(thread.types.get(operation.type));
        const object = context.get(operation.id, type);
        this.#objects.set(operation.as, { thread, it: object });
        return [object.type.name, object.payload.byteLength < 4 ? 0 : object.payload.getUint32(0, true)];
      }
      case "finalize":
        return this.#reserved(operation.object).it.finalize();
      case "abort":
        this.#reserved(operation.object).it.abort();
        return 0;
      case "put":
        this.#locked(operation.object).it.put();
        return 0;
      case "dropUser":
        this.#locked(operation.object).it.dropUser();
        return 0;
      case "keep": {
        const { thread, it } = this.#locked(operation.object);
        this.#references.set(operation.as, { thread, it: it.putKeepUser() });
        return 0;
      }
      case "hold":
        this.#reserved(operation.object).it.hold(this.#locked(operation.target).it);
        return 0;
      case "holdReference":
        this.#reserved(operation.object).it.hold(this.#owned(this.#references, operation.reference).it);
        return 0;
      case "drop":
        this.#owned(this.#references, operation.reference).it.drop();
        return 0;
      default:
        return this.#owned(this.#references, (operation as { reference: number }).reference).it.destroyUser({
          timeoutMs: 0,
        });
    }
  }

  #reserved(name: number): Owned<ReservedObject> {
    const { thread, it } = this.#owned(this.#objects, name);
    if (!(it instanceof ReservedObject)) throw SKIP;
    return { thread, it };
  }

  #locked(name: number): Owned<LockedObject> {
    const { thread, it } = this.#owned(this.#objects, name);
    if (!(it instanceof LockedObject)) throw SKIP;
    return { thread, it };
  }

  // -------------------------------------------------------------------------------------------------- user memory

  #user(operation: Operation): Answer {
    switch (operation.op) {
      case "ioctl": {
        const { context } = this.#context(operation.context);
        if (!("buffer" in operation.argument)) {
          return context.tryIoctl(operation.request, this.#address(operation.argument.user), 0);
        }
        const bytes = bytesOf(operation.argument.buffer);
        const { buffer, whole } = fence(bytes);
        const result = context.tryIoctl(operation.request, buffer, 0);
        if (!isFenced(whole, bytes.length)) return "bytes outside of the buffer have changed";
        return [result < 0 ? (NAMES.get(result) ?? result) : result, hexOf(buffer)];
      }
      case "map": {
        const thread = this.#thread(operation.thread);
        const mapping = thread.iommufd.userSpace.map(operation.length, {
          prot: operation.prot,
          ...(operation.va !== undefined && { va: BigInt(operation.va) }),
        });
        this.#mappings.set(operation.as, { thread, it: mapping });
        this.#mapped.add(mapping);
        return `${mapping.va}+${mapping.bytes.length}`;
      }
      case "protect": {
        const { userSpace } = this.#thread(operation.thread).iommufd;
        userSpace.protect(this.#address(operation.address), operation.length, operation.prot);
        return 0;
      }
      case "unmap": {
        const { thread, it } = this.#owned(this.#mappings, operation.mapping);
        thread.iommufd.userSpace.unmap(it);
        this.#mapped.delete(it);
        return 0;
      }
      case "read": {
        const { userSpace } = this.#thread(operation.thread).iommufd;
        return digestOf(userSpace.read(this.#address(operation.address), operation.length));
      }
      default: {
        const { thread, address, bytes } = operation as Operation & { op: "write" };
        this.#thread(thread).iommufd.userSpace.write(this.#address(address), bytesOf(bytes));
        return 0;
      }
    }
  }

  #address(address: Address): bigint {
    if ("at" in address) return BigInt(address.at);
    return BigInt.asUintN(64, found(this.#mappings.get(address.mapping)).it.va + BigInt(address.offset));
  }

  /** What all mappings hold, by their address. */
  #memory(): string {
    return [...this.#mapped]
      .sort((a, b) => (a.va < b.va ? -1 : 1))
      .map(({ va, bytes }) => `${va}=${digestOf(bytes)}`)
      .join();
  }

  // -------------------------------------------------------------------------------------------------- looking

  #stats(): Answer {
    const { objects, files, threads, mappings, warnings, waiting } = this.#first.stats();
    return {
      objects,
      open: files.open,
      threads: threads.list.map(({ number, locked, reserved, waiting }) => [number, locked, reserved, waiting]),
      mappings,
      warnings: Object.entries(warnings).filter(([, count]) => count > 0),
      waiting,
    };
  }
}

function found<T>(thing: T | undefined): T {
  if (thing === undefined) throw SKIP;
  return thing;
}

const FENCE_BYTES = 9;
const FENCE = 0xa5;

/** A buffer in the middle of a larger one, misaligned, with a byte pattern on both sides. */
function fence(bytes: Uint8Array): { buffer: Uint8Array; whole: Uint8Array } {
  const whole = new Uint8Array(bytes.length + 2 * FENCE_BYTES).fill(FENCE);
  const buffer = whole.subarray(FENCE_BYTES, FENCE_BYTES + bytes.length);
  buffer.set(bytes);
  return { buffer, whole };
}

function isFenced(whole: Uint8Array, length: number): boolean {
  const outside = [...whole.subarray(0, FENCE_BYTES), ...whole.subarray(FENCE_BYTES + length)];
  return outside.every((byte) => byte === FENCE);
}

/** Answers the sum of a new object's bytes, which is 0, and marks it. */
function fillFresh(payload: DataView, value: number): number {
  let sum = 0;
  for (let at = 0; at < payload.byteLength; at++) {
    sum += payload.getUint8(at);
    payload.setUint8(at, 0xee);
  }
  if (payload.byteLength >= 4) payload.setUint32(0, value, true);
  return sum;
}

function plain({ id, type, state, users, holders, references }: ReturnType<IommufdContext["objects"]>[number]): Answer {
  return [id, type.name, state, users, holders, [...references].sort((a, b) => a - b)];
}
