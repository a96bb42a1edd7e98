// SPDX-License-Identifier: GPL-2.0-only
// Says that the page has one thread, why, and what to do about it; nothing where it may have several.

import { html, nothing, render } from "lit";
import { Iommufd } from "iommufd-wasm";

/** Shows the note. Returns whether the page may have several threads. */
export function showSupport(place: HTMLElement): boolean {
  const { ok, threads, reason, fix } = Iommufd.isSupported();
  if (threads) return true;
  render(
    html`
      <aside class="support" aria-label="One thread">
        <p>
          <strong>${ok ? "This page runs on one thread." : "This page cannot run the library."}</strong>
          ${reason === undefined ? nothing : `Why: ${reason}.`}
          ${ok ? "All works but what needs a second thread: races between real threads, and a worker that holds an object." : nothing}
        </p>
        ${fix === undefined ? nothing : html`<p>What helps: ${fix}.</p>`}
      </aside>
    `,
    place,
  );
  return false;
}
