// SPDX-License-Identifier: GPL-2.0-only
//
// The step to do, at the foot of a narrow page: a student at the console reads it there, and gets back to the lesson by it.
// While the lesson itself is in sight the bar is not.

import { html, render } from "lit";
import type { LessonRun } from "./lesson-run.js";
import { plainText, richText } from "./lesson-text.js";
import { part } from "./page-parts.js";

/** Keeps the bar out of sight while the lesson is in it. */
export function hideNowBarBesideLesson(): void {
  const observer = new IntersectionObserver(([entry]) => {
    part("now").hidden = entry?.isIntersecting === true;
  });
  observer.observe(part("lesson"));
}

/** Shows the present step. */
export function showNowBar({ lesson, present, step, facts }: LessonRun): void {
  const bar =
    present === undefined
      ? html`<strong>Lesson finished</strong> <span>${lesson.title}</span>`
      : html`
          <strong>Step ${step + 1} of ${lesson.steps.length}</strong>
          <span>${plainText(present.title, facts)}</span>
          <small>${richText(present.text, facts)}</small>
        `;
  render(html`<a href="#lesson" @click=${goToLesson}>${bar}</a>`, part("now"));
}

function goToLesson(event: Event): void {
  event.preventDefault();
  const step = part("lesson").querySelector(".step.present, .closing");
  (step ?? part("lesson")).scrollIntoView({ block: "center" });
  part("lesson-title").focus({ preventScroll: true });
}
