// SPDX-License-Identifier: GPL-2.0-only
//
// The recorded stress6: random lab calls of several threads on one file, and the counts that must come out even.

import { Errno } from "iommufd-wasm";

/** IDs that the calls name; about three quarters of them are alive. */
const IDS = 24;
const [DEVICE, HWPT, IOAS] = [1, 2, 3];
const ABORT = 1;

/** The calls and how many of a hundred each is. */
const MIX = [
  ["ALLOC", 9],
  ["ALLOC_IOAS", 6],
  ["DESTROY", 34],
  ["GET", 15],
  ["KEEP", 3],
  ["DROP", 18],
  ["STATE", 8],
  ["HOLD", 7],
];

/**
 * @param {import("./lab-calls.js").LabCaller} caller
 * @param {number} fd
 * @param {() => number} next
 * @param {number} operations
 * @returns {Record<string, number>} how often each call gave each answer, "CALL answer" → count; published objects as "allocated"
 */
export function stress(caller, fd, next, operations) {
  /** @type {Record<string, number>} */
  const tally = {};
  for (let n = 0; n < operations; n++) {
    const name = pick(next);
    const id = 1 + (next() % IDS);
    const abort = next() % 8 === 0 ? ABORT : 0;
    const call = { call: name.replace("_IOAS", ""), fd: 0, args: argumentsOf(name, id, next, abort) };
    const [result] = caller.prepare(call, fd)();
    const key = `${name} ${result}`;
    tally[key] = (tally[key] ?? 0) + 1;
    if (call.call === "ALLOC" && result === 0 && abort === 0) tally.allocated = (tally.allocated ?? 0) + 1;
  }
  return tally;
}

function pick(next) {
  let at = next() % 100;
  for (const [name, share] of MIX) if ((at -= share) < 0) return name;
  throw new Error("the shares of MIX are not a hundred");
}

function argumentsOf(name, id, next, abort) {
  if (name === "ALLOC") return [next() % 2 === 0 ? DEVICE : HWPT, id, next() % 4 === 0 ? 1 + (next() % IDS) : 0, abort];
  if (name === "ALLOC_IOAS") return [IOAS, 0, 0, abort];
  return name === "HOLD" || name === "GET" || name === "KEEP" ? [id, 0, 0].slice(0, name === "HOLD" ? 3 : 2) : [id];
}

/**
 * Takes down by hand what a stress left: kept references, then objects, holders first.
 *
 * @param {import("./lab-calls.js").LabCaller} caller
 * @param {number} fd
 */
export function takeDown(caller, fd) {
  const answer = (call, args) => caller.prepare({ call, fd: 0, args }, fd)()[0];
  const ids = caller.iommufd
    .file(fd)
    .objects()
    .map(({ id }) => id);
  let dropped = 0;
  for (const id of ids) while (answer("DROP", [id]) === 0) dropped++;
  let destroyed = 0;
  for (let left = ids, before = Infinity; left.length < before;) {
    before = left.length;
    left = left.filter((id) => answer("DESTROY", [id]) === -Errno.EBUSY);
    destroyed += before - left.length;
  }
  return { dropped, destroyed, live: ids.length };
}
