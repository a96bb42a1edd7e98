// SPDX-License-Identifier: GPL-2.0-only
//
// The table of outcomes: what came up here beside what the kernel allows. An outcome that is not allowed stands out, with words.

import { type TemplateResult, html, nothing } from "lit";
import { type Race, type RaceOutcome, actorNames, afterInWords, allowedOutcome, keyOf } from "./race.js";

/** An outcome that came up here. */
export interface SeenOutcome extends RaceOutcome {
  readonly count: number;
}

export interface OutcomesView {
  readonly race: Race;
  readonly seen: readonly SeenOutcome[];
  /** What `count` counts: "schedules" or "tries". */
  readonly unit: string;
  /** Shares of all tries are shown. */
  readonly total: number | undefined;
  /** The outcome to be marked. */
  readonly current: RaceOutcome | undefined;
  /** Shows a schedule that ends so. */
  readonly onShow: ((outcome: RaceOutcome) => void) | undefined;
}

/** Renders the table. */
export function outcomesView(view: OutcomesView): TemplateResult {
  const { race, seen, unit } = view;
  const others = seen.filter((outcome) => allowedOutcome(race, outcome) === undefined);
  return html`
    ${
      others.length > 0
        ? html`<p class="loud" role="alert">
            <strong>Not allowed:</strong> the kernel never ends so, neither in its recording nor by its code. Please
            report it.
          </p>`
        : nothing
    }
    <div class="scroll" tabindex="0" role="region" aria-labelledby="outcomes-title">
      <table class="outcomes">
        <caption id="outcomes-title">
          Outcomes
        </caption>
        <thead>
          <tr>
            <th scope="col">How it ends</th>
            <th scope="col" class="number">Here, ${unit}</th>
            <th scope="col" class="number">Recorded kernel, ${grouped(race.tries)} tries</th>
          </tr>
        </thead>
        <tbody>
          ${[...race.outcomes, ...others].map((outcome) => rowOf(view, outcome))}
        </tbody>
      </table>
    </div>
    ${errnosView(race)}
  `;
}

function rowOf({ race, seen, total, current, onShow }: OutcomesView, outcome: RaceOutcome): TemplateResult {
  const allowed = allowedOutcome(race, outcome);
  const key = keyOf(outcome);
  const count = seen.find((other) => keyOf(other) === key)?.count ?? 0;
  const isCurrent = current !== undefined && keyOf(current) === key;
  return html`<tr
    class=${[isCurrent ? "current" : "", allowed === undefined ? "forbidden" : ""].join(" ")}
    aria-current=${isCurrent ? "true" : "false"}
  >
    <th scope="row">
      <span class="results">${resultsView(race, outcome)}</span>
      <span class="after">${afterInWords(race, outcome).join("; ")}</span>
      ${isCurrent ? html`<span class="tag">this schedule</span>` : nothing}
      ${allowed === undefined ? html`<span class="tag bad">not allowed</span>` : nothing}
      ${
        onShow === undefined || count === 0
          ? nothing
          : html`<button
              type="button"
              aria-label=${`Show one that ends so: ${textOf(race, outcome)}`}
              @click=${() => onShow(outcome)}
            >
              Show one
            </button>`
      }
    </th>
    <td class="number" data-count=${count}>${counted(count, total)}</td>
    <td class="number">
      ${
        allowed === undefined
          ? "never"
          : allowed.recorded === 0
            ? html`<span class="muted">possible, not seen</span>`
            : counted(allowed.recorded, race.tries)
      }
    </td>
  </tr>`;
}

/** The answers of an outcome, one for each thread. */
export function resultsView(race: Race, { results }: RaceOutcome): TemplateResult[] {
  return actorNames(race).map(
    (name, actor) =>
      html`<span class="result">${name} <span aria-hidden="true">→</span> <b>${results[actor]}</b></span>`,
  );
}

/** The answers of an outcome as text. */
export function textOf(race: Race, { results }: RaceOutcome): string {
  return actorNames(race)
    .map((name, actor) => `${name} answers ${results[actor] ?? ""}`)
    .join(", ");
}

/** Of the answers, in the order in which they are explained. */
const MEANINGS: readonly (readonly [string, string])[] = [
  ["0", "success"],
  ["EBUSY", "somebody still uses the object"],
  ["ENOENT", "there is no such object"],
  ["EBADF", "the file is closed"],
];

function errnosView({ outcomes }: Race): TemplateResult {
  const answers = new Set(outcomes.flatMap(({ results }) => results));
  const known = MEANINGS.filter(([answer]) => answers.has(answer));
  return html`<p class="legend">
    ${known.map(([answer, meaning]) => html`<span><b>${answer}</b> ${meaning}</span>`)}
  </p>`;
}

function counted(count: number, total: number | undefined): TemplateResult {
  if (total === undefined || total === 0) return html`${grouped(count)}`;
  const share = (100 * count) / total;
  const percent = share.toFixed((share > 0 && share < 1) || (share > 99 && share < 100) ? 2 : 0);
  return html`<span class="count">${grouped(count)}</span>
    <span class="share"
      ><span class="share-text">${percent} %</span
      ><span class="track" aria-hidden="true"><span style=${`inline-size: ${share}%`}></span></span
    ></span>`;
}

/** A number with its thousands set apart. */
export function grouped(count: number): string {
  return count.toLocaleString("en");
}
