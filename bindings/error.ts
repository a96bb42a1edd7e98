// SPDX-License-Identifier: GPL-2.0-only
/**
 * Errors of this library: Linux names and numbers on every host, in the shape of Node's SystemError.
 *
 * Everything that a caller can get wrong ends in an `IommufdError`, thrown before anything was changed. Calls whose name
 * begins with `try` return the negative number instead.
 */
import { Errno, type ErrnoName } from "./generated/errno.js";

const NAMES = /* @__PURE__ */ (() =>
  new Map<number, ErrnoName>(Object.entries(Errno).map(([name, value]) => [value, name as ErrnoName])))();

/** What an error was about. */
export interface IommufdErrorDetails {
  /** The call that failed, e.g. "ioctl" or "open". Default "ioctl". */
  syscall?: string;
  /** The ioctl's name, e.g. "IOMMU_DESTROY". */
  command?: string;
  /** More words for a person; the code is put in front. */
  message?: string;
  /** What led to it. */
  cause?: unknown;
}

/**
 * An operation failed as it would on Linux.
 *
 * Throw one from an ioctl's `execute` to answer the caller with its errno.
 */
export class IommufdError extends Error {
  /** The error's Linux name, e.g. "EBUSY". */
  readonly code: ErrnoName;
  /** Its number, negative, the same on every platform, e.g. -16. */
  readonly errno: number;
  /** The call that failed. */
  readonly syscall: string;
  /** The ioctl's name, where there is one. */
  declare readonly command?: string;

  constructor(code: ErrnoName, details: IommufdErrorDetails = {}) {
    const { syscall = "ioctl", command, message, cause } = details;
    const where = command === undefined ? syscall : `${syscall} ${command}`;
    super(
      `${code}: ${where}${message === undefined ? "" : `: ${message}`}`,
      cause === undefined ? undefined : { cause },
    );
    this.name = "IommufdError";
    this.code = code;
    this.errno = -Errno[code];
    this.syscall = syscall;
    if (command !== undefined) this.command = command;
  }

  /** The error for a Linux number of either sign; a number that Linux does not know becomes EIO and is named in the message. */
  static fromErrno(errno: number, details: IommufdErrorDetails = {}): IommufdError {
    const code = errnoName(errno);
    if (code !== undefined) return new IommufdError(code, details);
    return new IommufdError("EIO", { ...details, message: `unknown errno ${errno}` });
  }
}

/** The Linux name of an errno of either sign, undefined when there is none. */
export function errnoName(errno: number): ErrnoName | undefined {
  return NAMES.get(Math.abs(errno));
}

/** An error of this library's own making. */
export function failure(code: ErrnoName, syscall: string, message: string, cause?: unknown): IommufdError {
  return new IommufdError(code, { syscall, message, cause });
}

/** EINVAL for an argument that makes no sense. */
export function invalid(syscall: string, message: string, command?: string): IommufdError {
  return new IommufdError("EINVAL", { syscall, message, command } as IommufdErrorDetails);
}

/** Whether an argument is a whole number of that range. */
export function isWithin(value: unknown, least: number, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

/** What EIO of the core means. */
const POISONED = "a thread died in this context and left it inconsistent; closing it frees it";

/** Returns `result` if it is an answer, throws it if it is -errno. */
export function check(result: number, syscall: string, message?: string): number {
  if (result >= 0) return result;
  if (result === -Errno.EIO) message = POISONED;
  throw IommufdError.fromErrno(result, { syscall, message } as IommufdErrorDetails);
}
