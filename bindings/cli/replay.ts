// SPDX-License-Identifier: GPL-2.0-only
//
// `iommufd-wasm replay FILE…`: replays recordings and reports how many answers match.
//
// Text: one line per scenario as it ends, the first differences of a file behind its scenarios, one line of totals per
// file last. JSON: one document at the end. A file that cannot be read, or is malformed, is reported on standard error
// with its line and does not keep the others from being replayed.

import { createReadStream } from "node:fs";
import { addTotals, NO_TOTALS, readRecording, RecordingError, replay } from "../replay/index.js";
import type { Difference, ReplayedRecord, ReplayStart, ReplayTotals, ScenarioResult } from "../replay/index.js";
import { Decoder } from "../trace.js";
import type { ReplayCommand } from "./arguments.js";
import { JsonReport, TextReport, type Report } from "./report.js";
import { count, Progress } from "./text.js";

const ALL_MATCH = 0;
const SOME_DIFFER = 1;
const UNREADABLE = 2;

/** The progress line changes at most once in so many calls, since there is no clock to ask. */
const CALLS_PER_PROGRESS = 512;

/** Replays the files one after the other and prints the report; the exit status. */
export async function replayFiles(
  options: ReplayCommand,
  out: NodeJS.WriteStream,
  err: NodeJS.WriteStream,
): Promise<number> {
  const progress = new Progress(err);
  const report: Report = options.json ? new JsonReport(out) : new TextReport(out, progress);
  let status = ALL_MATCH;
  for (const file of options.files) {
    try {
      const totals = await replayFile(file, options, report, progress);
      if (totals.differed > 0) status = Math.max(status, SOME_DIFFER);
    } catch (error) {
      const reason = unreadable(file, error);
      if (reason === undefined) throw error;
      progress.clear();
      err.write(`iommufd-wasm: ${reason}\n`);
      report.failed(file, reason);
      status = UNREADABLE;
    } finally {
      progress.clear();
    }
  }
  report.end();
  return status;
}

async function replayFile(
  file: string,
  { abi, limit, verbose }: ReplayCommand,
  report: Report,
  progress: Progress,
): Promise<ReplayTotals> {
  let decoder = new Decoder();
  let start: ReplayStart | undefined;
  let calls = 0;
  const watch = (replayed: ReplayedRecord): void => {
    if (verbose) report.call(replayed, decoder);
    if (calls++ % CALLS_PER_PROGRESS === 0) progress.show(`${file}: ${count(calls)}  ${replayed.record.scenario}`);
  };

  const records = readRecording(createReadStream(file), { file });
  const differences: Difference[] = [];
  let totals = NO_TOTALS;
  const results: AsyncIterable<ScenarioResult> = replay(records, {
    file,
    differencesPerScenario: limit,
    onStart(started) {
      start = started;
      decoder = new Decoder(started.commands);
      report.start(file, started);
    },
    ...(abi && { abi }),
    ...((verbose || progress.active) && { onRecord: watch }),
  });
  for await (const result of results) {
    totals = addTotals(totals, result);
    differences.push(...result.differences.slice(0, limit - differences.length));
    report.scenario(result);
  }
  report.file(file, totals, differences, { decoder, commands: start?.commands ?? [] });
  return totals;
}

/** What is wrong with a file, as one line; undefined when the error is not the file's. */
function unreadable(file: string, error: unknown): string | undefined {
  if (error instanceof RecordingError) return error.message;
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  switch (error.code) {
    case "ENOENT":
      return `${file}: no such file`;
    case "EISDIR":
      return `${file}: is a directory`;
    case "EACCES":
      return `${file}: permission denied`;
    default:
      return `${file}: cannot be read (${String(error.code)})`;
  }
}
