// SPDX-License-Identifier: GPL-2.0-only
//
// What the race element looks like. Everything goes by the element's own width, not by the page's.
//
// Threads have the theme's first type colours, always with their number; what is marked has a frame and a word besides its colour.

import { css } from "lit";

/** The element's frame, its controls and its notes. */
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

  @container (max-width: 26rem) {
    .bar .place {
      order: -1;
      flex: 1 1 100%;
      padding: 0;
    }
  }
  @container (min-width: 62rem) {
    .stage {
      grid-template-columns: minmax(0, 3fr) minmax(0, 2fr);
    }
  }
`;
