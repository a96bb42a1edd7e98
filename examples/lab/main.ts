// SPDX-License-Identifier: GPL-2.0-only
//
// Starts the lab page: one session for the four elements, the first objects, the lessons.
//
// The elements have the session before anything is called, so the calls that make the first objects are the first lines
// of the trace.

import { LabSession } from "iommufd-wasm/lab";
import { showAppearance } from "./appearance.js";
import { DefinitionEditor } from "./definition-editor.js";
import { showFileBar } from "./file-bar.js";
import { Guide } from "./guide.js";
import { isolate } from "./isolation.js";
import { LESSONS } from "./lessons/index.js";
import { hideNowBarBesideLesson } from "./now-bar.js";
import { part, sessionElements } from "./page-parts.js";
import { localStore, Progress } from "./progress.js";
import { defineReserve } from "./reserve-ioctl.js";
import { Samples } from "./sample.js";
import { showSecondThread } from "./second-thread.js";
import { showSupport } from "./support-note.js";
import { mapScratch } from "./user-memory.js";

const store = localStore();
showAppearance(part("appearance"), store);
const threads = showSupport(part("support"));
if (import.meta.env.PROD) void isolate(new URL("./isolation-worker.js", document.baseURI));

const session = await LabSession.shared();
const elements = sessionElements();
for (const element of elements) element.session = session;
await Promise.all(elements.map((element) => element.updateComplete));

const memory = mapScratch(session.iommufd);
const samples = new Samples(session);
if (session.lab !== undefined) session.addCommand(defineReserve(session.iommufd, session.lab.types));
showFileBar(part("file"), session, memory, samples);
showSecondThread(part("second-thread"), session, threads);
document.addEventListener("iommufd-example", (event) => {
  event.preventDefault(); // the graph's own button: ours makes the same, and no lesson takes it for the student
  samples.add();
});
samples.add();

new Guide({
  session,
  lessons: LESSONS,
  progress: new Progress(store),
  editor: new DefinitionEditor(session, part("editor")),
  samples,
  world: { objects: () => session.context.objects(), memory, threads },
});
hideNowBarBesideLesson();
