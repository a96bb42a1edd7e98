// SPDX-License-Identifier: GPL-2.0-only
//
// A stage: a copy of the tree in which the tests run against another core. Its inlined core is replaced for each mutant; everything
// else stays, and packages come from node_modules of the real tree above.

import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { textOfBytes } from "../../bindings/build/wasm-text.mjs";

// In two steps: bundlers would rewrite `new URL("…", import.meta.url)`.
const here = import.meta.url;
export const ROOT = fileURLToPath(new URL("../../", here));
const FOLDER = join(ROOT, "build/mutants");

const NOT_COPIED = new Set(["node_modules", "build", ".git", "bench"]);

/** A file of dist/ that holds the core, and the text around it. */
interface Inlined {
  file: string;
  before: string;
  after: string;
}

export class Stage {
  readonly path: string;
  readonly #inlined: readonly Inlined[];

  private constructor(path: string, inlined: readonly Inlined[]) {
    this.path = path;
    this.#inlined = inlined;
  }

  static async make(number: number): Promise<Stage> {
    const path = join(FOLDER, `stage-${number}`);
    await rm(path, { recursive: true, force: true });
    await mkdir(join(path, "build"), { recursive: true });
    for (const entry of await readdir(ROOT)) {
      if (!NOT_COPIED.has(entry)) await cp(join(ROOT, entry), join(path, entry), { recursive: true });
    }
    // Modules that tests load by path.
    for (const entry of await readdir(join(ROOT, "build"))) {
      if (entry.endsWith(".wasm") || entry === "ts") {
        await cp(join(ROOT, "build", entry), join(path, "build", entry), { recursive: true });
      }
    }
    const core = textOfBytes(await readFile(join(ROOT, "dist/core.wasm")));
    const inlined: Inlined[] = [];
    for (const name of await readdir(join(ROOT, "dist"))) {
      if (!name.endsWith(".js")) continue;
      const [before = "", after, ...more] = (await readFile(join(ROOT, "dist", name), "utf8")).split(core);
      if (after === undefined) continue;
      if (more.length > 0) throw new Error(`dist/${name} holds the core more than once`);
      inlined.push({ file: join(path, "dist", name), before, after });
    }
    if (inlined.length === 0) throw new Error("dist/ does not hold the core; run `npm run build`");
    return new Stage(path, inlined);
  }

  /** Where the cores of this stage are compiled to. */
  coreFile(target: string): string {
    return join(this.path, target === "debug" ? "dist/core.wasm" : `build/core.${target}.wasm`);
  }

  /** The tests run against dist/core.wasm of the stage from now on. */
  async replaceCore(): Promise<void> {
    const core = textOfBytes(await readFile(this.coreFile("debug")));
    for (const { file, before, after } of this.#inlined) await writeFile(file, before + core + after);
  }
}
