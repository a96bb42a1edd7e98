// SPDX-License-Identifier: GPL-2.0-only
/**
 * Rival (b): our algorithm by hand in TypeScript, on a SharedArrayBuffer with Atomics, for several threads.
 *
 * One word decides what happens to an object, by compare-and-swap, and locks protect tables only, as in the core. The word has
 * 32 bits, because Atomics knows 64 only as BigInt, which allocates:
 *
 *   phase 2 | users 10 | holders 10 | destroyers 3 | type 6
 *
 * What is simpler than the core, and cheaper: the table is flat and has its size for life, an object's payload lies at the place of
 * its ID, there is one context, and nobody looks after threads that die.
 *
 *   header | taken bits | entries, 16 bytes each | payloads | records of each thread
 */
import { EBUSY, ENOENT, ENOMEM, type Rival, staleHandle } from "./rival.ts";

const MAX_THREADS = 16;
const RECORDS = 1024; // of each thread; record 0 is never used
const RECORD_WORDS = 2;
const ENTRY_WORDS = 4;
const PAYLOAD_WORDS = 4;

// Words of the header.
const LOCK = 0;
const HINT = 1;
const CAPACITY = 2;
const THREADS = 3;
const HEADER_WORDS = 16;

const PHASE_MASK = 3;
const FREE = 0;
const RESERVED = 1;
const LIVE = 2;
const USER = 1 << 2;
const USERS_MASK = 0x3ff << 2;
const HOLDER = 1 << 12;
const HOLDERS_MASK = 0x3ff << 12;
const DESTROYER = 1 << 22;
const DESTROYERS_MASK = 7 << 22;
const TYPE_SHIFT = 25;
const TYPE_MASK = 0x3f << TYPE_SHIFT;

const LOCKED_KIND = 1;
const RESERVED_KIND = 2;
const INDEX_MASK = RECORDS - 1;
const GENERATION = RECORDS;
const HANDLE_MASK = 0x3fff_ffff;

