// SPDX-License-Identifier: GPL-2.0-only
//
// The layout's thread: a request in, an arrangement out. Bundled into a text of its own (layout-worker-text.ts).

import { type ArrangeRequest, Arranger } from "./arrange.js";
import { dagreLayers } from "./dagre-layers.js";

const arranger = new Arranger(dagreLayers);
const scope = globalThis as unknown as Pick<Worker, "onmessage" | "postMessage">;

scope.onmessage = ({ data }: MessageEvent<ArrangeRequest>) => scope.postMessage(arranger.arrange(data));
