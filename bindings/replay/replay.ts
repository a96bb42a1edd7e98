// SPDX-License-Identifier: GPL-2.0-only
//
// The replay: every call of a recording is made again, on an Iommufd of its own, and what comes back is compared with
// what the kernel answered.
//
// A record either *matched*, *differed*, or was *skipped* because Linux answered it in a place that the library does
// not stand for (scope.ts); the reasons are counted, so that nothing goes missing silently.
//
// Each scenario starts from nothing: all files closed, the lab's log empty. The Iommufd itself is kept for the whole
// recording, so a scenario also shows whether an earlier one left something behind.
//
// Nothing here depends on the host: no clock, no files, no waiting. The records may come from anywhere.

import type { Fields, Iommufd, IoctlCommand } from "../index.js";
import { RecordingError } from "./lines.js";
import { Machine } from "./machine.js";
import type { CallRecord, MetaRecord, RecordingRecord } from "./records.js";
import { addTotals, NO_TOTALS, type ReplayTotals, type ScenarioResult } from "./results.js";
import { Scenario, type ReplayedRecord } from "./scenario.js";

/** What a replay starts with. */
export interface ReplayStart {
  readonly meta: MetaRecord;
  /** The profile under which the calls are made. */
  readonly abi: "rfc" | "mainline";
  /** The commands that the library knows, the lab's included where the recorded kernel had them. */
  readonly commands: readonly IoctlCommand<Fields>[];
  /** The machine, to be looked at between two records. */
  readonly iommufd: Iommufd;
}

/** Options of replay(). */
export interface ReplayOptions {
  /** Overrides the profile that the recording's kernel follows. */
  abi?: "rfc" | "mainline";
  /** Shared memory of the Iommufd in bytes; default: 64 MiB and what the recording's regions take. */
  memoryBytes?: number;
  /** An already compiled core; default: the one of this package. */
  module?: WebAssembly.Module;
  /** The recording's name in errors, default `recording`. */
  file?: string;
  /** Stops the replay between two calls: the generator throws the signal's reason. */
  signal?: AbortSignal;
  /** How many differences a ScenarioResult holds; the others are only counted. Default 16. */
  differencesPerScenario?: number;
  /** Called once, before the first call. */
  onStart?: (start: ReplayStart) => void;
  /** Called after each record. */
  onRecord?: (replayed: ReplayedRecord) => void;
}

const DEFAULT_DIFFERENCES = 16;

/**
 * Replays a recording, as readRecording() delivers it, and yields each scenario's result when the scenario ends. Throws
 * RecordingError when the recorded process' memory cannot be mapped, and passes on what reading the records throws. Its
 * Iommufd is gone when the generator ends, for whatever reason.
 */
export async function* replay(
  records: AsyncIterable<RecordingRecord> | Iterable<RecordingRecord>,
  options: ReplayOptions = {},
): AsyncGenerator<ScenarioResult, void, undefined> {
  const file = options.file ?? "recording";
  const scenarioOptions = {
    differences: options.differencesPerScenario ?? DEFAULT_DIFFERENCES,
    onRecord: options.onRecord,
  };
  let machine: Machine | undefined;
  let scenario: Scenario | undefined;
  try {
    for await (const record of records) {
      options.signal?.throwIfAborted();
      if (record.op === "meta") {
        if (machine !== undefined) throw new RecordingError(file, record.line, "a second recording begins");
        const abi = options.abi ?? record.abi;
        const { memoryBytes, module } = options;
        machine = await Machine.start(record, { abi, file, memoryBytes, module });
        options.onStart?.({ meta: record, abi, commands: machine.commands(), iommufd: machine.iommufd });
        continue;
      }
      if (machine === undefined) throw new RecordingError(file, record.line, "a call before the recording's meta line");
      if (record.scenario !== scenario?.name) {
        if (scenario !== undefined) yield scenario.end();
        scenario = new Scenario(record.scenario, machine, scenarioOptions);
      }
      replayOne(scenario, record, file);
    }
    if (scenario !== undefined) yield scenario.end();
  } finally {
    machine?.shutDown();
  }
}

/** An error that is no kernel error is a defect of the library; it says at least during which call. */
function replayOne(scenario: Scenario, record: CallRecord, file: string): void {
  try {
    scenario.replay(record);
  } catch (cause) {
    throw new Error(`${file}:${record.line}: the replay of ${record.scenario} #${record.n} failed`, { cause });
  }
}

/** Replays a recording and adds up. Errors as replay(). */
export async function replayAll(
  records: AsyncIterable<RecordingRecord> | Iterable<RecordingRecord>,
  options: ReplayOptions = {},
): Promise<{ scenarios: ScenarioResult[]; totals: ReplayTotals }> {
  const scenarios: ScenarioResult[] = [];
  let totals = NO_TOTALS;
  for await (const result of replay(records, options)) {
    scenarios.push(result);
    totals = addTotals(totals, result);
  }
  return { scenarios, totals };
}
