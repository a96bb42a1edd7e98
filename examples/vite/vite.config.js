// SPDX-License-Identifier: GPL-2.0-only
//
// The two headers that let a page share memory with its workers; otherwise nothing is to be configured.

const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

export default { server: { headers }, preview: { headers }, build: { target: "es2022" } };
