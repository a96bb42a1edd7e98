// SPDX-License-Identifier: GPL-2.0-only
//
// What the race element looks like. Everything goes by the element's own width, not by the page's.
//
// Threads have the theme's first type colours, always with their number; what is marked has a frame and a word besides its colour.

import { css } from "lit";

export const raceStyles = css`
  :host {
    container-type: inline-size;
  }
  .frame {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1rem;
    padding: clamp(0.75rem, 2.5cqi, 1.5rem);
  }
  p,
  h2,
  ol,
  dl,
  dd {
    margin: 0;
  }
  h2 {
    font-size: 1rem;
    line-height: 1.4;
  }
  .top {
    display: flex;
    flex-wrap: wrap;
    gap: 0.75rem 1.5rem;
    align-items: end;
    justify-content: space-between;
  }
  .which {
    display: grid;
    gap: 0.25rem;
    flex: 1 1 15rem;
    max-inline-size: 26rem;
    min-inline-size: 0;
  }
  .which > span {
    font-size: 0.8125rem;
    color: var(--muted);
  }
  .which select {
    font-weight: 600;
  }
  .modes,
  .pick {
    display: inline-flex;
    flex-wrap: wrap;
    gap: 0.375rem;
  }
  button[aria-pressed="true"] {
    border-color: var(--accent);
    box-shadow: inset 0 0 0 1px var(--accent);
    color: var(--accent);
    font-weight: 600;
  }
  button:hover:not(:disabled) {
    border-color: var(--accent);
  }
  .what {
    font-size: 1.0625rem;
    max-inline-size: 70ch;
  }
  .promise {
    max-inline-size: 75ch;
    margin-block-start: -0.5rem;
    color: var(--muted);
  }
  .promise b {
    color: var(--text);
  }
  .step,
  .run {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1rem;
  }
  .bar {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
    align-items: center;
  }
  .bar .place {
    padding-inline: 0.25rem;
    font-variant-numeric: tabular-nums;
  }
  .bar .status {
    flex: 1 1 12rem;
    min-inline-size: 0;
  }
  .check {
    display: inline-flex;
    align-items: center;
    gap: 0.4em;
    margin-inline-start: auto;
  }
  .check input {
    min-block-size: 0;
    inline-size: 1.1em;
    block-size: 1.1em;
    accent-color: var(--accent);
  }
  .hint {
    font-size: 0.8125rem;
    margin-block-start: 0.375rem;
  }
  .stage {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1rem;
    align-items: start;
  }
  .left {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.5rem;
  }

  /* Swim lanes: narrow, a rail of dots with the text beside it; wide, the text in its lane. */
  .lanes {
    border: 1px solid var(--line);
    border-radius: var(--radius);
    overflow: hidden;
    background: var(--surface);
  }
  [data-lane="1"] {
    --hue: var(--type-1);
  }
  [data-lane="2"] {
    --hue: var(--type-2);
  }
  [data-lane="3"] {
    --hue: var(--type-3);
  }
  .heads {
    display: grid;
    grid-template-columns: repeat(var(--lanes), minmax(0, 1fr));
    border-block-end: 1px solid var(--line);
    background: var(--sunken);
  }
  .head {
    display: flex;
    flex-wrap: wrap;
    gap: 0 0.5rem;
    align-items: baseline;
    padding: 0.5rem 0.625rem;
    border-block-start: 3px solid var(--hue);
  }
  .head + .head {
    border-inline-start: 1px solid var(--line);
  }
  .head .name {
    font-size: 0.8125rem;
    color: var(--muted);
  }
  .head .call {
    font-family: var(--mono);
    font-weight: 600;
    font-size: 0.875rem;
  }
  .head .state {
    margin-inline-start: auto;
    font-size: 0.75rem;
    color: var(--muted);
  }
  .state.asleep {
    color: var(--busy);
    font-weight: 600;
  }
  .state.done {
    color: var(--good);
    font-weight: 600;
  }
  .time {
    list-style: none;
    padding: 0.375rem 0;
    block-size: clamp(16rem, 55cqi, 27rem);
    overflow-y: auto;
    overscroll-behavior: contain;
    position: relative;
  }
  .time:focus-visible {
    outline-offset: -3px;
  }
  .time li {
    display: grid;
    grid-template-columns: repeat(var(--lanes), 1.5rem) minmax(0, 1fr);
    align-items: start;
    padding-inline: 0.375rem;
    min-block-size: 1.75rem;
  }
  .time .dot {
    grid-column: var(--lane);
    grid-row: 1;
    justify-self: center;
    margin-block-start: 0.3125rem;
    inline-size: 1.125rem;
    block-size: 1.125rem;
    border-radius: 50%;
    border: 1.5px solid var(--hue);
    color: var(--hue);
    font-size: 0.75rem;
    line-height: 1rem;
    text-align: center;
  }
  .time .cell {
    grid-column: -2 / -1;
    grid-row: 1;
    padding: 0.25rem 0.5rem;
    border-radius: calc(var(--radius) * 0.5);
    font-size: 0.875rem;
    line-height: 1.4;
    border-inline-start: 3px solid transparent;
  }
  .time .event,
  .time .answer {
    cursor: pointer;
  }
  .time .event:hover .cell,
  .time .answer:hover .cell {
    background: var(--sunken);
  }
  .time .ahead .cell {
    color: var(--muted);
  }
  .time .past .cell {
    border-inline-start-color: var(--hue);
  }
  .time .now .cell {
    background: var(--sunken);
    border-inline-start-color: var(--hue);
    box-shadow: inset 0 0 0 1px var(--hue);
    font-weight: 600;
    color: var(--text);
  }
  .time .past .dot,
  .time .now .dot {
    background: var(--hue);
    color: var(--surface);
  }
  .time .own .dot {
    inline-size: 0.375rem;
    block-size: 0.375rem;
    margin-block-start: 0.625rem;
    background: var(--hue);
  }
  .time .own .cell {
    font-size: 0.75rem;
    color: var(--muted);
    font-weight: 400;
  }
  .time .answer .cell {
    font-family: var(--mono);
    font-weight: 600;
  }
  .within {
    display: block;
    font-family: var(--mono);
    font-size: 0.75rem;
    font-weight: 400;
    color: var(--muted);
  }

  /* The state word. */
  .word {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.75rem;
    padding: 0.875rem;
    border: 1px solid var(--line);
    border-radius: var(--radius);
  }
  .summary {
    display: grid;
    gap: 0.125rem;
    min-block-size: 3.25em;
  }
  .summary .now {
    font-weight: 600;
  }
  .fields {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
  }
  .field {
    flex: 1 1 calc(var(--bits) * 0.9375rem + 1.125rem);
    min-inline-size: min(6.25rem, 100%);
    max-inline-size: 100%;
    padding: 0.375rem 0.5rem;
    border: 1px solid var(--line);
    border-radius: calc(var(--radius) * 0.5);
  }
  .field.changed {
    border-color: var(--busy);
    box-shadow: inset 0 0 0 1px var(--busy);
  }
  .field dt {
    font-size: 0.75rem;
    color: var(--muted);
  }
  .field .value {
    font-weight: 600;
    font-variant-numeric: tabular-nums;
  }
  .field .was {
    font-size: 0.75rem;
    color: var(--busy);
    white-space: nowrap;
  }
  .bits {
    display: flex;
    flex-wrap: wrap;
    gap: 1px;
    margin-block-start: 0.125rem;
    font: 0.75rem/1.25 var(--mono);
  }
  .bit {
    inline-size: 0.875rem;
    text-align: center;
    border-radius: 2px;
    color: var(--muted);
    background: var(--sunken);
  }
  .bit.on {
    background: var(--accent);
    color: var(--on-accent);
  }
  .bit.changed {
    outline: 2px solid var(--busy);
    outline-offset: -1px;
    font-weight: 700;
  }
  details {
    font-size: 0.875rem;
  }
  summary {
    cursor: pointer;
    color: var(--accent);
    inline-size: fit-content;
  }
  .meanings {
    display: grid;
    gap: 0.375rem;
    margin-block: 0.5rem;
  }
  .meanings dt {
    font-weight: 600;
    display: inline;
  }
  .meanings dt::after {
    content: ": ";
  }
  .meanings dd {
    display: inline;
  }

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

  @container (min-width: 40rem) {
    .time li {
      grid-template-columns: repeat(var(--lanes), minmax(0, 1fr));
      padding-inline: 0;
    }
    .time .dot {
      display: none;
    }
    .time .cell {
      grid-column: var(--lane);
      margin-inline: 0.25rem;
    }
    .time {
      background: repeating-linear-gradient(
        to right,
        transparent 0 calc(100% / var(--lanes) - 1px),
        var(--line) calc(100% / var(--lanes) - 1px) calc(100% / var(--lanes))
      );
    }
  }
  @container (min-width: 62rem) {
    .stage {
      grid-template-columns: minmax(0, 3fr) minmax(0, 2fr);
    }
  }
`;
