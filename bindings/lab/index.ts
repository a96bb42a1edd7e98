// SPDX-License-Identifier: GPL-2.0-only
//
// Entry `iommufd-wasm/lab`: custom elements that show a kernel's objects and let one touch them. Importing it registers them.
//
//   <script type="module" src="…/lab.js"></script>
//   <iommufd-graph></iommufd-graph>

import { RaceElement } from "./race/race-element.js";

export { RaceElement, type RaceMode } from "./race/race-element.js";
export { type FinishedOutcome, RaceFinishedEvent, type RaceFinished } from "./race/race-event.js";
export { LabCallsEvent, LabSession, PAGE_THREAD, type LabCall } from "./session.js";

if (customElements.get("iommufd-race") === undefined) customElements.define("iommufd-race", RaceElement);
