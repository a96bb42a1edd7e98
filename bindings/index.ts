// SPDX-License-Identifier: GPL-2.0-only
/**
 * Entry ".": the library with the compiled core inlined. Works in every host and with every bundler.
 *
 * `./external` is the same without the inlined bytes.
 */
import { CORE_TEXT } from "./generated/core-bytes.js"; // first: see chunkOf() of build/rollup.config.mjs
import type { CoreSource } from "./core.js";
import { IommufdBase, type IommufdOptions, type IommufdShare, prepare, prepareSync, received } from "./iommufd.js";
import { bytesOfText } from "./wasm-text.js";

export * from "./public.js";

let compiled: WebAssembly.Module | undefined;

const source: CoreSource = {
  async compile() {
    try {
      return source.compileSync(); // less than a millisecond, several if other threads of the host have to help
    } catch {
      return (compiled ??= await WebAssembly.compile(bytesOfText(CORE_TEXT))); // a page that may not
    }
  },
  compileSync() {
    return (compiled ??= new WebAssembly.Module(bytesOfText(CORE_TEXT)));
  },
};

/** One "kernel": a shared memory and this thread's instance on it. */
export class Iommufd extends IommufdBase {
  /** Makes a memory and attaches this thread to it. @throws IommufdError EINVAL (options), ENOMEM. */
  static async create(options: IommufdOptions = {}): Promise<Iommufd> {
    return new Iommufd(await prepare(source, options), options.onWarning).announced();
  }

  /** As `create`, without waiting. */
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
