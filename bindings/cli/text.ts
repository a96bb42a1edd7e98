// SPDX-License-Identifier: GPL-2.0-only
//
// Small pieces of output: numbers, hex, columns, and a progress line.

/** 43257 as `43,257`. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** `0x` and at least `digits` digits. */
export function hex(value: number | bigint, digits = 1): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

/** Rows as aligned columns, `<` left and `>` right, one line each. */
export function alignColumns(rows: readonly (readonly string[])[], sides: readonly ("<" | ">")[]): string {
  const widths = sides.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    sides
      .map((side, column) => {
        const cell = row[column] ?? "";
        const width = widths[column] ?? 0;
        return side === "<" ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

/** One line on a terminal that is written over and over; nothing at all where the stream is no terminal. */
export class Progress {
  private shown = false;

  constructor(private readonly stream: NodeJS.WriteStream) {}

  get active(): boolean {
    return this.stream.isTTY;
  }

  show(text: string): void {
    if (!this.active) return;
    // Longer than the terminal is wide, the line would wrap and could not be written over.
    this.stream.write(`\r${text.slice(0, (this.stream.columns || 80) - 1)}\x1b[K`);
    this.shown = true;
  }

  clear(): void {
    if (!this.shown) return;
    this.stream.write("\r\x1b[K");
    this.shown = false;
  }
}
