// SPDX-License-Identifier: GPL-2.0-only
//
// What is said about a saved trace: what is in it, what is not and why, and what its replay came to.

import type { LeftOut, TraceExport } from "./trace-export.js";

const REASONS: Readonly<Record<keyof LeftOut, string>> = {
  older: "older than what is kept, or on a file that is closed now",
  otherThread: "of other threads",
  otherFile: "on another file",
  ownCommand: "of requests that a replay does not know",
  unknownMemory: "with a pointer into memory of unknown content",
  notWaited: "that this page refused or gave up because they wait",
};

/** Some sentences about a saved trace. */
export function saidOf({ calls, prelude, leftOut, complete, replayed }: TraceExport, file: string): string {
  const left = (Object.keys(REASONS) as (keyof LeftOut)[]).filter((reason) => leftOut[reason] > 0);
  const { matched, differed } = replayed;
  return [
    `Saved ${number(calls, "call")} as ${file}.`,
    prelude === 0
      ? ""
      : `${number(prelude, "more call")} at its beginning ${prelude === 1 ? "makes" : "make"} the objects that were there.`,
    left.length === 0
      ? ""
      : `Left out: ${left.map((reason) => `${number(leftOut[reason], "call")} ${REASONS[reason]}`).join("; ")}.`,
    complete ? "" : "Objects that were there at its beginning cannot be made by ioctls, and are missing.",
    `Replayed here: ${matched} matched, ${differed} differed.`,
    differed === 0
      ? ""
      : "Something changed the objects that is not in the trace, or this page has a command that does something else in a replay.",
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}

function number(value: number, noun: string): string {
  return `${value.toLocaleString("en-US")} ${noun}${value === 1 ? "" : "s"}`;
}
