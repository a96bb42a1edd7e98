// SPDX-License-Identifier: GPL-2.0-only
//
// What the shapes, marks and colours mean.

import { type TemplateResult, html, nothing, svg } from "lit";
import { type Card, shortNames } from "./cards.js";
import { STATES } from "./facts.js";
import type { ObjectWatch } from "./object-watch.js";
import { MARKS, outline } from "./outlines.js";

const SAMPLE = { width: 26, height: 16 };
const MEANING: Readonly<Record<Card["state"], string>> = {
  reserved: "has an ID, not published",
  live: "published",
  destroying: "a destroyer waits",
  leaked: "left behind by a release",
  type: "all objects of a type",
};

/** A type as the picture shows it. */
export interface LegendType {
  readonly name: string;
  readonly short: string;
  readonly number: number;
}

/** The types of what is there, in the order of their definition. */
export function legendTypes({ summary, model }: ObjectWatch): LegendType[] {
  const types = summary?.types ?? [...model.objects.values()].map(({ type }) => type);
  const short = shortNames(types);
  const byNumber = new Map(types.map(({ name, number }) => [number, { name, number, short: short.get(name) ?? name }]));
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}

/** The legend; with chips it tells how to read one. */
export function legend(types: readonly LegendType[], chips: boolean): TemplateResult {
  const [example] = types;
  return html`<ul class="legend" aria-label="Legend">
    ${types.map(
      ({ name, short, number }) =>
        html`<li>
          <span class="swatch" style=${`background: var(--type-${((number - 1) % 6) + 1})`}></span>
          ${chips ? html`<b>${short}</b> ` : nothing}${name}
        </li>`,
    )}
    ${STATES.map(
      (state) =>
        html`<li>
          ${sample(state)}<span>${state}<span class="muted">, ${MEANING[state]}</span></span>
        </li>`,
    )}
    <li>
      <svg width="26" height="16" aria-hidden="true">
        <path class="lines" d="M2,8H18" />
        <path class="heads" d="M25,8l-7,-4v8Z" />
      </svg>
      <span>holds a reference on</span>
    </li>
    ${
      chips && example !== undefined
        ? html`<li>
            <b>${example.short} 7</b><span class="muted">2·1: object 7 of type ${example.name}, 2 users, 1 holder</span>
          </li>`
        : nothing
    }
  </ul>`;
}

function sample(state: Card["state"]): TemplateResult {
  const { width, height } = SAMPLE;
  return html`<svg class="sample" width=${width + 6} height=${height + 6} aria-hidden="true">
    ${svg`<g class=${`box ${state}`} transform=${`translate(${width / 2 + 3} ${height / 2 + 3})`}>
      <path class="shape" d=${outline(state, SAMPLE)}></path><path class="mark" d=${MARKS[state]}></path>
    </g>`}
  </svg>`;
}
