// SPDX-License-Identifier: GPL-2.0-only
// The lab page as `npm run lab:build` builds it, in a folder of a test's own.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Builds the page into that folder. */
export async function buildLab(folder: string): Promise<void> {
  // As a command: Vite builds another page where a test runner has set NODE_ENV.
  const { NODE_ENV: _, ...env } = process.env;
  const command = ["run", "-s", "lab:build", "--", "--logLevel", "error", "--outDir", folder];
  await promisify(execFile)("npm", command, { cwd: ROOT, env });
}
