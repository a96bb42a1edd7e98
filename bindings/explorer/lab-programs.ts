// SPDX-License-Identifier: GPL-2.0-only
//
// The lab's calls as programs over the core's raw exports: what the bindings and bindings/replay/lab.ts make of a call, as a
// generator that yields each call of the core and is told its answer. So a scheduler can stop a thread inside of any of them.
//
// A program runs in one thread of the library, whose slot it reads as the bindings do: result words, attention, warnings.
// What the lab keeps in JavaScript, the destroy log and the warnings that were reported, is in LabWorld; between two calls of the
// core nothing else runs.
//
// The lab counts kept references in the objects' payload, because the core's count also has what an ALLOC is about to turn into a
// hold. Here the core's own count decides, so that threads share nothing that a scheduler does not see.
//
// Answers are the recording's words (test/vectors/README.md), so that outcomes can be compared.

import type { CoreExports } from "../core.js";
import { Errno } from "../generated/errno.js";
import { Layout } from "../generated/layout.js";
import { WARNING_KINDS } from "../warnings.js";

/** A system call of the lab; `args` in the order of the ioctl's table, `fd` 0 or 1. */
export interface SystemCall {
  readonly call: string;
  readonly fd: number;
  readonly args?: readonly number[];
}

/** A call of the core that a thread is about to make. */
export interface CoreCall {
  readonly name: keyof CoreExports;
  readonly args: readonly number[];
}

/** A program is told the answer of each call; 0 for one that has none. */
export type CoreProgram<T> = Generator<CoreCall, T, number>;

/** Where a build keeps things: the generated Layout, or one like it for a build with other sizes. */
export type CoreLayout = { readonly [Name in keyof typeof Layout]: number };

/** The shared memory, word by word. */
export interface CoreMemory {
  u32(address: number): number;
  setU32(address: number, value: number): void;
}

/** What all threads of one try share outside of the memory. */
export interface LabWorld {
  /** Addresses of the files that calls name 0 and 1. */
  readonly files: readonly number[];
  /** type:id of each object whose destroy callback ran. */
  log: string[];
  /** Kinds of warnings, as they were reported. */
  readonly warnings: string[];
}

/** The lab's commands: number, words of the struct. */
const COMMANDS = {
  ALLOC: [0xa0, 7],
  GET: [0xa1, 3],
  KEEP: [0xa2, 3],
  DROP: [0xa3, 2],
  HOLD: [0xa4, 4],
  STATE: [0xa6, 4],
} as const;
const DESTROY = [Layout.NR_DESTROY, 2] as const;
/** Names of DEVICE, HWPT and IOAS, types 1 to 3: four letters in one word. */
const TYPE_NAMES = [0x5f564544, 0x54505748, 0x53414f49];
const NAME_BYTES = 4;
const PAYLOAD_BYTES = 4;
const ALLOC_ABORT = 1;
const ALLOC_PROBE = 2;
const LONGEST_HOLD_MSECS = 10_000;
const ERROR_NAMES = new Map(Object.entries(Errno).map(([name, number]) => [-number, name]));

function* call(name: keyof CoreExports, ...args: number[]): CoreProgram<number> {
  return yield { name, args };
}

/** One thread of the library, as the lab uses it. */
export class LabThread {
  readonly #memory: CoreMemory;
  readonly #thread: number;
  readonly #world: LabWorld;
  readonly #layout: CoreLayout;

  /** `thread` is the address of the thread's slot, from attachThread. */
  constructor(memory: CoreMemory, thread: number, world: LabWorld, layout: CoreLayout) {
    this.#memory = memory;
    this.#thread = thread;
    this.#world = world;
    this.#layout = layout;
  }

  /** Defines the lab in this thread: types 1, 2, 3 and the commands. */
  *define(): CoreProgram<void> {
    for (const [index, name] of TYPE_NAMES.entries()) {
      this.#fillWindow([name]);
      const type = yield* call("defineType", NAME_BYTES, PAYLOAD_BYTES, Layout.TYPE_HAS_DESTROY);
      if (type !== index + 1) throw new Error(`defineType: ${type}`);
    }
    for (const [nr, words] of Object.values(COMMANDS)) {
      const result = yield* call("defineCommand", nr, words * 4, words * 4, nr, 0);
      if (result !== 0) throw new Error(`defineCommand: ${result}`);
    }
  }

