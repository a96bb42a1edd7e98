// SPDX-License-Identifier: GPL-2.0-only
//
// A project of its own outside this tree that has the built package installed: what a user starts from.
//
// `dist/` is copied to node_modules, so Node, TypeScript and Vite resolve the package as they do for everybody.

import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import ts from "typescript";

/** What a process printed. */
export interface Finished {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export class Consumer {
  readonly folder: string;
  readonly #root: string;

  private constructor(root: string, folder: string) {
    this.#root = root;
    this.folder = folder;
  }

  /** Makes the project; `root` is this tree, which must be built. */
  static async install(root: string): Promise<Consumer> {
    const folder = await mkdtemp(join(tmpdir(), "iommufd-wasm-consumer-"));
    const installed = join(folder, "node_modules/iommufd-wasm");
    await mkdir(installed, { recursive: true });
    await cp(join(root, "dist"), join(installed, "dist"), { recursive: true });
    await cp(join(root, "package.json"), join(installed, "package.json"));
    await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    return new Consumer(root, folder);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true });
  }

  async write(name: string, text: string): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, text);
    return path;
  }

  /** Runs a module of the project in Node, with this tree as the working directory. */
  runModule(path: string): Promise<Finished> {
    return finish(process.execPath, [path], this.#root);
  }

  /** Runs a line in a shell, with this tree as the working directory; `npx iommufd-wasm` is the built command. */
  runShell(line: string): Promise<Finished> {
    const command = `"${process.execPath}" dist/cli.js`;
    return finish("sh", ["-c", line.replaceAll("npx iommufd-wasm", command)], this.#root);
  }

  /** Checks a TypeScript module of the project as strictly as this tree; one line per mistake. */
  typeErrors(path: string): string[] {
    const program = ts.createProgram([path], {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      lib: ["es2022", "es2024.sharedmemory", "esnext.disposable", "dom"].map((name) => `lib.${name}.d.ts`),
      types: ["node"],
      typeRoots: [dirname(dirname(createRequire(import.meta.url).resolve("@types/node/package.json")))],
    });
    return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
      const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1;
      return `line ${line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
  }
}

/** The JavaScript of a TypeScript module. */
export function toJavaScript(text: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  return ts.transpileModule(text, { compilerOptions }).outputText;
}

function finish(command: string, args: string[], cwd: string): Promise<Finished> {
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, NODE_OPTIONS: undefined };
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, out, err }));
  });
}
