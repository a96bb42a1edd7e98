// SPDX-License-Identifier: GPL-2.0-only
//
// The types of as-bind that this package uses.
//
// as-bind 0.8.2 declares one class as `any`, and under a name that its bundle does not export. Its `main` is the compiler
// transform; the bundle for programs is only reachable by its path. So that path is declared here, and nothing else of the
// package is imported.

declare module "as-bind/dist/as-bind.esm.js" {
  /** A module whose exported functions take and return strings and typed arrays. */
  interface AsBindInstance {
    /** The bound functions and the loader's own exports; their shape is the module's. */
    readonly exports: unknown;
  }

  /**
   * Compiles and instantiates in one synchronous step; `env.abort` is supplied.
   * @throws Error when the module was built without the as-bind transform or without the exported runtime
   */
  export function instantiateSync(source: Uint8Array): AsBindInstance;
}
