// SPDX-License-Identifier: GPL-2.0-only
//
// The inner side of test/support/storm.ts: one thread's share of a storm, random calls of every kind on files that all use.
//
// The files of the storm (`fds`) stay open; others come and go, and any thread may use or close any of them. Whoever blocks
// holds no lock, so the storm cannot lock itself up. At the end the thread gives back all that it has.
//
// Counted: what was published, per type, and how destroys ended. The rest of the books is the board's log, where each
// destroy callback writes its object's value.

import { fill, firstWord } from "./objects-in-threads.js";
import { random } from "./seeded.js";
import { answerOf, me } from "./thread-tasks.js";

/** Types by their number: holders before what they hold, which is the order in which the rfc release takes them. */
export const TYPES = ["holder", "held", "rare"];
/** Only threads with an even number have its callback. */
const RARE = "rare";
/** IDs beyond are given back: it bounds the objects of a file. */
const MAX_ID = 48;
/** Of the rare type, which may queue up until the storm is over: published per thread and storm. */
const MAX_RARE = 150;
const MAX_LOCKS = 12;
const PAGE = 4096;
const EXPECTED = /^E(BUSY|NOENT|BADF|INVAL|NOSYS|FAULT|NOTTY|NOMEM|TIMEDOUT|EXIST|DEADLK)$/;

export function storm({ fds, operations, seed, threads }) {
  const thread = new StormThread(fds, random(seed + me.number));
  me.board.meet(threads);
  const code = answerOf(() => {
    for (let n = 0; n < operations; n++) thread.step();
    thread.giveBack();
    return "done";
  });
  if (code !== "done") throw new Error(`a call that cannot fail answered ${code}`);
  me.board.meet(threads);
  thread.end();
  return thread.tally;
}

class StormThread {
  tally = { steps: 0 };
  #rare = 0;
  #serial = 0;
  #types;
  #command;
  #contexts;
  #locks = [];
  #references = [];
  #reserved = [];
  #temporary = [];
  #mappings = [];

