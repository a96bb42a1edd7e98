// SPDX-License-Identifier: GPL-2.0-only
//
// How the graph is laid out: bar, picture or table, details, legend.

import { css } from "lit";

/** Styles of the element, after the theme. */
export const graphStyles = css`
  /* In a page that gives it less height than it wants, first the picture gets lower, and then all of it scrolls. */
  :host {
    container-type: inline-size;
    display: flex;
    flex-direction: column;
    overflow: auto;
  }
  .bar,
  .columns,
  .legend {
    flex: none;
  }
  h2,
  h3,
  h4,
  p,
  dl,
  dd,
  ol,
  ul {
    margin: 0;
    padding: 0;
  }
  h2 {
    font-size: 1.0625rem;
    line-height: 1.4;
  }
  h3 {
    font-size: 1rem;
  }
  h4 {
    font-size: 0.875rem;
  }
  .bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem 1rem;
    padding: 0.75rem 1rem;
    border-block-end: 1px solid var(--line);
  }
  .bar .title {
    flex: 1 1 9rem;
  }
  .bar form,
  .switch {
    display: flex;
    align-items: center;
  }
  .bar form {
    gap: 0.5rem;
  }
  .bar input {
    inline-size: 6.5rem;
  }
  .switch button {
    border-radius: 0;
  }
  .switch button:first-child {
    border-start-start-radius: var(--radius);
    border-end-start-radius: var(--radius);
    border-inline-end: 0;
  }
  .switch button:last-child {
    border-start-end-radius: var(--radius);
    border-end-end-radius: var(--radius);
  }
  .switch button[aria-pressed="true"] {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--on-accent);
    font-weight: 600;
  }
  .columns {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
  }
  .columns:not(.with-details) {
    flex: 1 1 auto;
    min-block-size: 14rem;
    grid-template-rows: minmax(0, 1fr);
  }
  .scroll {
    position: relative;
    overflow: auto;
    max-block-size: var(--iommufd-graph-height, min(70vh, 44rem));
    min-block-size: 14rem;
    background: var(--ground);
  }
  .scroll.table {
    background: var(--surface);
  }
  .scroll:focus-visible {
    outline-offset: -2px;
  }
  svg {
    display: block;
  }
  .sheet {
    contain: strict;
  }
  .picture {
    position: absolute;
    inset: 0;
  }
  .arrows,
  .picture {
    will-change: transform;
  }
  .arrows,
  .band {
    position: absolute;
    inset-block-start: 0;
    inset-inline-start: 0;
  }
  .band {
    isolation: isolate;
    pointer-events: none;
  }
  .band .box {
    pointer-events: auto;
  }
  .empty {
    position: absolute;
    inset: 0;
    display: grid;
    place-content: center;
    justify-items: center;
    gap: 0.5rem;
    padding: 1rem;
    text-align: center;
  }
  .empty p {
    max-inline-size: 26rem;
  }
  .empty strong {
    font-size: 1.0625rem;
  }

  @container (min-width: 44rem) {
    .columns.with-details {
      flex: 1 1 auto;
      min-block-size: 14rem;
      grid-template: minmax(0, 1fr) / minmax(0, 1fr) 21.5rem;
    }
  }
`;
