// SPDX-License-Identifier: GPL-2.0-only
//
// The test runner, kept warm: files run again and again on a stage whose core changes in between. Each run has a thread of its own,
// so that it loads the stage's core anew.

import { relative } from "node:path";
import { createVitest, type Vitest } from "vitest/node";

export interface SuiteResult {
  /** The first test that failed, or why there is none; undefined when all passed. */
  failed?: string;
  /** Its file. */
  file?: string;
  /** The test itself gave up waiting. */
  timedOut?: boolean;
}

let runner: Promise<Vitest> | undefined;
let noteProgress: () => void = () => undefined;

function start(root: string): Promise<Vitest> {
  process.chdir(root);
  // One module graph for all files of a run: four times as fast.
  const onStep = (): void => noteProgress();
  const reporters = [
    {
      ...{ onTestModuleQueued: onStep, onTestModuleCollected: onStep, onTestModuleStart: onStep },
      ...{ onTestCaseReady: onStep, onTestCaseResult: onStep },
    },
  ];
  const options = { root, project: ["node"], watch: false, isolate: false, pool: "threads", bail: 1, reporters };
  return createVitest("test", options);
}

/** Runs test files below `root` until one test fails. Context: `root` is always the same. `progress` is called for each test. */
export async function runTests(
  root: string,
  files: readonly string[],
  namePattern: string,
  progress: () => void,
): Promise<SuiteResult> {
  noteProgress = progress;
  const vitest = await (runner ??= start(root));
  progress();
  vitest.setGlobalTestNamePattern(namePattern);
  const specifications = await vitest.globTestSpecifications([...files]);
  if (specifications.length !== files.length)
    return { failed: `${specifications.length} of ${files.join(", ")} exist` };
  progress();
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  const wanted = new Set(specifications.map(({ moduleId }) => moduleId));
  for (const module of testModules.filter(({ moduleId }) => wanted.has(moduleId))) {
    const file = relative(root, module.moduleId);
    for (const test of module.children.allTests("failed")) {
      const message = test.result().errors?.[0]?.message ?? "";
      const what = `${file}: ${test.fullName}: ${message.split("\n")[0]}`;
      return { failed: what, file, timedOut: message.includes("timed out") };
    }
    const [error] = module.errors();
    if (module.state() === "failed") return { failed: `${file}: ${error?.message ?? "failed"}`, file };
  }
  if (unhandledErrors.length > 0) return { failed: String(unhandledErrors[0]).split("\n")[0]! };
  return {};
}
