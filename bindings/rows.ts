// SPDX-License-Identifier: GPL-2.0-only
//
// The core keeps what it has in tables of fixed size: an array of rows, each with its state in a word.

/** The addresses of all rows of a table. */
export function rowsOf(table: number, rowBytes: number, count: number): number[] {
  return Array.from({ length: count }, (_, row) => table + row * rowBytes);
}
