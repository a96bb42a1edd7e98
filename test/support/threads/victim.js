// SPDX-License-Identifier: GPL-2.0-only
//
// A thread that works until it is killed: random calls of every kind on files that all use, without a pause. Before each call it
// says in a shared word which one it is, afterwards that it is outside; so its killer can tell where it died.

import { Iommufd, IommufdError } from "iommufd-wasm";
import { DOINGS } from "../doings.js";
import { fill } from "../objects-in-threads.js";
import { random } from "../seeded.js";
import { post, receive } from "../thread-port.js";

const CODE = new Map(DOINGS.map((name, index) => [name, index]));
const PAGE = 4096;
const MAX_ID = 40;

let iommufd, doing, next, types, contexts, command;
const locks = [];
const reserved = [];
const mappings = [];
const files = [];

receive(async ({ share, fds, word, seed }) => {
  doing = word;
  next = random(seed);
  iommufd = await Iommufd.attach(share); // not attachSync: its death is to be known
  types = ["holder", "held", "plain"].map((name) =>
    iommufd.defineObjectType({ name, payloadBytes: 8, ...(name !== "plain" && { destroy: () => inside("callback") }) }),
  );
  command = iommufd.defineIoctl({ name: "VICTIM", nr: 0xc1, fields: { id: "u32", value: "u64" }, execute });
  contexts = fds.map((fd) => iommufd.file(fd));
  post({ thread: iommufd.thread });
  for (;;) step();
});

/** Some loops' worth of time in the same place. */
function inside(name, rounds = 10_000) {
  const before = Atomics.exchange(doing, 0, CODE.get(name));
  for (let n = 0; n < rounds; n++) Atomics.load(doing, 0);
  Atomics.store(doing, 0, before);
}

/** A refusal of the library is an answer like any other here; the books are made up by the killer. */
function call(name, what) {
  Atomics.store(doing, 0, CODE.get(name));
  try {
    return what();
  } catch (error) {
    if (error instanceof IommufdError) return undefined;
    throw error;
  } finally {
    Atomics.store(doing, 0, 0);
  }
}

function any() {
  return contexts[next() % contexts.length];
}

function id() {
  return 1 + (next() % MAX_ID);
}

function step() {
  const kind = next() % 100;
  if (kind < 22) make(any());
  else if (kind < 40) lock(any());
  else if (kind < 52) unlock();
  else if (kind < 66) destroy(any());
  else if (kind < 74) ioctl(any());
  else if (kind < 82) memory();
  else if (kind < 86) otherMemory();
  else if (kind < 94) openAndClose();
  else if (kind < 97) call("look", () => any().objects());
  else inside("holding"); // with whatever it holds
}

function make(context) {
  const type = types[next() % 3];
  const object = call("alloc", () => context.alloc(type));
  if (object === undefined) return;
  fill(object.payload, 1);
  // Only the first type holds others, which is the order in which an rfc release needs them.
  for (let holds = type === types[0] ? next() % 16 : 0; holds > 0; holds--) {
    const target = call("get", () => context.get(id(), types[1]));
    if (target === undefined) continue;
    call("hold", () => object.hold(target));
    call("put", () => target.put());
  }
  const end = next() % 8;
  if (object.id > MAX_ID || end < 2) call("abort", () => object.abort());
  else if (end < 4 && reserved.length < 3) reserved.push(object);
  else call("finalize", () => object.finalize());
}

function lock(context) {
  if (locks.length > 8) return unlock();
  const locked = call("get", () => context.get(id()));
  if (locked === undefined) return;
  // Not in files that may be closed: an object with a kept user leaks there, as in the kernel.
  const end = next() % 6;
  if (end === 0 && contexts.includes(context)) call("keep", () => locked.putKeepUser());
  else if (end === 1) {
    call("drop user", () => locked.dropUser());
    call("put", () => locked.put());
  } else locks.push(locked);
}

function unlock() {
  const locked = locks.splice(next() % Math.max(1, locks.length), 1)[0];
  if (locked !== undefined) call("put", () => locked.put());
  const object = reserved.shift();
  if (object !== undefined) call("finalize", () => object.finalize());
}

function destroy(context) {
  // Others may be dead and not reaped yet: nobody waits without a limit.
  if (next() % 2 === 0) call("destroy", () => context.destroy(id(), { timeoutMs: 0 }));
  else call("destroy waiting", () => context.destroy(id(), { timeoutMs: 2 }));
}

function execute({ context, fields }) {
  inside("ioctl executing");
  const locked = call("get", () => context.get(fields.id));
  if (locked !== undefined) call("put", () => locked.put());
}

function ioctl(context) {
  const bytes = command.encode({ id: id(), value: 7n });
  const mapping = mappings[next() % Math.max(1, mappings.length)];
  if (mapping === undefined) return void call("ioctl", () => context.ioctl(command.request, bytes));
  call("copy", () => iommufd.userSpace.write(mapping.va, bytes));
  call("ioctl", () => context.ioctl(command.request, mapping.va));
}

function memory() {
  if (mappings.length > 2) {
    const mapping = mappings.shift();
    return void call("unmap", () => iommufd.userSpace.unmap(mapping));
  }
  const mapping = call("map", () => iommufd.userSpace.map(PAGE * (1 + (next() % 300))));
  if (mapping !== undefined) mappings.push(mapping);
  if (mapping !== undefined) call("copy", () => iommufd.userSpace.read(mapping.va, mapping.bytes.length));
}

/** A process that maps a file and ends. What it leaves when it dies in here outlives it. */
function otherMemory() {
  const file = call("memfd", () => iommufd.createMemfd(PAGE, { maxBytes: 2 * PAGE }));
  const space = call("process", () => iommufd.createUserSpace({ uid: 1 + (next() % 3) }));
  if (file !== undefined && space !== undefined) {
    const mapping = call("map", () => space.map(2 * PAGE, { file }));
    call("map", () => space.map(PAGE));
    call("memfd", () => file.truncate(next() % (2 * PAGE)));
    if (mapping !== undefined) call("copy", () => space.write(mapping.va, new Uint8Array(PAGE).fill(7)));
    if (mapping !== undefined) call("ioctl", () => space.run(() => any().ioctl(command.request, mapping.va)));
  }
  if (file !== undefined) call("memfd", () => file.close());
  if (space !== undefined) call("exit", () => space.exit());
}

function openAndClose() {
  if (files.length > 2) return void call("close", () => files.shift().close());
  const kind = next() % 2;
  const opened = kind === 0 ? call("open", () => iommufd.open()) : call("fget", () => iommufd.fget(any().fd));
  if (opened === undefined) return;
  make(opened);
  lock(opened);
  files.push(opened);
}
