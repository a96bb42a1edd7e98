// SPDX-License-Identifier: GPL-2.0-only
//
// For the test/threads-*.test.ts: threads that race one another in loops of a fixed length, released together.
//
// What cannot be wrong by chance is checked here, call by call, and thrown as an error; what adds up over all threads is
// answered, for the test to add.

import { Iommufd } from "iommufd-wasm";
import { answer, fill, firstWord } from "../objects-in-threads.js";
import { random } from "../seeded.js";
import { answerOf, me, serve } from "../thread-tasks.js";
import { memoryTasks } from "../memory-loops.js";

/** Looks at a word: a delay of a length that differs from round to round. */
function linger(looks) {
  for (let look = 0; look < looks; look++) Atomics.load(me.board.words, 0);
}

function demand(condition, message) {
  if (!condition) throw new Error(message);
}

/** Values that tell the objects of all threads apart. */
function valueOf(serial) {
  return me.number * 0x100000 + serial;
}

/** The values in another order for each seed. */
function shuffled(values, next) {
  const all = [...values];
  for (let at = all.length - 1; at > 0; at--) {
    const other = next() % (at + 1);
    [all[at], all[other]] = [all[other], all[at]];
  }
  return all;
}

/** A type whose destroyed objects' values go to the board's log. */
function loggedType(iommufd, name = "logged") {
  return iommufd.defineObjectType({
    name,
    payloadBytes: 8,
    destroy: ({ payload }) => me.board.log.append(me.number, firstWord(payload)),
  });
}

function publish(context, type, value) {
  const object = context.alloc(type);
  fill(object.payload, value);
  return object.finalize();
}

function count(tally, key) {
  tally[key] = (tally[key] ?? 0) + 1;
}

