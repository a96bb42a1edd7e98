// SPDX-License-Identifier: GPL-2.0-only
//
// Finds a Chromium that is already installed.
//
// The tests never download a browser: a machine that reaches only a package registry must be able to run them, and what
// a distribution ships is what users have. So the search goes through the places where Linux distributions, and macOS,
// put one, and the error names the package to install.
//
// `CHROMIUM_PATH` in the environment wins over the list; a wrong value is an error, not a reason to look elsewhere.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

const FIXED_PLACES = [
  "/usr/bin/chromium",
  "/usr/lib/chromium/chromium",
  "/snap/bin/chromium",
  "/opt/google/chrome/chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

// Root may not use the sandbox, containers have no GPU, and nothing may phone home while tests run.
export const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

const INSTRUCTION =
  "No Chromium found. Install one with `apt-get install chromium` (Debian, Ubuntu: package `chromium`), " +
  "or point CHROMIUM_PATH at an installed Chromium or Chrome.";

/** Returns the path of an installed Chromium, or undefined. */
export function findChromium() {
  const wanted = process.env.CHROMIUM_PATH;
  if (wanted) return isExecutable(wanted) ? wanted : undefined;
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const onPath = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...onPath, ...FIXED_PLACES].find(isExecutable);
}

/** Returns the path of an installed Chromium, or throws an error that says how to get one. */
export function requireChromium() {
  const path = findChromium();
  if (path) return path;
  const wanted = process.env.CHROMIUM_PATH;
  throw new Error(wanted ? `CHROMIUM_PATH=${wanted} cannot be executed. ${INSTRUCTION}` : INSTRUCTION);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
