// SPDX-License-Identifier: GPL-2.0-only
//
// A process of its own that compiles mutants, explores them and runs tests on them, so that whoever started it can end it when a
// mutant hangs. It lives for many mutants, because a compiler and a test runner that are warm take a tenth of the time.
//
// Started with an IPC channel: a Request comes in, one Reply goes out, behind any number of signs of life.

import { writeFile } from "node:fs/promises";
import { buildCore, buildModel } from "../../bindings/build/build-model.mjs";
import { explore } from "../model/explore.ts";
import { PROPERTIES } from "../model/properties/index.ts";
import type { Edit, Property } from "../model/property.ts";
import { runTests, type SuiteResult } from "./test-runner.ts";

export type Request =
  | { kind: "compile"; edits: readonly Edit[]; target: string; outFile: string }
  | { kind: "explore"; edits: readonly Edit[]; property: string; seconds: number }
  | { kind: "test"; root: string; files: readonly string[]; namePattern: string };

export interface Reply {
  /** Why it does not compile. */
  broken?: string;
  /** How the property or a test fails. */
  problem?: string;
  /** The test's. */
  suite?: SuiteResult;
  /** Not a reply yet, but something has happened. */
  goesOn?: boolean;
}

process.on("message", (request: Request) => {
  void answer(request).then((reply) => process.send?.(reply));
});
process.on("disconnect", () => process.exit());

async function answer(request: Request): Promise<Reply> {
  if (request.kind === "compile") return compile(request);
  if (request.kind === "explore") return exploreOne(request);
  const goesOn = (): boolean | undefined => process.send?.({ goesOn: true });
  return { suite: await runTests(request.root, request.files, request.namePattern, goesOn) };
}

async function compile({ edits, target, outFile }: Request & { kind: "compile" }): Promise<Reply> {
  try {
    await writeFile(outFile, await buildCore(edits, target));
    return {};
  } catch (error) {
    return { broken: String(error) };
  }
}

/** The property on the mutant, in each of its profiles, without its twins. */
async function exploreOne({ edits, property: name, seconds }: Request & { kind: "explore" }): Promise<Reply> {
  const property = PROPERTIES.find((each) => each.name === name);
  if (!property) return { broken: `there is no property ${name}` };
  const built = await buildModel(edits).catch((error: unknown) => String(error));
  if (typeof built === "string") return { broken: built };
  const module = new WebAssembly.Module(new Uint8Array(built.wasm));
  for (const profile of property.profiles) {
    const problem = failureOf(module, property, profile, seconds);
    if (problem !== undefined) return { problem: `${profile}, ${problem}` };
  }
  return {};
}

function failureOf(
  module: WebAssembly.Module,
  property: Property,
  profile: Property["profiles"][number],
  seconds: number,
): string | undefined {
  try {
    const limits = { seconds: Math.min(seconds, property.seconds ?? seconds), totalSeconds: seconds, shortens: false };
    const exploration = explore(module, property.model(profile), { ...property, ...limits });
    const { found, bound, isCut = false, outcomes } = exploration;
    if (found) return `${found.failure.kind}: ${found.failure.message.split("\n")[0]}`;
    return bound || isCut ? undefined : property.judge?.(outcomes, profile);
  } catch (error) {
    return String(error); // the set-up of the model fails already
  }
}
