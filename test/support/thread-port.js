// SPDX-License-Identifier: GPL-2.0-only
//
// The inner side of ./thread.ts: one way to receive and to post, whatever the host calls it.
//
// Messages that arrive before `receive` is called are kept by the host: Node's port starts with its first listener, and
// a page's worker delivers after its module has run.

// Not `import()`: the test runner rewrites it for pages, in a way that only the page itself understands.
const port = globalThis.process?.getBuiltinModule("node:worker_threads").parentPort ?? globalThis;

/** Calls `listener(message)` for every message of the starter. */
export function receive(listener) {
  if (typeof port.on === "function") port.on("message", listener);
  else port.onmessage = (event) => listener(event.data);
}

/** Posts one value to the starter. */
export function post(message) {
  port.postMessage(message);
}
