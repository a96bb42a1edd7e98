// SPDX-License-Identifier: GPL-2.0-only
//
// How <iommufd-console> is laid out, and what its parts have in common.

import { css } from "lit";

/** Styles of the element, after the theme. */
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
    overflow: clip;
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
  }
`;
