// SPDX-License-Identifier: GPL-2.0-only
//
// <iommufd-console>: composes an ioctl, correct or broken on purpose, runs it, and says why it was answered as it was.
//
//   console.fill("LAB_ALLOC", { type: 3 });
//   await console.run(); // 0, or -errno
//
// The draft (draft.ts) is all that is edited; the form (struct-view.ts) shows it. Finished calls stay in a bounded history,
// from which each can be run again or edited; the recorder (call-recorder.ts) takes down all ioctls of the file, so that the
// history can be saved as a trace which another kernel replays.

import { html, nothing, type TemplateResult } from "lit";
import { Errno, type Fields, type IoctlCommand, IommufdError } from "../../index.js";
import { Decoder } from "../../trace.js";
import { LabElement } from "../lab-element.js";
import type { LabCall, LabSession } from "../session.js";
import { theme } from "../theme.js";
import { CallRecorder } from "./call-recorder.js";
import { ConsoleMemory } from "./console-memory.js";
import { consoleStyles } from "./console-styles.js";
import { download } from "./download.js";
import { type Draft, draftOf, type FileNumber, type Pointer, reshape, type Shape, unusedRequest } from "./draft.js";
import { draftWith } from "./edit-draft.js";
import type { FieldValue } from "./field-text.js";
import { saidOf } from "./export-message.js";
import { formStyles } from "./form-styles.js";
import { type Finished, finishedCall } from "./finished-call.js";
import { renderHistory } from "./history-view.js";
import { resultStyles } from "./result-styles.js";
import { renderResult } from "./result-view.js";
import { type DraftRun, runDraft } from "./run-draft.js";
import { type Editing, type InputName, renderStructForm, type Suggestion } from "./struct-view.js";
import { startingValues, suggestionsFor } from "./suggestions.js";
import { exportTrace, type TraceExport } from "./trace-export.js";

/** How a filled form is broken on purpose. */
export interface FillOptions {
  readonly shape?: Shape;
  readonly pointer?: Pointer;
  readonly file?: FileNumber;
}

/** Detail of the event `iommufd-run`. */
export interface RunDetail {
  /** The call as the session reported it. */
  readonly call: LabCall;
  /** Why it was answered as it was. */
  readonly explanation: string;
}

/** Calls in the history. */
const MOST_FINISHED = 50;
const FILE_NAME = "iommufd-console.jsonl";

/** Composes, runs and explains ioctls. */
export class IommufdConsole extends LabElement {
  static override properties = {
    ...LabElement.properties,
    draft: { state: true },
    editing: { state: true },
    entered: { state: true, hasChanged: () => true },
    finished: { state: true },
    waiting: { state: true },
    message: { state: true },
  };
  static override styles = [theme, consoleStyles, formStyles, resultStyles];

  /** What is in the form; undefined without a session. */
  declare draft: Draft | undefined;
  /** What is being typed. */
  declare editing: Editing | undefined;
  /** The field that was entered last; entering it again looks again at what it may be. */
  declare entered: string | undefined;
  /** Finished calls, newest first. */
  declare finished: readonly Finished[];
  /** Gives up the call that is being made. */
  declare waiting: AbortController | undefined;
  /** What the last saving, or a call that could not be made, came to. */
  declare message: string;
  #recorder: CallRecorder | undefined;
  /** Whose calls are shown; they stay while the element is moved in its page. */
  #shown: LabSession | undefined;
  #decoder = new Decoder();
  #lastRun: Promise<unknown> = Promise.resolve();

  constructor() {
    super();
    this.draft = undefined;
    this.editing = undefined;
    this.entered = undefined;
    this.finished = [];
    this.waiting = undefined;
    this.message = "";
  }

  /**
   * Fills the form, without running it.
   *
   * @param name a command of the session, e.g. "IOMMU_DESTROY"
   * @param fields values of the struct; what is left out is zero, and `size` is right
   * @throws IommufdError EINVAL for an unknown command, an unknown field, or a value that does not fit
   */
  fill(name: string, fields: Readonly<Record<string, FieldValue>> = {}, options: FillOptions = {}): void {
    const command = this.session?.commands.find((each) => each.name === name);
    if (command === undefined)
      throw new IommufdError("EINVAL", { command: name, message: "no command of this session" });
    const draft = draftOf(command, fields);
    const { shape = "exact", pointer = "memory", file = "open" } = options;
    this.draft = { ...draft, bytes: reshape(draft.bytes, command, shape), pointer, file };
    this.editing = undefined;
  }

  /**
   * Runs what is in the form; after the call that is being made, if there is one.
   *
   * @returns ≥ 0, or -errno; -EINTR when its reader stopped waiting
   */
  run(): Promise<number> {
    const run = this.#lastRun.then(() => this.#run());
    this.#lastRun = run.catch(() => undefined);
    return run;
  }

