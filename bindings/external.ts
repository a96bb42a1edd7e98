// SPDX-License-Identifier: GPL-2.0-only
/**
 * Entry "./external": the library without inlined bytes. The core is fetched from `core.wasm` beside this module and compiled
 * while it streams in, so it is cached by itself and is not in the bundle.
 *
 * vite and webpack copy the file. rollup and esbuild leave it behind: put `iommufd-wasm/core.wasm` beside the bundle, or pass
 * a compiled `module`.
 */
import type { CoreSource } from "./core.js";
import { failure } from "./error.js";
import { IommufdBase, type IommufdOptions, type IommufdShare, prepare, prepareSync, received } from "./iommufd.js";

export * from "./public.js";

let compiled: Promise<WebAssembly.Module> | undefined;

const source: CoreSource = {
  async compile() {
    compiled ??= compileFrom(new URL("./core.wasm", import.meta.url));
    return compiled;
  },
  compileSync() {
    throw failure("ENOSYS", "create", "the core is fetched: use create(), or pass a compiled module");
  },
};

async function compileFrom(url: URL): Promise<WebAssembly.Module> {
  try {
    if (url.protocol !== "file:") return await WebAssembly.compileStreaming(fetch(url));
    // Node cannot fetch files; elsewhere there is no `process`.
    const { readFile } = process.getBuiltinModule("node:fs/promises");
    return await WebAssembly.compile(await readFile(url));
  } catch (cause) {
    compiled = undefined; // the next create() tries again
    throw failure("ENOENT", "create", `no core at ${url.href}`, cause);
  }
}

/** One "kernel": a shared memory and this thread's instance on it. */
export class Iommufd extends IommufdBase {
  /** Makes a memory and attaches this thread to it. @throws IommufdError EINVAL (options), ENOMEM, ENOENT (no core.wasm). */
  static async create(options: IommufdOptions = {}): Promise<Iommufd> {
    return new Iommufd(await prepare(source, options), options.onWarning).announced();
  }

  /** As `create`, without waiting: needs `options.module`. @throws IommufdError ENOSYS without one. */
  static createSync(options: IommufdOptions = {}): Iommufd {
    return new Iommufd(prepareSync(source, options), options.onWarning);
  }

  /**
   * Attaches this thread to another one's `share`.
   *
   * @throws IommufdError EINVAL (not a share, or of another version), EAGAIN (64 threads are attached).
   */
  static async attach(share: IommufdShare): Promise<Iommufd> {
    return new Iommufd(await Promise.resolve(share).then(received)).announced();
  }

  /** As `attach`, without waiting. */
  static attachSync(share: IommufdShare): Iommufd {
    return new Iommufd(received(share));
  }
}
