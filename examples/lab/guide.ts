// SPDX-License-Identifier: GPL-2.0-only
//
// Leads a student through the lessons: hears what happens in the session and on the page, lets the lesson judge it, shows
// the outcome, and does on request what the lesson would do next.
//
// A student who comes back finds the lesson where it was left: objects live in the page's memory only, so the guide repeats
// the steps that were done. It cannot look at a race for anybody, so a lesson with one is taken up before it.

import { render } from "lit";
import { type LabCallsEvent, type LabSession, PAGE_THREAD, type RaceFinishedEvent } from "iommufd-wasm/lab";
import type { DefinitionEditor } from "./definition-editor.js";
import { LessonRun, type Happening, type World } from "./lesson-run.js";
import { spokenText } from "./lesson-text.js";
import { lessonView, type LessonCommands } from "./lesson-view.js";
import type { Action, Lesson } from "./lessons/lesson.js";
import { nextFrame, onNextFrame } from "./next-frame.js";
import { showNowBar } from "./now-bar.js";
import { consoleElement, markPlace, part, raceElement, reveal } from "./page-parts.js";
import type { Progress } from "./progress.js";
import { raceSeen } from "./race-event.js";
import { addSample } from "./sample.js";

/** More actions than the steps of any lesson need. */
const MOST_REPEATED = 60;
/** Schedules that are looked through for another ending; the first few have it. */
const MOST_SCHEDULES = 200;
/** Pictures that a schedule is waited for. */
const MOST_FRAMES = 600;
/** CSS pixels that stay free around a step that is brought into view. */
const FOLLOW_MARGIN = 16;

/** What a guide works with. */
export interface GuideOptions {
  readonly session: LabSession;
  readonly world: World;
  readonly lessons: readonly Lesson[];
  readonly progress: Progress;
  readonly editor: DefinitionEditor;
}

/** Leads through the lessons. */
export class Guide {
  readonly #options: GuideOptions;
  #run: LessonRun;
  #isRepeating = false;
  #problem: string | undefined;
  readonly #showSoon = onNextFrame(() => this.#show());

  constructor(options: GuideOptions) {
    const { session, lessons, progress, world, editor } = options;
    this.#options = options;
    const asked = lessonOfAddress(lessons);
    const place = progress.place;
    const lesson = asked ?? lessons.find(({ id }) => id === place?.lesson) ?? lessons[0];
    if (lesson === undefined) throw new Error("there are no lessons");
    this.#run = new LessonRun(lesson, world);
    session.addEventListener("calls", (event) => {
      // What other threads do is no student's doing, and may come by the thousand.
      const calls = (event as LabCallsEvent).calls.filter(({ thread }) => thread === PAGE_THREAD);
      if (calls.length > 0) this.#hear({ kind: "calls", calls });
    });
    session.addEventListener("context", () => this.#hear({ kind: "reopened" }));
    editor.addEventListener("defined", () => {
      if (editor.defined !== undefined) this.#hear({ kind: "defined", definition: editor.defined });
    });
    document.addEventListener("iommufd-select", (event) => {
      const { id } = (event as CustomEvent<{ id: number | undefined }>).detail;
      if (id !== undefined) this.#hear({ kind: "selected", id });
    });
    document.addEventListener("iommufd-race", (event) => {
      this.#hear({ kind: "raced", race: raceSeen((event as RaceFinishedEvent).detail) });
    });
    addEventListener("hashchange", () => {
      const lesson = lessonOfAddress(lessons);
      if (lesson !== undefined && lesson !== this.#run.lesson) this.open(lesson);
    });
    if (place?.lesson === lesson.id && place.step < lesson.steps.length) this.#repeat(place.step);
    this.#show();
  }

  /** Begins a lesson. */
  open(lesson: Lesson): void {
    this.#run = new LessonRun(lesson, this.#options.world);
    this.#problem = undefined;
    history.replaceState(null, "", `#${lesson.id}`);
    this.#options.progress.moveTo({ lesson: lesson.id, step: 0 });
    this.#show();
    part("lesson").scrollTop = 0;
    part("lesson-title").focus();
  }

  #repeat(steps: number): void {
    this.#isRepeating = true;
    const run = this.#run;
    for (let count = 0; count < MOST_REPEATED && run.step < steps; count++) {
      const action = run.present?.next(run.evidence());
      if (action === undefined || action.kind === "race") break;
      this.#doSilently(action);
    }
    this.#isRepeating = false;
  }

  #hear(happening: Happening): void {
    const before = this.#run.step;
    const { lesson } = this.#run;
    const hadFocus = part("lesson").querySelector(".step.present :focus") !== null;
    const changed = this.#run.happened(happening);
    if (this.#isRepeating) return;
    if (changed) {
      this.#problem = undefined;
      this.#options.progress.moveTo({ lesson: lesson.id, step: this.#run.step });
      if (this.#run.isDone) this.#options.progress.finish(lesson.id);
      this.#announce(before);
    }
    if (happening.kind === "calls" && !(changed && hadFocus)) this.#showSoon();
    else this.#show();
    if (changed && hadFocus) this.#keepFocus();
    if (changed) this.#follow();
  }

  /** The buttons of a step that is done are gone; who was on one of them goes on at the next step. */
  #keepFocus(): void {
    part("lesson").querySelector<HTMLElement>(".step.present h3, .closing h3")?.focus({ preventScroll: true });
  }

  /** Where the lesson scrolls in a box of its own: brings the step to do into that box. The page itself stays where it is. */
  #follow(): void {
    requestAnimationFrame(() => {
      const box = part("lesson");
      const step = box.querySelector<HTMLElement>(".step.present, .closing");
      if (step === null || box.scrollHeight <= box.clientHeight) return;
      const below = step.offsetTop + step.offsetHeight + FOLLOW_MARGIN - (box.scrollTop + box.clientHeight);
      if (below > 0) box.scrollTop += Math.min(below, step.offsetTop - FOLLOW_MARGIN - box.scrollTop);
    });
  }

