// SPDX-License-Identifier: GPL-2.0-only
//
// The editor for an ioctl of one's own: name, number, fields and body, and what is wrong with them where it is wrong.
//
// What is typed stays as it was typed, also while it means nothing. Nobody is told that a part is wrong before the first attempt to
// add it; from then on its message follows the typing until it is mended.
//
// Event "defined": `defined` is in the table now.

import { html, nothing, render, type TemplateResult } from "lit";
import type { LabSession } from "iommufd-wasm/lab";
import { define, DefinitionError, type Fault, faultsOf, numberOfText, type Part, textOfNumber } from "./definition.js";
import { BLOCKS } from "./lessons/definitions.js";
import type { DefinitionText } from "./lessons/lesson.js";

/** A definition as it is typed. */
interface Draft extends Omit<DefinitionText, "nr"> {
  readonly nr: string;
}

/** Edits definitions and adds them to a session's kernel. */
export class DefinitionEditor extends EventTarget {
  readonly #session: LabSession;
  readonly #place: HTMLElement;
  #draft: Draft;
  /** What the editor was filled with, while nothing has been changed. */
  #filled: DefinitionText | undefined;
  #faults: readonly Fault[] = [];
  #message: string | undefined;
  #defined: DefinitionText | undefined;

  constructor(session: LabSession, place: HTMLElement) {
    super();
    this.#session = session;
    this.#place = place;
    const [first] = BLOCKS;
    this.#draft = { name: "", nr: "", fields: "", body: "" };
    if (first !== undefined) this.fill(first.definition);
    else this.#show();
  }

  /** What was added last. */
  get defined(): DefinitionText | undefined {
    return this.#defined;
  }

  /** Puts a definition into the editor. */
  fill(definition: DefinitionText): void {
    this.#filled = definition;
    this.#draft = { ...definition, nr: textOfNumber(definition.nr) };
    this.#faults = [];
    this.#message = undefined;
    this.#show();
  }

  /** Adds what is in the editor to the table; shows why where that fails. Returns whether it was added. */
  add(): boolean {
    this.#faults = [];
    this.#message = undefined;
    const definition = this.#filled ?? { ...this.#draft, nr: numberOfText(this.#draft.nr) };
    try {
      const command = define(this.#session.iommufd, definition, (fault) => {
        this.#message = fault;
        this.#show();
      });
      this.#message = `${command.name} is number ${textOfNumber(command.nr)}. Its struct has ${command.size} bytes.`;
      this.#session.addCommand(command);
      this.#defined = definition;
      this.dispatchEvent(new Event("defined"));
    } catch (error) {
      if (!(error instanceof DefinitionError)) throw error;
      this.#faults = error.faults;
      this.#message = "Nothing was added.";
    }
    this.#show();
    return this.#faults.length === 0;
  }

  #show(): void {
    render(this.#view(), this.#place);
  }

  #change(change: Partial<Draft>): void {
    this.#filled = undefined;
    this.#draft = { ...this.#draft, ...change };
    if (this.#faults.length > 0) {
      const told = new Set(this.#faults.map(({ part }) => part));
      const now = faultsOf(this.#session.iommufd, { ...this.#draft, nr: numberOfText(this.#draft.nr) });
      this.#faults = now.filter(({ part }) => told.has(part));
    }
    this.#message = undefined;
    this.#show();
  }

  #submit(): void {
    if (!this.add()) this.#place.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }

  #view(): TemplateResult {
    const { name, nr, fields, body } = this.#draft;
    const block = BLOCKS.findIndex(({ definition }) => definition === this.#filled);
    return html`
      <form
        class="definition"
        novalidate
        @submit=${(event: Event) => {
          event.preventDefault();
          this.#submit();
        }}
      >
        <label class="wide">
          Start from
          <select
            @change=${(event: Event) => {
              const chosen = BLOCKS[Number((event.target as HTMLSelectElement).value)];
              if (chosen !== undefined) this.fill(chosen.definition);
            }}
          >
            ${BLOCKS.map(
              ({ label }, index) => html`<option value=${index} .selected=${index === block}>${label}</option>`,
            )}
            <option value="" .selected=${block < 0} disabled>Your own</option>
          </select>
        </label>
        ${this.#field(
          "name",
          "Name",
          html`<input
            id="definition-name"
            class="mono"
            autocomplete="off"
            spellcheck="false"
            .value=${name}
            aria-invalid=${this.#fault("name") === undefined ? "false" : "true"}
            aria-describedby=${this.#fault("name") === undefined ? nothing : "definition-name-error"}
            @input=${(event: InputEvent) => this.#change({ name: valueOf(event) })}
          />`,
        )}
        ${this.#field(
          "nr",
          "Number, 0x80 to 0xff",
          html`<input
            id="definition-nr"
            class="mono"
            autocomplete="off"
            spellcheck="false"
            .value=${nr}
            aria-invalid=${this.#fault("nr") === undefined ? "false" : "true"}
            aria-describedby=${this.#fault("nr") === undefined ? nothing : "definition-nr-error"}
            @input=${(event: InputEvent) => this.#change({ nr: valueOf(event) })}
          />`,
        )}
        ${this.#field(
          "fields",
          "Fields behind size, one per line",
          html`<textarea
            id="definition-fields"
            class="mono"
            rows="6"
            spellcheck="false"
            .value=${fields}
            aria-invalid=${this.#fault("fields") === undefined ? "false" : "true"}
            aria-describedby=${this.#fault("fields") === undefined ? nothing : "definition-fields-error"}
            @input=${(event: InputEvent) => this.#change({ fields: valueOf(event) })}
          ></textarea>`,
        )}
        ${this.#field(
          "body",
          "Function of cmd and Errno, in JavaScript",
          html`<textarea
            id="definition-body"
            class="mono"
            rows="6"
            spellcheck="false"
            .value=${body}
            aria-invalid=${this.#fault("body") === undefined ? "false" : "true"}
            aria-describedby=${this.#fault("body") === undefined ? nothing : "definition-body-error"}
            @input=${(event: InputEvent) => this.#change({ body: valueOf(event) })}
          ></textarea>`,
        )}
        <div class="wide actions">
          <button class="primary">Add to the table</button>
          <p role="status">${this.#message ?? nothing}</p>
        </div>
      </form>
    `;
  }

  #field(part: Part, label: string, control: TemplateResult): TemplateResult {
    return html`
      <div class=${`field ${part}`}>
        <label for=${`definition-${part}`}>${label}</label>
        ${control}
        <p id=${`definition-${part}-error`} class="error" role="alert">${this.#fault(part) ?? nothing}</p>
      </div>
    `;
  }

  #fault(part: Part): string | undefined {
    return this.#faults.find((fault) => fault.part === part)?.message;
  }
}

function valueOf(event: Event): string {
  return (event.target as HTMLInputElement | HTMLTextAreaElement).value;
}
