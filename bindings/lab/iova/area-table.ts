// SPDX-License-Identifier: GPL-2.0-only
// The same facts as a table, a page at a time: areas, the holes between them, and what is reserved or allowed.

import { type TemplateResult, html, nothing } from "lit";
import type { Ioas, IoasArea } from "../../index.js";
import type { AreaWatch, Range } from "./area-watch.js";
import { sourceInWords } from "./spot.js";
import { counted, hex, lengthInWords, rightsInWords } from "./texts.js";
import { LAST_IOVA } from "./window.js";

/** Areas on a page. */
export const AREAS_ON_PAGE = 100;

/** One row. */
export type TableRow =
  | { readonly kind: "area"; readonly range: Range; readonly area: IoasArea }
  | { readonly kind: "hole" | "reserved" | "allowed"; readonly range: Range };

/** A page of the table. */
export interface TablePage {
  readonly rows: readonly TableRow[];
  /** Where the next page begins; undefined on the last one. */
  readonly next: bigint | undefined;
}

/** Reads a page: what lies from an IOVA on, where no area may begin before. @throws IommufdError ENOENT, EBADF, ESRCH, EIO */
export function tablePage(ioas: Ioas, watch: AreaWatch, from: bigint): TablePage {
  const areas = ioas.areas({ from, limit: AREAS_ON_PAGE });
  const last = areas.length < AREAS_ON_PAGE ? LAST_IOVA : (areas.at(-1)?.last ?? LAST_IOVA);
  const taken: TableRow[] = [
    ...areas.map((area): TableRow => ({ kind: "area", area, range: area })),
    ...watch.reserved
      .filter(({ start }) => start >= from && start <= last)
      .map((range): TableRow => ({ kind: "reserved", range })),
  ].sort(byStart);
  const rows: TableRow[] = [];
  let next = from;
  for (const row of taken) {
    if (row.range.start > next) rows.push({ kind: "hole", range: { start: next, last: row.range.start - 1n } });
    rows.push(row);
    next = row.range.last + 1n;
  }
  if (next <= last) rows.push({ kind: "hole", range: { start: next, last } });
  return {
    rows: [...(from === 0n ? allowedRows(watch) : []), ...rows],
    next: last === LAST_IOVA ? undefined : last + 1n,
  };
}

function allowedRows({ allowed }: AreaWatch): TableRow[] {
  return allowed.map((range) => ({ kind: "allowed", range }));
}

function byStart({ range: a }: TableRow, { range: b }: TableRow): number {
  return a.start < b.start ? -1 : 1;
}

const KINDS: Readonly<Record<TableRow["kind"], string>> = {
  area: "Area",
  hole: "Hole",
  reserved: "Reserved",
  allowed: "Allowed",
};

/** The table and its ways on. */
export function tableView(
  { rows, next }: TablePage,
  from: bigint,
  choose: (iova: bigint) => void,
  goTo: (from: bigint) => void,
): TemplateResult {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Table of areas">
      <table>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">First</th>
            <th scope="col">Last</th>
            <th scope="col">Length</th>
            <th scope="col">Rights</th>
            <th scope="col">Source</th>
            <th scope="col">Memory</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map((row) => rowView(row, choose))}
        </tbody>
      </table>
    </div>
    ${
      from === 0n && next === undefined
        ? nothing
        : html`<div class="pages">
            <button type="button" ?disabled=${from === 0n} @click=${() => goTo(0n)}>From the beginning</button>
            <button type="button" ?disabled=${next === undefined} @click=${() => goTo(next ?? 0n)}>
              Next ${AREAS_ON_PAGE} areas
            </button>
          </div>`
    }`;
}

function rowView(row: TableRow, choose: (iova: bigint) => void): TemplateResult {
  const { kind, range } = row;
  const area = row.kind === "area" ? row.area : undefined;
  return html`<tr class=${kind}>
    <td>${KINDS[kind]}</td>
    <th scope="row">
      <button type="button" class="place" @click=${() => choose(range.start)}>${hex(range.start)}</button>
    </th>
    <td class="mono">${hex(range.last)}</td>
    <td>${lengthInWords(range.last - range.start + 1n)}</td>
    <td>${area === undefined ? "" : area.state === "transition" ? "in transition" : rightsInWords(area)}</td>
    <td>${area === undefined ? "" : sourceInWords(area)}</td>
    <td>${area === undefined ? "" : area.shared > 1 ? `shown by ${counted(area.shared, "area")}` : "its own"}</td>
  </tr>`;
}
