// SPDX-License-Identifier: GPL-2.0-only
//
// A refusal: what a call of the reference throws instead of changing anything.

export class Refusal extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** Refuses with `code` unless the condition holds. */
export function require(condition: boolean, code: string): asserts condition {
  if (!condition) throw new Refusal(code);
}
