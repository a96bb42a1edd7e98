// SPDX-License-Identifier: GPL-2.0-only
//
// The calls of races-rfc.jsonl, made through the lab's ioctls, and what they answered in the recording's words.
//
// A LabCaller is one thread's side: an Iommufd with the lab defined on it. `call` makes a call at once; `prepare` does all
// that a call needs before its one ioctl, so that the actors of a race can be released right in front of that.

import { Errno } from "iommufd-wasm";
import { defineLab } from "iommufd-wasm/replay";

/**
 * @typedef {{ call: string, fd: number, args?: number[] }} Call
 * @typedef {(call: Call) => number} NumberOf  which file number a call's label stands for
 * @typedef {import("iommufd-wasm").Iommufd} Iommufd
 * @typedef {import("./lab-board.js").Board} Board
 */

const IOCTLS = {
  DESTROY: { nr: 0x80, words: 2 },
  ALLOC: { nr: 0xa0, words: 7 },
  GET: { nr: 0xa1, words: 3 },
  KEEP: { nr: 0xa2, words: 3 },
  DROP: { nr: 0xa3, words: 2 },
  HOLD: { nr: 0xa4, words: 4 },
  LOG: { nr: 0xa5, words: 6 },
  STATE: { nr: 0xa6, words: 4 },
};

const PROBE = 2;
/** Pairs that one LAB_LOG of a race hands over: a page of them. */
const LOG_CAPACITY = 512;
const ERROR_NAMES = new Map(Object.entries(Errno).map(([name, number]) => [number, name]));

/** The words that a call answers besides 0: indices into its struct. */
function outputsOf(/** @type {string} */ name) {
  if (name === "ALLOC") return [5, 6];
  if (name === "STATE") return [2, 3];
  return name === "LOG" ? [4] : [];
}

export class LabCaller {
  /**
   * @param {Iommufd} iommufd
   * @param {Board} board
   * @param {bigint} page user address of a page that LAB_LOG writes to
   * @param {(msecs: number) => void} wait what a LAB_HOLD does while it holds
   */
  constructor(iommufd, board, page, wait) {
    this.iommufd = iommufd;
    this.page = page;
    iommufd.onWarning(({ kind }) => board.addWarning(kind));
    defineLab(iommufd, { log: board.log, wait });
  }

  /**
   * @param {Call} call
   * @param {number} fd
   * @returns {() => number[]} makes the call: [0 or -errno, outputs …]
   */
  prepare({ call: name, args = [] }, fd) {
    let context;
    try {
      context = this.iommufd.file(fd);
    } catch (error) {
      return () => [error.errno];
    }
    if (name === "CLOSE") {
      return () => {
        context.close();
        return [0];
      };
    }
    const { nr, words } = IOCTLS[name];
    const struct = new Uint32Array(words);
    struct[0] = words * 4;
    struct.set(name === "LOG" ? [LOG_CAPACITY, Number(this.page & 0xffffffffn), Number(this.page >> 32n)] : args, 1);
    const bytes = new Uint8Array(struct.buffer);
    const outputs = outputsOf(name);
    return () => {
      const result = context.tryIoctl(0x3b00 | nr, bytes);
      return [result, ...outputs.map((index) => struct[index] ?? 0)];
    };
  }

  /**
   * What a call answered, as the recording writes it.
   *
   * @param {Call} call
   * @param {readonly number[]} values
   * @returns {string}
   */
  describe({ call: name, args = [] }, [result = 0, first = 0, second = 0]) {
    if (result < 0) return ERROR_NAMES.get(-result) ?? `${result}`;
    if (name === "ALLOC")
      return `id=${first}${(args[3] ?? 0) & PROBE ? (second === Errno.ENOENT ? ",invisible" : ",visible") : ""}`;
    if (name === "STATE") return `users=${first},type=${second}`;
    if (name !== "LOG") return `${result}`;
    const bytes = this.iommufd.userSpace.read(this.page, 8 * Math.min(first, LOG_CAPACITY));
    const words = new Uint32Array(bytes.buffer);
    return `[${Array.from({ length: words.length / 2 }, (_, n) => `${words[2 * n]}:${words[2 * n + 1]}`).join(",")}]`;
  }

  /** @param {Call} call @param {number} fd @returns {string} */
  call(call, fd) {
    return this.describe(call, this.prepare(call, fd)());
  }
}

/**
 * The kernel's refcount warnings are of the kind that warns once per call; the library reports each.
 *
 * @param {readonly string[]} kinds
 * @returns {string[]}
 */
export function asRecorded(kinds) {
  return kinds.filter((kind, index) => !kind.startsWith("refcount:") || kinds.indexOf(kind) === index);
}
