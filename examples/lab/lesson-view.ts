// SPDX-License-Identifier: GPL-2.0-only
//
// A lesson as the student sees it: where in the course, what it is about, the steps done, the step to do, the steps to come.
//
// Pure templates; what buttons do is the guide's business.

import { html, nothing, type TemplateResult } from "lit";
import type { LessonRun } from "./lesson-run.js";
import { plainText, richText } from "./lesson-text.js";
import type { Action, Lesson, Step } from "./lessons/lesson.js";

/** What the lesson's buttons do. */
export interface LessonCommands {
  /** Puts the step's next action where the student can see and run it. */
  prepare(): void;
  /** Does the step's next action. */
  perform(): void;
  answer(value: number): void;
  /** Takes what the step asks for and finds there. */
  take(): void;
  /** Goes to a lesson, where the student left it. */
  open(lesson: Lesson): void;
  /** Begins a lesson, whatever was done in it. */
  begin(lesson: Lesson): void;
  reset(): void;
}

/** What the view needs besides the run. */
export interface LessonState {
  readonly lessons: readonly Lesson[];
  readonly run: LessonRun;
  readonly isFinished: (lesson: Lesson) => boolean;
  /** Why the page could not do the step's next action. */
  readonly problem: string | undefined;
}

/** The whole lesson. */
export function lessonView(state: LessonState, commands: LessonCommands): TemplateResult {
  const { lessons, run } = state;
  const { lesson } = run;
  const number = lessons.indexOf(lesson) + 1;
  return html`
    ${courseView(state, commands)}
    <div class="lesson-head">
      <p class="eyebrow">Lesson ${number} of ${lessons.length}</p>
      <h2 id="lesson-title" tabindex="-1">${lesson.title}</h2>
      ${lesson.intro.map((text) => html`<p>${richText(text)}</p>`)}
    </div>
    <ol class="steps">
      ${lesson.steps.map((step, index) => stepView(step, index, state, commands))}
    </ol>
    ${run.isDone ? closingView(state, commands) : nothing}
    <p class="lesson-foot">
      This browser keeps which steps are done, but no objects and no functions of yours: when you come back, the page
      repeats the steps.
      <button class="link" @click=${() => commands.begin(lesson)}>Begin this lesson again</button>
      <button class="link" @click=${() => commands.reset()}>Reset progress</button>
    </p>
  `;
}

function courseView({ lessons, run, isFinished }: LessonState, commands: LessonCommands): TemplateResult {
  return html`
    <nav class="course" aria-label="Lessons">
      <ol>
        ${lessons.map((lesson, index) => {
          const done = isFinished(lesson);
          return html`
            <li>
              <button
                class=${done ? "stop done" : "stop"}
                title=${lesson.title}
                aria-label=${`Lesson ${index + 1}: ${lesson.title}${done ? ", finished" : ""}`}
                aria-current=${lesson === run.lesson ? "page" : "false"}
                @click=${() => commands.open(lesson)}
              >
                ${done ? "✓" : index + 1}
              </button>
            </li>
          `;
        })}
      </ol>
    </nav>
  `;
}

function stepView(step: Step, index: number, state: LessonState, commands: LessonCommands): TemplateResult {
  const { run } = state;
  if (index === run.step) return presentView(step, state, commands);
  const title = index < run.step ? plainText(step.title, run.facts) : plainText(step.title, {});
  if (index > run.step) return html`<li class="step ahead"><h3>${title}</h3></li>`;
  const isLeftOut = run.wasPassedOver(index);
  return html`
    <li class=${isLeftOut ? "step done left-out" : "step done"}>
      <h3>${title} <span class="visually-hidden">(${isLeftOut ? "left out" : "done"})</span></h3>
      <p>
        ${
          isLeftOut
            ? "Left out: this page runs on one thread. The note at the top says why."
            : richText(step.learned, run.facts)
        }
      </p>
    </li>
  `;
}

function presentView(step: Step, { run, problem }: LessonState, commands: LessonCommands): TemplateResult {
  const { facts, note, already } = run;
  const evidence = run.evidence();
  return html`
    <li class="step present" aria-current="step">
      <h3 tabindex="-1">${plainText(step.title, facts)}</h3>
      <p>${richText(step.text, facts)}</p>
      ${
        step.question === undefined
          ? nothing
          : html`
              <fieldset class="question">
                <legend>${richText(step.question.ask, facts)}</legend>
                ${step.question
                  .choices(evidence)
                  .map(({ value, label }) => html`<button @click=${() => commands.answer(value)}>${label}</button>`)}
              </fieldset>
            `
      }
      ${note === undefined ? nothing : html`<p class="note">${richText(note)}</p>`}
      ${problem === undefined ? nothing : html`<p class="note" role="alert">${problem}</p>`}
      ${already === undefined ? nothing : html`<p>${richText(already.text)}</p>`}
      ${actionsView(step.next(evidence), already !== undefined, commands)}
      <details class="hint">
        <summary>Hint</summary>
        <p>${richText(step.hint, facts)}</p>
      </details>
    </li>
  `;
}

/** What the two buttons are called for an action. */
function labelsOf(action: Action): { prepare?: string; perform: string } {
  switch (action.kind) {
    case "call":
      return { prepare: "Fill in for me", perform: "Run it" };
    case "define":
      return { prepare: "Fill in for me", perform: "Add it" };
    case "answer":
      return { perform: "Show the answer" };
    case "race":
    case "sample":
    case "reopen":
      return { perform: "Do it for me" };
  }
}

function actionsView(
  action: Action | undefined,
  mayTake: boolean,
  commands: LessonCommands,
): TemplateResult | typeof nothing {
  if (action === undefined) return nothing;
  const { prepare, perform } = labelsOf(action);
  return html`
    <div class="actions">
      ${mayTake ? html`<button @click=${() => commands.take()}>Take that one</button>` : nothing}
      ${prepare === undefined ? nothing : html`<button @click=${() => commands.prepare()}>${prepare}</button>`}
      <button class="perform" @click=${() => commands.perform()}>${perform}</button>
    </div>
  `;
}

function closingView({ lessons, run }: LessonState, commands: LessonCommands): TemplateResult {
  const { lesson } = run;
  const next = lessons[lessons.indexOf(lesson) + 1];
  return html`
    <div class="closing">
      <h3 tabindex="-1">Lesson finished</h3>
      <p>${richText(lesson.closing)}</p>
      <div class="actions">
        ${
          next === undefined
            ? nothing
            : html`<button class="primary" @click=${() => commands.open(next)}>Next: ${next.title}</button>`
        }
        <button @click=${() => commands.begin(lesson)}>Do it again</button>
      </div>
    </div>
  `;
}
