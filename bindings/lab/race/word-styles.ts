// SPDX-License-Identifier: GPL-2.0-only
//
// The state word: a box for each field, a square for each bit. A set bit is filled, a changed one has a frame.

import { css } from "lit";

/** Fields and bits. */
export const wordStyles = css`
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
`;
