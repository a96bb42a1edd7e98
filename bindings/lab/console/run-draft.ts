// SPDX-License-Identifier: GPL-2.0-only
//
// Makes the call that a draft describes, and takes down what came of it.
//
// A draft on writable memory passes its bytes as a buffer, so exactly these bytes are accessible, and one further is
// EFAULT. A closed file number is one that was open until a moment ago. Nothing blocks: a destroy that waits is awaited.

import { type IommufdContext, IommufdError } from "../../index.js";
import { type LabCall, type LabCallsEvent, type LabSession, PAGE_THREAD } from "../session.js";
import { ConsoleMemory } from "./console-memory.js";
import type { Draft } from "./draft.js";

/** The page for pointers inside a struct, when a call has changed it. */
export interface ScratchChange {
  readonly address: bigint;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** One finished call of a console. */
export interface DraftRun {
  readonly draft: Draft;
  /** ≥ 0, or -errno. */
  readonly result: number;
  /** The argument's bytes after the call; as before where the pointer leads nowhere. */
  readonly after: Uint8Array;
  /** The pointer, null for a null pointer, undefined for a buffer. */
  readonly address: bigint | null | undefined;
  readonly scratch: ScratchChange | undefined;
  /** The same call as the session reported it. */
  readonly call: LabCall;
}

/**
 * Makes a draft's call on the session's file.
 *
 * @throws IommufdError ENOMEM, EMFILE when the console itself cannot have memory or a file; the signal's reason when it fires
 */
export async function runDraft(session: LabSession, draft: Draft, signal: AbortSignal): Promise<DraftRun> {
  const memory = ConsoleMemory.of(session.iommufd);
  const buffer = draft.bytes.slice();
  const address = prepare(memory, draft);
  const context = draft.file === "open" ? session.context : closedFile(session);
  const scratchBefore = memory.scratch.bytes.slice();
  let reported: LabCall | undefined;
  const onCalls = (event: Event): void => {
    reported ??= (event as LabCallsEvent).calls.find(
      (call) =>
        call.thread === PAGE_THREAD &&
        call.fd === context.fd &&
        call.request === draft.request &&
        (call.address === address || (call.address === undefined && startsWith(draft.bytes, call.before))),
    );
  };
  session.addEventListener("calls", onCalls);
  let result: number;
  try {
    result = await context.ioctlAsync(draft.request, address === undefined ? buffer : address, { signal });
  } catch (error) {
    if (!(error instanceof IommufdError)) throw error;
    result = error.errno;
  } finally {
    session.removeEventListener("calls", onCalls);
  }
  const after = afterwards(memory, draft, buffer);
  const call: LabCall = reported ?? {
    fd: context.fd,
    request: draft.request,
    address,
    before: draft.bytes,
    bytes: after,
    result,
    command: session.commands.find(({ request }) => request === draft.request),
    thread: PAGE_THREAD,
    time: performance.now(),
  };
  const scratchAfter = memory.scratch.bytes.slice();
  const changed = scratchAfter.some((byte, at) => byte !== scratchBefore[at]);
  const scratch = changed ? { address: memory.scratch.va, before: scratchBefore, after: scratchAfter } : undefined;
  return { draft, result, after, address, scratch, call };
}

/** Puts the bytes where the pointer leads; the pointer, undefined for a buffer. */
function prepare(memory: ConsoleMemory, { bytes, pointer }: Draft): bigint | null | undefined {
  switch (pointer) {
    case "memory":
      return undefined;
    case "readonly":
      memory.readOnly.bytes.fill(0).set(bytes);
      return memory.readOnly.va;
    case "unmapped":
      return memory.unmapped();
    case "null":
      return null;
  }
}

function afterwards(memory: ConsoleMemory, { bytes, pointer }: Draft, buffer: Uint8Array): Uint8Array {
  if (pointer === "memory") return buffer;
  return pointer === "readonly" ? memory.readOnly.bytes.slice(0, bytes.length) : bytes;
}

/** A file whose number is not open any more. */
function closedFile(session: LabSession): IommufdContext {
  const opened = session.iommufd.open();
  const byNumber = session.iommufd.file(opened.fd);
  opened.close();
  return byNumber;
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.length <= bytes.length && start.every((byte, at) => byte === bytes[at]);
}
