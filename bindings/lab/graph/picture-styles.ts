// SPDX-License-Identifier: GPL-2.0-only
//
// How boxes and arrows look, in the picture and in the legend; colours are the theme's.

import { css } from "lit";
import { FADE_MS } from "./motion.js";

/** Styles of the picture, after those of the element. */
export const pictureStyles = css`
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
  /* What nobody sees is not there: of hundreds of boxes, each shape more costs every frame. */
  .ring,
  .live .mark,
  .type .mark {
    display: none;
  }
  .ring {
    fill: none;
  }
  .box[aria-selected="true"] .ring {
    display: inline;
    stroke: var(--accent);
    stroke-width: 3;
  }
  .box:hover .shape {
    fill: var(--sunken);
  }
  .box:focus-visible .ring {
    display: inline;
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
  .arrows .selected {
    will-change: transform;
  }
  .arrows .selected .lines {
    stroke: var(--accent);
    stroke-width: 2.5;
  }
  .arrows .selected .heads {
    fill: var(--accent);
  }
  .crowded .all .lines {
    stroke-width: 1;
    stroke-opacity: 0.35;
  }
  .crowded .all .heads {
    fill-opacity: 0.5;
  }
  .labels text {
    font: 600 12.5px var(--font);
    fill: var(--text);
    text-anchor: middle;
    stroke: var(--ground);
    stroke-width: 5;
    paint-order: stroke;
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
