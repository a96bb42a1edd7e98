// SPDX-License-Identifier: GPL-2.0-only
//
// Entry `iommufd-wasm/replay`: replays what a real kernel answered, and compares.
//
//   for await (const { scenario, matched, differed } of replay(readRecording(bytes))) …
//
// The lab (defineLab) is exported too: the object types and ioctls that the recorded kernel had besides its own
// command, defined on the public object API.

export { readRecording, type ReadOptions } from "./recording.js";
export type {
  AnsweredCall,
  ArgumentKind,
  CallRecord,
  CloseRecord,
  DupRecord,
  ImplicitCloseRecord,
  IoctlRecord,
  MetaRecord,
  NamedRecord,
  OpenRecord,
  OtherMemory,
  RecordedBytes,
  RecordedCall,
  RecordingRecord,
  Region,
  RegionPart,
} from "./records.js";
export { RecordingError, type RecordingSource } from "./lines.js";
export { replay, replayAll, type ReplayOptions, type ReplayStart } from "./replay.js";
export type { ReplayedRecord } from "./scenario.js";
export { addTotals, NO_TOTALS } from "./results.js";
export type { ReplayTotals, ScenarioResult, SkipCounts, SkipReason } from "./results.js";
export type { BytesFinding, Difference, Finding, ResultFinding, WarningsFinding } from "./difference.js";
export { defineLab, type Lab, type LabOptions } from "./lab.js";
export { createDestroyLog, type DestroyLog } from "./log.js";
