// SPDX-License-Identifier: GPL-2.0-only
//
// Light, dark, or what the reader's system prefers; and text for a reader at a desk or for a class before a projector.
//
// Both are attributes of the document's root, which the styles read; both are kept in the browser, where it lets us.

import { html, render } from "lit";
import type { Store } from "./progress.js";

const SCHEMES = { system: "System", light: "Light", dark: "Dark" } as const;
type Scheme = keyof typeof SCHEMES;

const SCHEME_KEY = "iommufd-lab-scheme";
const TEXT_KEY = "iommufd-lab-text";

/** Shows the two controls, and applies what was chosen before. */
export function showAppearance(place: HTMLElement, store: Store | undefined): void {
  const root = document.documentElement;
  const saved = read(store, SCHEME_KEY);
  let scheme: Scheme = saved === "light" || saved === "dark" ? saved : "system";
  let isLarge = read(store, TEXT_KEY) === "large";

  const update = (): void => {
    root.dataset["scheme"] = scheme;
    root.dataset["text"] = isLarge ? "large" : "normal";
    render(view(), place);
  };
  const view = () => html`
    <fieldset class="segments">
      <legend class="visually-hidden">Colours</legend>
      ${Object.entries(SCHEMES).map(
        ([value, label]) => html`
          <label>
            <input
              type="radio"
              name="scheme"
              .value=${value}
              .checked=${scheme === value}
              @change=${() => {
                scheme = value as Scheme;
                write(store, SCHEME_KEY, scheme);
                update();
              }}
            />
            <span>${label}</span>
          </label>
        `,
      )}
    </fieldset>
    <button
      class="on-dark"
      aria-pressed=${isLarge}
      @click=${() => {
        isLarge = !isLarge;
        write(store, TEXT_KEY, isLarge ? "large" : "normal");
        update();
      }}
    >
      Larger text
    </button>
  `;
  update();
}

function read(store: Store | undefined, key: string): string | null {
  try {
    return store?.getItem(key) ?? null;
  } catch {
    return null;
  }
}

function write(store: Store | undefined, key: string, value: string): void {
  try {
    store?.setItem(key, value);
  } catch {
    // It lasts as long as the page then.
  }
}
