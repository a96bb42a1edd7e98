// SPDX-License-Identifier: GPL-2.0-only
//
// What the reference is made of: plain records without behaviour.
//
// Words as in the README: a file is a context and its row; a context is one of the ways to a file; a handle is what a thread has
// after alloc or get; users, holders and kept count as the seed's `users`, `destroy_rwsem` and the references that
// iommufd_put_object_keep_user left behind.

export type Abi = "rfc" | "mainline";

/** A type's row, the same for all threads. */
export interface TypeRow {
  readonly number: number;
  readonly name: string;
  readonly payloadBytes: number;
  readonly hasDestroy: boolean;
}

/** A row of the ioctl table, the same for all threads. */
export interface CommandRow {
  readonly nr: number;
  readonly name: string;
  readonly shape: string;
  readonly size: number;
  readonly minSize: number;
}

export interface Obj {
  readonly file: OpenFile;
  readonly id: number;
  readonly type: TypeRow;
  /** First word of the payload. */
  value: number;
  state: "reserved" | "live" | "gone" | "leaked";
  users: number;
  /** `users` reached its limit or fell below one: it never moves again. */
  saturated: boolean;
  /** Locks of all threads. */
  holders: number;
  /** Users that putKeepUser left behind and nobody has dropped. */
  kept: number;
  /** Objects on which it has a users reference, one entry each. */
  readonly holds: Obj[];
}

/** From open to the end of the release. */
export interface OpenFile {
  readonly fd: number;
  isNumberOpen: boolean;
  /** From fget. */
  references: number;
  /** Ioctls in progress. */
  calls: number;
  readonly objects: Map<number, Obj>;
}

/** A thread of the library; one JavaScript thread may play several. */
export interface Thread {
  /** Place in the list of thread slots. */
  readonly number: number;
  attached: boolean;
  readonly types: Map<string, TypeRow>;
  /** Types whose callback the thread has. */
  readonly callbacks: Set<TypeRow>;
  readonly commands: Set<number>;
  readonly handles: Set<Handle>;
  readonly fgets: Set<Context>;
}

export interface Handle {
  readonly thread: Thread;
  readonly object: Obj;
  /** Undefined once used up. */
  kind: "reserved" | "locked" | undefined;
}

/** A users reference beyond one call: an ObjectReference. */
export interface Kept {
  readonly thread: Thread;
  readonly object: Obj;
  usedUp: boolean;
}

/** One way to a file. `file` is undefined for a context by number, which looks the file up at each call. */
export interface Context {
  readonly thread: Thread;
  readonly access: "open" | "fget" | "file" | "call";
  readonly fd: number;
  readonly file: OpenFile | undefined;
  ended: boolean;
}

/** A destroyed object's callback, or a warning: in the order in which they happened, each in its own list. */
export interface DestroyEvent {
  readonly thread: number;
  readonly type: string;
  readonly id: number;
  readonly value: number;
  readonly fd: number;
}
export interface WarningEvent {
  readonly thread: number;
  readonly kind: string;
  readonly context: number;
  readonly id?: number;
}
