// SPDX-License-Identifier: GPL-2.0-only
// How the address space is laid out: bar, buttons, the whole space, the ribbon, what is at one place, the legend.

import { css } from "lit";

/** Styles of the element, after the theme. */
export const iovaStyles = css`
  :host {
    container-type: inline-size;
  }
  h2,
  h3,
  p,
  dl,
  dd,
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
  .bar,
  .controls,
  .pages {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem 1rem;
    padding: 0.75rem 1rem;
  }
  .bar {
    border-block-end: 1px solid var(--line);
  }
  .bar .title {
    flex: 1 1 12rem;
  }
  .space {
    display: flex;
    align-items: center;
    gap: 0.5rem;
  }
  .switch {
    display: flex;
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
  button[aria-pressed="true"] {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--on-accent);
  }
  .switch button[aria-pressed="true"] {
    font-weight: 600;
  }
  .controls {
    gap: 0.375rem;
    padding-block-end: 0.5rem;
  }
  .controls button {
    min-inline-size: 2.5rem;
  }
  /* The lanes' names stand in the margin. */
  .pictures {
    padding-inline: 4.75rem 1rem;
  }
  .lanes {
    position: relative;
    margin-block: 0.25rem;
  }
  .lane-names span {
    position: absolute;
    inset-inline-start: -3.75rem;
    translate: 0 -50%;
    font-size: 0.8125rem;
    color: var(--muted);
  }
  .whole {
    margin-block: 0.25rem;
    cursor: pointer;
    touch-action: manipulation;
  }
  .sight-text {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    gap: 0 1rem;
    font-size: 0.875rem;
  }
  .strip {
    cursor: grab;
    touch-action: pan-y;
    user-select: none;
    border-radius: 4px;
    outline-offset: 0;
  }
  .strip:active {
    cursor: grabbing;
  }
  svg {
    display: block;
    flex: none;
    overflow: hidden;
  }
  .spot {
    display: grid;
    gap: 0.5rem;
    align-content: start;
    min-block-size: 11.5rem;
    padding: 0.75rem 1rem;
    border-block-start: 1px solid var(--line);
  }
  .spot dl {
    display: grid;
    gap: 0.2rem;
  }
  .spot dl div {
    display: grid;
    grid-template-columns: 5rem minmax(0, 1fr);
    align-items: baseline;
  }
  dt {
    color: var(--muted);
  }
  button.place {
    min-block-size: 1.75em;
    padding: 0 0.55em;
    font-family: var(--mono);
    font-size: 0.875rem;
  }
  .empty {
    display: grid;
    place-content: center;
    justify-items: center;
    gap: 0.5rem;
    min-block-size: 16rem;
    padding: 1rem;
    text-align: center;
  }
  .empty p {
    max-inline-size: 26rem;
  }
  .problem {
    padding: 0 1rem 0.75rem;
    color: var(--bad);
  }
  .plain {
    padding: 1rem;
  }
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
  .scroll {
    overflow: auto;
    max-block-size: min(70vh, 34rem);
  }
  .scroll:focus-visible {
    outline-offset: -2px;
  }
  table {
    inline-size: 100%;
    border-collapse: collapse;
    font-size: 0.875rem;
  }
  th,
  td {
    padding: 0.3rem 0.75rem;
    text-align: start;
    font-weight: 400;
    white-space: nowrap;
    border-block-end: 1px solid var(--line);
  }
  thead th {
    position: sticky;
    inset-block-start: 0;
    z-index: 1;
    background: var(--sunken);
    color: var(--muted);
    font-weight: 600;
  }
  tr.hole td:first-child {
    color: var(--muted);
  }
  @container (min-width: 44rem) {
    .spot dl {
      grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
      gap: 0.2rem 2rem;
    }
    .spot {
      min-block-size: 8rem;
    }
  }
`;