  /** What `iommufd-wasm replay` takes: the calls on this file. @throws IommufdError ENOMEM */
  async exportHistory(): Promise<TraceExport> {
    if (this.#recorder === undefined) throw new IommufdError("EBADF", { message: "the console has no session" });
    return exportTrace(this.#recorder);
  }

  protected override commandsChanged(session: LabSession): void {
    this.#decoder = new Decoder(session.commands);
  }

  protected override connectSession(session: LabSession): () => void {
    this.commandsChanged(session);
    if (session !== this.#shown) {
      this.finished = [];
      this.message = "";
      this.#choose(session, session.commands[1] ?? session.commands[0]);
      this.#shown = session;
    }
    const recorder = new CallRecorder(session);
    this.#recorder = recorder;
    return () => {
      this.waiting?.abort();
      recorder.stop();
      if (this.#recorder === recorder) this.#recorder = undefined;
    };
  }

  protected override renderSession(session: LabSession): TemplateResult {
    const { draft } = this;
    if (draft === undefined) return html``;
    const [newest] = this.finished;
    const isWaiting = this.waiting !== undefined;
    return html`<div class="parts">
      <form @submit=${this.#onSubmit} @keydown=${this.#onKey}>
        ${renderStructForm({
          commands: session.commands,
          draft,
          command: this.#commandOf(draft.request),
          editing: this.editing,
          suggestions: (field) => this.#suggestions(session, draft, field),
          choose: (command) => this.#choose(session, command),
          edit: (name, text) => this.#edit(name, text),
          leave: () => this.#leave(),
          enter: (field) => (this.entered = field),
          reshape: (shape) => this.#change({ bytes: reshape(draft.bytes, this.#commandOf(draft.request), shape) }),
          point: (pointer) => this.#change({ pointer }),
          setFile: (file) => this.#change({ file }),
        })}
        <div class="run">
          <!-- One button, so that it keeps the focus. While a call waits it submits nothing: Enter in a field would stop the call. -->
          <button
            class=${isWaiting ? "" : "primary"}
            type=${isWaiting ? "button" : "submit"}
            @click=${this.#onRunClick}
          >
            ${isWaiting ? "Stop waiting" : "Run"}
          </button>
          ${isWaiting ? html`<span class="muted">The call waits for somebody who uses the object.</span>` : nothing}
        </div>
      </form>
      ${renderResult(newest, newest && this.#commandOf(newest.run.draft.request), isWaiting)}
      ${renderHistory({
        finished: this.finished,
        message: this.message,
        again: (run) => this.#again(run),
        edit: (run) => this.#take(run),
        save: () => void this.#save(),
      })}
    </div>`;
  }

  /** Of a field that is not entered, one at most: hundreds of choices that nobody opens are to be made, too. */
  #suggestions(session: LabSession, { request }: Draft, field: string): readonly Suggestion[] {
    return suggestionsFor(session, this.#commandOf(request), field, field === this.entered ? undefined : 1);
  }

  async #run(): Promise<number> {
    const { session, draft } = this;
    if (session === undefined || draft === undefined) {
      throw new IommufdError("EBADF", { message: "the console has no session" });
    }
    const waiting = new AbortController();
    this.waiting = waiting;
    this.message = "";
    try {
      const run = await runDraft(session, { ...draft, bytes: draft.bytes.slice() }, waiting.signal);
      this.#finish(session, run);
      return run.result;
    } catch (error) {
      if (waiting.signal.aborted) {
        this.message = "You stopped waiting. The call was taken back, and nothing has changed.";
        return -Errno.EINTR;
      }
      this.message = `The call could not be made: ${error instanceof Error ? error.message : String(error)}`;
      throw error;
    } finally {
      if (this.waiting === waiting) this.waiting = undefined;
    }
  }

  #finish(session: LabSession, run: DraftRun): void {
    this.#recorder?.remember(run);
    const finished = finishedCall(session, this.#commandOf(run.draft.request), run, this.#decoder);
    this.finished = [finished, ...this.finished].slice(0, MOST_FINISHED);
    const detail: RunDetail = { call: run.call, explanation: finished.explanation };
    this.dispatchEvent(new CustomEvent("iommufd-run", { detail, bubbles: true, composed: true }));
  }

  #commandOf(request: number): IoctlCommand<Fields> | undefined {
    return this.session?.commands.find((command) => command.request === request);
  }

  #choose(session: LabSession, command: IoctlCommand<Fields> | undefined): void {
    this.editing = undefined;
    this.entered = undefined;
    if (command !== undefined) {
      const { scratch } = ConsoleMemory.of(session.iommufd);
      this.draft = draftOf(command, startingValues(command, scratch.va));
    } else if (this.draft !== undefined) {
      this.#change({ request: unusedRequest(session.commands) });
    }
  }

  #change(change: Partial<Draft>): void {
    if (this.draft !== undefined) this.draft = { ...this.draft, ...change };
    this.editing = undefined;
  }

  #edit(name: InputName, text: string): void {
    if (this.draft === undefined) return;
    const edited = draftWith(this.draft, this.#commandOf(this.draft.request), name, text);
    if (typeof edited === "string") this.editing = { name, text, problem: edited };
    else {
      this.draft = edited;
      this.editing = { name, text, problem: undefined };
    }
  }

  #again(run: DraftRun): void {
    this.#take(run);
    this.#runFromPage();
  }

  #take({ draft }: DraftRun): void {
    this.draft = { ...draft, bytes: draft.bytes.slice() };
    this.editing = undefined;
  }

  /** What went wrong is in the message already. */
  #runFromPage(): void {
    this.run().catch(() => undefined);
  }

  /** What cannot be a value stays, with what is wrong about it, until it is mended. */
  #leave(): void {
    if (this.editing?.problem === undefined) this.editing = undefined;
  }

  readonly #onRunClick = (event: Event): void => {
    if (this.waiting === undefined) return; // it submits
    event.preventDefault(); // by the time of the default action it may be "Run" again
    this.waiting.abort();
  };

  readonly #onSubmit = (event: Event): void => {
    event.preventDefault();
    if (this.editing?.problem !== undefined) {
      this.renderRoot.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    } else if (this.waiting === undefined) this.#runFromPage();
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    (event.currentTarget as HTMLFormElement).requestSubmit();
  };

  async #save(): Promise<void> {
    this.message = "Replaying the calls …";
    try {
      const saved = await this.exportHistory();
      download(saved.text, FILE_NAME);
      this.message = saidOf(saved, FILE_NAME);
    } catch (error) {
      this.message = `The trace could not be written: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}
