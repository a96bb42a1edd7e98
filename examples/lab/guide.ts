// SPDX-License-Identifier: GPL-2.0-only
//
// Leads a student through the lessons: hears what happens in the session and on the page, lets the lesson judge it, shows
// the outcome, and does on request what the lesson would do next.
//
// Each lesson keeps its place. Within a visit that is its LessonRun, which rests while another lesson is open. A student who comes back
// later finds the lesson where it was left, too: objects live in the page's memory only, so the guide repeats the steps that were done.
// What it cannot repeat, and what is lost, it says in the step.

import { render } from "lit";
import { IOMMU_DESTROY } from "iommufd-wasm";
import { type LabCallsEvent, type LabSession, PAGE_THREAD, type RaceFinishedEvent } from "iommufd-wasm/lab";
import type { DefinitionEditor } from "./definition-editor.js";
import { LessonRun, type Happening, type World } from "./lesson-run.js";
import { spokenText } from "./lesson-text.js";
import { lessonView, type LessonCommands } from "./lesson-view.js";
import type { Action, Lesson, MachineName } from "./lessons/lesson.js";
import { nextFrame, onNextFrame } from "./next-frame.js";
import { showNowBar } from "./now-bar.js";
import { consoleElement, iovaElement, isLessonBeside, markPlace, part, raceElement, reveal } from "./page-parts.js";
import type { Progress } from "./progress.js";
import { raceSeen } from "./race-event.js";
import type { AddedEvent, Samples } from "./sample.js";

/** More actions than the steps of any lesson need. */
const MOST_REPEATED = 60;
/** Schedules that are looked through for another ending; the first few have it. */
const MOST_SCHEDULES = 200;
/** Pictures that a schedule is waited for. */
const MOST_FRAMES = 600;
/** CSS pixels that stay free around a step that is brought into view. */
const FOLLOW_MARGIN = 16;

/** A machine that lessons happen on. */
export interface Machine {
  readonly session: LabSession;
  readonly world: World;
}

/** What a guide works with. */
export interface GuideOptions {
  readonly machines: Readonly<Record<MachineName, Machine>>;
  readonly lessons: readonly Lesson[];
  readonly progress: Progress;
  readonly editor: DefinitionEditor;
  readonly samples: Samples;
}

/** Leads through the lessons. */
export class Guide {
  readonly #options: GuideOptions;
  /** The lessons that were open in this visit, by ID. */
  readonly #runs = new Map<string, LessonRun>();
  #run: LessonRun;
  #isRepeating = false;
  /** Whether the ribbon makes its example. */
  #isExample = false;
  /** What the ribbon was told to show. */
  #space: number | undefined;
  #problem: string | undefined;
  readonly #showSoon = onNextFrame(() => this.#show());

