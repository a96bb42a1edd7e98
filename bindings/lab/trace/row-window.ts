// SPDX-License-Identifier: GPL-2.0-only
//
// Which rows of the list are drawn, and where: those that are visible, and a few around them.
//
// The list follows its end until its reader scrolls away from it. Then what he reads stays in place: when rows fall out above
// it, it moves up in the list, and the list is scrolled along. Rows are all of one height.
//
// Vocabulary: a row's number is the log's (call-log.ts) and stays its own; pixels count from the first row that is listed.

import { ROW_PIXELS } from "./trace-styles.js";

/** Rows above and below what is visible, so that a scroll has something to show before the next frame. */
const SPARE_ROWS = 8;

/** Rows that are listed: `endRow` is the first one behind them. */
export interface Rows {
  readonly firstRow: number;
  readonly endRow: number;
}

/** The part of the list that is drawn. */
export class RowWindow {
  /** Whether the newest row is kept in sight. */
  isFollowing = true;
  /** Visible pixels. */
  height = 0;
  #scrollTop = 0;
  /** First row when the list was drawn last. */
  #firstRow = 0;

  /** The list was scrolled: it follows its end again if that is where it is now. */
  scrolled({ scrollTop, clientHeight, scrollHeight }: Element): void {
    this.#scrollTop = scrollTop;
    this.isFollowing = scrollTop + clientHeight >= scrollHeight - ROW_PIXELS / 2;
  }

  /** Rows fell out above what is read: it is scrolled along, once they are drawn. */
  keepPlace({ firstRow }: Rows): void {
    if (this.isFollowing || firstRow <= this.#firstRow) return;
    this.#scrollTop = Math.max(0, this.#scrollTop - (firstRow - this.#firstRow) * ROW_PIXELS);
  }

  /** The rows to draw, `to` not included. */
  drawn({ firstRow, endRow }: Rows): { readonly from: number; readonly to: number } {
    const visible = Math.ceil(this.height / ROW_PIXELS) + 1;
    const top = this.isFollowing ? endRow - visible : firstRow + Math.floor(this.#scrollTop / ROW_PIXELS);
    const from = Math.max(firstRow, Math.min(top, endRow - visible) - SPARE_ROWS);
    return { from, to: Math.min(endRow, Math.max(top, firstRow) + visible + SPARE_ROWS) };
  }

  /** Puts what was drawn in its place: as much space as all rows have, the drawn ones in it, and scrolled to where it belongs. */
  place(scroller: Element, space: HTMLElement, drawn: HTMLElement, rows: Rows): void {
    const { firstRow, endRow } = rows;
    const end = (endRow - firstRow) * ROW_PIXELS;
    space.style.blockSize = `${end}px`;
    drawn.style.transform = `translateY(${(this.drawn(rows).from - firstRow) * ROW_PIXELS}px)`;
    if (this.isFollowing) scroller.scrollTop = end;
    else if (this.#firstRow !== firstRow) scroller.scrollTop = this.#scrollTop;
    this.#firstRow = firstRow;
  }
}
