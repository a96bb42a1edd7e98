// SPDX-License-Identifier: GPL-2.0-only
//
// How the form of <iommufd-console> looks: command, fields, hex, mistakes on purpose.

import { css } from "lit";

/** Styles of the form, after those of the element. */
export const formStyles = css`
  .which {
    display: grid;
    grid-template-columns: minmax(0, 1fr) 7.5rem;
    gap: 0.75rem;
  }
  label,
  .choice > span,
  legend {
    font-size: 0.8125rem;
    color: var(--muted);
  }
  .which label:not([for]),
  .labelled {
    display: grid;
    gap: 0.2rem;
    align-content: start;
  }
  .labelled input,
  .labelled textarea,
  label select {
    inline-size: 100%;
    color: var(--text);
    font-size: 0.9375rem;
  }
  input.mono,
  textarea.mono {
    font: 0.875rem/1.6 var(--mono);
  }
  textarea {
    resize: vertical;
  }
  table {
    inline-size: 100%;
    border-collapse: collapse;
  }
  form th,
  form td {
    padding: 0.2rem 0.6rem 0.2rem 0;
    text-align: start;
    font-weight: 400;
    border-block-end: 1px solid var(--line);
  }
  form td:last-child,
  form th:last-child {
    padding-inline-end: 0;
    inline-size: 46%;
  }
  /* A caret is a layer of its own, and what is painted after it in the same clip becomes another one: without these clips all of the page. */
  form td:last-child,
  .labelled {
    overflow: clip;
    overflow-clip-margin: 8px;
  }
  form thead th {
    font-size: 0.8125rem;
    color: var(--muted);
  }
  form tbody th,
  form tbody td {
    font: 0.875rem/1.5 var(--mono);
  }
  form tbody td:nth-child(-n + 3):not(:last-child) {
    color: var(--muted);
  }
  form td code {
    font-size: 1em;
  }
  form td input {
    inline-size: 100%;
    min-block-size: 2rem;
    padding-block: 0.1rem;
  }
  form th:first-child,
  form td:first-child,
  form td:nth-child(3),
  form thead th {
    white-space: nowrap;
  }
  .number {
    font-variant-numeric: tabular-nums;
  }
  .tail td,
  .tail th {
    color: var(--busy);
  }
  .absent th {
    color: var(--muted);
    text-decoration: line-through;
  }
  input[aria-invalid="true"],
  textarea[aria-invalid="true"] {
    border-color: var(--bad);
    border-inline-start-width: 4px;
  }
  .problem {
    color: var(--bad);
    font: 0.8125rem/1.4 var(--font);
  }
  .mistakes {
    display: grid;
    gap: 0.6rem;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    padding: 0.6rem 0.8rem 0.8rem;
    margin: 0;
    min-inline-size: 0;
  }
  legend {
    padding-inline: 0.35rem;
  }
  .choice {
    display: grid;
    grid-template-columns: 4.2rem minmax(0, 1fr);
    gap: 0.25rem 0.5rem;
    align-items: baseline;
  }
  .choice div {
    display: flex;
    flex-wrap: wrap;
    gap: 0.35rem;
  }
  .choice button {
    font-size: 0.8125rem;
    padding: 0.15em 0.7em;
    min-block-size: 2rem;
    border-radius: 1rem;
  }
  .choice button[aria-pressed="true"] {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--on-accent);
  }
  .run {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem 0.75rem;
    align-items: center;
  }
  .run .primary {
    min-inline-size: 7rem;
    font-weight: 600;
  }
  @container (max-width: 26rem) {
    .which {
      grid-template-columns: minmax(0, 1fr) 6rem;
      gap: 0.5rem;
    }
    .choice {
      grid-template-columns: minmax(0, 1fr);
    }
    form th,
    form td {
      padding-inline-end: 0.45rem;
    }
    form tbody th,
    form tbody td {
      font-size: 0.8125rem;
    }
  }
`;
