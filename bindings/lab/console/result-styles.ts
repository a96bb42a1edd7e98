// SPDX-License-Identifier: GPL-2.0-only
//
// How the answer and the history of <iommufd-console> look.

import { css } from "lit";

/** Styles of the answer and the history, after those of the element. */
export const resultStyles = css`
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
  @container (max-width: 26rem) {
    .dump {
      padding-inline: 0.5rem;
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
