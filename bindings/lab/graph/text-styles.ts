// SPDX-License-Identifier: GPL-2.0-only
//
// How what stands around the picture looks: legend, the selected object's details, tables.

import { css } from "lit";

/** Styles of legend, details and tables, after those of the element. */
export const textStyles = css`
  /* legend */
  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 1rem;
    padding: 0.6rem 1rem;
    border-block-start: 1px solid var(--line);
    list-style: none;
    font-size: 0.8125rem;
  }
  .legend li {
    display: flex;
    align-items: center;
    gap: 0.4rem;
  }
  .legend .swatch {
    inline-size: 0.75rem;
    block-size: 0.75rem;
    border-radius: 3px;
  }
  .legend .box {
    cursor: auto;
  }
  .legend b {
    white-space: nowrap;
  }
  .legend svg {
    flex: none;
  }

  /* details */
  .details {
    display: grid;
    gap: 0.9rem;
    align-content: start;
    padding: 0.9rem 1rem 1rem;
    border-block-start: 1px solid var(--line);
    max-block-size: var(--iommufd-graph-height, min(70vh, 44rem));
    overflow: auto;
  }
  .details header {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 0.5rem;
  }
  .details dl {
    display: grid;
    gap: 0.25rem;
  }
  .details dl div {
    display: grid;
    grid-template-columns: 5rem minmax(0, 1fr);
    align-items: baseline;
  }
  dt {
    color: var(--muted);
  }
  .ids {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.3rem;
  }
  button.id {
    position: relative;
    min-block-size: 1.75em;
    padding: 0 0.55em;
    font-family: var(--mono);
    font-size: 0.875rem;
    font-variant-numeric: tabular-nums;
  }
  .payload,
  .history {
    display: grid;
    gap: 0.4rem;
  }
  .hex {
    margin: 0;
    padding: 0.6rem 0.75rem;
    overflow: auto;
    max-block-size: 14rem;
    background: var(--sunken);
    border-radius: calc(var(--radius) * 0.75);
    font: 0.8125rem/1.6 var(--mono);
    white-space: pre;
  }
  .history ol {
    display: grid;
    gap: 0.2rem;
    list-style: none;
    font-size: 0.875rem;
  }
  .history li {
    display: grid;
    grid-template-columns: 7rem minmax(0, 1fr);
    gap: 0.5rem;
    align-items: baseline;
  }

  /* tables */
  table {
    inline-size: 100%;
    border-collapse: collapse;
    font-size: 0.875rem;
  }
  th,
  td {
    padding: 0.35rem 0.75rem;
    text-align: start;
    font-weight: 400;
    overflow-wrap: normal;
    border-block-end: 1px solid var(--line);
  }
  thead th {
    position: sticky;
    inset-block-start: 0;
    z-index: 1;
    background: var(--sunken);
    color: var(--muted);
    font-weight: 600;
    white-space: nowrap;
  }
  table .ids {
    flex-wrap: nowrap;
  }
  .number {
    text-align: end;
    font-variant-numeric: tabular-nums;
  }
  tr.selected {
    background: var(--sunken);
  }
  tr.selected button.id,
  button.id[aria-pressed="true"] {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--on-accent);
  }
  @container (min-width: 44rem) {
    .details {
      border-block-start: 0;
      border-inline-start: 1px solid var(--line);
    }
  }
`;
