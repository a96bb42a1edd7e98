// SPDX-License-Identifier: GPL-2.0-only
/** What `Iommufd.onTrace` reports: one ioctl, before and after. `decode` of the entry `./trace` turns it into a line. */
import type { IoctlCommand } from "./command.js";
import type { Fields } from "./struct.js";

/** One finished ioctl of this thread. */
export interface TraceEvent {
  /** File number. */
  readonly fd: number;
  /** The request as it was given. */
  readonly request: number;
  /** The user address, null for a null pointer, undefined for a JavaScript buffer. */
  readonly address: bigint | null | undefined;
  /** The argument's bytes before the call, as far as they could be read and at most 4096. */
  readonly before: Uint8Array;
  /** The same bytes after it. */
  readonly bytes: Uint8Array;
  /** ≥ 0, or -errno. */
  readonly result: number;
  /** The command, when this thread knows it. */
  readonly command: IoctlCommand<Fields> | undefined;
}

/** Receives each ioctl of this thread when it is done. */
export type TraceListener = (event: TraceEvent) => void;
