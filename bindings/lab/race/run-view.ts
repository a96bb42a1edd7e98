// SPDX-License-Identifier: GPL-2.0-only
//
// The run mode: for how long, run and stop, and the counts beside what the kernel allows. Without threads: why, and what to do instead.

import { type TemplateResult, html, nothing } from "lit";
import { outcomesView, grouped } from "./outcomes-view.js";
import type { Race } from "./race.js";
import { STALL_BOUND } from "./race-run.js";
import { DURATIONS, type RaceRunner } from "./race-runner.js";

/** Renders the mode. */
export function runView(race: Race, runner: RaceRunner, onStep: () => void): TemplateResult {
  return html`<div class="run">
    ${runner.support.threads ? controlsView(race, runner) : noThreadsView(runner, onStep)}
    ${runner.problem === undefined ? nothing : html`<p class="problem" role="alert">${runner.problem}</p>`}
    ${runner.stalled ? stalledView(runner) : nothing}
    ${outcomesView({
      race,
      seen: runner.counts.outcomes,
      unit: "tries",
      total: runner.counts.tries,
      current: undefined,
      onShow: undefined,
    })}
  </div>`;
}

function controlsView(race: Race, runner: RaceRunner): TemplateResult {
  const { isRunning, counts, seconds } = runner;
  return html`<div class="bar">
    <label
      >For
      <select
        ?disabled=${isRunning}
        @change=${(event: Event) => (runner.seconds = Number((event.target as HTMLSelectElement).value))}
      >
        ${DURATIONS.map(
          (duration) =>
            html`<option value=${duration} ?selected=${duration === seconds}>
              ${duration} ${duration === 1 ? "second" : "seconds"}
            </option>`,
        )}
      </select></label
    >
    ${
      isRunning
        ? html`<button type="button" @click=${() => runner.stop()}>Stop</button>`
        : html`<button type="button" class="primary" @click=${() => runner.run(race)}>Run</button>`
    }
    <span class="status" role="status"
      >${
        isRunning
          ? `${race.actors.length} workers race …`
          : counts.tries > 0
            ? `Ran ${grouped(counts.tries)} times.`
            : "Each try starts from a new file."
      }</span
    >
    ${isRunning ? html`<span class="muted">${grouped(counts.tries)} tries</span>` : nothing}
  </div>`;
}

function stalledView({ counts: { tries } }: RaceRunner): TemplateResult {
  return html`<p class="problem" role="alert">
    <b>The run has stalled:</b> for ${STALL_BOUND / 1000} seconds no try came to its end, so the run was ended.
    ${
      tries === 0
        ? "No try is counted."
        : `Counted ${tries === 1 ? "is the try" : `are the ${grouped(tries)} tries`} before it; the one that a thread got stuck in has no outcome.`
    }
  </p>`;
}

function noThreadsView({ support: { reason, fix } }: RaceRunner, onStep: () => void): TemplateResult {
  return html`<div class="note" role="note">
    <p>
      <b>This page has one thread only:</b> ${reason}. ${fix === undefined ? nothing : html`To change that, ${fix}.`}
      Stepping needs no second thread.
    </p>
    <button type="button" class="primary" @click=${onStep}>Step through it instead</button>
  </div>`;
}
