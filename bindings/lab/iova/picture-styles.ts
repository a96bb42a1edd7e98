// SPDX-License-Identifier: GPL-2.0-only
// How the shapes of the ribbon and of the whole space look.

import { css } from "lit";

/** Styles of the shapes, after those of the element. */
export const pictureStyles = css`
  .lane {
    fill: var(--sunken);
  }
  .right.read {
    fill: var(--type-3);
  }
  .right.write {
    fill: var(--type-4);
  }
  .shade-1 {
    opacity: 0.4;
  }
  .shade-2 {
    opacity: 0.6;
  }
  .shade-3 {
    opacity: 0.8;
  }
  .outline {
    fill: none;
    stroke: var(--text);
    stroke-width: 1;
  }
  .transition {
    fill: none;
    stroke: var(--busy);
    stroke-width: 2;
    stroke-dasharray: 4 3;
  }
  .memory.colour-0 {
    fill: var(--muted);
  }
  .memory.colour-1 {
    fill: var(--type-1);
  }
  .memory.colour-2 {
    fill: var(--type-2);
  }
  .memory.colour-3 {
    fill: var(--type-5);
  }
  .memory.colour-4 {
    fill: var(--type-6);
  }
  .marks {
    fill: var(--text);
  }
  .allowed {
    fill: var(--good);
  }
  .reserved {
    fill: url(#hatch);
    stroke: var(--bad);
  }
  .reserved.sample {
    fill: none;
    stroke-dasharray: 2 2;
  }
  .hatch {
    stroke: var(--bad);
    stroke-width: 2;
  }
  .chosen {
    fill: none;
    stroke: var(--accent);
    stroke-width: 2.5;
  }
  .tick {
    stroke: var(--muted);
    stroke-width: 1;
    opacity: 0.45;
  }
  text {
    font-size: 12px;
    fill: var(--muted);
  }
  .iova {
    font-family: var(--mono);
  }
  .minimap .areas {
    fill: var(--accent);
  }
  .fold {
    fill: none;
    stroke: var(--muted);
    stroke-width: 2;
    stroke-dasharray: 2 4;
  }
  .sight {
    fill: color-mix(in srgb, var(--text) 8%, transparent);
    stroke: var(--text);
    stroke-width: 1.5;
    pointer-events: none;
  }
`;
