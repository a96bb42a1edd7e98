// SPDX-License-Identifier: GPL-2.0-only
//
// Where this code runs, asked of the host itself: for what is used outside of the test runner too. Tests ask ./host.ts, which says
// what the host is meant to be.

/** A page, or Node. */
export const isBrowser: boolean = typeof document !== "undefined";
