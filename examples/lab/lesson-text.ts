// SPDX-License-Identifier: GPL-2.0-only
// Lesson texts as templates: `words between backticks` become code.

import { html, type TemplateResult } from "lit";
import type { Facts, Text } from "./lessons/lesson.js";

/** The text as it stands, with what former steps found. */
export function plainText(text: Text, facts: Facts): string {
  return typeof text === "string" ? text : text(facts);
}

/** The text to show. */
export function richText(text: Text, facts: Facts = {}): (TemplateResult | string)[] {
  return plainText(text, facts)
    .split("`")
    .map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));
}

/** The text to say. */
export function spokenText(text: Text, facts: Facts): string {
  return plainText(text, facts).replaceAll("`", "");
}
