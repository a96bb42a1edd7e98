// SPDX-License-Identifier: GPL-2.0-only
//
// The command line of `iommufd-wasm`: what may be typed, and the text that says so.
//
// parse() turns the arguments into one Command or throws UsageError; nothing is guessed and nothing unknown is ignored.

import { parseArgs } from "node:util";
import type { KernelRelease } from "../index.js";

/** The arguments make no sense; exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface ReplayCommand {
  readonly name: "replay";
  readonly files: readonly string[];
  readonly json: boolean;
  readonly verbose: boolean;
  /** Most differences shown per file. */
  readonly limit: number;
  readonly abi: "rfc" | "mainline" | undefined;
}

export interface IoctlsCommand {
  readonly name: "ioctls";
  readonly json: boolean;
  readonly lab: boolean;
  readonly abi: "rfc" | "mainline" | undefined;
  readonly release: KernelRelease | undefined;
}

export type Command = ReplayCommand | IoctlsCommand | { readonly name: "help" } | { readonly name: "version" };

const DEFAULT_LIMIT = 5;
const RELEASES: readonly KernelRelease[] = ["6.12"];

export const HELP = `Usage: iommufd-wasm <command> [options]

Commands:
  replay FILE…     make the calls of recorded traces again and compare the answers
  ioctls           print the table of commands

Options of replay:
  --limit N        show the first N differences of each file (default ${DEFAULT_LIMIT})
  --verbose        print every call, decoded; "!" marks a difference, "-" what is not replayed
  --json           print one JSON document instead of text
  --abi PROFILE    rfc or mainline, whatever kernel was recorded

Options of ioctls:
  --lab            with the ioctls of the lab, which the recordings use
  --json           print JSON instead of a table
  --abi PROFILE    rfc (default) or mainline
  --release N.N    mainline: the table of that kernel, ${RELEASES.join(" or ")}; default the newest

  --help           print this text
  --version        print the version

A recording is a file of JSON lines, plain or gzip-compressed.
Exit status: 0 all answers match, 1 some differ, 2 wrong usage or a file that cannot be read.
`;

const GENERAL = { help: { type: "boolean", short: "h" }, version: { type: "boolean", short: "V" } } as const;
const REPLAY = {
  ...GENERAL,
  json: { type: "boolean" },
  verbose: { type: "boolean", short: "v" },
  limit: { type: "string" },
  abi: { type: "string" },
} as const;
const IOCTLS = {
  ...GENERAL,
  json: { type: "boolean" },
  lab: { type: "boolean" },
  abi: { type: "string" },
  release: { type: "string" },
} as const;

/** Throws UsageError. */
export function parse(args: readonly string[]): Command {
  const [first, ...rest] = args;
  switch (first) {
    case "replay":
      return parseReplay(rest);
    case "ioctls":
      return parseIoctls(rest);
    default:
      return parseGeneral(args);
  }
}

function parseReplay(args: string[]): Command {
  const { values, positionals } = usage(() => parseArgs({ args, options: REPLAY, allowPositionals: true }));
  const general = helpOrVersion(values);
  if (general !== undefined) return general;
  if (positionals.length === 0) throw new UsageError("replay needs at least one file");
  const { json = false, verbose = false } = values;
  if (json && verbose) throw new UsageError("--json and --verbose exclude each other");
  return {
    name: "replay",
    files: positionals,
    json,
    verbose,
    limit: parseLimit(values.limit),
    abi: parseAbi(values.abi),
  };
}

function parseIoctls(args: string[]): Command {
  const { values } = usage(() => parseArgs({ args, options: IOCTLS }));
  const general = helpOrVersion(values);
  if (general !== undefined) return general;
  const { json = false, lab = false } = values;
  const abi = parseAbi(values.abi);
  const release = parseRelease(values.release);
  if (release !== undefined && abi !== "mainline") throw new UsageError("--release needs --abi mainline");
  return { name: "ioctls", json, lab, abi, release };
}

function parseGeneral(args: readonly string[]): Command {
  const { values, positionals } = usage(() => parseArgs({ args: [...args], options: GENERAL, allowPositionals: true }));
  if (positionals[0] !== undefined) throw new UsageError(`unknown command "${positionals[0]}"`);
  const general = helpOrVersion(values);
  if (general === undefined) throw new UsageError("a command is needed");
  return general;
}

function helpOrVersion(values: { help?: boolean; version?: boolean }): Command | undefined {
  if (values.help === true) return { name: "help" };
  if (values.version === true) return { name: "version" };
  return undefined;
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  if (!/^\d{1,6}$/.test(text)) throw new UsageError(`--limit: "${text}" is not a number from 0 to 999999`);
  return Number(text);
}

function parseAbi(text: string | undefined): "rfc" | "mainline" | undefined {
  if (text === undefined || text === "rfc" || text === "mainline") return text;
  throw new UsageError(`--abi: "${text}" is neither rfc nor mainline`);
}

function parseRelease(text: string | undefined): KernelRelease | undefined {
  const release = RELEASES.find((known) => known === text);
  if (text === undefined || release !== undefined) return release;
  throw new UsageError(`--release: "${text}" is not ${RELEASES.join(" or ")}`);
}

/** parseArgs() reports mistakes as TypeErrors with a code of its own. */
function usage<T>(parsing: () => T): T {
  try {
    return parsing();
  } catch (error) {
    if (error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_")) {
      throw new UsageError(error.message);
    }
    throw error;
  }
}
