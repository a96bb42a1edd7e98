// SPDX-License-Identifier: GPL-2.0-only
//
// What is shown while a file has no objects: what to do about it, and a first object chain at the push of a button where the
// session has the lab's LAB_ALLOC.
//
// The button first asks the page by "iommufd-example", which bubbles: whoever prevents its default makes objects of his own, and can
// tell the calls of a button from those of the reader.

import { type TemplateResult, html, nothing } from "lit";
import type { Fields, IoctlCommand } from "../../index.js";
import type { LabSession } from "../session.js";

/** LAB_ALLOC's types, in the order in which the example makes them: each object holds the one before it. */
const EXAMPLE_TYPES = [3, 2, 1];

/** What to do. */
export function emptyState(session: LabSession): TemplateResult {
  const alloc = session.commands.find(({ name }) => name === "LAB_ALLOC");
  return html`<div class="empty">
    <strong>No objects yet</strong>
    <p class="muted">
      Allocate one: run an ioctl that makes an
      object${alloc === undefined ? "" : html`, such as <code>LAB_ALLOC</code>`}, from any thread. It appears here.
    </p>
    ${
      alloc === undefined
        ? nothing
        : html`<button type="button" class="primary" @click=${(event: Event) => onClick(event, session, alloc)}>
            Make three objects
          </button>`
    }
  </div>`;
}

function onClick({ currentTarget }: Event, session: LabSession, alloc: IoctlCommand<Fields>): void {
  const asked = new CustomEvent("iommufd-example", { bubbles: true, composed: true, cancelable: true });
  if (currentTarget?.dispatchEvent(asked) === true) makeExample(session, alloc);
}

function makeExample({ context }: LabSession, alloc: IoctlCommand<Fields>): void {
  let hold_id0 = 0;
  for (const type of EXAMPLE_TYPES) {
    const made = context.call(alloc as IoctlCommand<Record<string, "u32">>, { type, hold_id0 });
    hold_id0 = Number(made.out_id);
  }
}
