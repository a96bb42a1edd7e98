// SPDX-License-Identifier: GPL-2.0-only
//
// Results in words, for a terminal.

import type { Spread } from "./bench.ts";
import { type HostName, type MeasuredBench, isMet, measuredBar } from "./results.ts";

/** One bench: its candidates, the ratios, the bars. */
export function report({ title, ...bench }: MeasuredBench, host: HostName): string {
  const lines = [`\n${title}`];
  lines.push(...table(Object.entries(bench.candidates), ` ${bench.unit}`));
  if (Object.keys(bench.ratios).length > 0) lines.push("  ratios, round by round");
  lines.push(...table(Object.entries(bench.ratios), " ×"));
  for (const bar of bench.bars) {
    const measured = measuredBar(bench, bar);
    if (measured === undefined || (bar.only !== undefined && bar.only !== host)) continue;
    const verdict = isMet(bar, measured) ? "met" : "MISSED";
    lines.push(`  bar: ${bar.text}: at ${bar.kind} ${number(bar.limit)}, ${verdict} with ${number(measured.median)}`);
  }
  for (const note of bench.notes ?? []) lines.push(`  note: ${note}`);
  return lines.join("\n");
}

function table(rows: readonly (readonly [string, Spread])[], unit: string): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, spread]) => `    ${name.padEnd(width)}  ${range(spread, unit)}`);
}

/** "12.3 ns (11.9 … 14.0)" */
export function range({ median, low, high }: Spread, unit = ""): string {
  return `${number(median)}${unit} (${number(low)} … ${number(high)})`;
}

/** Three digits that mean something, thousands with a comma. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toLocaleString("en-US", { minimumFractionDigits: 0, maximumFractionDigits: Math.min(digits, 4) });
}
