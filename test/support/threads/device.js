// SPDX-License-Identifier: GPL-2.0-only
//
// For test/threads-access.test.ts: devices in threads of their own, which copy, pin and unmap, and may be killed meanwhile.

import { answerOf, me, serve } from "../thread-tasks.js";

const kept = {};

function accessOf({ fd, ioas }) {
  return me.iommufd.file(fd).ioas(ioas).access();
}

serve({
  /** Reads, or writes `value`, until the word says so. Return: how often each answer came, and the values that were read. */
  copy({ fd, ioas, iova, length, word, value }) {
    const access = accessOf({ fd, ioas });
    const buffer = new Uint8Array(length);
    const tally = {};
    const seen = new Set();
    Atomics.add(word, 1, 1);
    while (Atomics.load(word, 0) === 0) {
      if (value !== undefined) buffer.fill(value);
      const answer = answerOf(() => (value === undefined ? access.read(iova, buffer) : access.write(iova, buffer)));
      const name = answer ?? "done";
      tally[name] = (tally[name] ?? 0) + 1;
      if (answer === undefined && value === undefined) for (const byte of buffer) seen.add(byte);
    }
    access.destroy();
    return { tally, seen: [...seen] };
  },
  /** Enters a copy of memory outside, and does not come back from it. */
  hang({ fd, ioas, external, word }) {
    const access = accessOf({ fd, ioas });
    me.iommufd.userSpace.bindExternal(external, {
      bytes: 4096,
      read() {
        Atomics.store(word, 0, 1);
        Atomics.notify(word, 0);
        for (;;) Atomics.wait(word, 1, 0);
      },
      write: () => undefined,
    });
    access.read(0, new Uint8Array(1));
  },
  /** Says that it is about to unmap, and does. */
  unmap({ fd, ioas, word }) {
    Atomics.store(word, 0, 1);
    Atomics.notify(word, 0);
    return Number(me.iommufd.file(fd).ioas(ioas).unmap(0, 4096));
  },
  pin({ fd, ioas }) {
    kept.access = accessOf({ fd, ioas });
    kept.access.pin(0, 4096);
    return kept.access.id;
  },
  /** A fault queue. Return: the number of its file. */
  queue({ fd }) {
    return me.iommufd.file(fd).faultQueueAlloc().file.fd;
  },
  /** Makes, attaches, pins, copies, unpins and destroys accesses, until it is killed; the word counts the rounds. */
  churn({ fd, ioas, pages, word }) {
    const buffer = new Uint8Array(64);
    for (let round = 0; ; round++) {
      const access = accessOf({ fd, ioas });
      for (let page = 0; page < pages; page += 1 + (round % 3)) access.pin(page * 4096, 4096, { write: true });
      access.read(round % 4096, buffer);
      if (round % 2 === 0) access.pin(0, pages * 4096);
      if (round % 4 < 3) access.unpinAll();
      if (round % 4 < 2) access.destroy();
      Atomics.add(word, 0, 1);
    }
  },
});
