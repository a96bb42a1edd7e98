// SPDX-License-Identifier: GPL-2.0-only
//
// The swim lanes: narrow, a rail of numbered dots with the text beside it; wide, the text in its lane.
//
// Each lane has a colour, and its number; what is ahead is muted, what happens now has a frame.

import { css } from "lit";

/** Lanes, heads and rows. */
export const timeLineStyles = css`
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
`;
