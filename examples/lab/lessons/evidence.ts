// SPDX-License-Identifier: GPL-2.0-only
//
// Questions that many steps ask of their evidence. A call's argument is read as it was before the call, its reply after it.

import { Errno, type ObjectInfo } from "iommufd-wasm";
import type { LabCall } from "iommufd-wasm/lab";
import type { Action, Evidence } from "./lesson.js";

/** The lab's object types, as LAB_ALLOC's field `type` wants them. */
export const TYPE = { DEVICE: 1, HWPT: 2, IOAS: 3 } as const;

/** LAB_ALLOC's flags. */
export const FLAG = { ABORT: 1, PROBE: 2 } as const;

type Values = Readonly<Record<string, number | bigint>>;

/** A call and what its struct says. */
export interface ReadCall {
  readonly result: number;
  /** The struct as it was given. */
  readonly given: Values;
  /** The struct as it came back. */
  readonly reply: Values;
}

/** The step's calls of one command, oldest first. */
export function callsOf({ calls }: Evidence, name: string): ReadCall[] {
  return calls.filter(({ command }) => command?.name === name).map(readCall);
}

/** Decodes a call whose command is known. */
export function readCall({ command, before, bytes, result }: LabCall): ReadCall {
  const decode = (from: Uint8Array): Values => (command?.decode(from) ?? {}) as Values;
  return { result, given: decode(before), reply: decode(bytes) };
}

/** The last call of a command with these values in its argument. */
export function lastCall(evidence: Evidence, name: string, values: Values): ReadCall | undefined {
  return callsOf(evidence, name)
    .filter(({ given }) => agrees(given, values))
    .at(-1);
}

/** The last object that LAB_ALLOC made or gave up in this step. */
export function lastMade(evidence: Evidence): ReadCall | undefined {
  return callsOf(evidence, "LAB_ALLOC")
    .filter(({ result }) => result === 0)
    .at(-1);
}

/** Whether a call of a command with these values ended so: 0, or a positive errno. */
export function hasEnded(evidence: Evidence, name: string, values: Values, errno: number): boolean {
  const wanted = errno === 0 ? 0 : -errno;
  return callsOf(evidence, name).some(({ given, result }) => result === wanted && agrees(given, values));
}

/** The object of that ID, if it is there. */
export function objectOf({ objects }: Evidence, id: number | undefined): ObjectInfo | undefined {
  return objects.find((object) => object.id === id);
}

/** The last answer to the step's question. */
export function lastAnswer({ answers }: Evidence): number | undefined {
  return answers.at(-1);
}

/** Takes the place of a call's fields in a step's `next`. */
export function call(command: string, fields: Readonly<Record<string, number | bigint>>): Action {
  return { kind: "call", command, fields };
}

/** "IOAS 1", for texts. */
export function nameOf({ type, id }: ObjectInfo): string {
  return `${type.name} ${id}`;
}

/** The errno's name for a note, e.g. "ENOENT"; the number where it has none. */
export function errnoName(result: number): string {
  return Object.entries(Errno).find(([, value]) => value === -result)?.[0] ?? String(result);
}

/** A step that is done when a call with these values ends so; other endings of it are told. */
export function endsWith(
  evidence: Evidence,
  name: string,
  values: Values,
  errno: number,
  otherwise: (call: ReadCall) => string,
): { done: Readonly<Record<string, number>> } | { note: string } | undefined {
  if (hasEnded(evidence, name, values, errno)) return { done: {} };
  const last = lastCall(evidence, name, values);
  return last && { note: otherwise(last) };
}

/** Whether a struct has these values. */
function agrees(given: Values, values: Values): boolean {
  return Object.entries(values).every(([field, value]) => given[field] === value);
}
