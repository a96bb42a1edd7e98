// SPDX-License-Identifier: GPL-2.0-only
//
// From an ioctl that somebody wrote down as text to one that the kernel knows.
//
// The body is JavaScript of the person in front of the page, and runs in that page with the page's rights, as if it had been
// typed into the browser's console. It is never taken from an address or from storage.
//
// A number that is taken by a command of the same name and struct gets the new function; with another struct it stays taken. The
// kernel knows commands by their numbers alone, a person knows them by name: so a name means one number here.
//
// Invariant: nothing is added to the table while any part is wrong.

import {
  Errno,
  type FieldType,
  type Fields,
  type Iommufd,
  type IoctlCommand,
  IommufdError,
  type UserCommand,
} from "iommufd-wasm";
import type { DefinitionText } from "./lessons/lesson.js";

/** The parts of a definition. */
export type Part = "name" | "nr" | "fields" | "body";

/** What is wrong with a part, in words for whoever wrote it. */
export interface Fault {
  readonly part: Part;
  readonly message: string;
}

/** What is wrong with a definition: at least one fault, and at most one of each part. */
export class DefinitionError extends Error {
  override readonly name = "DefinitionError";

  constructor(readonly faults: readonly Fault[]) {
    super(faults.map(({ message }) => message).join(" "));
  }
}

/** The numbers of the table. */
const FIRST_NR = 0x80;
const LAST_NR = 0xff;

/** The number of a text, decimal or with 0x; NaN when it is none. */
export function numberOfText(text: string): number {
  return /^\s*(?:0x[0-9a-f]+|\d+)\s*$/i.test(text) ? Number(text) : NaN;
}

/** A number as the table's are written. */
export function textOfNumber(nr: number): string {
  return `0x${nr.toString(16)}`;
}

/** Reads one field per line, `name: type`; empty lines do not count. @throws DefinitionError */
export function parseFields(text: string): Fields {
  const fields: Fields = {};
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const [, name, type] = /^\s*([A-Za-z_]\w*)\s*:\s*([us](?:8|16|32|64)|u8\[[1-9]\d*\])\s*,?\s*$/.exec(line) ?? [];
    if (name === undefined || type === undefined) {
      throw fault("fields", `Line ${index + 1}: write “name: type”, with a type such as u32, u64 or u8[16].`);
    }
    if (name === "size") throw fault("fields", `Line ${index + 1}: the field size is added for you.`);
    if (name in Object.prototype) {
      throw fault("fields", `Line ${index + 1}: every JavaScript object has a ${name}. Take another name.`);
    }
    if (Object.hasOwn(fields, name)) throw fault("fields", `Line ${index + 1}: there are two fields called ${name}.`);
    fields[name] = type as FieldType;
  }
  return fields;
}

type Execute = (cmd: UserCommand<Fields>) => unknown;

/** The largest errno. */
const MAX_ERRNO = 4095;

/** Makes a function of the body. @throws DefinitionError when it is no JavaScript. */
export function compileBody(body: string): Execute {
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the student's own text, in the student's own page
    const execute = new Function("cmd", "Errno", `"use strict";\n${body}`) as (cmd: object, errno: object) => unknown;
    return (cmd) => execute(cmd, Errno);
  } catch (error) {
    throw fault("body", `This is not JavaScript yet: ${messageOf(error)}.`);
  }
}

/** What is wrong with each part of a definition, as far as that shows before it is added; nothing when all is right. */
export function faultsOf(iommufd: Iommufd, { name, nr, fields, body }: DefinitionText): Fault[] {
  const table = iommufd.commands();
  return [
    ...faultIn("name", () => checkName(name, nr, table)),
    ...faultIn("nr", () => checkNumber(name, nr, table)),
    ...faultIn("fields", () => checkFields(name, nr, parseFields(fields), table)),
    ...faultIn("body", () => compileBody(body)),
  ];
}

type Table = readonly IoctlCommand<Fields>[];

function checkName(name: string, nr: number, table: Table): void {
  if (name === "") throw fault("name", "Give it a name.");
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    throw fault("name", "A name consists of letters, digits and _, and does not begin with a digit.");
  }
  const namesake = table.find((command) => command.name === name && command.nr !== nr);
  if (namesake !== undefined) {
    throw fault("name", `${name} is the name of number ${textOfNumber(namesake.nr)}. Take another name.`);
  }
}