export class AtomicsTable implements Rival {
  /** Post it to a worker, which makes its own `AtomicsTable` of it. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #taken: number;
  readonly #entries: number;
  readonly #payloads: number;
  readonly #capacity: number;
  /** Where this thread's records begin. */
  readonly #records: number;
  /** First of the free records; each names the next one above the two bits of its kind. */
  #freeRecord = 1;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#capacity = this.#words[CAPACITY] ?? 0;
    const parts = partsOf(this.#capacity);
    this.#taken = parts.taken;
    this.#entries = parts.entries;
    this.#payloads = parts.payloads;
    const thread = Atomics.add(this.#words, THREADS, 1);
    if (thread >= MAX_THREADS) throw new Error("EAGAIN: no thread slot is free");
    this.#records = parts.records + thread * RECORDS * RECORD_WORDS;
    for (let index = 1; index < RECORDS; index++) {
      this.#words[this.#records + index * RECORD_WORDS] = ((index + 1) % RECORDS) << 2;
      this.#words[this.#records + index * RECORD_WORDS + 1] = index;
    }
  }

  /** Makes a table with room for IDs from 1 to `capacity`. */
  static create(capacity: number): AtomicsTable {
    const buffer = new SharedArrayBuffer(partsOf(capacity).end * 4);
    const words = new Int32Array(buffer);
    words[CAPACITY] = capacity;
    words[HINT] = 1;
    return new AtomicsTable(buffer);
  }

  tryAlloc(type: number): number {
    if (this.#freeRecord === 0) return ENOMEM;
    const words = this.#words;
    this.#lock();
    const id = this.#lowestFree();
    if (id > this.#capacity) {
      this.#unlock();
      return EBUSY;
    }
    const at = this.#taken + (id >> 5);
    words[at] = (words[at] ?? 0) | (1 << (id & 31));
    words[HINT] = id + 1;
    const payload = this.#payloads + id * PAYLOAD_WORDS;
    words.fill(0, payload, payload + PAYLOAD_WORDS);
    Atomics.store(words, this.#entries + id * ENTRY_WORDS, RESERVED | USER | (type << TYPE_SHIFT));
    this.#unlock();
    return this.#takeRecord(id, RESERVED_KIND);
  }

  finalize(handle: number): number {
    const id = this.#find(handle, RESERVED_KIND);
    const entry = this.#entries + id * ENTRY_WORDS;
    Atomics.store(this.#words, entry, Atomics.load(this.#words, entry) ^ RESERVED ^ LIVE);
    this.#freeRecordOf(handle);
    return id;
  }

  abort(handle: number): void {
    const id = this.#find(handle, RESERVED_KIND);
    this.#lock();
    Atomics.store(this.#words, this.#entries + id * ENTRY_WORDS, FREE);
    this.#erase(id);
    this.#unlock();
    this.#freeRecordOf(handle);
  }

  tryGet(id: number, type?: number): number {
    if (id >>> 0 !== id || id > this.#capacity) return ENOENT;
    if (this.#freeRecord === 0) return ENOMEM;
    const words = this.#words;
    const entry = this.#entries + id * ENTRY_WORDS;
    let word = Atomics.load(words, entry);
    while (true) {
      if ((word & (PHASE_MASK | DESTROYERS_MASK)) !== LIVE) return ENOENT;
      if (type !== undefined && (word & TYPE_MASK) >>> TYPE_SHIFT !== type) return ENOENT;
      if ((word & HOLDERS_MASK) === HOLDERS_MASK || (word & USERS_MASK) === USERS_MASK) return ENOENT;
      const seen = Atomics.compareExchange(words, entry, word, word + USER + HOLDER);
      if (seen === word) return this.#takeRecord(id, LOCKED_KIND);
      word = seen;
    }
  }

  put(handle: number): void {
    const id = this.#find(handle, LOCKED_KIND);
    const words = this.#words;
    const entry = this.#entries + id * ENTRY_WORDS;
    let word = Atomics.load(words, entry);
    while (true) {
      const seen = Atomics.compareExchange(words, entry, word, word - USER - HOLDER);
      if (seen === word) break;
      word = seen;
    }
    if ((word & DESTROYERS_MASK) !== 0 && (word & HOLDERS_MASK) === HOLDER) Atomics.notify(words, entry);
    this.#freeRecordOf(handle);
  }

  tryDestroy(id: number): number {
    if (id >>> 0 !== id || id > this.#capacity) return ENOENT;
    const words = this.#words;
    const entry = this.#entries + id * ENTRY_WORDS;
    while (true) {
      const word = Atomics.load(words, entry);
      if ((word & (PHASE_MASK | DESTROYERS_MASK)) !== LIVE) return ENOENT;
      if ((word & (USERS_MASK | HOLDERS_MASK)) !== USER) return EBUSY;
      if (this.#removeIf(id, entry, word)) return 0;
    }
  }

  /** As `tryDestroy`, but waits for holders first; lookups fail meanwhile. */
  destroy(id: number): number {
    const words = this.#words;
    const entry = this.#entries + id * ENTRY_WORDS;
    let word = Atomics.load(words, entry);
    if ((word & HOLDERS_MASK) === 0) return this.tryDestroy(id);
    while (true) {
      if ((word & (PHASE_MASK | DESTROYERS_MASK)) !== LIVE) return ENOENT;
      const seen = Atomics.compareExchange(words, entry, word, word + USER + DESTROYER);
      if (seen === word) break;
      word = seen;
    }
    while (((word = Atomics.load(words, entry)) & HOLDERS_MASK) !== 0) Atomics.wait(words, entry, word);
    while (true) {
      if ((word & USERS_MASK) === 2 * USER) {
        if (this.#removeIf(id, entry, word)) return 0;
      } else if (Atomics.compareExchange(words, entry, word, word - USER - DESTROYER) === word) return EBUSY;
      word = Atomics.load(words, entry);
    }
  }

  /** Users of an object, the table among them. */
  usersOf(id: number): number {
    return (Atomics.load(this.#words, this.#entries + id * ENTRY_WORDS) & USERS_MASK) / USER;
  }

  close(): void {
    this.#words.fill(0, this.#taken, this.#payloads);
    this.#words[HINT] = 1;
  }

  // -------------------------------------------------------------------------------------------------- table

  #lock(): void {
    while (Atomics.exchange(this.#words, LOCK, 1) !== 0) {
      while (Atomics.load(this.#words, LOCK) !== 0);
    }
  }

  #unlock(): void {
    Atomics.store(this.#words, LOCK, 0);
  }

  /** Context: lock held. */
  #lowestFree(): number {
    const words = this.#words;
    const hint = words[HINT] ?? 1;
    let at = hint >> 5;
    let free = ~(words[this.#taken + at] ?? 0) & (-1 << (hint & 31));
    while (free === 0) free = ~(words[this.#taken + ++at] ?? 0);
    return at * 32 + 31 - Math.clz32(free & -free);
  }

  /** Takes the object out of the table if its word is still `word`. */
  #removeIf(id: number, entry: number, word: number): boolean {
    this.#lock();
    const removed = Atomics.compareExchange(this.#words, entry, word, FREE) === word;
    if (removed) this.#erase(id);
    this.#unlock();
    return removed;
  }

  /** Context: lock held. */
  #erase(id: number): void {
    const words = this.#words;
    const at = this.#taken + (id >> 5);
    words[at] = (words[at] ?? 0) & ~(1 << (id & 31));
    if (id < (words[HINT] ?? 1)) words[HINT] = id;
  }

  // -------------------------------------------------------------------------------------------------- records

  /** Context: there is a free record. */
  #takeRecord(id: number, kind: number): number {
    const words = this.#words;
    const record = this.#records + this.#freeRecord * RECORD_WORDS;
    this.#freeRecord = (words[record] ?? 0) >>> 2;
    words[record] = (id << 2) | kind;
    return words[record + 1] ?? 0;
  }

  /** The ID that the handle names. */
  #find(handle: number, kind: number): number {
    const record = this.#records + (handle & INDEX_MASK) * RECORD_WORDS;
    const word = this.#words[record] ?? 0;
    if (this.#words[record + 1] !== handle || (word & 3) !== kind) throw staleHandle();
    return word >>> 2;
  }

  #freeRecordOf(handle: number): void {
    const index = handle & INDEX_MASK;
    const record = this.#records + index * RECORD_WORDS;
    this.#words[record] = this.#freeRecord << 2; // no kind: it names nothing
    this.#words[record + 1] = (handle + GENERATION) & HANDLE_MASK;
    this.#freeRecord = index;
  }
}

/** The first word of each part. */
function partsOf(capacity: number): Record<"taken" | "entries" | "payloads" | "records" | "end", number> {
  const taken = HEADER_WORDS;
  const entries = Math.ceil((taken + (capacity >> 5) + 2) / ENTRY_WORDS) * ENTRY_WORDS;
  const payloads = entries + (capacity + 1) * ENTRY_WORDS;
  const records = payloads + (capacity + 1) * PAYLOAD_WORDS;
  return { taken, entries, payloads, records, end: records + MAX_THREADS * RECORDS * RECORD_WORDS };
}

export function makeAtomicsTable(objects: number): Rival {
  return AtomicsTable.create(objects);
}
