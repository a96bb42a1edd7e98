// SPDX-License-Identifier: GPL-2.0-only
//
// Global setup of the two browser projects: without a browser they fail at once, and say what to install.
//
// It stands here and not in vitest.config.ts, because that file is also read by `vitest run --project node`, which
// needs no browser.

import { requireChromium } from "./browser.mjs";

export default function setup(): void {
  requireChromium();
}