function checkNumber(name: string, nr: number, table: Table): void {
  const range = `from ${textOfNumber(FIRST_NR)} to ${textOfNumber(LAST_NR)}`;
  if (!Number.isInteger(nr)) throw fault("nr", `This is no number. Write one ${range}, such as 0xb0.`);
  if (nr < FIRST_NR || nr > LAST_NR) {
    throw fault("nr", `${textOfNumber(nr)} is outside the table. Take a number ${range}.`);
  }
  const holder = table.find((command) => command.nr === nr && command.name !== name);
  if (holder !== undefined) {
    throw fault("nr", `${textOfNumber(nr)} is the number of ${holder.name}. Take another number.`);
  }
}

/** The row of a command keeps its struct. */
function checkFields(name: string, nr: number, fields: Fields, table: Table): void {
  const row = table.find((command) => command.nr === nr && command.name === name);
  if (row === undefined) return;
  const present = Object.entries(row.fields).flatMap(([field, { type }]) => (field === "size" ? [] : [[field, type]]));
  if (JSON.stringify(present) === JSON.stringify(Object.entries(fields))) return;
  const list = present.map(([field, type]) => `${field}: ${type}`).join(", ") || "none";
  throw fault("fields", `${name} is in the table with other fields: ${list}. For these, take another name and number.`);
}

function fault(part: Part, message: string): DefinitionError {
  return new DefinitionError([{ part, message }]);
}

/** What that check finds wrong with the part. */
function faultIn(part: Part, check: () => unknown): Fault[] {
  try {
    check();
    return [];
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    return error.faults.filter((each) => each.part === part);
  }
}

/**
 * Defines the ioctl.
 *
 * @param onFault hears of an exception that the body threw and that is no IommufdError, and of a result that is no answer; the
 *   caller gets EIO then
 * @throws DefinitionError, with nothing added
 */
export function define(
  iommufd: Iommufd,
  definition: DefinitionText,
  onFault: (message: string) => void,
): IoctlCommand<Fields> {
  const faults = faultsOf(iommufd, definition);
  if (faults.length > 0) throw new DefinitionError(faults);
  const { name, nr, fields, body } = definition;
  const layout = parseFields(fields);
  const run = compileBody(body);
  try {
    return iommufd.defineIoctl({
      name,
      nr,
      fields: layout,
      execute(cmd) {
        let fault: string;
        try {
          const result = run(cmd);
          if (isAnswer(result)) return result;
          fault = `returned ${describe(result)}. It must return nothing, a whole number from 0 on, or minus an errno`;
        } catch (error) {
          if (error instanceof IommufdError) throw error;
          fault = `threw ${messageOf(error)}`;
        }
        onFault(`${name} ${fault}. Its caller got EIO.`);
        return -Errno.EIO;
      },
    });
  } catch (error) {
    throw refusal(error, nr);
  }
}

/** Whether an ioctl can answer that: 32 bits, and no negative number but an errno's. */
function isAnswer(result: unknown): result is number | void {
  return result === undefined || (typeof result === "number" && (result | 0) === result && result >= -MAX_ERRNO);
}

function describe(result: unknown): string {
  switch (typeof result) {
    case "number":
      return String(result);
    case "bigint":
      return `${result}n, a bigint as a 64-bit field has, which Number(…) makes a number`;
    case "object":
      return result === null ? "null" : "an object";
    default:
      return `a ${typeof result}`;
  }
}

/** What only the kernel finds wrong: a number that another thread has taken, or a struct that is too large. */
function refusal(error: unknown, nr: number): DefinitionError {
  if (error instanceof IommufdError && error.code === "EEXIST") {
    return fault("nr", `${textOfNumber(nr)} is taken by a command of another thread. Take another number.`);
  }
  return fault("fields", `The kernel refused: ${messageOf(error)}.`);
}

function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  // Some objects have no text.
  return typeof error === "object" && error !== null ? "an object that is no Error" : String(error);
}
