// SPDX-License-Identifier: GPL-2.0-only
//
// Several calls in one ArrayBuffer, as they travel from a worker to the page: one object to transfer instead of dozens to clone.
//
// Each call is a head, then the argument's bytes before it, then those after it unless they are the same. Little endian:
//
//    0  f64  when it was reported, in milliseconds since 1970
//    8  u64  user address
//   16  i32  file number
//   20  u32  request
//   24  i32  result
//   28  u32  what the argument was: a buffer, the null pointer, a user address
//   32  u32  bytes before
//   36  u32  bytes after, or SAME
//
// The reader trusts nothing: a buffer that is not exactly a sequence of such calls, or longer than a batch may be, is none.

import type { TraceEvent } from "../../index.js";

/** A call without what only the receiving side can know. */
export type ForwardedCall = Omit<TraceEvent, "command"> & { readonly time: number };

/** A batch is at most this long, in bytes. */
export const BATCH_BYTES = 65_536;
/** Bytes of an argument that travel: what a trace event has. */
const MOST_BYTES = 4096;
const HEAD_BYTES = 40;
const SAME = 0xffff_ffff;
const KINDS = { buffer: 0, null: 1, address: 2 } as const;
const NO_BYTES = new Uint8Array(0);

/** Collects calls until there is no more room. */
export class BatchWriter {
  #bytes = new Uint8Array(BATCH_BYTES);
  #length = 0;

  /** Whether nothing was added since the last `take`. */
  get empty(): boolean {
    return this.#length === 0;
  }

  /** Adds a call; false, and nothing changed, when it does not fit any more. */
  add(event: TraceEvent, time: number): boolean {
    const before = event.before.subarray(0, MOST_BYTES);
    const after = event.bytes.subarray(0, MOST_BYTES);
    const same = equal(before, after);
    const length = HEAD_BYTES + before.length + (same ? 0 : after.length);
    if (this.#length + length > BATCH_BYTES) return false;
    const view = new DataView(this.#bytes.buffer, this.#length, length);
    const { address } = event;
    view.setFloat64(0, time, true);
    view.setBigUint64(8, address ?? 0n, true);
    view.setInt32(16, event.fd, true);
    view.setUint32(20, event.request, true);
    view.setInt32(24, event.result, true);
    view.setUint32(28, address === undefined ? KINDS.buffer : address === null ? KINDS.null : KINDS.address, true);
    view.setUint32(32, before.length, true);
    view.setUint32(36, same ? SAME : after.length, true);
    this.#bytes.set(before, this.#length + HEAD_BYTES);
    if (!same) this.#bytes.set(after, this.#length + HEAD_BYTES + before.length);
    this.#length += length;
    return true;
  }

  /** What was added, in a buffer of its own; the writer is empty again. */
  take(): ArrayBuffer {
    const batch = this.#bytes.buffer.slice(0, this.#length);
    this.#length = 0;
    return batch;
  }
}

/** The calls of a batch; undefined for anything that is none. */
export function readBatch(batch: unknown): ForwardedCall[] | undefined {
  if (!(batch instanceof ArrayBuffer) || batch.byteLength > BATCH_BYTES) return undefined;
  const view = new DataView(batch);
  const calls: ForwardedCall[] = [];
  for (let at = 0; at < batch.byteLength;) {
    if (batch.byteLength - at < HEAD_BYTES) return undefined;
    const time = view.getFloat64(at, true);
    const kind = view.getUint32(at + 28, true);
    const beforeLength = view.getUint32(at + 32, true);
    const afterLength = view.getUint32(at + 36, true);
    const same = afterLength === SAME;
    if (!Number.isFinite(time) || kind > KINDS.address) return undefined;
    if (beforeLength > MOST_BYTES || (!same && afterLength > MOST_BYTES)) return undefined;
    const start = at + HEAD_BYTES;
    const end = start + beforeLength + (same ? 0 : afterLength);
    if (end > batch.byteLength) return undefined;
    const before = beforeLength === 0 ? NO_BYTES : new Uint8Array(batch, start, beforeLength);
    calls.push({
      time,
      fd: view.getInt32(at + 16, true),
      request: view.getUint32(at + 20, true),
      result: view.getInt32(at + 24, true),
      address: kind === KINDS.buffer ? undefined : kind === KINDS.null ? null : view.getBigUint64(at + 8, true),
      before,
      bytes: same ? before : new Uint8Array(batch, start + beforeLength, afterLength),
    });
    at = end;
  }
  return calls;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
