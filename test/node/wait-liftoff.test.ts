// SPDX-License-Identifier: GPL-2.0-only
//
// Waits compiled by V8's baseline compiler, which in Node 20 wipes the local variable beside a wait's operands: with
// `--liftoff-only` every wait runs in its code, and no wake-up may be lost.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const PROGRAM = fileURLToPath(new URL("../support/contention.mjs", import.meta.url));
/** A program that hangs is ended, so that it does not outlive the test. Far more than it needs. */
const HANGS_AFTER_MS = 90_000;

test.each([["--liftoff-only"], ["--no-liftoff"]])("with %s no wake-up between threads is lost", async (flag) => {
  const options = { timeout: HANGS_AFTER_MS, killSignal: "SIGKILL" } as const;
  const { stdout } = await promisify(execFile)(process.execPath, [flag, PROGRAM], options);
  expect(stdout).toBe("finished\n");
});
