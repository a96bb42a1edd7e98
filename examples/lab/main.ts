// SPDX-License-Identifier: GPL-2.0-only
//
// Starts the lab page: a machine for the objects and one for address spaces, the first objects, the lessons.
//
// The elements have their session before anything is called, so the calls that make the first objects are the first lines
// of the trace.

import { LabSession } from "iommufd-wasm/lab";
import { showAppearance } from "./appearance.js";
import { DefinitionEditor } from "./definition-editor.js";
import { showFileBar } from "./file-bar.js";
import { Guide } from "./guide.js";
import { isolate } from "./isolation.js";
import { LESSONS } from "./lessons/index.js";
import type { MachineName } from "./lessons/lesson.js";
import { hideNowBarBesideLesson } from "./now-bar.js";
import { part, sessionElements } from "./page-parts.js";
import { localStore, Progress } from "./progress.js";
import { defineReserve } from "./reserve-ioctl.js";
import { Samples } from "./sample.js";
import { showSecondThread } from "./second-thread.js";
import { showSupport } from "./support-note.js";
import { MAPPED_BYTES, mapScratch } from "./user-memory.js";

const store = localStore();
showAppearance(part("appearance"), store);
const threads = showSupport(part("support"));
if (import.meta.env.PROD) void isolate(new URL("./isolation-worker.js", document.baseURI));

const [session, memorySession] = await Promise.all([LabSession.shared(), LabSession.shared("mainline")]);
const shown = ([machine, its]: [MachineName, LabSession]): Promise<unknown>[] =>
  sessionElements(machine).map((element) => {
    element.session = its;
    return element.updateComplete;
  });
await Promise.all([...shown(["objects", session]), ...shown(["memory", memorySession])]);

const memory = mapScratch(session.iommufd);
const samples = new Samples(session);
if (session.lab !== undefined) session.addCommand(defineReserve(session.iommufd, session.lab.types));
showFileBar(part("file"), session, memory, samples);
showSecondThread(part("second-thread"), session, threads);
document.addEventListener("iommufd-example", (event) => {
  if ((event.target as Element).localName !== "iommufd-graph") return;
  event.preventDefault(); // the graph's own button: ours makes the same, and no lesson takes it for the student
  samples.add();
});
samples.add();

new Guide({
  machines: {
    objects: { session, world: { objects: () => session.context.objects(), memory, threads } },
    memory: {
      session: memorySession,
      world: {
        objects: () => memorySession.context.objects(),
        memory: mapScratch(memorySession.iommufd, MAPPED_BYTES),
        threads,
      },
    },
  },
  lessons: LESSONS,
  progress: new Progress(store),
  editor: new DefinitionEditor(session, part("editor")),
  samples,
});
hideNowBarBesideLesson();
