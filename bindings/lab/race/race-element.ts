// SPDX-License-Identifier: GPL-2.0-only
//
// <iommufd-race>: two or three threads call the core at the same time, and what may come of it.
//
//   step   one schedule after the other, each operation by itself, with the objects' state words bit by bit; needs no second thread
//   run    real threads, for some seconds; needs a page that may share memory with workers
//
// It has kernels of its own, so that a race never disturbs what the page's session shows: unlike the other elements it uses no
// session.
//
// Invariant: at most one search and one run are under way, both for the race that is shown; leaving the page ends both.

import { LitElement, type PropertyValues, type TemplateResult, html } from "lit";
import { theme } from "../theme.js";
import { type Race, ALL_RACES, raceOf } from "./race.js";
import { loadModel } from "./model-module.js";
import { RaceFinishedEvent, type FinishedOutcome } from "./race-event.js";
import { RaceRunner } from "./race-runner.js";
import { outcomesStyles } from "./outcomes-styles.js";
import { raceStyles } from "./race-styles.js";
import { timeLineStyles } from "./time-line-styles.js";
import { wordStyles } from "./word-styles.js";
import { RaceWalk } from "./race-walk.js";
import { runView } from "./run-view.js";
import { stepView } from "./step-view.js";

/** How a race is shown. */
export type RaceMode = "step" | "run";

/** The races of the kernel's core, stepped or run. */
export class IommufdRace extends LitElement {
  static override styles = [theme, raceStyles, timeLineStyles, wordStyles, outcomesStyles];
  static override properties = {
    race: { reflect: true },
    mode: { reflect: true },
  };

  /** Name of the race, e.g. "destroy-get"; one of `races`. */
  declare race: string;
  /** "step" or "run". */
  declare mode: RaceMode;
  readonly #walk: RaceWalk;
  readonly #runner: RaceRunner;

  constructor() {
    super();
    this.race = ALL_RACES[0]?.name ?? "";
    this.mode = "step";
    const update = (): void => this.requestUpdate();
    this.#walk = new RaceWalk(loadModel, update, (outcome) => this.#finished("step", [outcome]));
    this.#runner = new RaceRunner(update, (outcomes, stalled) => this.#finished("run", outcomes, stalled));
  }

  /** The names that `race` may have, in the order in which they are offered. */
  static get races(): readonly string[] {
    return ALL_RACES.map(({ name }) => name);
  }

  /** Number of the schedule that is shown, from 0. Set it to show another one, if it is found already. */
  get schedule(): number {
    return this.#walk.index;
  }
  set schedule(index: number) {
    this.#walk.showSchedule(index);
  }

  /** How many schedules are found so far. */
  get schedules(): number {
    return this.#walk.count;
  }

  /** How many steps of the schedule are taken. */
  get position(): number {
    return this.#walk.position;
  }
  set position(position: number) {
    this.#walk.moveTo(position);
  }

  /** How many steps the schedule has. */
  get steps(): number {
    return this.#walk.steps;
  }

  /** Takes the next step. */
  forward(): void {
    this.#walk.move(1);
  }

  /** Takes the last step back. */
  back(): void {
    this.#walk.move(-1);
  }

  /**
   * Lets threads run the race for as long as the element says, or until `stop`; a run whose workers get stuck ends some seconds
   * later. Does nothing where there is one thread.
   */
  run(): void {
    this.mode = "run";
    const race = raceOf(this.race);
    if (race !== undefined) this.#runner.run(race);
  }

  /** Ends a run. */
  stop(): void {
    this.#runner.stop();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#walk.rest();
    this.#runner.stop();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("race")) this.#runner.reset();
    if (changed.has("race") || changed.has("mode")) this.#follow();
  }

  protected override updated(): void {
    this.#showCurrentRow();
  }

  protected override render(): TemplateResult {
    const race = raceOf(this.race);
    return html`<div class="frame">
      <div class="top">
        <label class="which"
          ><span>Race</span
          ><select @change=${(event: Event) => (this.race = (event.target as HTMLSelectElement).value)}>
            ${ALL_RACES.map(
              ({ name, title, actors }) =>
                html`<option value=${name} ?selected=${name === this.race}>
                  ${title} (${actors.length} threads)
                </option>`,
            )}
          </select></label
        >
        <div class="modes" role="group" aria-label="How">
          ${this.#modeButton("step", "Step through it")} ${this.#modeButton("run", "Let threads run it")}
        </div>
      </div>
      ${
        race === undefined
          ? html`<p class="problem" role="alert">There is no race “${this.race}”. Pick one above.</p>`
          : html`<p class="what">${race.what}</p>
              <p class="promise"><b>The kernel’s promise:</b> ${race.promise}</p>
              ${this.mode === "run" ? this.#runView(race) : stepView(race, this.#walk)}`
      }
    </div>`;
  }

  #modeButton(mode: RaceMode, text: string): TemplateResult {
    return html`<button
      type="button"
      aria-pressed=${this.mode === mode ? "true" : "false"}
      @click=${() => (this.mode = mode)}
    >
      ${text}
    </button>`;
  }

  #runView(race: Race): TemplateResult {
    return runView(race, this.#runner, () => (this.mode = "step"));
  }

  /** The walk searches while it can be seen, and only then. */
  #follow(): void {
    const race = raceOf(this.race);
    if (this.isConnected && this.mode !== "run" && race !== undefined) this.#walk.start(race);
    else this.#walk.rest();
    if (this.mode !== "run") this.#runner.stop();
  }

  #finished(mode: RaceMode, outcomes: readonly FinishedOutcome[], stalled = false): void {
    this.dispatchEvent(new RaceFinishedEvent({ race: this.race, mode, outcomes, stalled }));
  }

  /** Scrolls the list, not the page. */
  #showCurrentRow(): void {
    const list = this.renderRoot.querySelector<HTMLElement>(".time");
    if (list === null) return;
    const row = list.querySelector<HTMLElement>("[aria-selected=true]");
    if (row === null) {
      list.scrollTop = 0;
      return;
    }
    const top = row.offsetTop; // the list is its offset parent
    const margin = row.offsetHeight;
    if (top - margin < list.scrollTop) list.scrollTop = top - margin;
    else if (top + 2 * margin > list.scrollTop + list.clientHeight)
      list.scrollTop = top + 2 * margin - list.clientHeight;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "iommufd-race": IommufdRace;
  }
}