  constructor(options: GuideOptions) {
    const { lessons, progress, editor, samples } = options;
    this.#options = options;
    const lesson = lessonOfAddress(lessons) ?? lessons.find(({ id }) => id === progress.lesson) ?? lessons[0];
    if (lesson === undefined) throw new Error("there are no lessons");
    this.#run = this.#newRun(lesson);
    document.addEventListener("iommufd-example", ({ target }) => {
      if (target !== iovaElement()) return;
      // It is made at once, after this event and before anything else.
      this.#isExample = true;
      queueMicrotask(() => (this.#isExample = false));
    });
    this.#listenTo("objects");
    this.#listenTo("memory");
    samples.addEventListener("added", (event) => this.#hear({ kind: "sampled", ids: (event as AddedEvent).ids }));
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
    this.#findPlace(true);
    progress.open(lesson.id);
    this.#show();
    this.#revealMachine();
  }

  /** Hears what happens on a machine. */
  #listenTo(machine: MachineName): void {
    const { machines, samples } = this.#options;
    const { session } = machines[machine];
    session.addEventListener("calls", (event) => {
      // A button's calls are no student's doing; nor is what other threads do, which may come by the thousand.
      if (machine === "objects" ? samples.isAdding : this.#isExample) return;
      const calls = (event as LabCallsEvent).calls.filter(({ thread }) => thread === PAGE_THREAD);
      if (calls.length === 0) return;
      if (machineOf(this.#run.lesson) === machine) this.#hear({ kind: "calls", calls });
      if (calls.some(({ command, result }) => command?.nr === IOMMU_DESTROY.nr && result === 0))
        this.#overhear("changed", machine);
    });
    session.addEventListener("context", () => {
      if (machineOf(this.#run.lesson) === machine) this.#hear({ kind: "reopened" });
      this.#overhear("reopened", machine);
    });
  }

  /** Goes to a lesson, where the student left it. */
  open(lesson: Lesson): void {
    const known = this.#runs.get(lesson.id);
    this.#run = known ?? this.#newRun(lesson);
    if (known === undefined) this.#findPlace(false);
    else this.#keepIf(known, known.overhear("changed")); // by a way that nobody hears of: a function of the student's own
    this.#turnTo(lesson);
  }

  /** Begins a lesson, whatever was done in it. */
  begin(lesson: Lesson): void {
    this.#run = this.#newRun(lesson);
    this.#keepIf(this.#run, true);
    this.#turnTo(lesson);
  }

  #turnTo(lesson: Lesson): void {
    this.#problem = undefined;
    history.replaceState(null, "", `#${lesson.id}`);
    this.#options.progress.open(lesson.id);
    this.#show();
    part("announcer").textContent = this.#run.note?.replaceAll("`", "") ?? "";
    part("lesson").scrollTop = 0;
    part("lesson-title").focus();
    this.#revealMachine();
  }

  /** The first machine stands at the page's head; another one is shown, where the lesson stays in sight. */
  #revealMachine(): void {
    if (machineOf(this.#run.lesson) === "memory" && isLessonBeside()) reveal("memory");
  }

  #newRun(lesson: Lesson): LessonRun {
    const run = new LessonRun(lesson, this.#options.machines[machineOf(lesson)].world);
    this.#runs.set(lesson.id, run);
    return run;
  }

  /** Lets the present lesson go on where an earlier visit left it. `isFresh`: there is nothing in the file but the sample objects. */
  #findPlace(isFresh: boolean): void {
    const { progress } = this.#options;
    const run = this.#run;
    const { lesson } = run;
    const place = progress.placeIn(lesson.id);
    if (place === undefined || place.step === 0) return;
    if (place.step >= lesson.steps.length && (lesson.isRemembered !== true || place.leftOut.length === 0)) {
      run.say("You have finished this lesson. Here it begins again.");
      return;
    }
    let found: string;
    if (lesson.isRemembered === true) {
      run.resume(place);
      found = "You go on where you were.";
    } else {
      found = this.#repeat(place.step, isFresh);
    }
    run.say([found, lesson.lostByReload].filter((sentence) => sentence !== undefined).join(" "));
    this.#keepIf(run, true);
  }

  /** Repeats so many steps of the present lesson as well as it can; what the student should know of it. */
  #repeat(steps: number, mayClose: boolean): string {
    const run = this.#run;
    this.#isRepeating = true;
    try {
      for (let count = 0; count < MOST_REPEATED && run.step < steps; count++) {
        const action = run.present?.next(run.evidence());
        if (action === undefined || action.kind === "race") break;
        if (action.kind === "reopen" && !mayClose) {
          return "The page has repeated your steps up to here. Closing the file is left to you, since other objects go with it.";
        }
        this.#doSilently(action);
      }
    } finally {
      this.#isRepeating = false;
    }
    return run.step >= steps
      ? "You go on where you were: the page has repeated the steps before this one."
      : "The page could repeat your steps up to here only. Please go on from here.";
  }

  /** Tells the lessons that rest what may have taken what they had built. */
  #overhear(happening: "changed" | "reopened", machine: MachineName): void {
    for (const run of this.#runs.values()) {
      if (run !== this.#run && machineOf(run.lesson) === machine) this.#keepIf(run, run.overhear(happening));
    }
  }

  #keepIf({ lesson, place }: LessonRun, hasChanged: boolean): void {
    if (hasChanged) this.#options.progress.keep(lesson.id, place);
  }

  #hear(happening: Happening): void {
    const before = this.#run.step;
    const { lesson } = this.#run;
    const hadFocus = part("lesson").querySelector(".step.present :focus") !== null;
    const changed = this.#run.happened(happening);
    if (this.#isRepeating) return;
    if (changed) {
      this.#problem = undefined;
      this.#keepIf(this.#run, true);
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
      take: () => this.#hear({ kind: "taken" }),
      open: (lesson) => this.open(lesson),
      begin: (lesson) => this.begin(lesson),
      reset: () => {
        progress.reset();
        this.#runs.clear();
        this.begin(lessons[0] ?? lesson);
        progress.reset();
      },
    };
    const state = { lessons, run, isFinished: ({ id }: Lesson) => progress.isFinished(id), problem: this.#problem };
    render(lessonView(state, commands), part("lesson"));
    markPlace(present?.place);
    this.#showSpace();
    showNowBar(run);
  }

  /** Has the ribbon show the lesson's address space when that becomes another one. */
  #showSpace(): void {
    const { lesson, facts } = this.#run;
    const space = lesson.space?.(facts);
    if (space === this.#space) return;
    this.#space = space;
    iovaElement().ioasId = space;
  }

  #next(): Action | undefined {
    return this.#run.present?.next(this.#run.evidence());
  }

  /** Fills in what the student would have to, shows it, and leaves the running to him. */
  #prepare(): void {
    const action = this.#next();
    if (action?.kind === "call") {
      const machine = machineOf(this.#run.lesson);
      fillConsole(machine, action);
      reveal(machine === "memory" ? "memory" : "console");
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
      const machine = machineOf(this.#run.lesson);
      fillConsole(machine, action);
      await consoleElement(machine).run();
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
    const { machines, editor, samples } = this.#options;
    const { session } = machines[machineOf(this.#run.lesson)];
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
        samples.add();
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

function machineOf({ machine = "objects" }: Lesson): MachineName {
  return machine;
}

function fillConsole(machine: MachineName, { command, fields, size }: Action & { kind: "call" }): void {
  consoleElement(machine).fill(command, fields, size === undefined ? {} : { shape: "short" });
}

/** The lesson that the page's address names, if any. */
function lessonOfAddress(lessons: readonly Lesson[]): Lesson | undefined {
  const id = location.hash.slice(1);
  return lessons.find((lesson) => lesson.id === id);
}
