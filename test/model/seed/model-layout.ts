// SPDX-License-Identifier: GPL-2.0-only
//
// Where the model build keeps things: its tables are smaller than those of the released core, so the generated Layout does not
// hold for it. The same constants are compiled with the model build's switches and read back.

import { readFile } from "node:fs/promises";
import type { CoreLayout } from "./lab-programs.ts";

const ENTRY = "assembly/core/layout.ts";
const CONFIG = "asconfig.json";

/** The compiler, as far as it is used here. */
interface Asc {
  readonly ready: Promise<void>;
  main(args: string[], host: object, done: (error: Error | null) => void): void;
}

/** `root`: the folder with asconfig.json, which is to be the working directory. */
export async function modelLayout(): Promise<CoreLayout> {
  const config = JSON.parse(await readFile(CONFIG, "utf8")) as { targets: { model: { use: string[] } } };
  const compiler = "assemblyscript/cli/asc";
  const { default: asc } = (await import(compiler)) as { default: Asc };
  await asc.ready;
  const written = new Map<string, Uint8Array>();
  const messages: string[] = [];
  const switches = config.targets.model.use.flatMap((setting) => ["--use", setting]);
  const args = [ENTRY, "--target", "layout", "--outFile", "layout.wasm", "--textFile", "", ...switches];
  const host = {
    stdout: { write: () => undefined },
    stderr: { write: (text: string) => messages.push(text) },
    writeFile: (name: string, contents: Uint8Array) => written.set(name, contents),
  };
  const error = await new Promise<Error | null>((resolve) => asc.main(args, host, resolve));
  const wasm = written.get("layout.wasm");
  if (error !== null || wasm === undefined) throw new Error(`${ENTRY}: ${error?.message}\n${messages.join("")}`);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 32768, shared: true });
  const { instance } = await WebAssembly.instantiate(wasm.slice(), { env: { memory } });
  const constants = Object.entries(instance.exports).map(([name, value]) => [
    name,
    (value as WebAssembly.Global).value as number,
  ]);
  return Object.fromEntries(constants) as CoreLayout;
}
