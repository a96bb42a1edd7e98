// SPDX-License-Identifier: GPL-2.0-only
//
// The step mode: which schedule, which step, the lanes, the state word, and what all schedules come to.

import { type TemplateResult, html, nothing } from "lit";
import { guard } from "lit/directives/guard.js";
import { grouped, outcomesView, resultsView } from "./outcomes-view.js";
import { type Race, allowedOutcome, keyOf } from "./race.js";
import type { RaceWalk } from "./race-walk.js";
import { threadStates } from "./time-line.js";
import { timeLineView } from "./time-line-view.js";
import { wordView } from "./word-view.js";

/** Renders the mode. */
export function stepView(race: Race, walk: RaceWalk): TemplateResult {
  if (walk.problem !== undefined) return html`<p class="problem" role="alert">${walk.problem}</p>`;
  const { shown, stepper } = walk;
  if (shown === undefined || stepper === undefined)
    return html`<p class="muted" role="status">Loading the core’s model build …</p>`;
  return html`<div class="step">
    ${schedulesView(walk)}
    <div class="stage">
      <div class="left">
        ${guard([shown, walk.row], () =>
          timeLineView({
            race,
            rows: shown.rows,
            row: walk.row,
            states: threadStates(shown.rows, walk.row + 1, race.actors.length),
            label: `Steps of schedule ${shown.index + 1}`,
            onRow: (row) => walk.moveToRow(row),
            onKey: (event) => onKey(event, walk),
          }),
        )}
        ${stepsView(walk)}
      </div>
      ${wordView({
        layout: stepper.layout,
        ids: stepper.ids,
        id: stepper.ids[walk.object] ?? 0,
        word: walk.words[walk.object] ?? 0n,
        before: walk.wordsBefore[walk.object] ?? 0n,
        isThere: stepper.hasTable(walk.words),
        onPick: (id) => walk.pick(stepper.ids.indexOf(id)),
      })}
    </div>
    ${endView(race, walk)}
    ${outcomesView({
      race,
      seen: walk.outcomes(),
      unit: "schedules",
      total: undefined,
      current: shown.outcome,
      onShow: (outcome) => walk.showOutcome(outcome),
    })}
    ${missingView(race, walk)}
  </div>`;
}

function schedulesView(walk: RaceWalk): TemplateResult {
  const { index, count, isComplete, isPaused } = walk;
  return html`<div class="bar" role="group" aria-label="Schedule">
    <button
      type="button"
      aria-label="Previous schedule"
      ?disabled=${index === 0}
      @click=${() => walk.showSchedule(index - 1)}
    >
      <span aria-hidden="true">◂ </span>Previous
    </button>
    <span class="place">Schedule <b>${grouped(index + 1)}</b> of <b>${grouped(count)}</b></span>
    <button
      type="button"
      aria-label="Next schedule"
      ?disabled=${index + 1 >= count}
      @click=${() => walk.showSchedule(index + 1)}
    >
      Next<span aria-hidden="true"> ▸</span>
    </button>
    <span class="status" role="status"
      >${
        isComplete
          ? "These are all that can differ."
          : isPaused
            ? "There are more."
            : html`<span class="muted">Looking for more …</span>`
      }</span
    >
    ${isPaused ? html`<button type="button" @click=${() => walk.findMore()}>Find more</button>` : nothing}
  </div>`;
}

function stepsView(walk: RaceWalk): TemplateResult {
  const { position, steps, shown } = walk;
  const row = shown?.rows[walk.row];
  return html`<div class="bar" role="group" aria-label="Step">
      <button type="button" ?disabled=${position === 0} @click=${() => walk.moveTo(0)}>Start</button>
      <button type="button" ?disabled=${position === 0} @click=${() => walk.move(-1)}>
        <span aria-hidden="true">◂ </span>Back
      </button>
      <button type="button" class="primary" ?disabled=${position === steps} @click=${() => walk.move(1)}>
        Step<span aria-hidden="true"> ▸</span>
      </button>
      <button type="button" ?disabled=${position === steps} @click=${() => walk.moveTo(steps)}>End</button>
      <span class="place">Step <b>${position}</b> of <b>${steps}</b></span>
      <label class="check"
        ><input
          type="checkbox"
          .checked=${walk.everything}
          @change=${(event: Event) => walk.showEverything((event.target as HTMLInputElement).checked)}
        />
        every operation</label
      >
    </div>
    <p class="visually-hidden" role="status">
      ${row === undefined ? "Before the first step" : `Step ${position}: thread ${row.thread + 1} ${row.text}`}
    </p>
    <p class="hint muted">In the lanes: arrow keys step, Page Up and Page Down change the schedule.</p>`;
}

function endView(race: Race, { shown, position, steps }: RaceWalk): TemplateResult {
  if (shown === undefined) return html``;
  if (shown.failure !== undefined)
    return html`<p class="loud" role="alert"><strong>The explorer found a fault:</strong> ${shown.failure}</p>`;
  const { outcome } = shown;
  if (outcome === undefined || position < steps) return html``;
  const allowed = allowedOutcome(race, outcome) !== undefined;
  return html`<p class=${allowed ? "end" : "loud"} role="status">
    <span class="end-title">So it ends:</span> <span class="results">${resultsView(race, outcome)}</span>
    <span class=${allowed ? "tag good" : "tag bad"}>${allowed ? "allowed" : "not allowed"}</span>
  </p>`;
}

/** An allowed outcome that no schedule has: the kernel decides in more steps than this core. */
function missingView(race: Race, walk: RaceWalk): TemplateResult {
  const seen = new Set(walk.outcomes().map(keyOf));
  if (!walk.isComplete || race.outcomes.every((outcome) => seen.has(keyOf(outcome)))) return html``;
  return html`<p class="muted aside">
    No schedule comes to some of these: where the kernel works in steps between which other calls see the object, this
    core decides by one swap.
  </p>`;
}

function onKey(event: KeyboardEvent, walk: RaceWalk): void {
  const move = MOVES[event.key];
  if (move === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  move(walk);
}

const MOVES: Readonly<Record<string, (walk: RaceWalk) => void>> = {
  ArrowDown: (walk) => walk.move(1),
  ArrowRight: (walk) => walk.move(1),
  ArrowUp: (walk) => walk.move(-1),
  ArrowLeft: (walk) => walk.move(-1),
  Home: (walk) => walk.moveTo(0),
  End: (walk) => walk.moveTo(walk.steps),
  PageUp: (walk) => walk.showSchedule(walk.index - 1),
  PageDown: (walk) => walk.showSchedule(walk.index + 1),
};
