// SPDX-License-Identifier: GPL-2.0-only
//
// Options of the programs that test/support/run.mjs starts: `--name value`, all of them with a default, and nothing else.

/** A number stays a number. Throws with the usage for an option that is not in `defaults`. */
export function readOptions<T extends Record<string, number | string>>(args: readonly string[], defaults: T): T {
  const options: Record<string, number | string> = { ...defaults };
  for (let at = 0; at < args.length; at += 2) {
    const name = (args[at] ?? "").replace(/^--/, "");
    const value = args[at + 1];
    const known = defaults[name];
    if (known === undefined || value === undefined || !args[at]?.startsWith("--")) throw usage(defaults, args[at]);
    options[name] = typeof known === "number" ? Number(value) : value;
    if (Number.isNaN(options[name])) throw usage(defaults, `${args[at]} ${value}`);
  }
  return options as T;
}

function usage(defaults: Record<string, number | string>, what: string | undefined): Error {
  const known = Object.entries(defaults).map(([name, value]) => `--${name} ${value === "" ? "…" : value}`);
  return new Error(`${what ?? ""}: the options are ${known.join(" ")}`);
}

/** Different for each run, and printed, so that the run can be repeated. */
export function freshSeed(): number {
  return Date.now() % 2 ** 31;
}
