// SPDX-License-Identifier: GPL-2.0-only
//
// The editor for an ioctl of one's own: name, number, fields and body, and what is wrong with them where it is wrong.
//
// Event "defined": `defined` is in the table now.

import { html, nothing, render, type TemplateResult } from "lit";
import type { LabSession } from "iommufd-wasm/lab";
import { define, DefinitionError } from "./definition.js";
import { BLOCKS } from "./lessons/definitions.js";
import type { DefinitionText } from "./lessons/lesson.js";

/** Edits definitions and adds them to a session's kernel. */
export class DefinitionEditor extends EventTarget {
  readonly #session: LabSession;
  readonly #place: HTMLElement;
  #draft: DefinitionText;
  #error: DefinitionError | undefined;
  #message: string | undefined;
  #defined: DefinitionText | undefined;

  constructor(session: LabSession, place: HTMLElement) {
    super();
    this.#session = session;
    this.#place = place;
    const [first] = BLOCKS;
    this.#draft = first?.definition ?? { name: "", nr: 0, fields: "", body: "" };
    this.#show();
  }

  /** What was added last. */
  get defined(): DefinitionText | undefined {
    return this.#defined;
  }

  /** Puts a definition into the editor. */
  fill(definition: DefinitionText): void {
    this.#draft = definition;
    this.#error = undefined;
    this.#message = undefined;
    this.#show();
  }

  /** Adds what is in the editor to the table; shows why where that fails. */
  add(): void {
    this.#error = undefined;
    this.#message = undefined;
    try {
      const command = define(this.#session.iommufd, this.#draft, (fault) => {
        this.#message = fault;
        this.#show();
      });
      this.#message = `${command.name} is number 0x${command.nr.toString(16)}. Its struct has ${command.size} bytes.`;
      this.#session.addCommand(command);
      this.#defined = this.#draft;
      this.dispatchEvent(new Event("defined"));
    } catch (error) {
      if (!(error instanceof DefinitionError)) throw error;
      this.#error = error;
    }
    this.#show();
  }

  #show(): void {
    render(this.#view(), this.#place);
  }

  #change(change: Partial<DefinitionText>): void {
    this.#draft = { ...this.#draft, ...change };
    this.#show();
  }

  #view(): TemplateResult {
    const { name, nr, fields, body } = this.#draft;
    const block = BLOCKS.findIndex(({ definition }) => definition === this.#draft);
    return html`
      <form
        class="definition"
        novalidate
        @submit=${(event: Event) => {
          event.preventDefault();
          this.add();
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
            aria-describedby="definition-name-error"
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
            .value=${`0x${nr.toString(16)}`}
            aria-describedby="definition-nr-error"
            @change=${(event: InputEvent) => this.#change({ nr: Number(valueOf(event)) || 0 })}
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
            aria-describedby="definition-fields-error"
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
            aria-describedby="definition-body-error"
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

  #field(part: DefinitionError["part"], label: string, control: TemplateResult): TemplateResult {
    const error = this.#error?.part === part ? this.#error : undefined;
    return html`
      <div class=${`field ${part}`}>
        <label for=${`definition-${part}`}>${label}</label>
        ${control}
        <p id=${`definition-${part}-error`} class="error" role="alert">${error?.message ?? nothing}</p>
      </div>
    `;
  }
}

function valueOf(event: Event): string {
  return (event.target as HTMLInputElement | HTMLTextAreaElement).value;
}
