// SPDX-License-Identifier: GPL-2.0-only
//
// Loops about user memory for threads/crowd.js: mapping, protecting and wiping against copies.
//
// Each place is an address range of its own. A stamp says to which place the bytes belong, in every byte: what an ioctl reads
// at an address is the whole stamp of that place, or EFAULT, whoever maps and unmaps meanwhile. A page that was just mapped
// is zero, whoever had it before and whatever was still being copied into it.
//
// Nothing here waits for time: readers end when the mappers are done.

import { answer } from "./objects-in-threads.js";
import { random } from "./seeded.js";
import { answerOf, me } from "./thread-tasks.js";

const PAGE = 4096;
const BASE = 0x10_0000n;
/** Places are three pages apart; two of them are mapped. */
const STRIDE = 3n * BigInt(PAGE);
const MAPPED = 2 * PAGE;
const STAMP = 64;
/** Where stamps lie in a place: at its beginning, and across the border of its pages. Replies go behind them. */
const OFFSETS = [0, PAGE - 24];
const REPLY = 1024;

/** What stampPlaces has mapped. */
const stamped = [];

function demand(condition, message) {
  if (!condition) throw new Error(message);
}

function addressOf(place) {
  return BASE + BigInt(place) * STRIDE;
}

/** struct { size, tag, check, bytes[52] } of a place. */
function stampOf(place) {
  const bytes = new Uint8Array(STAMP).fill(place + 1);
  new Uint32Array(bytes.buffer, 0, 3).set([STAMP, place + 1, ~(place + 1)]);
  return bytes;
}

function isZero(bytes) {
  return new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8).every((word) => word === 0n);
}

function isStampOrZero(bytes, stamp) {
  return bytes.every((byte, at) => byte === 0 || byte === stamp[at]);
}

