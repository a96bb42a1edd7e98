// SPDX-License-Identifier: GPL-2.0-only
//
// What is shown while a file has no address space: what to do about it, and an example at the push of a button.
//
// The button first asks the page by "iommufd-example", which bubbles: whoever prevents its default makes something of his own.

import { type TemplateResult, html } from "lit";
import { IommufdError } from "../../index.js";
import type { LabSession } from "../session.js";

const PAGE = 4096;
/** Far from the others, so that the space is seen to be large. */
const FAR = 2n ** 40n;

/** What to do. */
export function emptyView(session: LabSession, failed: (problem: string) => void): TemplateResult {
  return html`<div class="empty">
    <strong>No address space yet</strong>
    <p class="muted">Allocate one: run <code>IOMMU_IOAS_ALLOC</code>, from any thread. It appears here.</p>
    <button type="button" class="primary" @click=${(event: Event) => onClick(event, session, failed)}>
      Make an example
    </button>
  </div>`;
}

function onClick({ currentTarget }: Event, session: LabSession, failed: (problem: string) => void): void {
  const asked = new CustomEvent("iommufd-example", { bubbles: true, composed: true, cancelable: true });
  if (currentTarget?.dispatchEvent(asked) !== true) return;
  try {
    makeExample(session);
  } catch (error) {
    if (!(error instanceof IommufdError)) throw error;
    failed(`The example could not be made: ${error.message}`);
  }
}

/** Two address spaces: areas of all rights, a hole, a far one, and memory that both show. */
function makeExample({ iommufd, context }: LabSession): void {
  const memory = iommufd.userSpace.map(16 * PAGE);
  const space = context.ioasAlloc();
  const page = space.map(memory.va, PAGE);
  space.map(memory.va, 3 * PAGE, { write: false });
  space.map(memory.va, 2 * PAGE, { read: false });
  space.map(memory, { iova: FAR });
  context.ioasAlloc().copyFrom(space, page, PAGE);
}
