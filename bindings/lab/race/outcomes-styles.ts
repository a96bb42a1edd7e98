// SPDX-License-Identifier: GPL-2.0-only
//
// The table of outcomes, with bars for shares. What is not allowed has a frame and a tag with words.

import { css } from "lit";

/** Table, tags and notes. */
export const outcomesStyles = css`
  /* Outcomes. */
  .end,
  .loud,
  .problem,
  .note {
    display: flex;
    flex-wrap: wrap;
    gap: 0.375rem 0.75rem;
    align-items: baseline;
    padding: 0.625rem 0.875rem;
    border: 1px solid var(--line);
    border-inline-start: 4px solid var(--good);
    border-radius: var(--radius);
    background: var(--sunken);
  }
  .note {
    border-inline-start-color: var(--busy);
  }
  .problem {
    border-inline-start-color: var(--bad);
  }
  .loud {
    border: 2px solid var(--bad);
    font-size: 1.0625rem;
  }
  .loud strong {
    color: var(--bad);
  }
  .end-title {
    font-weight: 600;
  }
  .results {
    display: flex;
    flex-wrap: wrap;
    gap: 0.125rem 1rem;
    font-family: var(--mono);
    font-size: 0.875rem;
    font-weight: 400;
  }
  .result {
    white-space: nowrap;
  }
  .tag {
    display: inline-block;
    padding: 0 0.5em;
    border: 1px solid currentColor;
    border-radius: 1em;
    font-size: 0.75rem;
    font-weight: 600;
    line-height: 1.5;
    color: var(--accent);
    white-space: nowrap;
  }
  .tag.good {
    color: var(--good);
  }
  .tag.bad {
    color: var(--bad);
  }
  .scroll {
    overflow-x: auto;
    position: relative; /* or what is visually hidden sticks out */
  }
  table {
    inline-size: 100%;
    border-collapse: collapse;
    text-align: start;
  }
  caption {
    text-align: start;
    font-weight: 600;
    padding-block-end: 0.375rem;
  }
  thead th {
    font-size: 0.75rem;
    font-weight: 400;
    color: var(--muted);
    vertical-align: bottom;
    overflow-wrap: normal;
    text-align: start;
    padding: 0.25rem 0.625rem;
    border-block-end: 1px solid var(--line);
  }
  tbody th,
  tbody td {
    padding: 0.5rem 0.625rem;
    vertical-align: top;
    text-align: start;
    border-block-end: 1px solid var(--line);
  }
  tbody th {
    font-weight: 400;
    min-inline-size: 9rem;
  }
  thead th.number,
  tbody td.number {
    text-align: end;
    font-variant-numeric: tabular-nums;
    min-inline-size: 4.25rem;
  }
  tbody th button {
    margin-block-start: 0.375rem;
    min-block-size: 2em;
    font-size: 0.8125rem;
    white-space: nowrap;
  }
  tr.current th[scope="row"] {
    box-shadow: inset 3px 0 0 var(--accent);
  }
  tr.forbidden th[scope="row"] {
    box-shadow: inset 3px 0 0 var(--bad);
  }
  .after {
    display: block;
    font-size: 0.8125rem;
    color: var(--muted);
  }
  .share {
    display: grid;
    gap: 0.125rem;
    font-size: 0.8125rem;
    color: var(--muted);
  }
  .track {
    display: block;
    block-size: 4px;
    border-radius: 2px;
    background: var(--sunken);
    overflow: hidden;
  }
  .track > span {
    display: block;
    block-size: 100%;
    margin-inline-start: auto;
    background: var(--accent);
  }
  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 0.125rem 1.25rem;
    font-size: 0.8125rem;
    color: var(--muted);
  }
  .aside {
    font-size: 0.8125rem;
    max-inline-size: 75ch;
  }
  .legend b {
    font-family: var(--mono);
    color: var(--text);
  }
`;
