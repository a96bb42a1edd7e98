// SPDX-License-Identifier: GPL-2.0-only
//
// For the test/threads-*.test.ts: a thread that makes one call per task, so that a test can put the calls of several threads
// into an order.
//
// Locks are named by their handle, references and reservations by the object's ID. A destroy callback writes the thread's
// number and the first word of the payload into the board's log.

import { Iommufd } from "iommufd-wasm";
import { answerOf, me, serve } from "../thread-tasks.js";
import { post } from "../thread-port.js";
import { answer, fill, firstWord } from "../objects-in-threads.js";

const types = new Map();
const contexts = new Map(); // opened or referred to here, by file number
const locks = new Map(); // handle → context
const kept = new Map(); // ID → ObjectReference or ReservedObject
const extra = []; // further instances of this thread
let uncaught = 0;

serve({
  type({ name, payloadBytes = 8, callback = false, throws = false }) {
    const destroy = ({ payload }) => {
      me.board.log.append(me.number, firstWord(payload));
      if (throws) throw new Error("thrown by a destroy callback");
    };
    const type = me.iommufd.defineObjectType({ name, payloadBytes, ...(callback && { destroy }) });
    types.set(name, type);
    return type.number;
  },
  /** A command that answers `value`; with `gated`, one that says so when it runs and then waits for this thread's gate. */
  command({ name, nr, fields = { word: "u32" }, value = 0, gated = false }) {
    const execute = () => {
      if (gated) {
        post("executing");
        me.board.passGate(me.number);
      }
      return value;
    };
    return me.iommufd.defineIoctl({ name, nr, fields, execute }).request;
  },

  open() {
    const context = me.iommufd.open();
    contexts.set(context.fd, context);
    return context.fd;
  },
  fget({ fd }) {
    contexts.set(fd, me.iommufd.fget(fd));
    return fd;
  },
  close({ fd }) {
    contexts.get(fd).close();
    return "closed";
  },
  closeNumber({ fd }) {
    me.iommufd.file(fd).close();
    return "closed";
  },

  ioctl: ({ fd, request, bytes }) => answer(contextOf(fd).tryIoctl(request, bytes)),
  make({ fd, type, value = 0 }) {
    const object = contextOf(fd).alloc(types.get(type));
    fill(object.payload, value);
    return object.finalize();
  },
  reserve({ fd, type }) {
    const object = contextOf(fd).alloc(types.get(type));
    kept.set(object.id, object);
    return object.id;
  },
  lock({ fd, id }) {
    const context = contextOf(fd);
    const handle = context.tryGet(id);
    if (handle > 0) locks.set(handle, context);
    return answer(handle);
  },
  put({ handle }) {
    locks.get(handle).put(handle);
    locks.delete(handle);
    return "put";
  },
  lockAll({ fd, ids }) {
    const context = contextOf(fd);
    for (const id of ids) locks.set(context.tryGet(id), context);
    return locks.size;
  },
  putAll() {
    for (const [handle, context] of locks) context.put(handle);
    locks.clear();
    return "put";
  },
  keep({ fd, id }) {
    kept.set(id, contextOf(fd).get(id).putKeepUser());
    return "kept";
  },
  drop({ id }) {
    kept.get(id).drop();
    return "dropped";
  },
  destroy: ({ fd, id }) => answer(contextOf(fd).tryDestroy(id)),
  destroyUser: ({ id }) => kept.get(id).destroyUser(),

  /** Every use of a handle of another thread: each one's answer. */
  misuse({ fd, handle }) {
    const context = contextOf(fd);
    return [
      () => context.put(handle),
      () => context.finalize(handle),
      () => context.abort(handle),
      () => context.idOf(handle),
      () => context.payloadOf(handle),
      () => answer(context.hold(handle, handle)),
      () => answer(context.putKeepUser(handle)),
      () => answer(context.dropUser(handle)),
    ].map(answerOf);
  },

  /** Attaches this thread once more, up to `count` times. Answers how often it could. */
  attachMore({ count }) {
    const before = extra.length;
    while (extra.length < before + count) {
      const more = answerOf(() => Iommufd.attachSync(me.iommufd.share));
      if (more === "EAGAIN") break;
      extra.push(more);
    }
    return extra.length - before;
  },
  detachMore({ count }) {
    for (const more of extra.splice(0, count)) more.detach();
    return extra.length;
  },

  /** The next time that this thread is about to sleep on a promise, it stops at its gate first. */
  stopBeforeSleep() {
    const { waitAsync } = Atomics;
    Atomics.waitAsync = (...args) => {
      Atomics.waitAsync = waitAsync;
      me.board.setDone(me.number);
      me.board.passGate(me.number);
      return waitAsync(...args);
    };
    return "armed";
  },

  /** From now on an error that nobody catches is counted and does not end the thread. */
  countUncaught() {
    const node = globalThis.process;
    if (typeof node?.on === "function") node.on("uncaughtException", () => uncaught++);
    else globalThis.addEventListener("error", (event) => (event.preventDefault(), uncaught++));
    return "counting";
  },
  uncaught: () => uncaught,
});

/** The context that this thread has on the file, or one by its number. */
function contextOf(fd) {
  return contexts.get(fd) ?? me.iommufd.file(fd);
}
