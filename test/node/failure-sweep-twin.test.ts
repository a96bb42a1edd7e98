// SPDX-License-Identifier: GPL-2.0-only
//
// The failure sweep notices an operation that is half done: cores with one wrong undo each, compiled from a copy of the
// sources with one line changed, must give findings, and the unchanged core none.

import { spawnSync } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ALL_OPERATIONS } from "../failure-sweep/all-operations.ts";
import { sweepOperation } from "../failure-sweep/operation-sweep.ts";
import { compileCoreBuild } from "../support/core-build.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Twin {
  name: string;
  /** What is wrong about it. */
  wrong: string;
  file: string;
  good: string;
  bad: string;
  /** The operation that shows it. */
  operation: string;
}

const TWINS: Twin[] = [
  {
    name: "lost-slot",
    wrong: "alloc that finds no ID keeps the object's memory",
    file: "object.ts",
    good: "  if (slot != 0) slabFree(slab, slot, hand());\n",
    bad: "  if (slot != 0) setHand(0, 0);\n",
    operation: "alloc of a large object",
  },
  {
    name: "lost-mark",
    wrong: "alloc that fails leaves the file in use",
    file: "object.ts",
    good: "  fileUnlocked(file);\n  return result;",
    bad: "  fileMark(file);\n  return result;",
    operation: "alloc in a used leaf",
  },
  {
    name: "lost-reference",
    wrong: "a hold that finds no memory uses the reference up",
    file: "hold.ts",
    good: "  if (note == 0) return -ENOMEM;\n  const word = beginChange(entry);\n  const kept =",
    bad: "  if (note == 0) {\n    changetype<Entry>(entry).kept = 0;\n    return -ENOMEM;\n  }\n  const word = beginChange(entry);\n  const kept =",
    operation: "hold that takes a reference over",
  },
  {
    name: "other-error",
    wrong: "a mapping without pages is EINVAL",
    file: "mmap.ts",
    good: "  if (own == 0) return -ENOMEM;",
    bad: "  if (own == 0) return -EINVAL;",
    operation: "map",
  },
];

/** Compiles the core with fault injection and one change. */
async function compileTwin({ name, file, good, bad }: Twin): Promise<WebAssembly.Module> {
  const stage = join(ROOT, "build", "twins", name);
  await rm(stage, { recursive: true, force: true });
  await mkdir(stage, { recursive: true });
  await cp(join(ROOT, "assembly"), join(stage, "assembly"), { recursive: true });
  await cp(join(ROOT, "asconfig.json"), join(stage, "asconfig.json"));
  const path = join(stage, "assembly/core", file);
  const parts = (await readFile(path, "utf8")).split(good);
  if (parts.length !== 2) throw new Error(`${file} has the line to be changed ${parts.length - 1} times, not once`);
  await writeFile(path, parts.join(bad));
  const compiler = join(ROOT, "node_modules/assemblyscript/bin/asc");
  const args = [compiler, "assembly/core/index.ts", "--target", "faults"];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: stage, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return WebAssembly.compile(await readFile(join(stage, "build/core.faults.wasm")));
}

test.each(TWINS)("$wrong: $operation shows it", async (twin) => {
  const operation = ALL_OPERATIONS.find(({ name }) => name === twin.operation);
  if (operation === undefined) throw new Error(`no operation ${twin.operation}`);
  const good = await sweepOperation(operation, operation.abis?.[0] ?? "rfc", await compileCoreBuild("faults"));
  expect(good.findings).toEqual([]);
  const bad = await sweepOperation(operation, operation.abis?.[0] ?? "rfc", await compileTwin(twin));
  expect(bad.findings).not.toEqual([]);
});