  constructor(fds, next) {
    this.next = next;
    this.#types = TYPES.map((name) => this.#define(name));
    this.#command = me.iommufd.defineIoctl({
      name: "STORM",
      nr: 0xc0,
      fields: { id: "u32", value: "u64" },
      execute: (cmd) => this.#execute(cmd),
    });
    this.#contexts = fds.map((fd) => (me.number % 2 === 0 ? me.iommufd.fget(fd) : me.iommufd.file(fd)));
  }

  #define(name) {
    const destroy = ({ payload }) => me.board.log.append(me.number, firstWord(payload));
    const has = name !== RARE || me.number % 2 === 0;
    return me.iommufd.defineObjectType({ name, payloadBytes: 8, ...(has && { destroy }) });
  }

  /** How often each thing happened. Anything that is no plain refusal is an error of the library. */
  #count(what, call) {
    const result = answerOf(call);
    const outcome = typeof result === "string" ? result : "done";
    if (typeof result === "string" && !EXPECTED.test(result)) throw new Error(`${what} answered ${result}`);
    const key = `${what} ${outcome}`;
    this.tally[key] = (this.tally[key] ?? 0) + 1;
    return typeof result === "string" ? undefined : result;
  }

  step() {
    this.tally.steps++;
    const kind = this.next() % 100;
    if (kind < 16) this.#make(this.#any());
    else if (kind < 40) this.#lock(this.#any());
    else if (kind < 58) this.#unlock();
    else if (kind < 64) this.#dropReference();
    else if (kind < 78) this.#destroy(this.#any());
    else if (kind < 84) this.#ioctl(this.#any());
    else if (kind < 90) this.#memory();
    else if (kind < 95) this.#files();
    else if (kind < 97) this.#reserve(this.#any());
    else if (kind < 98) this.#count("define", () => this.#define(TYPES[this.next() % TYPES.length]));
    else this.#look(this.#any());
  }

  /** One of the storm's files, or now and then whichever is open. */
  #any() {
    if (this.next() % 6 !== 0) return this.#contexts[this.next() % this.#contexts.length];
    const fd = 3 + (this.next() % (this.#contexts.length + 4));
    const context = answerOf(() => me.iommufd.file(fd));
    return context === "EBADF" ? this.#contexts[0] : context;
  }

  #id() {
    return 1 + (this.next() % MAX_ID);
  }

  #reserveOn(context) {
    const which = this.next() % 8;
    const type = which < 4 ? 0 : which < 7 || this.#rare >= MAX_RARE ? 1 : 2;
    const object = this.#count("alloc", () => context.alloc(this.#types[type]));
    if (object === undefined) return undefined;
    fill(object.payload, me.number * 0x40_0000 + this.#serial++);
    if (type === 2) this.#rare++;
    if (type === 0) {
      for (let holds = this.next() % 6; holds > 0; holds--) {
        const target = this.#count("get held", () => context.get(this.#id(), this.#types[1]));
        if (target === undefined) continue;
        this.#count("hold", () => object.hold(target));
        target.put();
      }
    }
    return object;
  }

  #make(context) {
    const object = this.#reserveOn(context);
    if (object !== undefined) this.#end(object);
  }

  #end(object) {
    if (object.id > MAX_ID || this.next() % 8 === 0) this.#count("abort", () => object.abort());
    else this.#count("finalize", () => object.finalize());
  }

  #reserve(context) {
    if (this.#reserved.length > 2) this.#end(this.#reserved.shift());
    const object = this.#reserveOn(context);
    if (object !== undefined) this.#reserved.push(object);
  }

  #lock(context) {
    if (this.#locks.length >= MAX_LOCKS) return this.#unlock();
    const type = this.next() % 3 === 0 ? this.#types[this.next() % 3] : undefined;
    const lock = this.#count("get", () => context.get(this.#id(), type));
    if (lock === undefined) return;
    // Kept references only where no release can come before they are dropped.
    if (this.#contexts.includes(context) && this.next() % 4 === 0) this.#references.push(lock.putKeepUser());
    else this.#locks.push(lock);
  }

  #unlock() {
    if (this.#locks.length === 0) return;
    const [lock] = this.#locks.splice(this.next() % this.#locks.length, 1);
    this.#count("put", () => lock.put());
  }

  #dropReference() {
    if (this.#references.length === 0) return;
    const [reference] = this.#references.splice(this.next() % this.#references.length, 1);
    if (this.next() % 2 === 0) this.#drop(reference);
    else {
      this.#putAll();
      const done = this.#count("destroyUser", () => reference.destroyUser());
      if (done === undefined) this.#drop(reference); // ENOSYS: the reference was kept
    }
  }

  #drop(reference) {
    this.#count("drop", () => reference.drop());
  }

  #putAll() {
    while (this.#locks.length > 0) this.#unlock();
  }

  #destroy(context) {
    if (this.next() % 2 === 0) {
      this.#count("destroy in no time", () => (context.destroy(this.#id(), { timeoutMs: 0 }), 0));
      return;
    }
    this.#putAll();
    this.#count("destroy", () => (context.destroy(this.#id()), 0));
  }

  #execute({ context, fields }) {
    const object = answerOf(() => context.get(fields.id));
    if (typeof object === "string") return;
    if (this.next() % 4 === 0) this.#make(context);
    object.put();
  }

  #ioctl(context) {
    const mapping = this.#mappings.length > 0 ? this.#mappings[this.next() % this.#mappings.length] : undefined;
    const bytes = this.#command.encode({ id: this.#id(), value: 7n });
    if (mapping === undefined || this.next() % 2 === 0) {
      this.#count("ioctl", () => context.ioctl(this.#command.request, bytes));
      return;
    }
    // This thread's own page, another one's, or none; it may say any size.
    const va = mapping.va + BigInt(PAGE * (this.next() % 3));
    answerOf(() => me.iommufd.userSpace.write(va, bytes));
    const result = answerOf(() => context.ioctl(this.#command.request, va));
    const plain = typeof result !== "string" || /^E(OPNOTSUPP|2BIG)$/.test(result) || EXPECTED.test(result);
    if (!plain) throw new Error(`an ioctl on user memory answered ${result}`);
  }

  #memory() {
    const space = me.iommufd.userSpace;
    if (this.#mappings.length > 3) {
      const [mapping] = this.#mappings.splice(this.next() % this.#mappings.length, 1);
      this.#count("unmap", () => space.unmap(mapping));
      return;
    }
    const mapping = this.#count("map", () => space.map(PAGE * (1 + (this.next() % 2)), { prot: "none" }));
    if (mapping === undefined) return;
    if (mapping.bytes.some((byte) => byte !== 0)) throw new Error("a fresh page is not zero");
    mapping.bytes.fill(0xff, 256);
    this.#mappings.push(mapping);
    const prot = ["rw", "r", "none"][this.next() % 3];
    this.#count("protect", () => space.protect(mapping.va, mapping.bytes.length, prot));
  }

  /** At most one file of its own, and one reference; closes others' by their number. */
  #files() {
    const kind = this.next() % 3;
    if (this.#temporary.length > 1) {
      this.#count("close", () => this.#temporary.shift().close());
    } else if (kind === 0) {
      const context = this.#count("open", () => me.iommufd.open());
      if (context !== undefined) this.#temporary.push(context);
    } else {
      const fd = 3 + this.#contexts.length + (this.next() % 4);
      const context = this.#count("fget", () => (kind === 1 ? me.iommufd.fget(fd) : me.iommufd.file(fd)));
      if (context === undefined) return;
      this.#make(context);
      this.#lock(context);
      if (kind === 1) this.#temporary.push(context);
      else this.#count("close", () => context.close());
    }
  }

  #look(context) {
    const objects = this.#count("objects", () => context.objects());
    for (const { users, holders } of objects ?? []) {
      if (holders > users) throw new Error(`${holders} holders and ${users} users`);
    }
    me.iommufd.stats();
  }

  /** All that others may wait for or that a release would leak. */
  giveBack() {
    this.#putAll();
    for (const object of this.#reserved.splice(0)) this.#end(object);
    for (const reference of this.#references.splice(0)) this.#drop(reference);
    for (const context of this.#temporary.splice(0)) this.#count("close", () => context.close());
    for (const mapping of this.#mappings.splice(0)) this.#count("unmap", () => me.iommufd.userSpace.unmap(mapping));
  }

  end() {
    for (const context of this.#contexts) if (me.number % 2 === 0) context.close();
  }
}
