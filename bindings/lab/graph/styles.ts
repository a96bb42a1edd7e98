// SPDX-License-Identifier: GPL-2.0-only
//
// How the graph looks; colours are the theme's.

import { css } from "lit";
import { FADE_MS } from "./motion.js";

/** Styles of <iommufd-graph>, after the theme. */
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
  .arrows,
  .picture {
    will-change: transform;
  }
  .arrows {
    position: absolute;
    inset-block-start: 0;
    inset-inline-start: 0;
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

  /* the picture */
  .box {
    cursor: pointer;
    outline: none;
  }
  .box .body {
    animation: appear ${FADE_MS}ms ease-out;
  }
  .box.leaving .body {
    animation: none;
    opacity: 0;
    transition: opacity ${FADE_MS}ms ease-out;
  }
  /* Hundreds of boxes: what comes and goes is marked instead, so that no frame but the first and the last is painted. */
  .box.chip .body {
    animation: none;
    transition: none;
  }
  .box.chip.leaving .body {
    opacity: 0.4;
  }
  @keyframes appear {
    from {
      opacity: 0;
    }
  }
  .shape {
    fill: var(--surface);
    stroke: var(--type, var(--muted));
    stroke-width: 1.75;
  }
  .reserved .shape {
    stroke-dasharray: 5 3;
  }
  .destroying .shape,
  .leaked .shape {
    fill: var(--sunken);
    stroke-width: 2.75;
  }
  .mark {
    fill: none;
    stroke: var(--type, var(--muted));
    stroke-width: 2;
  }
  .destroying .mark,
  .leaked .mark {
    stroke: var(--bad);
    stroke-width: 2.5;
  }
  .ring {
    fill: none;
    stroke: none;
    stroke-width: 2;
  }
  .box[aria-selected="true"] .ring {
    stroke: var(--accent);
    stroke-width: 3;
  }
  .box:hover .shape {
    fill: var(--sunken);
  }
  .box:focus-visible .ring {
    stroke: var(--text);
    stroke-width: 2.5;
    stroke-dasharray: 6 3;
  }
  .box text {
    font: 12.5px var(--font);
    fill: var(--text);
    pointer-events: none;
  }
  .box .title {
    font-size: 13.5px;
    font-weight: 650;
    fill: var(--type, var(--text));
  }
  .box.chip .title {
    font-size: 12.5px;
  }
  .box .aside {
    text-anchor: end;
  }
  .box .line {
    fill: var(--text);
  }
  .lines {
    fill: none;
    stroke: var(--muted);
    stroke-width: 1.5;
  }
  .heads {
    fill: var(--muted);
  }
  .lines.selected {
    stroke: var(--accent);
    stroke-width: 2.5;
  }
  .heads.selected {
    fill: var(--accent);
  }
  .crowded .lines.others {
    stroke-width: 1;
    opacity: 0.35;
  }
  .crowded .heads.others {
    opacity: 0.5;
  }
  .labels text {
    font: 600 12.5px var(--font);
    fill: var(--text);
    text-anchor: middle;
    stroke: var(--ground);
    stroke-width: 5;
    paint-order: stroke;
  }

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
    .columns.with-details {
      flex: 1 1 auto;
      min-block-size: 14rem;
      grid-template: minmax(0, 1fr) / minmax(0, 1fr) 21.5rem;
    }
    .details {
      border-block-start: 0;
      border-inline-start: 1px solid var(--line);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .box .body {
      animation: none;
    }
  }
  @media (forced-colors: active) {
    .shape,
    .lines {
      stroke: CanvasText;
    }
    .box[aria-selected="true"] .ring {
      stroke: Highlight;
    }
  }
`;