  /** Makes a call and says what it answered, as the recording does. */
  *call({ call: name, fd, args = [] }: SystemCall): CoreProgram<string> {
    const [a = 0, b = 0, c = 0, d = 0] = args;
    const file = this.#world.files[fd] ?? 0;
    switch (name) {
      case "CLOSE":
        return answerOf(yield* this.#attended("closeNumber", file, Layout.FILE_BY_NUMBER));
      case "FGET":
        return answerOf(yield* this.#fgetFput(file));
      case "LOG":
        return this.#takeLog();
      case "DESTROY":
        return answerOf(yield* this.#ioctl(file, DESTROY, [a]));
      case "ALLOC":
        return answerOf(
          yield* this.#ioctl(file, COMMANDS.ALLOC, args, (context) => this.#alloc(file, context, a, [b, c], d)),
        );
      case "GET":
        return answerOf(yield* this.#ioctl(file, COMMANDS.GET, args, (context) => this.#getPut(file, context, a, b)));
      case "HOLD": // it sleeps as long as the scheduler likes
        return answerOf(yield* this.#ioctl(file, COMMANDS.HOLD, args, (context) => this.#hold(file, context, a, b, c)));
      case "KEEP":
        return answerOf(yield* this.#ioctl(file, COMMANDS.KEEP, args, (context) => this.#keep(file, context, a, b)));
      case "DROP":
        return answerOf(yield* this.#ioctl(file, COMMANDS.DROP, args, (context) => this.#drop(file, context, a)));
      case "STATE":
        return answerOf(yield* this.#ioctl(file, COMMANDS.STATE, args, (context) => this.#state(file, context, a)));
      default:
        throw new Error(`no such call: ${name}`);
    }
  }

  // ------------------------------------------------------------------------------------------------ the thread's slot

  #word(address: number): number {
    return this.#memory.u32(address) >>> 0;
  }

  #fillWindow(words: readonly number[]): void {
    const window = this.#thread + this.#layout.THREAD_WINDOW;
    words.forEach((word, index) => this.#memory.setU32(window + index * 4, word));
  }

  #result(n: number): number {
    return this.#word(this.#thread + this.#layout.THREAD_RESULT0 + n * 4) | 0;
  }

  get #attention(): number {
    return this.#word(this.#thread + this.#layout.THREAD_ATTENTION);
  }

  /** A call of the core, and what it leaves to be done. */
  *#attended(name: keyof CoreExports, ...args: number[]): CoreProgram<number> {
    const result = yield* call(name, ...args);
    yield* this.#attend();
    return result;
  }

  /** Kernel.attend() of the bindings. */
  *#attend(): CoreProgram<void> {
    for (;;) {
      if ((this.#attention & Layout.ATTENTION_WARNINGS) !== 0) this.#report();
      else if ((this.#attention & Layout.ATTENTION_RELEASE) !== 0) yield* this.#release();
      else return;
    }
  }

  /** Runs a release that this thread won, from stop to stop. */
  *#release(): CoreProgram<void> {
    const file = this.#word(this.#thread + this.#layout.THREAD_RELEASING);
    let slot: number;
    do {
      slot = yield* call("releaseNext", file);
      if (slot > Layout.RELEASE_AGAIN) yield* this.#callback(slot);
      if ((this.#attention & Layout.ATTENTION_WARNINGS) !== 0) this.#report();
    } while (slot !== 0);
  }

  #report(): void {
    const count = this.#word(this.#thread + this.#layout.THREAD_WARNING_COUNT);
    for (let index = 0; index < count; index++) {
      const kind = this.#word(
        this.#thread + this.#layout.THREAD_WARNINGS + index * this.#layout.WARNING_BYTES + this.#layout.WARNING_KIND,
      );
      const name = WARNING_KINDS[kind] ?? "unknown";
      // The kernel's refcount warnings are of the kind that warns once; the library reports each.
      if (!(name.startsWith("refcount:") && this.#world.warnings.includes(name))) this.#world.warnings.push(name);
    }
    this.#memory.setU32(this.#thread + this.#layout.THREAD_WARNING_COUNT, 0);
    this.#memory.setU32(this.#thread + this.#layout.THREAD_ATTENTION, this.#attention & ~Layout.ATTENTION_WARNINGS);
  }

  /** The types' destroy callback. */
  *#callback(slot: number): CoreProgram<void> {
    const type = this.#word(slot + this.#layout.SLOT_OWNER) & this.#layout.SLOT_TYPE_MASK;
    const id = this.#word(slot + this.#layout.SLOT_ID);
    yield* call("callbackBegins", slot);
    this.#world.log.push(`${type}:${id}`);
  }

  #takeLog(): string {
    const all = `[${this.#world.log.join(",")}]`;
    this.#world.log = [];
    return all;
  }

  // ------------------------------------------------------------------------------------------------ ioctl

  /** An ioctl on a number, with a buffer; `execute` is given what the context of the call in flight expects. */
  *#ioctl(
    file: number,
    [nr, words]: readonly [number, number],
    args: readonly number[],
    execute?: (expected: number) => CoreProgram<number | string>,
  ): CoreProgram<number | string> {
    const length = words * 4;
    this.#fillWindow([length, ...Array.from({ length: words - 1 }, (_, index) => args[index] ?? 0)]);
    let result: number | string = yield* call(
      "ioctlWindow",
      file,
      Layout.FILE_BY_NUMBER,
      Layout.IOMMUFD_TYPE | nr,
      length,
      1,
    );
    if (result === Layout.MUST_WAIT) result = yield* call("destroyWait", file, this.#result(0), -1);
    if (result === Layout.MUST_DESTROY) {
      const handle = this.#result(0);
      yield* this.#callback(this.#result(1));
      result = yield* call("destroyFinish", file, handle);
    }
    if (result === Layout.MUST_EXECUTE && execute !== undefined) {
      const state = this.#word(file + this.#layout.FILE_STATE) & ~Layout.FILE_PHASE_MASK;
      result = yield* execute(state | Layout.FILE_DRAINING);
      yield* call("ioctlEnd", file);
    }
    yield* this.#attend();
    return result;
  }

  /** IommufdContext.tryGet(): a handle or -errno. */
  *#get(file: number, expected: number, id: number, type: number): CoreProgram<number> {
    if (type > TYPE_NAMES.length) return -Errno.ENOENT;
    const result =
      type === 0 ? yield* call("get", file, expected, id) : yield* call("getTyped", file, expected, id, type);
    if (result > 0 && result < Layout.HANDLE_UNCONFIRMED) return result;
    if (result !== 0) {
      const confirmed = yield* this.#attended("getConfirm", file, expected, result & ~Layout.HANDLE_UNCONFIRMED);
      if (confirmed !== 0) return confirmed;
    }
    return yield* this.#attended("getSlowly", file, expected, id, type);
  }

  *#put(file: number, handle: number): CoreProgram<void> {
    const result = yield* call("put", file, handle);
    if (result === Layout.PUT_SLOWLY) yield* this.#attended("putSlowly", file, handle);
    else if (result !== 0) yield* this.#attended("putUnquiet", file);
  }

  *#getPut(file: number, context: number, id: number, type: number): CoreProgram<number> {
    const handle = yield* this.#get(file, context, id, type);
    if (handle < 0) return handle;
    yield* this.#put(file, handle);
    return 0;
  }

  *#hold(file: number, context: number, id: number, type: number, msecs: number): CoreProgram<number> {
    if (msecs > LONGEST_HOLD_MSECS) return -Errno.EINVAL;
    return yield* this.#getPut(file, context, id, type);
  }

  *#keep(file: number, context: number, id: number, type: number): CoreProgram<number> {
    const handle = yield* this.#get(file, context, id, type);
    if (handle < 0) return handle;
    return yield* this.#attended("putKeepUser", file, handle);
  }

  *#drop(file: number, context: number, id: number): CoreProgram<number> {
    const handle = yield* this.#get(file, context, id, 0);
    if (handle < 0) return handle;
    const result = yield* this.#attended("dropUser", file, handle);
    yield* this.#put(file, handle);
    return result;
  }

