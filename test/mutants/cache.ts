// SPDX-License-Identifier: GPL-2.0-only
//
// What earlier runs found, in build/mutants/results.json, so that a run does again only what may have changed.
//
//   caught     good while the mutant's file of the core and the file of the test that caught it are the same
//   survived   good while the core and all tests are the same
//
// What is not good any more still says which step to try first.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Answer, Step } from "./killers.ts";
import type { Mutant } from "./mutant.ts";
import { ROOT } from "./stage.ts";

interface Entry {
  core: string;
  tests: string;
  answer: Answer;
  seconds: number;
}

const FILE = join(ROOT, "build/mutants/results.json");

export class Cache {
  readonly #entries: Map<string, Entry>;
  readonly #core: Hashes;
  readonly #tests: Hashes;
  #written: Promise<void> = Promise.resolve();

  private constructor(entries: Map<string, Entry>, core: Hashes, tests: Hashes) {
    this.#entries = entries;
    this.#core = core;
    this.#tests = tests;
  }

  static async read(): Promise<Cache> {
    const text = await readFile(FILE, "utf8").catch(() => "[]");
    const core = await hashesOf("assembly", "bindings");
    const tests = await hashesOf("test");
    return new Cache(new Map(JSON.parse(text) as [string, Entry][]), core, tests);
  }

  find(mutant: Mutant): { answer: Answer; seconds: number } | undefined {
    const entry = this.#entries.get(mutant.name);
    if (!entry) return undefined;
    const { core, tests, answer } = entry;
    return core === this.#coreOf(mutant, answer) && tests === this.#testsOf(answer) ? entry : undefined;
  }

  firstStep(mutant: Mutant): Step | undefined {
    const answer = this.#entries.get(mutant.name)?.answer;
    return answer && "caught" in answer ? answer.caught?.by : undefined;
  }

  async keep(mutant: Mutant, answer: Answer, seconds: number): Promise<void> {
    this.#entries.set(mutant.name, {
      core: this.#coreOf(mutant, answer),
      tests: this.#testsOf(answer),
      answer,
      seconds,
    });
    // One at a time, whoever asks.
    this.#written = this.#written.then(async () => {
      await mkdir(join(ROOT, "build/mutants"), { recursive: true });
      await writeFile(FILE, JSON.stringify([...this.#entries]));
    });
    await this.#written;
  }

  #coreOf(mutant: Mutant, answer: Answer): string {
    const isCaught = "caught" in answer && answer.caught !== undefined;
    const core = isCaught ? this.#core.of(`assembly/core/${mutant.file}`) : this.#core.all();
    return createHash("sha256").update(core).update(JSON.stringify(mutant)).digest("hex");
  }

  #testsOf(answer: Answer): string {
    const caught = "caught" in answer ? answer.caught : undefined;
    if (caught?.property !== undefined) return this.#tests.with(`"${caught.property}"`);
    return caught?.file === undefined ? this.#tests.all() : this.#tests.of(caught.file);
  }
}

/** Of the files of some folders. */
class Hashes {
  readonly #files = new Map<string, string>();
  readonly #texts = new Map<string, string>();

  add(file: string, text: Buffer): void {
    this.#files.set(file, createHash("sha256").update(text).digest("hex"));
    if (file.startsWith("test/model/properties/")) this.#texts.set(file, text.toString());
  }
  /** Of the file of properties that contains the text; of all when none does. */
  with(text: string): string {
    for (const [file, content] of this.#texts) if (content.includes(text)) return this.of(file);
    return this.all();
  }
  of(file: string): string {
    return this.#files.get(file) ?? "";
  }
  all(): string {
    return createHash("sha256")
      .update(JSON.stringify([...this.#files].sort()))
      .digest("hex");
  }
}

async function hashesOf(...folders: readonly string[]): Promise<Hashes> {
  const hashes = new Hashes();
  for (const folder of folders) {
    for (const entry of await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
      // The mutants themselves are part of the key, what runs them is not.
      const file = join(entry.parentPath, entry.name).slice(ROOT.length).replaceAll("\\", "/");
      if (!entry.isFile() || file.startsWith("test/mutants/") || file.endsWith(".md")) continue;
      hashes.add(file, await readFile(join(ROOT, file)));
    }
  }
  return hashes;
}
