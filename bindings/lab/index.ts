// SPDX-License-Identifier: GPL-2.0-only
//
// Entry `iommufd-wasm/lab`: custom elements that show a kernel's objects and let one touch them. Importing it registers them.
//
//   <script type="module" src="…/lab.js"></script>
//   <iommufd-graph></iommufd-graph>

import { IommufdGraph } from "./graph/graph-element.js";

export { IommufdGraph } from "./graph/graph-element.js";
export { LabCallsEvent, LabSession, PAGE_THREAD, type LabCall } from "./session.js";

customElements.define("iommufd-graph", IommufdGraph);

declare global {
  interface HTMLElementTagNameMap {
    "iommufd-graph": IommufdGraph;
  }
}
