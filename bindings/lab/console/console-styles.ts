// SPDX-License-Identifier: GPL-2.0-only
/** Styles of <iommufd-console>. */
import { css } from "lit";

export const consoleStyles = css`
  :host {
    container-type: inline-size;
    overflow: hidden;
  }
  .parts {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
  }
  form,
  .result,
  .history {
    display: grid;
    gap: 1rem;
    align-content: start;
    padding: 1rem;
    min-inline-size: 0;
  }
  .result,
  .history {
    border-block-start: 1px solid var(--line);
    gap: 0.6rem;
  }
  p,
  ul,
  ol {
    margin: 0;
    padding: 0;
  }
  .heading {
    font-size: 0.8125rem;
    font-weight: 600;
    color: var(--muted);
  }
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
  .verdict {
    display: grid;
    gap: 0.4rem;
  }
  .answer b {
    font: 700 1em/1.4 var(--mono);
  }
  .headline {
    font-size: 1.125rem;
  }
  .headline b {
    font-size: 1.25em;
    margin-inline-end: 0.3em;
  }
  .good {
    color: var(--good);
  }
  .bad {
    color: var(--bad);
  }
  .why {
    max-inline-size: 44rem;
  }
  .changes {
    list-style: none;
    display: grid;
    gap: 0.2rem;
  }
  .dump {
    overflow-x: auto;
    background: var(--sunken);
    border-radius: calc(var(--radius) * 0.75);
    padding: 0.5rem 0.75rem;
  }
  .dump table {
    inline-size: auto;
    font: 0.8125rem/1.6 var(--mono);
    white-space: nowrap;
  }
  .dump th {
    font-weight: 400;
    color: var(--muted);
    text-align: start;
  }
  .dump th,
  .dump td {
    padding: 0 1.25rem 0 0;
  }
  mark {
    background: color-mix(in srgb, var(--accent) 22%, transparent);
    color: inherit;
    font-weight: 700;
    text-decoration: underline 2px var(--accent);
    text-underline-offset: 2px;
    border-radius: 2px;
  }
  .title {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 0.5rem;
  }
  .history button {
    font-size: 0.8125rem;
    min-block-size: 2rem;
    padding-block: 0.1em;
  }
  .history ol {
    list-style: none;
    display: grid;
    gap: 0;
    max-block-size: 18rem;
    overflow-y: auto;
  }
  .history li {
    display: flex;
    flex-wrap: wrap;
    gap: 0.35rem 0.75rem;
    align-items: center;
    justify-content: space-between;
    padding-block: 0.4rem;
    border-block-start: 1px solid var(--line);
  }
  .history code {
    flex: 1 1 14rem;
    font-size: 0.8125rem;
    line-height: 1.45;
  }
  .history li div {
    display: flex;
    gap: 0.35rem;
  }
  @container (min-width: 56rem) {
    .parts {
      grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
    }
    form {
      grid-row: 1 / span 2;
      border-inline-end: 1px solid var(--line);
    }
    .result {
      border-block-start: 0;
    }
  }
  @container (max-width: 26rem) {
    form,
    .result,
    .history {
      padding-inline: 0.75rem;
    }
    .which {
      grid-template-columns: minmax(0, 1fr) 6rem;
      gap: 0.5rem;
    }
    .choice {
      grid-template-columns: minmax(0, 1fr);
    }
    .dump {
      padding-inline: 0.5rem;
    }
    form th,
    form td {
      padding-inline-end: 0.45rem;
    }
    form tbody th,
    form tbody td {
      font-size: 0.8125rem;
    }
    /* Under each other, the second line only where it differs. */
    .dump thead,
    .dump .same td + td {
      display: none;
    }
    .dump td {
      display: block;
      padding: 0;
    }
    .dump td + td::before {
      content: "→";
      display: inline-block;
      inline-size: 2ch;
      margin-inline-start: -2ch;
    }
    .dump th {
      vertical-align: top;
      padding-inline-end: 3ch;
    }
  }
`;
