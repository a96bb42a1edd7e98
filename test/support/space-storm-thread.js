// SPDX-License-Identifier: GPL-2.0-only
//
// The inner side of test/support/space-storm.ts: one thread's share of a storm of maps, copies and unmaps.
//
//   own pages     nobody else maps there: each answer is known beforehand
//   shared pages  all map and unmap there; what was mapped and unmapped is counted in pages
//   short lives   address spaces that come and go, by IDs that are guessed; whoever is late is refused
//
// All areas of shared pages are single pages, so no UNMAP meets a part of one, and each says how much it has unmapped.

import {
  IOMMU_DESTROY,
  IOMMU_IOAS_ALLOC,
  IOMMU_IOAS_ALLOW_IOVAS,
  IOMMU_IOAS_COPY,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_UNMAP,
} from "iommufd-wasm";
import { random } from "./seeded.js";
import { answerOf, me } from "./thread-tasks.js";

const PAGE = 4096n;
const RIGHTS = 6;
const FIXED = 1;
/** Pages that all share, from the second on; each thread's own lie behind. */
export const SHARED = 96;
export const OWN = 24;
/** IDs of address spaces that come and go are below. */
const MAX_ID = 24;
const REFUSALS = {
  map: ["EEXIST", "ENOENT", "ENOSPC"],
  copy: ["EEXIST", "ENOENT"],
  unmap: ["ENOENT"],
  destroy: ["EBUSY", "ENOENT"],
  allow: ["ENOENT"],
};

export function spaceStorm({ fd, spaces, operations, seed, threads, listVa }) {
  const storm = new Storm({ fd, spaces, listVa }, random(seed + me.number));
  me.board.meet(threads);
  for (let n = 0; n < operations; n++) storm.step();
  storm.leave();
  return storm.tally;
}

class Storm {
  /** Pages mapped less pages unmapped in the shared part, by address space; and how often each call gave each answer. */
  tally = { counts: { steps: 0 }, left: {} };
  #context;
  #spaces;
  #listVa;
  #own = new Map();

  constructor({ fd, spaces, listVa }, next) {
    this.#context = me.iommufd.file(fd);
    this.#spaces = spaces;
    this.#listVa = listVa;
    this.next = next;
    for (const id of spaces) this.tally.left[id] = 0;
  }

  #below(bound) {
    return this.next() % bound;
  }

  #call(kind, command, fields) {
    const answer = answerOf(() => this.#context.call(command, fields));
    const refused = typeof answer === "string";
    if (refused && !REFUSALS[kind].includes(answer)) throw new Error(`${kind} answered ${answer}`);
    const key = `${kind} ${refused ? answer : "done"}`;
    this.tally.counts[key] = (this.tally.counts[key] ?? 0) + 1;
    return answer;
  }

  step() {
    this.tally.counts.steps++;
    const id = this.#spaces[this.#below(this.#spaces.length)];
    const kind = this.#below(10);
    if (kind < 3) this.#map(id);
    else if (kind < 5) this.#copy(id);
    else if (kind < 7) this.#unmap(id);
    else if (kind < 9) this.#useOwn(id);
    else this.#shortLife();
  }

  #page() {
    return BigInt(1 + this.#below(SHARED)) * PAGE;
  }

  #map(id) {
    const iova = this.#page();
    const flags = FIXED | RIGHTS;
    const answer = this.#call("map", IOMMU_IOAS_MAP, { flags, ioas_id: id, user_va: iova + PAGE, length: PAGE, iova });
    if (typeof answer !== "string") this.tally.left[id]++;
  }

  #copy(id) {
    const from = this.#spaces[this.#below(this.#spaces.length)];
    const answer = this.#call("copy", IOMMU_IOAS_COPY, {
      ...{ flags: FIXED | RIGHTS, dst_ioas_id: id, src_ioas_id: from },
      ...{ length: PAGE, dst_iova: this.#page(), src_iova: this.#page() },
    });
    if (typeof answer !== "string") this.tally.left[id]++;
  }

  /** Of some pages, as many of them as there are. */
  #unmap(id) {
    const first = this.#below(SHARED);
    const count = 1 + this.#below(this.#below(8) === 0 ? SHARED - first : Math.min(6, SHARED - first));
    const where = { ioas_id: id, iova: BigInt(1 + first) * PAGE, length: BigInt(count) * PAGE };
    const answer = this.#call("unmap", IOMMU_IOAS_UNMAP, where);
    if (typeof answer !== "string") this.tally.left[id] -= Number(answer.length / PAGE);
  }

  /** Nobody else is there, so everything is as this thread has left it. */
  #useOwn(id) {
    const page = this.#below(OWN);
    const iova = BigInt(1 + SHARED + me.number * OWN + page) * PAGE;
    const key = `${id} ${page}`;
    const where = { ioas_id: id, iova, length: PAGE };
    const map = () => this.#call("map", IOMMU_IOAS_MAP, { ...where, flags: FIXED | RIGHTS, user_va: iova });
    if (this.#own.has(key)) {
      if (map() !== "EEXIST") throw new Error(`page ${iova} of ${id} is not there any more`);
      const { length } = this.#call("unmap", IOMMU_IOAS_UNMAP, where);
      if (length !== PAGE) throw new Error(`page ${iova} of ${id}: unmapped ${length}`);
      this.#own.delete(key);
    } else {
      if (this.#call("unmap", IOMMU_IOAS_UNMAP, where) !== "ENOENT") throw new Error(`page ${iova} of ${id} is mapped`);
      if (map()?.iova !== iova) throw new Error(`page ${iova} of ${id} cannot be mapped`);
      this.#own.set(key, where);
    }
  }

  #shortLife() {
    const id = 1 + this.#below(MAX_ID);
    if (this.#spaces.includes(id)) return;
    const flags = RIGHTS;
    switch (this.#below(4)) {
      case 0: {
        const { out_ioas_id: made } = this.#call("alloc", IOMMU_IOAS_ALLOC, {});
        if (made >= MAX_ID) this.#call("destroy", IOMMU_DESTROY, { id: made });
        return;
      }
      case 1:
        this.#call("destroy", IOMMU_DESTROY, { id });
        return;
      case 2:
        this.#call("allow", IOMMU_IOAS_ALLOW_IOVAS, { ioas_id: id, num_iovas: 4, allowed_iovas: this.#listVa });
        return;
      default:
        for (let n = 0; n < 5; n++) {
          this.#call("map", IOMMU_IOAS_MAP, { flags, ioas_id: id, user_va: PAGE, length: PAGE });
          this.#call("copy", IOMMU_IOAS_COPY, {
            ...{ flags: RIGHTS | FIXED, dst_ioas_id: id, src_ioas_id: this.#spaces[0] },
            ...{ length: PAGE, dst_iova: this.#page() << 8n, src_iova: this.#page() },
          });
        }
    }
  }

  /** The thread's own pages go. */
  leave() {
    for (const where of this.#own.values()) this.#call("unmap", IOMMU_IOAS_UNMAP, where);
  }
}