  #announce(before: number): void {
    const { lesson, step, facts, note, present } = this.#run;
    const parts: string[] = [];
    if (step > before) {
      const done = lesson.steps[step - 1];
      parts.push(`Step ${step} is done.`, done === undefined ? "" : spokenText(done.learned, facts));
      parts.push(present === undefined ? "The lesson is finished." : `Next: ${spokenText(present.title, facts)}.`);
    } else if (note !== undefined) parts.push(note.replaceAll("`", ""));
    part("announcer").textContent = parts.join(" ");
  }

  #show(): void {
    const { lessons, progress } = this.#options;
    const run = this.#run;
    const { lesson, present } = run;
    const commands: LessonCommands = {
      prepare: () => this.#prepare(),
      perform: () => this.#tryToPerform(),
      answer: (value) => this.#hear({ kind: "answered", value }),
      open: (lesson) => this.open(lesson),
      reset: () => {
        progress.reset();
        this.open(lessons[0] ?? lesson);
        progress.reset();
      },
    };
    const state = { lessons, run, isFinished: ({ id }: Lesson) => progress.isFinished(id), problem: this.#problem };
    render(lessonView(state, commands), part("lesson"));
    markPlace(present?.place);
    showNowBar(run);
  }

  #next(): Action | undefined {
    return this.#run.present?.next(this.#run.evidence());
  }

  /** Fills in what the student would have to, shows it, and leaves the running to him. */
  #prepare(): void {
    const action = this.#next();
    if (action?.kind === "call") {
      fillConsole(action);
      reveal("console");
    } else if (action?.kind === "define") {
      this.#options.editor.fill(action.definition);
      reveal("definition");
    }
  }

  /** Does it, or says in the step why that was not possible. */
  #tryToPerform(): void {
    this.#problem = undefined;
    this.#perform().catch((error: unknown) => {
      this.#problem = `This could not be done: ${error instanceof Error ? error.message : String(error)}`;
      this.#show();
    });
  }

  /** The student goes on reading, except where there is something to watch. */
  async #perform(): Promise<void> {
    const action = this.#next();
    if (action?.kind === "call") {
      fillConsole(action);
      await consoleElement().run();
    } else if (action?.kind === "race") {
      reveal("race");
      await this.#race(action.race, action.mode);
    } else if (action !== undefined) this.#doSilently(action);
  }

  /** Shows schedules from the first on until the step is done, or lets threads run the race. */
  async #race(race: string, mode: "step" | "run"): Promise<void> {
    const element = raceElement();
    element.race = race;
    element.mode = mode;
    await element.updateComplete;
    if (mode === "run") {
      element.run();
      return;
    }
    const { step } = this.#run;
    for (let index = 0; index < MOST_SCHEDULES && this.#run.step === step; index++) {
      // Schedules are found one after the other, while the page is being drawn.
      for (let frame = 0; frame < MOST_FRAMES && element.schedules <= index; frame++) await nextFrame();
      if (element.schedules <= index) break;
      element.schedule = index;
      element.position = element.steps;
      await element.updateComplete;
    }
  }

  /** Does an action without a word on the page but its effect. */
  #doSilently(action: Action): void {
    const { session, editor } = this.#options;
    switch (action.kind) {
      case "call": {
        const command = session.commands.find(({ name }) => name === action.command);
        if (command === undefined) return;
        const bytes = command.encode(action.fields).slice(0, action.size);
        new DataView(bytes.buffer).setUint32(0, bytes.length, true);
        session.context.tryIoctl(command.request, bytes);
        break;
      }
      case "define":
        editor.fill(action.definition);
        editor.add();
        break;
      case "sample":
        addSample(session.context, session.commands);
        break;
      case "reopen":
        session.reopen();
        break;
      case "answer":
        this.#hear({ kind: "answered", value: action.value });
        break;
      case "race":
        break;
    }
  }
}

function fillConsole({ command, fields, size }: Action & { kind: "call" }): void {
  consoleElement().fill(command, fields, size === undefined ? {} : { shape: "short" });
}

/** The lesson that the page's address names, if any. */
function lessonOfAddress(lessons: readonly Lesson[]): Lesson | undefined {
  const id = location.hash.slice(1);
  return lessons.find((lesson) => lesson.id === id);
}
