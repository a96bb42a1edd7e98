// SPDX-License-Identifier: GPL-2.0-only
//
// From what is typed into one input of the form to the next draft, or to what is wrong with the text.

import { type Fields, type IoctlCommand, IommufdError } from "../../index.js";
import { type Draft, MOST_BYTES, writeDeclared } from "./draft.js";
import { bytesOfText, requestOfText, valueOfText } from "./field-text.js";
import type { InputName } from "./struct-view.js";

/** The draft with that text in that input; a sentence when the text means nothing there. */
export function draftWith(
  draft: Draft,
  command: IoctlCommand<Fields> | undefined,
  name: InputName,
  text: string,
): Draft | string {
  if (name.input === "request") {
    const request = requestOfText(text);
    return request === undefined ? "A number of 32 bits, e.g. 0x3b80." : { ...draft, request };
  }
  if (name.input === "hex") {
    const bytes = bytesOfText(text);
    if (bytes === undefined) return "Pairs of the digits 0–9 and a–f.";
    if (bytes.length > MOST_BYTES) return `At most ${MOST_BYTES} bytes.`;
    return { ...draft, bytes };
  }
  return withField(draft, command, name.field, text);
}

function withField(
  draft: Draft,
  command: IoctlCommand<Fields> | undefined,
  field: string,
  text: string,
): Draft | string {
  const type = command?.fields[field]?.type ?? "u32";
  const value = valueOfText(text, type);
  if (value === undefined) return type.startsWith("u8[") ? `Hex digits for ${type}.` : "A number, decimal or with 0x.";
  const bytes = draft.bytes.slice();
  if (field === "size") {
    const size = Number(value);
    if (!(size >= 0 && size <= 0xffff_ffff)) return "A number of 32 bits.";
    writeDeclared(bytes, size);
    return { ...draft, bytes };
  }
  if (command === undefined) return "This request has no such field.";
  // The command writes whole structs only: a short one is a part of one.
  const whole = new Uint8Array(Math.max(bytes.length, command.size));
  whole.set(bytes);
  try {
    command.write(whole, { [field]: value });
  } catch (error) {
    if (!(error instanceof IommufdError)) throw error;
    return `It does not fit ${type}.`;
  }
  bytes.set(whole.subarray(0, bytes.length));
  return { ...draft, bytes };
}
