// SPDX-License-Identifier: GPL-2.0-only
//
// The same facts as tables, for everybody who would rather read than look.

import { type TemplateResult, html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { type ObjectFacts, STATES, grouped } from "./facts.js";
import type { Summary } from "./summary.js";

const MOST_LISTED = 8;

/** All objects, a row each. */
export function objectTable(
  objects: Iterable<ObjectFacts>,
  heldBy: (id: number) => readonly number[],
  selected: number | undefined,
  select: (id: number) => void,
): TemplateResult {
  return html`<table>
    <caption class="visually-hidden">
      Objects of the file
    </caption>
    <thead>
      <tr>
        <th scope="col">Object</th>
        <th scope="col">Type</th>
        <th scope="col">State</th>
        <th scope="col" class="number">Users</th>
        <th scope="col" class="number">In use by calls</th>
        <th scope="col">Holds</th>
        <th scope="col">Held by objects</th>
      </tr>
    </thead>
    <tbody>
      ${repeat(
        objects,
        ({ id }) => id,
        ({ id, type, state, users, holders, references }) =>
          html`<tr class=${id === selected ? "selected" : ""}>
            <th scope="row">
              <button
                type="button"
                class="id"
                aria-label=${`Object ${id}`}
                aria-pressed=${id === selected ? "true" : "false"}
                @click=${() => select(id)}
              >
                ${id}
              </button>
            </th>
            <td>${type.name}</td>
            <td>${state}</td>
            <td class="number">${users}</td>
            <td class="number">${holders}</td>
            <td>${listed(references)}</td>
            <td>${listed(heldBy(id))}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** The objects added up, a row for each type. */
export function summaryTable({ types, edges }: Summary, select: (id: number) => void): TemplateResult {
  const nameOf = new Map(types.map(({ number, name }) => [number, name]));
  return html`<table>
    <caption class="visually-hidden">
      Objects by type
    </caption>
    <thead>
      <tr>
        <th scope="col">Type</th>
        <th scope="col" class="number">Objects</th>
        ${STATES.map((state) => html`<th scope="col" class="number">${state}</th>`)}
        <th scope="col">References to</th>
        <th scope="col">First objects</th>
      </tr>
    </thead>
    <tbody>
      ${types.map(
        ({ number, name, objects, states, first }) =>
          html`<tr>
            <th scope="row">${name}</th>
            <td class="number">${grouped(objects)}</td>
            ${STATES.map((state) => html`<td class="number">${grouped(states[state])}</td>`)}
            <td>
              ${
                edges
                  .filter(({ from }) => from === number)
                  .map(({ to, references }) => `${nameOf.get(to) ?? to}: ${grouped(references)}`)
                  .join(", ") || "none"
              }
            </td>
            <td>
              <span class="ids"
                >${first
                  .slice(0, MOST_LISTED)
                  .map(
                    (id) =>
                      html`<button type="button" class="id" aria-label=${`Object ${id}`} @click=${() => select(id)}>
                        ${id}
                      </button>`,
                  )}</span
              >
            </td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function listed(ids: readonly number[]): TemplateResult {
  if (ids.length === 0) return html`<span class="muted">nothing</span>`;
  const more = ids.length - MOST_LISTED;
  return html`${ids.slice(0, MOST_LISTED).join(", ")}${more > 0 ? ` and ${more} more` : nothing}`;
}
