// SPDX-License-Identifier: GPL-2.0-only
//
// From an Error's stack to lines of the AssemblyScript sources, by the source map that the compiler wrote.
//
// A frame of a Wasm function ends in its byte offset in the module; that is the column of the map's only line.

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const SKIPPED = "assembly/core/atomics.ts";

export class SourceLines {
  readonly #columns: number[] = [];
  readonly #sources: string[];
  readonly #source: number[] = [];
  readonly #line: number[] = [];

  constructor(map: string) {
    const { sources, mappings } = JSON.parse(map) as { sources: string[]; mappings: string };
    this.#sources = sources;
    let column = 0;
    let source = 0;
    let line = 0;
    for (const segment of mappings.split(",")) {
      const fields = decode(segment);
      column += fields[0] ?? 0;
      source += fields[1] ?? 0;
      line += fields[2] ?? 0;
      this.#columns.push(column);
      this.#source.push(source);
      this.#line.push(line);
    }
  }

  /** The innermost frame that is not in atomics.ts, as "assembly/core/lookup.ts:112"; "" when there is none. */
  ofStack(stack: string): string {
    for (const [, offset] of stack.matchAll(/wasm-function\[\d+\]:0x([0-9a-f]+)/g)) {
      const place = this.#at(parseInt(offset!, 16));
      if (place !== "" && !place.startsWith(SKIPPED)) return place;
    }
    return "";
  }

  #at(offset: number): string {
    let low = 0;
    let high = this.#columns.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#columns[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return "";
    return `${this.#sources[this.#source[low - 1]!]}:${this.#line[low - 1]! + 1}`;
  }
}

function decode(segment: string): number[] {
  const fields: number[] = [];
  let value = 0;
  let shift = 0;
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit);
    value |= (bits & 31) << shift;
    shift += 5;
    if ((bits & 32) !== 0) continue;
    fields.push((value & 1) !== 0 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return fields;
}
