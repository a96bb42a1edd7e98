// SPDX-License-Identifier: GPL-2.0-only
//
// From an ioctl that somebody wrote down as text to one that the kernel knows.
//
// The body is JavaScript of the person in front of the page, and runs in that page with the page's rights, as if it had been
// typed into the browser's console. It is never taken from an address or from storage.
//
// A number that is taken by a command of the same name and struct gets the new function; with another struct it stays taken.

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

/** What is wrong with a definition, in words for whoever wrote it. */
export class DefinitionError extends Error {
  override readonly name = "DefinitionError";

  constructor(
    /** Which part of the definition it is about. */
    readonly part: "name" | "nr" | "fields" | "body",
    message: string,
  ) {
    super(message);
  }
}

/** Reads one field per line, `name: type`; empty lines do not count. @throws DefinitionError */
export function parseFields(text: string): Fields {
  const fields: Fields = {};
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const [, name, type] = /^\s*([A-Za-z_]\w*)\s*:\s*([us](?:8|16|32|64)|u8\[[1-9]\d*\])\s*,?\s*$/.exec(line) ?? [];
    if (name === undefined || type === undefined) {
      throw new DefinitionError(
        "fields",
        `Line ${index + 1}: write “name: type”, with a type such as u32, u64 or u8[16].`,
      );
    }
    if (name === "size") throw new DefinitionError("fields", `Line ${index + 1}: the field size is added for you.`);
    if (name in Object.prototype) {
      throw new DefinitionError(
        "fields",
        `Line ${index + 1}: every JavaScript object has a ${name}. Take another name.`,
      );
    }
    if (Object.hasOwn(fields, name))
      throw new DefinitionError("fields", `Line ${index + 1}: there are two fields called ${name}.`);
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
    throw new DefinitionError("body", `This is not JavaScript yet: ${messageOf(error)}.`);
  }
}

/**
 * Defines the ioctl.
 *
 * @param onFault hears of an exception that the body threw and that is no IommufdError, and of a result that is no answer; the
 *   caller gets EIO then
 * @throws DefinitionError
 */
export function define(
  iommufd: Iommufd,
  { name, nr, fields, body }: DefinitionText,
  onFault: (message: string) => void,
): IoctlCommand<Fields> {
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new DefinitionError("name", "A name consists of letters, digits and _.");
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
    throw new DefinitionError(...explain(error, nr));
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

function explain(error: unknown, nr: number): ["nr" | "fields", string] {
  if (error instanceof IommufdError && error.code === "EEXIST") {
    return ["nr", `0x${nr.toString(16)} is taken by a command with another name or struct. Take another number.`];
  }
  const message = messageOf(error);
  return [message.includes("nr must be") ? "nr" : "fields", `The kernel refused: ${message}.`];
}

function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  // Some objects have no text.
  return typeof error === "object" && error !== null ? "an object that is no Error" : String(error);
}
