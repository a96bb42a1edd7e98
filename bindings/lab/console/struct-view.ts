// SPDX-License-Identifier: GPL-2.0-only
//
// The form of a draft: which command, its struct as a table and as hex, and what is wrong with it on purpose.
//
// Commands are told apart by their requests: two may have one name. It only shows: what is typed goes to `edit`, and the text of the one input that is being edited is shown as it was typed,
// also while it means nothing.

import { html, nothing, type TemplateResult } from "lit";
import type { FieldLayout, Fields, IoctlCommand } from "../../index.js";
import { covers, type Draft, type FileNumber, knownSize, type Pointer, type Shape, shapeOf } from "./draft.js";
import { type FieldValue, textOfBytes, textOfRequest, textOfValue } from "./field-text.js";

/** An input that is being edited: a field's name, or one of the two others. */
export type InputName =
  { readonly input: "field"; readonly field: string } | { readonly input: "hex" } | { readonly input: "request" };

/** A text that is being typed. */
export interface Editing {
  readonly name: InputName;
  readonly text: string;
  /** What is wrong with it; undefined when it has become bytes. */
  readonly problem: string | undefined;
}

/** One choice of a field's value. */
export interface Suggestion {
  readonly value: string;
  readonly text: string;
}

/** What the form shows and tells. */
export interface StructForm {
  readonly commands: readonly IoctlCommand<Fields>[];
  readonly draft: Draft;
  readonly command: IoctlCommand<Fields> | undefined;
  readonly editing: Editing | undefined;
  /** Choices for a field; none when there is nothing to suggest. */
  suggestions(field: string): readonly Suggestion[];
  choose(command: IoctlCommand<Fields> | undefined): void;
  edit(name: InputName, text: string): void;
  /** An input was left: it shows the value again. */
  leave(): void;
  /** A field is about to be edited. */
  enter(field: string): void;
  reshape(shape: Shape): void;
  point(pointer: Pointer): void;
  setFile(file: FileNumber): void;
}

const SHAPES: readonly [Shape, string][] = [
  ["exact", "Exact"],
  ["short", "Too short"],
  ["zeros", "Zero tail"],
  ["garbage", "Garbage tail"],
  ["lying", "Lying size"],
];
const POINTERS: readonly [Pointer, string][] = [
  ["memory", "Writable"],
  ["readonly", "Read-only"],
  ["unmapped", "Unmapped"],
  ["null", "Null"],
];
const FILES: readonly [FileNumber, string][] = [
  ["open", "Open"],
  ["closed", "Closed"],
];
/** Bytes of a line of hex. */
export const HEX_LINE = 8;

/** The whole form, without its buttons. */
export function renderStructForm(form: StructForm): TemplateResult {
  return html`
    <div class="which">
      <label
        >Command
        <select
          @change=${(event: Event) =>
            form.choose(form.commands.find(({ request }) => textOfRequest(request) === textIn(event)))}
        >
          ${form.commands.map(
            ({ name, request }) =>
              html`<option value=${textOfRequest(request)} .selected=${request === form.command?.request}>
                ${name}
              </option>`,
          )}
          <option value="" .selected=${form.command === undefined}>Another request</option>
        </select>
      </label>
      ${renderRequest(form)}
    </div>
    ${renderTable(form)} ${renderHex(form)}
    <fieldset class="mistakes">
      <legend>Mistakes on purpose</legend>
      ${renderChoice("Struct", SHAPES, shapeOf(form.draft.bytes, form.command), (shape) => form.reshape(shape))}
      ${renderChoice("Memory", POINTERS, form.draft.pointer, (pointer) => form.point(pointer))}
      ${renderChoice("File", FILES, form.draft.file, (file) => form.setFile(file))}
    </fieldset>
  `;
}

function renderRequest(form: StructForm): TemplateResult {
  const editing = isEditing(form, "request");
  return html`<div class="labelled">
    <label for="request">Request</label>
    <input
      id="request"
      class="mono"
      spellcheck="false"
      autocomplete="off"
      aria-invalid=${editing?.problem === undefined ? "false" : "true"}
      aria-describedby=${editing?.problem === undefined ? nothing : "request-problem"}
      .value=${editing?.text ?? textOfRequest(form.draft.request)}
      @input=${(event: Event) => form.edit({ input: "request" }, textIn(event))}
      @blur=${() => form.leave()}
    />
    ${renderProblem("request-problem", editing)}
  </div>`;
}

