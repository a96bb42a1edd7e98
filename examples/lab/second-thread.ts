// SPDX-License-Identifier: GPL-2.0-only
//
// The control for a second thread: lets a worker hold an object, or keep an ID reserved, long enough to be looked at and to be
// run into. On one thread it is there all the same, disabled, and says why.

import { html, nothing, render, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { LabSession } from "iommufd-wasm/lab";
import { TYPE } from "./lessons/evidence.js";
import { doing, WorkerCrew } from "./worker-crew.js";

/** How long a worker's ioctl takes, in milliseconds: time to read what the graph says, and to run into it. */
const MSECS = 5000;
/** Between a number and its unit. */
const NO_BREAK = "\u00a0";
/** Object IDs have 32 bits. */
const MAX_ID = 2 ** 32 - 1;

/** Shows the control. The object follows what is selected in the graph. */
export function showSecondThread(place: HTMLElement, session: LabSession, threads: boolean): void {
  const crew = new WorkerCrew(session);
  let id = 1;
  const hold = (event: Event): void => {
    event.preventDefault();
    crew.give({ kind: "hold", id, msecs: MSECS });
  };
  const kill = (name: string): void => {
    crew.kill(name);
    // Its button is gone or will be; who was on it goes on where the next worker is started.
    place.querySelector<HTMLElement>("#worker-object")?.focus();
  };
  const view = (): TemplateResult => {
    const seconds = MSECS / 1000;
    const off = !threads || crew.isFull;
    return html`
      <h3 id="second-thread-title">A second thread on this file</h3>
      <p id="worker-what">
        Lets a worker make a call that takes ${seconds}${NO_BREAK}s. Meanwhile, see the graph, and try your own.
      </p>
      <form @submit=${hold}>
        <label>
          Object
          <input
            id="worker-object"
            type="number"
            min="1"
            max=${MAX_ID}
            required
            .value=${live(String(id))}
            ?disabled=${!threads}
            @input=${(event: InputEvent) => {
              const input = event.target as HTMLInputElement;
              // What is no ID yet stays as it is typed; the button says which object is meant.
              if (!input.validity.valid) return;
              id = input.valueAsNumber;
              update();
            }}
          />
        </label>
        <button ?disabled=${!threads} aria-disabled=${off} aria-describedby="worker-what worker-news">
          Hold object ${id}
        </button>
        <button
          type="button"
          ?disabled=${!threads}
          aria-disabled=${off}
          aria-describedby="worker-what worker-news"
          @click=${() => crew.give({ kind: "reserve", type: TYPE.IOAS, msecs: MSECS })}
        >
          Reserve an ID
        </button>
      </form>
      ${
        crew.busy.length === 0
          ? nothing
          : html`<ul aria-label="Workers">
              ${crew.busy.map(
                ({ name, job }) =>
                  html`<li>
                    <span>${name} ${doing(job)}</span>
                    <button @click=${() => kill(name)}>Kill <span class="visually-hidden">${name}</span></button>
                  </li>`,
              )}
            </ul>`
      }
      <p id="worker-news" role="status" class=${isListed(crew) ? "visually-hidden" : ""}>
        ${threads ? newsOf(crew) : WHY_NOT}
      </p>
    `;
  };
  const update = (): void => {
    render(view(), place);
  };
  crew.addEventListener("change", update);
  document.addEventListener("iommufd-select", (event) => {
    const { id: selected } = (event as CustomEvent<{ id: number | undefined }>).detail;
    if (selected === undefined) return;
    id = selected;
    update();
  });
  update();
}

const WHY_NOT = "No worker: this page runs on one thread. The note at the top says why.";

function newsOf(crew: WorkerCrew): string {
  return crew.isFull ? `${crew.news} All ${crew.busy.length} workers are busy.` : crew.news;
}

/** Whether the news is to be read in the list, so that it need only be said. */
function isListed({ busy, isFull, news }: WorkerCrew): boolean {
  return !isFull && busy.some(({ name, job }) => news === `${name} ${doing(job)}.`);
}
