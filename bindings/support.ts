// SPDX-License-Identifier: GPL-2.0-only
/** Whether this host can run the library, with one thread or with several, and what to do where it cannot. */

/** The answer of `Iommufd.isSupported`. */
export interface Support {
  /** The library works here. */
  ok: boolean;
  /** The memory can be shared with workers. */
  threads: boolean;
  /** Why one of them is false. */
  reason?: string;
  /** What makes it true. */
  fix?: string;
}

const HEADERS =
  "serve the page with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";

/** Tries what the library needs. Cheap enough to call at every start. */
export function readSupport(): Support {
  if (typeof WebAssembly !== "object") {
    return { ok: false, threads: false, reason: "this host has no WebAssembly", fix: "use a host of 2021 or later" };
  }
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    Atomics.load(new Int32Array(memory.buffer), 0);
  } catch {
    return {
      ok: false,
      threads: false,
      reason: "this host has no shared WebAssembly memory",
      fix: "use Node 20.16, Chrome 100, Firefox 97, Safari 15.4 or later",
    };
  }
  // Only pages and their workers know isolation; elsewhere memory can always be shared.
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
  if (isolated === false && !isNode()) {
    return {
      ok: true,
      threads: false,
      reason: "the page is not cross-origin isolated: its memory cannot be posted to a worker",
      fix: HEADERS,
    };
  }
  return { ok: true, threads: true };
}

function isNode(): boolean {
  return (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined;
}
