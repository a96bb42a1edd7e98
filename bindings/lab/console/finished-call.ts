// SPDX-License-Identifier: GPL-2.0-only
//
// A call that was answered, with what is said about it: why, and the call in a line.

import { Errno, type Fields, type IoctlCommand } from "../../index.js";
import type { Decoder } from "../../trace.js";
import { unlessClosed } from "../closed-file.js";
import type { LabSession } from "../session.js";
import { explain } from "./explanations.js";
import type { DraftRun } from "./run-draft.js";

/** A finished call. */
export interface Finished {
  readonly run: DraftRun;
  /** Why it was answered as it was. */
  readonly explanation: string;
  /** The call in a line, as strace writes it. */
  readonly line: string;
}

/** Says what is to be said now: the explanation names objects that are there, so it is not made again later. */
export function finishedCall(
  session: LabSession,
  command: IoctlCommand<Fields> | undefined,
  run: DraftRun,
  decoder: Decoder,
): Finished {
  const { draft, result, after, call, address } = run;
  const asksObjects = result === -Errno.EBUSY || result === -Errno.ENOENT;
  const explanation = explain({
    draft,
    result,
    after,
    command,
    abi: session.iommufd.abi,
    objects: asksObjects ? unlessClosed(() => session.context.objects(), []) : [],
  });
  const bytes = call.bytes.length > 0 ? call.bytes : null;
  return { run, explanation, line: decoder.decode(draft.request, bytes, result, { fd: call.fd, address }) };
}
