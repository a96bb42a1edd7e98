// SPDX-License-Identifier: GPL-2.0-only
//
// Which of the three hosts of vitest.config.ts runs this test, and what that host can do.
//
// The configuration says what the host is meant to be; test/single-thread/host.test.ts checks that it is.

import { inject } from "vitest";

export type Host = "node" | "chromium" | "chromium-plain";

declare module "vitest" {
  export interface ProvidedContext {
    host: Host;
  }
}

export const host: Host = inject("host");

/** A browser page, or Node. */
export const isBrowser: boolean = host !== "node";

/** Memory can be shared with other threads. */
export const hasThreads: boolean = host !== "chromium-plain";
