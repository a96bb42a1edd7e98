// SPDX-License-Identifier: GPL-2.0-only
// IOVAs, lengths and rights as a person reads them.

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
/** From so many of a unit on, the next one is used, rounded. */
const MOST_OF_UNIT = 10_240;
const THOUSANDS = new Intl.NumberFormat("en");

/** As the console takes it: "0x1000". */
export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** "4 KiB"; "about 16 EiB" where the exact number is long. */
export function lengthInWords(bytes: bigint): string {
  let exact = bytes;
  let unit = 0;
  while (exact !== 0n && exact % 1024n === 0n && unit < UNITS.length - 1) {
    exact /= 1024n;
    unit++;
  }
  if (exact < MOST_OF_UNIT) return `${grouped(Number(exact))} ${unit === 0 && exact === 1n ? "byte" : UNITS[unit]}`;
  let rounded = Number(exact);
  while (rounded >= MOST_OF_UNIT / 10 && unit < UNITS.length - 1) {
    rounded /= 1024;
    unit++;
  }
  return `about ${rounded < 10 ? Number(rounded.toFixed(1)) : Math.round(rounded)} ${UNITS[unit]}`;
}

/** "12,000". */
export function grouped(count: number): string {
  return THOUSANDS.format(count);
}

/** "1 area", "12,000 areas". */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** What a device may do. */
export function rightsInWords({ read, write }: { readonly read: boolean; readonly write: boolean }): string {
  return read && write ? "read and write" : read ? "read only" : write ? "write only" : "nothing";
}
