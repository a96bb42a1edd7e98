// SPDX-License-Identifier: GPL-2.0-only
//
// Entry `iommufd-wasm/lab`: custom elements that show a kernel's objects and let one touch them. Importing it registers them.
//
//   <script type="module" src="…/lab.js"></script>
//   <iommufd-graph></iommufd-graph>

import { IommufdConsole } from "./console/console.js";
import { IommufdTrace } from "./trace/trace.js";

export { LabCallsEvent, LabSession, PAGE_THREAD, type LabCall } from "./session.js";
export { IommufdConsole, type FillOptions, type RunDetail } from "./console/console.js";
export type { FileNumber, Pointer, Shape } from "./console/draft.js";
export type { FieldValue } from "./console/field-text.js";
export type { LeftOut, TraceExport } from "./console/trace-export.js";
export { IommufdTrace } from "./trace/trace.js";
export { LabLostEvent, receiveCalls, type ReceivePort } from "./trace/receive.js";

customElements.define("iommufd-console", IommufdConsole);
customElements.define("iommufd-trace", IommufdTrace);
