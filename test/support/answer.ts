// SPDX-License-Identifier: GPL-2.0-only
//
// What a call answered, in the words of the tests: a value, or the Linux name of the error.
//
// Each has its twin: `answer` for the calls that return -errno, `errnoOf` for the same calls that throw, `errnoOfAsync` for
// those that reject. An error that is no IommufdError is thrown on: it is never what a test expects by accident.

import { Errno, type ErrnoName, IommufdError } from "iommufd-wasm";

const NAMES = new Map<number, ErrnoName>(Object.entries(Errno).map(([name, value]) => [value, name as ErrnoName]));

/** A result of `tryIoctl`, `tryGet` and the like: as it is, or the name behind -errno. */
export function answer(result: number): number | ErrnoName {
  return result >= 0 ? result : (NAMES.get(-result) ?? result);
}

/** The code that the call throws; "no error" when it returns. */
export function errnoOf(call: () => unknown): ErrnoName | "no error" {
  try {
    call();
  } catch (error) {
    return codeOf(error);
  }
  return "no error";
}

/** The code that the promise rejects with; "no error" when it is fulfilled. */
export async function errnoOfAsync(promise: Promise<unknown>): Promise<ErrnoName | "no error"> {
  try {
    await promise;
  } catch (error) {
    return codeOf(error);
  }
  return "no error";
}

function codeOf(error: unknown): ErrnoName {
  if (error instanceof IommufdError) return error.code;
  throw error;
}