serve({
  ...memoryTasks,

  /** Attaches, works and leaves. With `meeting`, all are there at the same time, and no two have the same handle. */
  comeAndGo({ rounds, threads, meeting }) {
    for (let round = 0; round < rounds; round++) {
      const iommufd = Iommufd.attachSync(me.iommufd.share);
      const type = loggedType(iommufd);
      const context = iommufd.open();
      const id = publish(context, type, valueOf(round));
      const handles = Array.from({ length: me.number + 2 }, () => context.tryGet(id));
      if (meeting) {
        me.board.setResult(me.number, handles.slice(0, 2));
        me.board.meet(threads);
        const all = Array.from({ length: threads }, (_, n) => me.board.result(n).slice(0, 2)).flat();
        demand(new Set(all).size === 2 * threads, `two threads have the same handle: ${all}`);
        const attached = iommufd.stats().threads.attached;
        demand(attached === 1 + 2 * threads, `${attached} threads are attached`);
        me.board.meet(threads);
      }
      demand(new Set(handles).size === handles.length, `one handle twice: ${handles}`);
      for (const handle of handles) demand(context.idOf(handle) === id, "a handle is another object's");
      for (const handle of handles) context.put(handle);
      context.close();
      iommufd.detach();
      if (meeting) me.board.meet(threads);
    }
    return rounds;
  },

  /** Attaches until there is no room, then leaves. Answers how many got in, all threads together, in each round. */
  crowdIn({ rounds, threads }) {
    const sums = [];
    for (let round = 0; round < rounds; round++) {
      const mine = [];
      me.board.meet(threads);
      for (;;) {
        const more = answerOf(() => Iommufd.attachSync(me.iommufd.share));
        if (more === "EAGAIN") break;
        mine.push(more);
      }
      me.board.setResult(me.number, [mine.length]);
      me.board.meet(threads);
      sums.push(Array.from({ length: threads }, (_, n) => me.board.result(n)[0]).reduce((sum, n) => sum + n, 0));
      for (const more of mine) more.detach();
      me.board.meet(threads);
    }
    return sums;
  },

  /** Defines all names and numbers in an order of its own; every second thread gives some of them another shape. */
  defineAll({ names, contested, numbers, seed, threads }) {
    const next = random(seed + me.number);
    const odd = me.number % 2 === 1;
    const types = {};
    const commands = {};
    me.board.meet(threads);
    for (const name of shuffled([...names, ...contested], next)) {
      const payloadBytes = contested.includes(name) && odd ? 16 : 8;
      types[name] = answerOf(() => me.iommufd.defineObjectType({ name, payloadBytes }).number);
    }
    for (const nr of shuffled(numbers, next)) {
      const fields = nr % 2 === 1 && odd ? { other: "u32" } : { word: "u32" };
      const execute = () => me.number;
      commands[nr] = answerOf(() => me.iommufd.defineIoctl({ name: `C${nr}`, nr, fields, execute }).nr);
    }
    const context = me.iommufd.open();
    me.board.meet(threads);
    const calls = Object.fromEntries(
      numbers.map((nr) => [nr, answer(context.tryIoctl(0x3b00 | nr, Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0)))]),
    );
    context.close();
    return { types, commands, calls };
  },

  /** Opens files, refers to those of the others, closes its own and theirs. Answers the values of the objects it made. */
  openAndClose({ rounds, seed, threads }) {
    const next = random(seed + me.number);
    const type = loggedType(me.iommufd);
    const made = [];
    const make = (context) => {
      const value = valueOf(made.length);
      if (typeof answerOf(() => publish(context, type, value)) === "number") made.push(value);
    };
    const anyFd = () => 3 + (next() % (threads + 1));
    me.board.meet(threads);
    for (let round = 0; round < rounds; round++) {
      const kind = next() % 8;
      if (kind < 3) {
        const context = me.iommufd.open();
        for (let objects = next() % 3; objects > 0; objects--) make(context);
        linger(next() % 64);
        context.close();
        continue;
      }
      const fd = anyFd();
      const context = answerOf(() => (kind < 6 ? me.iommufd.fget(fd) : me.iommufd.file(fd)));
      if (context === "EBADF") continue;
      if (kind % 2 === 0) make(context);
      const handle = context.tryGet(1 + (next() % 2));
      linger(next() % 64);
      if (handle > 0) context.put(handle);
      if (kind < 7) context.close();
    }
    return made;
  },

  /** With a callback that says which object it destroyed last; afterwards the thread is idle. */
  destroyForOthers() {
    const destroy = ({ payload }) => me.board.setResult(me.number, [firstWord(payload)]);
    return me.iommufd.defineObjectType({ name: "logged", payloadBytes: 8, destroy }).number;
  },

  /** Without the callback: closes files one at a time, each just as the idle thread is done with the one before. */
  leaveToOthers({ rounds, seed, idle }) {
    const next = random(seed);
    const type = me.iommufd.defineObjectType({ name: "logged", payloadBytes: 8 });
    for (let round = 1; round <= rounds; round++) {
      const context = me.iommufd.open();
      publish(context, type, round);
      while (me.board.result(idle)[0] !== round - 1);
      linger(next() % (1 << (next() % 10)));
      context.close();
    }
    return rounds;
  },

  /** Without the callback: files full of objects, closed as fast as that goes. */
  leaveManyToOthers({ files, objects }) {
    const type = me.iommufd.defineObjectType({ name: "logged", payloadBytes: 8 });
    for (let file = 0; file < files; file++) {
      const context = me.iommufd.open();
      for (let n = 0; n < objects; n++) publish(context, type, valueOf(file * objects + n));
      context.close();
    }
    return files * objects;
  },

  /** Thread 0 locks an object and puts it while all others destroy it, blocking. Answers what the destroys answered. */
  destroyLocked({ fd, rounds, seed, threads }) {
    const next = random(seed + me.number);
    const context = me.iommufd.file(fd);
    const type = loggedType(me.iommufd);
    const tally = {};
    for (let round = 0; round < rounds; round++) {
      if (me.number === 0) {
        const id = publish(context, type, valueOf(round));
        const handle = context.tryGet(id);
        me.board.setResult(0, [id]);
        me.board.meet(threads);
        linger(next() % (1 << (next() % 12)));
        context.put(handle);
      } else {
        me.board.meet(threads);
        const [id] = me.board.result(0);
        linger(next() % (1 << (next() % 12)));
        count(tally, answer(context.tryDestroy(id)));
      }
      me.board.meet(threads);
    }
    return tally;
  },

  /** Each thread keeps a reference, thread 0 a lock besides; all destroy by their reference. Answers how many destroyed. */
  destroyByReference({ fd, rounds, seed, threads }) {
    const next = random(seed + me.number);
    const context = me.iommufd.file(fd);
    const type = loggedType(me.iommufd);
    let destroyed = 0;
    for (let round = 0; round < rounds; round++) {
      if (me.number === 0) me.board.setResult(0, [publish(context, type, valueOf(round))]);
      me.board.meet(threads);
      const [id] = me.board.result(0);
      const reference = context.get(id).putKeepUser();
      const lock = me.number === 0 ? context.tryGet(id) : 0;
      me.board.meet(threads);
      linger(next() % (1 << (next() % 12)));
      if (lock > 0) context.put(lock);
      if (reference.destroyUser()) destroyed++;
      me.board.meet(threads);
    }
    return destroyed;
  },

  /** Thread 0 tries to drop a void reference until thread 1 has closed the file: whoever is last there releases it. */
  dropWhileClosing({ rounds, seed, threads }) {
    const next = random(seed + me.number);
    const type = loggedType(me.iommufd);
    for (let round = 0; round < rounds; round++) {
      let reference;
      if (me.number === 0) {
        const context = me.iommufd.open();
        const id = publish(context, type, valueOf(round));
        reference = context.get(id).putKeepUser();
        const lock = context.get(id);
        lock.dropUser();
        lock.put();
        me.board.fd = context.fd;
      }
      me.board.meet(threads);
      const closing = me.number === 0 ? undefined : me.iommufd.file(me.board.fd);
      me.board.meet(threads);
      linger(next() % 16);
      if (closing) closing.close();
      else {
        let code = "EINVAL";
        while (code === "EINVAL") code = answerOf(() => reference.drop());
        demand(code === "EBADF", `a void reference was dropped: ${code}`);
      }
      me.board.meet(threads);
      const { open } = me.iommufd.stats().files;
      demand(open === 0, `${open} files are open after the last use of the only one`);
      me.board.meet(threads);
    }
    return rounds;
  },
});
