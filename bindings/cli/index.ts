#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-only
//
// The command `iommufd-wasm`.
//
// Standard output is for results, standard error for progress and mistakes. Exit status: 0 all answers match, 1 some
// differ, 2 wrong usage or a file that cannot be read. A reader that closes the pipe early (`| head`) ends the command
// quietly.

import { readFile } from "node:fs/promises";
import { HELP, parse, UsageError, type Command } from "./arguments.js";
import { printIoctls } from "./ioctls.js";
import { replayFiles } from "./replay.js";

const WRONG_USAGE = 2;

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let command: Command;
  try {
    command = parse(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`iommufd-wasm: ${error.message}\nTry "iommufd-wasm --help".\n`);
    return WRONG_USAGE;
  }
  switch (command.name) {
    case "replay":
      return replayFiles(command, process.stdout, process.stderr);
    case "ioctls":
      printIoctls(command, process.stdout);
      return 0;
    case "help":
      process.stdout.write(HELP);
      return 0;
    case "version":
      process.stdout.write(`${await version()}\n`);
      return 0;
  }
}

/** The version in the package's own package.json, one folder above the bundled command. */
async function version(): Promise<string> {
  const text = await readFile(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
