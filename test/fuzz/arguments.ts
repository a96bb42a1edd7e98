// SPDX-License-Identifier: GPL-2.0-only
//
// Random arguments: IDs, requests, structs and addresses. Most are near good ones; random bits alone would never get past the
// first check.

import type { Random } from "../support/random.ts";
import { COMMANDS } from "./commands.ts";
import { type Address, hexOf } from "./operations.ts";

export const PAGE = 4096;
const DESTROY = { nr: 0x80, size: 8, minSize: 8 };
const TABLE = [DESTROY, DESTROY, ...COMMANDS.slice(0, 3)];

/** Numbers that are no ID anybody has. */
const ODD_IDS = [0, 1, 49, 300, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, -1, 0.5, 1e20];

export function oddId(random: Random): number {
  return random.pick(ODD_IDS);
}

/** Addresses where nothing is ever mapped, and those around them. */
const ODD_ADDRESSES = [
  "0x0",
  "0x1",
  "0x1000",
  "0x7ffffffff000",
  "0x7fffffffeffc",
  "0x7fffffffeffe",
  "0x800000000000",
  "0x8000000000000000",
  "0xfffffffffffff000",
  "0xfffffffffffffff8",
  "0xffffffffffffffff",
];

/** Around a page's end, or anywhere in a mapping of so many pages, or outside of all. */
export function anyAddress(random: Random, mapping: number | undefined, pages: number): Address {
  if (mapping === undefined || random.oneIn(12)) return { at: random.pick(ODD_ADDRESSES) };
  const offset = random.oneIn(2)
    ? random.below(pages * PAGE)
    : Math.max(0, PAGE * (1 + random.below(pages)) - random.pick([0, 1, 3, 4, 7, 8, 12, 16, 24, 32, 56, 57, 60]));
  return { mapping, offset };
}

export interface Struct {
  readonly request: number;
  readonly hex: string;
}

/** What goes into a struct's fields. */
export interface FieldValues {
  /** An ID that probably exists. */
  readonly id: number;
  /** Two addresses as numbers. */
  readonly from: bigint;
  readonly to: bigint;
}

/** mainline has more requests, which another reference answers (address-spaces.ts): here each becomes a number that nobody has. */
export function withoutAddressSpaces(request: number): number {
  const has = (first: number, last: number): boolean => request >>> 0 >= first && request >>> 0 <= last;
  return has(0x3b81, 0x3b92) || has(0x3b64, 0x3b66) || has(0x3b70, 0x3b72) ? 0x3b93 : request;
}

/** A request with a struct that nearly or quite fits it. */
export function anyStruct(random: Random, { id, from, to }: FieldValues): Struct {
  const { nr, size, minSize } = random.pick(TABLE);
  const request = withoutAddressSpaces(random.oneIn(10) ? oddRequest(random, nr) : 0x3b00 | nr);
  const declared = random.pick([0, 3, 4, minSize - 1, minSize, minSize, size, size, size, size, size, size + 1]);
  const claimed = random.oneIn(12)
    ? random.pick([size + 8, size + 300, PAGE, PAGE + 9, 0x7fff_ffff, 2 ** 32 - 1])
    : declared;
  const length = random.oneIn(10)
    ? random.pick([0, 1, 3, 4, size - 1, size + 1])
    : Math.min(Math.max(claimed, size), 9000);
  const bytes = new Uint8Array(Math.max(length, size));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, claimed, true);
  fillFields(random, view, nr, { id, from, to });
  if (length > size && random.oneIn(3)) bytes[size + random.below(length - size)] = 1 + random.below(255);
  return { request, hex: hexOf(bytes.subarray(0, length)) };
}

function fillFields(random: Random, view: DataView, nr: number, { id, from, to }: FieldValues): void {
  if (nr === 0x80) {
    view.setUint32(4, id, true);
  } else if (nr === 0xa7) {
    view.setUint32(4, random.below(4), true);
    for (let at = 8; at < view.byteLength && at < 56; at++) view.setUint8(at, random.below(256));
  } else if (nr === 0xb0) {
    view.setUint32(4, random.pick([0, 1, 7, 64, 1000, PAGE, 6000, 6001, 2 ** 32 - 1]), true);
    view.setBigUint64(8, from, true);
    view.setBigUint64(16, to, true);
  } else {
    view.setUint32(4, random.oneIn(20) ? 3 : random.pick([0, 0, 1, 1, 2, 4, 5, 6]), true);
    view.setUint32(8, id, true);
  }
}

function oddRequest(random: Random, nr: number): number {
  const request = 0x3b00 | nr;
  return random.pick([
    0x3b00 | random.below(256),
    request ^ (1 << random.below(31)),
    request | (0x8000_0000 as number),
    request - 2 ** 32,
    request + 2 ** 32,
    request + 0.5,
    random.next(),
    nr,
  ]);
}
