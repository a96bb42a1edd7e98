// SPDX-License-Identifier: GPL-2.0-only
//
// layout-worker.ts and dagre as the text of a classic worker, so that dist/lab.js is one file for every bundler and every
// host. bindings/build/layout-worker.mjs fills it in; unbundled there is no worker, and the layout is the plain one.

export const LAYOUT_WORKER: string = "";
