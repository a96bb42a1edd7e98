// SPDX-License-Identifier: GPL-2.0-only
//
// Installs the packed tarball in an empty project outside this tree and uses it as users do: from Node, from the command
// line, from strict TypeScript, and through four bundlers, whose output runs in Node or in a real page.
//
// Every case prints one line; the exit status is 1 if any failed. Nothing is fetched: the package has no dependencies, and
// the tools are those of this tree.
//
// `.` goes through all four bundlers. `./external` goes through vite and webpack, which copy the file that
// `new URL("./core.wasm", import.meta.url)` names; rollup and esbuild leave it behind, as the README says.

import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundleWith } from "./package-bundlers.mjs";
import { openBrowser } from "./package-browser.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

// What every consumer does, and what it must see.
const CONSUMER = (entry) => `
import { Iommufd, IOMMU_DESTROY, IommufdError } from "${entry}";

export async function consume() {
  const kernel = await Iommufd.create({ memoryBytes: 16 * 1024 * 1024 });
  const context = kernel.open();
  let code = "nothing thrown";
  try {
    context.destroy(1);
  } catch (error) {
    code = error instanceof IommufdError ? error.code : String(error);
  }
  context.close();
  return code + " " + IOMMU_DESTROY.request.toString(16);
}
`;
const EXPECTED = "ENOENT 3b80";

const TYPED_CONSUMER = `
import { Iommufd, IOMMU_DESTROY, type IommufdContext } from "iommufd-wasm";
import * as external from "iommufd-wasm/external";
import { decode } from "iommufd-wasm/trace";
import * as replay from "iommufd-wasm/replay";

const context: IommufdContext = Iommufd.createSync({ abi: "mainline" }).open();
const line: string = decode(IOMMU_DESTROY.request, new Uint8Array(8), 0);
// @ts-expect-error: an id is a number
context.destroy("1");
void [line, external, replay];
`;

const folder = await mkdtemp(join(tmpdir(), "iommufd-wasm-package-"));
let failures = 0;
try {
  await installTarball();
  await nodeCases();
  await typeCases();
  await bundlerCases();
} catch (error) {
  failures++;
  console.log(`FAIL ${error.message}`); // nothing installed to test, or no browser
} finally {
  await rm(folder, { recursive: true, force: true });
}
console.log(`package: ${failures === 0 ? "every case passed" : `${failures} cases failed`}`);
process.exitCode = failures > 0 ? 1 : 0;

async function check(name, act, expected) {
  try {
    const seen = await act();
    if (seen !== expected) throw new Error(`expected ${JSON.stringify(expected)}, saw ${JSON.stringify(seen)}`);
    console.log(`ok   ${name}`);
  } catch (error) {
    failures++;
    console.log(`FAIL ${name}: ${error.stack ?? error}`);
  }
}

function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: exit status ${status}\n${stdout}${stderr}`);
  return stdout.trim();
}

async function installTarball() {
  const [packed] = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], ROOT));
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(folder, packed.filename)], folder);
  const installed = JSON.parse(await readFile(join(folder, "node_modules/iommufd-wasm/package.json"), "utf8"));
  await check("the package has no dependencies", () => Object.keys(installed.dependencies ?? {}).length, 0);
  console.log(`     ${packed.files.length} files, ${packed.size} bytes packed`);
}

async function nodeCases() {
  await writeFile(join(folder, "consumer.mjs"), CONSUMER("iommufd-wasm"));
  const runConsumer = `import { consume } from "./consumer.mjs"; console.log(await consume());`;
  await check("node: .", () => run("node", ["--input-type=module", "-e", runConsumer], folder), EXPECTED);

  const trace = `import { errnoName } from "iommufd-wasm/trace"; console.log(errnoName(16));`;
  await check("node: ./trace", () => run("node", ["--input-type=module", "-e", trace], folder), "EBUSY");

  const replay = `import * as replay from "iommufd-wasm/replay"; console.log(Object.keys(replay).length > 0);`;
  await check("node: ./replay", () => run("node", ["--input-type=module", "-e", replay], folder), "true");

  const remote = `import { connect, serve } from "iommufd-wasm/remote";
    import { Iommufd } from "iommufd-wasm"; const { port1, port2 } = new MessageChannel();
    serve(port1, Iommufd.createSync().open()); const context = connect(port2);
    console.log(await context.tryIoctl(0x3b80, Uint32Array.of(8, 1))); context.close();`;
  await check("node: ./remote", () => run("node", ["--input-type=module", "-e", remote], folder), "-2");

  const wasm = `import { readFileSync } from "node:fs"; import { fileURLToPath } from "node:url";
    const bytes = readFileSync(fileURLToPath(import.meta.resolve("iommufd-wasm/core.wasm")));
    console.log(WebAssembly.validate(bytes));`;
  await check("node: ./core.wasm", () => run("node", ["--input-type=module", "-e", wasm], folder), "true");

  const bin = join(folder, "node_modules/.bin/iommufd-wasm");
  await check("command line: --help", () => /replay/.test(run(bin, ["--help"], folder)), true);
}

async function typeCases() {
  await writeFile(join(folder, "consumer.ts"), TYPED_CONSUMER);
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  for (const [module, moduleResolution] of [
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ]) {
    const options = ["--noEmit", "--strict", "--skipLibCheck", "false", "--target", "es2022"];
    options.push("--lib", "es2022,dom");
    options.push("--module", module, "--moduleResolution", moduleResolution);
    await check(`types: ${moduleResolution}`, () => run("node", [tsc, ...options, "consumer.ts"], folder), "");
  }
}

async function bundlerCases() {
  const inNode = `import { consume } from "./consumer.mjs"; export const result = consume();`;
  const inPage = `import { consume } from "./consumer.mjs";
    consume().then((text) => { document.title = text; }, (error) => { document.title = String(error.stack ?? error); });`;
  await writeFile(join(folder, "in-node.mjs"), inNode);

  for (const bundler of ["rollup", "esbuild"]) {
    await check(`${bundler}: . in node`, () => runInNode(bundler), EXPECTED);
  }
  const browser = await openBrowser();
  try {
    for (const bundler of ["vite", "webpack", "rollup", "esbuild"]) {
      await check(`${bundler}: . in a page`, () => runInPage(browser, bundler, ".", inPage), EXPECTED);
    }
    for (const bundler of ["vite", "webpack"]) {
      const act = () => runInPage(browser, bundler, "./external", inPage);
      await check(`${bundler}: ./external in a page`, act, EXPECTED);
    }
  } finally {
    await browser.close();
  }
}

async function runInNode(bundler) {
  const output = join(folder, "out", `${bundler}-node`);
  await bundleWith(bundler, { folder, entry: "in-node.mjs", output, forNode: true });
  return (await import(pathToFileURL(join(output, "bundle.mjs")).href)).result;
}

async function runInPage(browser, bundler, entry, script) {
  const project = join(folder, `${bundler}-${entry === "." ? "inlined" : "external"}`);
  await mkdir(project, { recursive: true });
  await writeFile(join(project, "consumer.mjs"), CONSUMER(entry === "." ? "iommufd-wasm" : "iommufd-wasm/external"));
  await writeFile(join(project, "page.mjs"), script);
  const output = join(project, "out");
  await bundleWith(bundler, { folder: project, entry: "page.mjs", output, forNode: false });
  return browser.titleOf(output);
}