function renderTable(form: StructForm): TemplateResult {
  const { command, draft } = form;
  const fields = Object.entries(command?.fields ?? { size: { offset: 0, size: 4, type: "u32" as const } });
  const values = command?.decode(draft.bytes) ?? { size: sizeOf(draft.bytes) };
  const size = command === undefined ? 4 : knownSize(command);
  const tail = draft.bytes.subarray(size);
  return html`<table>
    <caption class="visually-hidden">
      The struct of ${command?.name ?? textOfRequest(draft.request)}
    </caption>
    <thead>
      <tr>
        <th scope="col" class="number">Byte</th>
        <th scope="col">Field</th>
        <th scope="col">Type</th>
        <th scope="col">Value</th>
      </tr>
    </thead>
    <tbody>
      ${fields.map(([name, layout]) => renderField(form, name, layout, values[name] as FieldValue))}
      ${
        tail.length === 0
          ? nothing
          : html`<tr class="tail">
              <td class="number">${size}</td>
              <th scope="row">${command === undefined ? "the rest" : "tail"}</th>
              <td>u8[${tail.length}]</td>
              <td><code>${textOfBytes(tail.subarray(0, HEX_LINE))}${tail.length > HEX_LINE ? " …" : ""}</code></td>
            </tr>`
      }
    </tbody>
  </table>`;
}

function renderField(form: StructForm, name: string, layout: FieldLayout, value: FieldValue): TemplateResult {
  const { type, offset } = layout;
  const there = covers(form.draft.bytes, layout);
  const editing = form.editing?.name.input === "field" && form.editing.name.field === name ? form.editing : undefined;
  // Choices are for who has none in mind: while a value is typed there are none, or browsers open a window of them with the first letter.
  const suggestions = form.suggestions(name);
  const problem = `problem-${name}`;
  return html`<tr class=${there ? "" : "absent"}>
    <td class="number">${offset}</td>
    <th scope="row">${name}</th>
    <td>${type}</td>
    <td>
      ${
        there
          ? html`<input
                class="mono"
                spellcheck="false"
                autocomplete="off"
                aria-label=${`${name}, ${type}`}
                aria-invalid=${editing?.problem === undefined ? "false" : "true"}
                aria-describedby=${editing?.problem === undefined ? nothing : problem}
                list=${suggestions.length === 0 ? nothing : `list-${name}`}
                .value=${editing?.text ?? textOfValue(value)}
                @focus=${() => form.enter(name)}
                @input=${(event: Event) => form.edit({ input: "field", field: name }, textIn(event))}
                @blur=${() => form.leave()}
              />${
                suggestions.length === 0
                  ? nothing
                  : html`<datalist id=${`list-${name}`}>
                      ${editing === undefined ? suggestions.map(({ value, text }) => html`<option value=${value}>${text}</option>`) : nothing}
                    </datalist>`
              }${renderProblem(problem, editing)}`
          : html`<span class="muted">not passed</span>`
      }
    </td>
  </tr>`;
}

function renderHex(form: StructForm): TemplateResult {
  const { bytes } = form.draft;
  const editing = isEditing(form, "hex");
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += HEX_LINE) lines.push(textOfBytes(bytes.subarray(at, at + HEX_LINE)));
  return html`<div class="labelled">
    <label for="hex">The same as hex, ${bytes.length} bytes</label>
    <textarea
      id="hex"
      class="mono"
      spellcheck="false"
      autocomplete="off"
      rows=${Math.min(8, Math.max(2, lines.length))}
      aria-invalid=${editing?.problem === undefined ? "false" : "true"}
      aria-describedby=${editing?.problem === undefined ? nothing : "hex-problem"}
      .value=${editing?.text ?? lines.join("\n")}
      @input=${(event: Event) => form.edit({ input: "hex" }, textIn(event))}
      @blur=${() => form.leave()}
    ></textarea>
    ${renderProblem("hex-problem", editing)}
  </div>`;
}

function renderChoice<T extends string>(
  label: string,
  choices: readonly [T, string][],
  chosen: T,
  choose: (value: T) => void,
): TemplateResult {
  return html`<div class="choice" role="group" aria-label=${label}>
    <span aria-hidden="true">${label}</span>
    <div>
      ${choices.map(
        ([value, text]) =>
          html`<button type="button" aria-pressed=${value === chosen} @click=${() => choose(value)}>${text}</button>`,
      )}
    </div>
  </div>`;
}

function renderProblem(id: string, editing: Editing | undefined): TemplateResult | typeof nothing {
  return editing?.problem === undefined ? nothing : html`<span class="problem" id=${id}>${editing.problem}</span>`;
}

function isEditing(form: StructForm, input: "hex" | "request"): Editing | undefined {
  return form.editing?.name.input === input ? form.editing : undefined;
}

function textIn(event: Event): string {
  return (event.target as HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement).value;
}

function sizeOf(bytes: Uint8Array): number {
  const whole = new Uint8Array(4);
  whole.set(bytes.subarray(0, 4));
  return new DataView(whole.buffer).getUint32(0, true);
}