  *#alloc(file: number, context: number, type: number, holds: number[], flags: number): CoreProgram<number | string> {
    if (type < 1 || type > TYPE_NAMES.length || (flags & ~(ALLOC_ABORT | ALLOC_PROBE)) !== 0) return -Errno.EOPNOTSUPP;
    // References on the file as it is now: they outlive the call in flight, whose state is the same but for the phase.
    const referrer = (context & ~Layout.FILE_PHASE_MASK) | Layout.FILE_CLOSED;
    const references: { id: number; serial: number }[] = [];
    for (const id of holds) {
      if (id === 0) continue;
      const handle = yield* this.#get(file, context, id, 0);
      if (handle < 0) {
        for (const { id, serial } of references) yield* this.#attended("dropReference", file, referrer, id, serial);
        return handle;
      }
      const kept = yield* call("putKeepUser", file, handle);
      references.push({ id, serial: (this.#result(0) >>> 0) + (this.#result(1) >>> 0) * 2 ** 32 });
      yield* this.#attend();
      if (kept < 0) return kept;
    }
    const reserved = yield* this.#attended("alloc", file, context, type);
    if (reserved < 0) return reserved;
    yield* call("describe", file, reserved);
    const id = this.#result(1) >>> 0;
    for (const { id, serial } of references) yield* this.#attended("holdReference", file, reserved, id, serial);
    let answer = `id=${id}`;
    if ((flags & ALLOC_PROBE) !== 0) {
      const found = yield* this.#getPut(file, context, id, 0);
      answer += found === -Errno.ENOENT ? ",invisible" : ",visible";
    }
    yield* this.#attended((flags & ALLOC_ABORT) !== 0 ? "abort" : "finalize", file, reserved);
    return answer;
  }

  *#state(file: number, context: number, id: number): CoreProgram<number | string> {
    const result = yield* call("inspect", file, context, id, 1, 0);
    const window = this.#thread + this.#layout.THREAD_WINDOW;
    const [users, type] = [this.#layout.SNAPSHOT_USERS, this.#layout.SNAPSHOT_TYPE].map((at) =>
      this.#word(window + at),
    );
    yield* this.#attend();
    return result < 0 ? result : `users=${users},type=${type}`;
  }

  *#fgetFput(file: number): CoreProgram<number> {
    const result = yield* this.#attended("fget", file);
    if (result < 0) return result;
    yield* this.#attended("fput", file);
    return 0;
  }
}

function answerOf(result: number | string): string {
  if (typeof result === "string" || result >= 0) return `${result}`;
  return ERROR_NAMES.get(result) ?? `${result}`;
}
