// SPDX-License-Identifier: GPL-2.0-only
//
// What the elements look like, in one place: custom properties with defaults for light and dark.
//
// An embedder sets `--iommufd-*` on the element or on any ancestor; nothing else of his styles reaches inside. Dark follows
// the page's `color-scheme`, so a page that sets `color-scheme: light dark` gets what its reader prefers. Every pair of text
// and ground in the defaults has a contrast of at least 4.5 : 1.
//
//   --iommufd-ground --iommufd-surface --iommufd-sunken   page, panel, fields
//   --iommufd-text --iommufd-muted                        text, secondary text
//   --iommufd-line                                        borders
//   --iommufd-accent --iommufd-on-accent                  actions, selection, focus
//   --iommufd-good --iommufd-bad --iommufd-busy           success, errno, waiting; always with a word or a shape
//   --iommufd-type-1 … -6                                 object types, in order of their definition
//   --iommufd-font --iommufd-mono --iommufd-radius        faces, corners

import { css } from "lit";

/** Styles that each element of the lab starts with. */
export const theme = css`
  :host {
    --ground: var(--iommufd-ground, light-dark(#f6f7f9, #0f141b));
    --surface: var(--iommufd-surface, light-dark(#ffffff, #171e27));
    --sunken: var(--iommufd-sunken, light-dark(#eef1f4, #0c1117));
    --text: var(--iommufd-text, light-dark(#16202c, #e4eaf1));
    --muted: var(--iommufd-muted, light-dark(#526070, #9dabba));
    --line: var(--iommufd-line, light-dark(#d3dae2, #303b48));
    --accent: var(--iommufd-accent, light-dark(#1f5fbf, #7fb2ff));
    --on-accent: var(--iommufd-on-accent, light-dark(#ffffff, #0b1624));
    --good: var(--iommufd-good, light-dark(#1b6e3c, #67cf90));
    --bad: var(--iommufd-bad, light-dark(#b3261e, #ff9b90));
    --busy: var(--iommufd-busy, light-dark(#8a5300, #f2b861));
    --type-1: var(--iommufd-type-1, light-dark(#1f5fbf, #7fb2ff));
    --type-2: var(--iommufd-type-2, light-dark(#7a3fb0, #cda4f5));
    --type-3: var(--iommufd-type-3, light-dark(#0b6e6e, #5fd0cd));
    --type-4: var(--iommufd-type-4, light-dark(#8a5300, #f2b861));
    --type-5: var(--iommufd-type-5, light-dark(#9c2f62, #f59ac0));
    --type-6: var(--iommufd-type-6, light-dark(#4b6410, #b5d35f));
    --font: var(--iommufd-font, system-ui, sans-serif);
    --mono: var(--iommufd-mono, ui-monospace, "DejaVu Sans Mono", monospace);
    --radius: var(--iommufd-radius, 8px);
    display: block;
    box-sizing: border-box;
    min-inline-size: 0;
    color: var(--text);
    background: var(--surface);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    font: 0.9375rem/1.5 var(--font);
    overflow-wrap: anywhere;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  button,
  input,
  select,
  textarea {
    font: inherit;
    color: inherit;
    background: var(--sunken);
    border: 1px solid var(--line);
    border-radius: calc(var(--radius) * 0.75);
    padding: 0.3em 0.7em;
    min-block-size: 2.25em;
    min-inline-size: 0;
    max-inline-size: 100%;
  }
  button {
    cursor: pointer;
  }
  button:disabled {
    cursor: not-allowed;
    opacity: 0.6;
  }
  button.primary {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--on-accent);
  }
  code,
  .mono {
    font-family: var(--mono);
    font-size: 0.9em;
  }
  .muted {
    color: var(--muted);
  }
  .visually-hidden {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
`;
