// SPDX-License-Identifier: GPL-2.0-only
// The open file in a line: its number, how many objects it has, the scratch memory, and the two things one does to a file.

import { html, render } from "lit";
import type { LabSession } from "iommufd-wasm/lab";
import type { UserMemory } from "./lessons/lesson.js";
import { onNextFrame } from "./next-frame.js";
import type { Samples } from "./sample.js";

/** Shows the line and keeps it up to date. */
export function showFileBar(place: HTMLElement, session: LabSession, memory: UserMemory, samples: Samples): void {
  const update = (): void => {
    // One file is open, and a count is cheaper than a list.
    const { live } = session.iommufd.stats().objects;
    render(
      html`
        <dl>
          <div>
            <dt>File</dt>
            <dd>${session.context.fd}</dd>
          </div>
          <div>
            <dt>Objects</dt>
            <dd>${live}</dd>
          </div>
          <div>
            <dt>Scratch memory</dt>
            <dd class="mono">0x${memory.scratch.toString(16)}</dd>
          </div>
        </dl>
        <div class="actions">
          <button @click=${() => samples.add()}>Add sample objects</button>
          <button @click=${() => session.reopen()}>Close and reopen</button>
        </div>
      `,
      place,
    );
  };
  for (const type of ["calls", "context"]) session.addEventListener(type, onNextFrame(update));
  update();
}
