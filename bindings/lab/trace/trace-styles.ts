// SPDX-License-Identifier: GPL-2.0-only
/** Styles of <iommufd-trace>. */
import { css } from "lit";

/** Height of a row in pixels; the list computes with it. */
export const ROW_PIXELS = 24;

export const traceStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    block-size: 24rem;
    min-block-size: 14rem;
    container-type: inline-size;
    overflow: hidden;
  }
  .bar {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
    padding: 0.75rem;
    align-items: end;
    border-block-end: 1px solid var(--line);
  }
  .bar label {
    display: grid;
    gap: 0.15rem;
    font-size: 0.8125rem;
    color: var(--muted);
    flex: 1 1 7rem;
    max-inline-size: 14rem;
  }
  .bar select {
    inline-size: 100%;
    color: var(--text);
    font-size: 0.9375rem;
  }
  .actions {
    display: flex;
    gap: 0.5rem;
    margin-inline-start: auto;
  }
  button[aria-pressed="true"] {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--on-accent);
  }
  .list {
    position: relative;
    flex: 1 1 auto;
    min-block-size: 0;
    display: flex;
  }
  .scroller {
    flex: 1 1 auto;
    overflow: auto;
    overflow-anchor: none;
    background: var(--sunken);
    outline-offset: -2px;
    contain: strict;
  }
  .space {
    position: relative;
    min-inline-size: 100%;
    inline-size: max-content;
  }
  .space,
  .rows {
    /* Their sizes are read right after they were set; a transition, however short, would give the old ones. */
    transition: none !important;
  }
  .rows {
    position: absolute;
    inset-block-start: 0;
    inset-inline-start: 0;
    min-inline-size: 100%;
    will-change: transform;
  }
  .row {
    display: flex;
    gap: 0.75rem;
    block-size: ${ROW_PIXELS}px;
    padding-inline: 0.75rem;
    align-items: center;
    white-space: pre;
    font: 0.8125rem/${ROW_PIXELS}px var(--mono);
  }
  .row.odd {
    background: color-mix(in srgb, var(--surface) 55%, transparent);
  }
  .time {
    color: var(--muted);
    min-inline-size: 4.6rem;
    text-align: end;
  }
  .thread {
    min-inline-size: 5.5rem;
    max-inline-size: 9rem;
    overflow: hidden;
    text-overflow: ellipsis;
    color: var(--muted);
  }
  .failed .line {
    color: var(--bad);
  }
  /* In sight however long the call is. */
  .answer {
    position: sticky;
    inset-inline-end: 0;
    background: var(--sunken);
  }
  .odd .answer {
    background: color-mix(in srgb, var(--surface) 55%, var(--sunken));
  }
  .empty {
    position: absolute;
    inset: 0;
    display: grid;
    place-content: center;
    text-align: center;
    padding: 1rem;
    color: var(--muted);
    pointer-events: none;
  }
  .newest {
    position: absolute;
    inset-block-end: 0.75rem;
    inset-inline-end: 1.25rem;
    background: var(--surface);
    box-shadow: 0 2px 8px #0003;
  }
  .foot {
    display: flex;
    flex-wrap: wrap;
    gap: 0 1rem;
    padding: 0.4rem 0.75rem;
    border-block-start: 1px solid var(--line);
    font-size: 0.8125rem;
    color: var(--muted);
  }
  .foot p {
    margin: 0;
  }
  .foot .busy {
    color: var(--busy);
  }
  .by-hand {
    position: absolute;
    inset: 0;
    display: grid;
    grid-template: auto minmax(0, 1fr) / minmax(0, 1fr) auto;
    align-items: center;
    gap: 0.5rem;
    padding: 0.75rem;
    background: var(--surface);
  }
  .by-hand textarea {
    grid-column: 1 / -1;
    inline-size: 100%;
    block-size: 100%;
    resize: none;
    font: 0.8125rem/1.4 var(--mono);
    white-space: pre;
  }
  @container (max-width: 34rem) {
    .bar label {
      flex-basis: 5rem;
    }
    .bar select {
      padding-inline: 0.4em;
    }
    .actions {
      margin-inline-start: 0;
      flex: 1 1 100%;
    }
    .actions button {
      flex: 1 1 0;
    }
    .time {
      display: none;
    }
    .thread {
      min-inline-size: 4.2rem;
    }
  }
`;
