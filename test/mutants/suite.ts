// SPDX-License-Identifier: GPL-2.0-only
//
// The unit tests, as killers: which files are about which file of the core, and running some of them on a stage.

import { readFile, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { runNode } from "./child.ts";
import { ROOT, type Stage } from "./stage.ts";

const single = (...names: string[]): string[] => names.map((name) => `test/single-thread/${name}.test.ts`);

/** The tests that are most likely to see a fault of that file of the core. */
const NEAR: Readonly<Record<string, readonly string[]>> = {
  "atomics.ts": single("life-cycle"),
  "thread.ts": single("handles", "detach", "warnings", "exhaustion"),
  "mutex.ts": single("life-cycle"),
  "refcount.ts": single("small-fields", "life-cycle", "interleaving"),
  "change.ts": single("life-cycle", "holds"),
  "page-alloc.ts": single("user-space", "exhaustion", "stats"),
  "slab.ts": single("life-cycle", "exhaustion", "stats"),
  "xarray.ts": single("ids", "stats", "exhaustion"),
  "registry.ts": single("object-types", "define-ioctl"),
  "file.ts": single("files", "interleaving"),
  "kept.ts": single("life-cycle", "holds"),
  "hold.ts": single("holds"),
  "object.ts": single("life-cycle", "exhaustion", "stats"),
  "lookup.ts": single("life-cycle", "interleaving", "small-fields", "exhaustion"),
  "destroy.ts": single("life-cycle", "interleaving", "async", "callbacks", "small-fields"),
  "release.ts": single("release-rfc", "release-mainline", "callbacks"),
  "mmap.ts": single("user-space"),
  "uaccess.ts": single("user-space", "copy-struct"),
  "ioctl.ts": single("dispatch", "copy-struct", "define-ioctl"),
};

/** All that one thread can see, the fuzzer's oracle with fixed seeds among it; without tests of what is not the core. */
const SINGLE: readonly string[] = single(
  ...["life-cycle", "holds", "handles", "ids", "files", "interleaving", "release-rfc", "release-mainline", "detach"],
  ...["callbacks", "async", "small-fields", "exhaustion", "stats", "warnings", "profiles", "object-types"],
  ...["define-ioctl", "dispatch", "copy-struct", "user-space", "any-input", "fuzz-oracle"],
);

/** What needs threads; the recorded races last, they take longest. */
const THREADS: readonly string[] = [
  ...["threads-types", "threads-files", "threads-wait", "threads-attach", "threads-memory", "threads-death"],
  ...["threads-stress", "races"],
].map((name) => `test/${name}.test.ts`);

export const nearTests = (file: string): readonly string[] => NEAR[file] ?? [];
export const singleTests = (file: string): readonly string[] =>
  SINGLE.filter((test) => !nearTests(file).includes(test));
export const threadTests = (): readonly string[] => THREADS;

/** Whether the tests load the core with narrow counters by themselves. */
export const needsSmallCore = (test: string): boolean => test.endsWith("/small-fields.test.ts");

export interface SuiteResult {
  /** The first test that failed, or why there is none; undefined when all passed. */
  failed?: string;
  /** Its file, for the cache. */
  file?: string;
  timedOut?: boolean;
}

interface Report {
  testResults: { name: string; status: string; message: string; assertionResults: Assertion[] }[];
}
interface Assertion {
  status: string;
  fullName: string;
}

/** Runs test files on the stage's core until one test fails. */
export async function runTests(
  stage: Stage,
  files: readonly string[],
  { shared, milliseconds }: { shared: boolean; milliseconds: number },
): Promise<SuiteResult> {
  const report = join(stage.path, "build/results.json");
  await rm(report, { force: true });
  const args = [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "--project", "node", "--root", stage.path];
  args.push("--bail=1", "--reporter=json", `--outputFile=${report}`);
  // One module graph for all files is four times as fast; files with threads of their own get one each.
  if (shared) args.push("--no-isolate", "--pool=threads");
  const { status, output } = await runNode([...args, ...files], stage.path, milliseconds);
  if (status === 0) return {};
  const text = await readFile(report, "utf8").catch(() => undefined);
  const found = text === undefined ? undefined : firstFailure(JSON.parse(text) as Report, stage);
  if (found) return found;
  if (status === undefined) return { failed: `no answer within ${milliseconds / 1000} s`, timedOut: true };
  return { failed: `vitest: ${output.trim().split("\n").at(-1) ?? ""}` };
}

function firstFailure({ testResults }: Report, stage: Stage): SuiteResult | undefined {
  for (const { name, status, message, assertionResults } of testResults) {
    const file = relative(stage.path, name);
    const failed = assertionResults.find((each) => each.status === "failed");
    if (failed) return { failed: `${file}: ${failed.fullName}`, file };
    if (status === "failed" && message !== "") return { failed: `${file}: ${message.split("\n")[0]}`, file };
  }
  return undefined;
}