export const memoryTasks = {
  /** Maps, stamps and unmaps places of its own, over and over. */
  remap({ rounds, places, seed, threads }) {
    const next = random(seed + me.number);
    me.board.meet(threads);
    for (let round = 0; round < rounds; round++) {
      const place = me.number * places + (next() % places);
      const va = addressOf(place);
      const stamp = stampOf(place);
      const mapping = me.iommufd.userSpace.map(MAPPED, { va, prot: "none" });
      demand(isZero(mapping.bytes), `a fresh page of place ${place} is not zero`);
      for (const offset of OFFSETS) mapping.bytes.set(stamp, offset);
      me.iommufd.userSpace.protect(va, MAPPED, "rw");
      for (let look = next() % 4096; look > 0; look--) Atomics.load(me.board.words, 0);
      demand(isStampOrZero(mapping.bytes.slice(REPLY, REPLY + STAMP), stamp), `place ${place} has another one's reply`);
      me.iommufd.userSpace.unmap(mapping);
    }
    me.board.setDone(me.number);
    return rounds;
  },

  /** Passes addresses of all places to an ioctl that looks at what it reads and replies, until all mappers are done. */
  readPlaces({ mappers, places, seed, threads }) {
    const next = random(seed + me.number);
    const tally = {};
    let place = 0;
    const command = me.iommufd.defineIoctl({
      name: "STAMP",
      nr: 0xa0,
      fields: { tag: "u32", check: "u32", bytes: "u8[52]" },
      execute(cmd) {
        const { tag, check, bytes } = cmd.fields;
        const whole = tag === place + 1 && check === ~tag >>> 0 && bytes.every((byte) => byte === tag);
        demand(whole, `the ioctl read other bytes at place ${place}: ${tag}, ${check}, ${bytes}`);
        cmd.copyToUser(addressOf(place) + BigInt(REPLY), stampOf(place));
        cmd.respond();
      },
    });
    const context = me.iommufd.open();
    me.board.meet(threads);
    const busy = () => Array.from({ length: mappers }, (_, n) => n).some((n) => !me.board.isDone(n));
    while (busy()) {
      place = next() % (mappers * places);
      const offset = BigInt(OFFSETS[next() % OFFSETS.length]);
      const result = answer(context.tryIoctl(command.request, addressOf(place) + offset));
      demand(result === 0 || result === "EFAULT", `the ioctl answered ${result}`);
      tally[result] = (tally[result] ?? 0) + 1;
    }
    context.close();
    return tally;
  },

  /** Maps and stamps the first places; they stay until `unmapPlaces`. */
  stampPlaces({ places }) {
    for (let place = 0; place < places; place++) {
      const mapping = me.iommufd.userSpace.map(MAPPED, { va: addressOf(place) });
      for (const offset of OFFSETS) mapping.bytes.set(stampOf(place), offset);
      stamped.push(mapping);
    }
    return stamped.length;
  },
  unmapPlaces() {
    for (const mapping of stamped.splice(0)) me.iommufd.userSpace.unmap(mapping);
    return stamped.length;
  },

  /** Changes the protection of places that stay mapped. */
  reprotect({ rounds, places, seed, threads }) {
    const next = random(seed + me.number);
    me.board.meet(threads);
    for (let round = 0; round < rounds; round++) {
      const va = addressOf(next() % places) + BigInt(PAGE * (next() % 2));
      me.iommufd.userSpace.protect(va, PAGE, ["none", "r", "rw"][next() % 3]);
      for (let look = next() % 512; look > 0; look--) Atomics.load(me.board.words, 0);
    }
    me.board.setDone(me.number);
    return rounds;
  },

  /** Maps runs of any length wherever there is room; nobody else ever writes into them. */
  hoard({ rounds, seed, threads }) {
    const next = random(seed + me.number);
    const mine = [];
    let refused = 0;
    const giveBack = (at) => {
      const [mapping] = mine.splice(at, 1);
      demand(
        mapping.bytes.every((byte) => byte === me.number + 1),
        "another thread wrote into a mapping",
      );
      me.iommufd.userSpace.unmap(mapping);
    };
    me.board.meet(threads);
    for (let round = 0; round < rounds; round++) {
      if (mine.length > 0 && next() % 2 === 0) giveBack(next() % mine.length);
      const mapping = answerOf(() => me.iommufd.userSpace.map(PAGE * (1 + (next() % 24))));
      if (mapping === "ENOMEM") {
        refused++;
        if (mine.length > 0) giveBack(0);
        continue;
      }
      demand(isZero(mapping.bytes), "a fresh page is not zero");
      mapping.bytes.fill(me.number + 1);
      mine.push(mapping);
    }
    while (mine.length > 0) giveBack(0);
    return { rounds, refused };
  },

  /** Even threads make processes and end them; odd ones read in whatever process there is: its number, or nothing. */
  processes({ rounds, seed, threads }) {
    const next = random(seed + me.number);
    const [SHARED, OWN] = [0x10_0000n, 0x20_0000n];
    const counts = { seen: 0, gone: 0 };
    const visit = (space) => {
      for (const va of [SHARED, OWN]) {
        const bytes = answerOf(() => space.read(va, 4));
        if (bytes === "EFAULT") {
          counts.gone++;
          continue;
        }
        const [number] = new Uint32Array(bytes.buffer);
        // A file is stamped before it is mapped, a page afterwards.
        demand(number === space.pid || (va === OWN && number === 0), "another process' memory");
        counts.seen++;
      }
    };
    const live = () => {
      const space = me.iommufd.createUserSpace({ uid: me.number + 1 });
      const stamp = new Uint8Array(Uint32Array.of(space.pid).buffer);
      const file = me.iommufd.createMemfd(PAGE);
      demand(isZero(file.bytes), "a fresh file is not zero");
      file.bytes.set(stamp);
      space.map(PAGE, { va: SHARED, file });
      file.close();
      demand(isZero(space.map(PAGE, { va: OWN }).bytes), "a fresh page is not zero");
      for (let n = next() % 50; n >= 0; n--) space.write(OWN, stamp);
      space.exit();
    };
    me.board.meet(threads);
    for (let round = 0; round < rounds; round++) {
      if (me.number % 2 === 0) live();
      else for (const space of me.iommufd.userSpaces()) if (space.pid !== 1) visit(space);
    }
    return counts;
  },

  /** All protect one large range at the same time: long sections under one lock. */
  protectTogether({ va, bytes, rounds, threads }) {
    for (let round = 0; round < rounds; round++) {
      me.board.meet(threads);
      me.iommufd.userSpace.protect(va, bytes, round % 2 === 0 ? "r" : "rw");
    }
    return rounds;
  },

  /** Thread 0 has all rows in use and unmaps the largest; thread 1 maps as soon as it is let. */
  lastRow({ largest, rows, threads }) {
    const space = me.iommufd.userSpace;
    if (me.number === 0) {
      const large = space.map(largest);
      const others = Array.from({ length: rows - 1 }, () => space.map(PAGE));
      me.board.meet(threads);
      space.unmap(large);
      me.board.meet(threads);
      for (const mapping of others) space.unmap(mapping);
      return "unmapped";
    }
    me.board.meet(threads);
    let mapping = answerOf(() => space.map(PAGE));
    for (; mapping === "ENOMEM"; mapping = answerOf(() => space.map(PAGE)));
    const zero = isZero(mapping.bytes);
    space.unmap(mapping);
    me.board.meet(threads);
    return zero ? "mapped" : "not zero";
  },
};
