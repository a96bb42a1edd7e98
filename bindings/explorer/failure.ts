// SPDX-License-Identifier: GPL-2.0-only
//
// How an execution can end badly. Thrown where it is found, in a hook or in a program, and caught by the scheduler.

export type FailureKind =
  | "race" // two accesses that nothing orders, one of them plain
  | "memory" // an access to memory that is free, never valid or of another generation
  | "trap" // an assertion of the core, or any other trap
  | "deadlock" // threads are blocked and nobody is left to wake them
  | "livelock" // more steps than the bound
  | "property" // a program or a check of the model threw
  | "twin"; // the model is wrong: not a result about the core

export class Failure extends Error {
  constructor(
    readonly kind: FailureKind,
    message: string,
  ) {
    super(message);
  }
}

/** Ends the current call because its thread dies here. Not a failure. */
export class Killed extends Error {}

/** Ends the current execution because another one covers it. Not a failure. */
export class Pruned extends Error {}

/** For checks in models. */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Failure("property", message);
}

/** Whatever was thrown in an execution, as a failure. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof WebAssembly.RuntimeError) {
    const failure = new Failure("trap", error.message);
    if (error.stack !== undefined) failure.stack = error.stack; // names the line
    return failure;
  }
  if (error instanceof Error) return new Failure("property", error.stack ?? error.message);
  return new Failure("property", String(error));
}
