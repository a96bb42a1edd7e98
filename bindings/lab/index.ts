// SPDX-License-Identifier: GPL-2.0-only
//
// Entry `iommufd-wasm/lab`: custom elements that show a kernel's objects and let one touch them. Importing it registers them;
// a name that the page has given away already is left alone, so that two copies of this module do not stop each other.
//
//   <script type="module" src="…/lab.js"></script>
//   <iommufd-graph></iommufd-graph>

import { IommufdConsole } from "./console/console.js";
import { IommufdGraph } from "./graph/graph-element.js";
import { IommufdIova } from "./iova/iova-element.js";
import { IommufdRace } from "./race/race-element.js";
import { IommufdTrace } from "./trace/trace.js";

export { LabCallsEvent, LabSession, PAGE_THREAD, type LabCall } from "./session.js";
export { IommufdConsole, type FillOptions, type RunDetail } from "./console/console.js";
export type { FileNumber, Pointer, Shape } from "./console/draft.js";
export type { FieldValue } from "./console/field-text.js";
export type { LeftOut, TraceExport } from "./console/trace-export.js";
export { IommufdGraph } from "./graph/graph-element.js";
export { IommufdIova } from "./iova/iova-element.js";
export { IommufdRace, type RaceMode } from "./race/race-element.js";
export { type FinishedOutcome, RaceFinishedEvent, type RaceFinished } from "./race/race-event.js";
export { IommufdTrace } from "./trace/trace.js";
export { LabLostEvent, receiveCalls, type ReceivePort } from "./trace/receive.js";

const ELEMENTS = {
  "iommufd-console": IommufdConsole,
  "iommufd-graph": IommufdGraph,
  "iommufd-iova": IommufdIova,
  "iommufd-race": IommufdRace,
  "iommufd-trace": IommufdTrace,
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  if (customElements.get(name) === undefined) customElements.define(name, element);
}

declare global {
  interface HTMLElementTagNameMap {
    "iommufd-console": IommufdConsole;
    "iommufd-graph": IommufdGraph;
    "iommufd-iova": IommufdIova;
    "iommufd-race": IommufdRace;
    "iommufd-trace": IommufdTrace;
  }
}
