// SPDX-License-Identifier: GPL-2.0-only
//
// The payload of the one object that is selected.
//
// The library tells where a payload is only to who has the object locked, so reading one is a get and a put: for some
// microseconds other threads see one user and one holder more, and a destroyer of theirs may wait that long. Nothing else here
// disturbs an object. So it is done for the selected object only: when it is selected, when a look found it changed (at most once
// in REREAD_MS), and when the reader asks. The graph's own counts never show it, because it is over before the next look.

import { type IommufdContext, IommufdError, type LockedObject } from "../../index.js";

/** Least milliseconds between two readings because of a change. */
const REREAD_MS = 250;
/** Bytes shown at most. */
const MOST_BYTES = 256;
const BYTES_IN_ROW = 8;

/** What reading a payload came to. */
export interface PayloadBytes {
  /** The first bytes; undefined when the object could not be locked. */
  readonly bytes: Uint8Array | undefined;
  /** Bytes of the whole payload. */
  readonly length: number;
}

/** Reads the payload of a published object. Never throws for what may happen to an object meanwhile. */
function readPayload(context: IommufdContext, id: number): PayloadBytes {
  let locked: LockedObject;
  try {
    locked = context.get(id);
  } catch (error) {
    if (error instanceof IommufdError) return { bytes: undefined, length: 0 };
    throw error;
  }
  try {
    const { buffer, byteOffset, byteLength } = locked.payload;
    return { bytes: new Uint8Array(buffer, byteOffset, Math.min(byteLength, MOST_BYTES)).slice(), length: byteLength };
  } finally {
    locked.put();
  }
}

/** Reads the payload of the selected object, seldom. */
export class PayloadReader {
  #id: number | undefined;
  #last: PayloadBytes = { bytes: undefined, length: 0 };
  #time = -Infinity;
  #outdated = false;

  /** The object changed: what was read may be old. */
  outdate(): void {
    this.#outdated = true;
  }

  /** The next `read` reads. */
  forget(): void {
    this.#id = undefined;
  }

  /** The payload, read again if it is another object, or if it was outdated and long enough ago. */
  read(context: IommufdContext, id: number): PayloadBytes {
    const now = performance.now();
    if (id !== this.#id || (this.#outdated && now - this.#time >= REREAD_MS)) {
      this.#id = id;
      this.#time = now;
      this.#outdated = false;
      this.#last = readPayload(context, id);
    }
    return this.#last;
  }
}

/** Rows of a hex dump: offset, bytes in hex, and as text. */
export function hexRows(bytes: Uint8Array): { offset: string; hex: string; text: string }[] {
  const rows = [];
  for (let start = 0; start < bytes.length; start += BYTES_IN_ROW) {
    const part = [...bytes.subarray(start, start + BYTES_IN_ROW)];
    rows.push({
      offset: start.toString(16).padStart(2, "0"),
      hex: part.map((byte) => byte.toString(16).padStart(2, "0")).join(" "),
      text: part.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join(""),
    });
  }
  return rows;
}
