// SPDX-License-Identifier: GPL-2.0-only
//
// The report of a replay, as text for a person or as one JSON document for a program.
//
//   rfc-core.jsonl.gz: Linux 6.12.117-rfcseed, rfc profile, with the lab
//          82 of     82  dispatch.size.80.buf
//           1 of      1  dispatch.vfs_common (38 not ours)
//   rfc-core.jsonl.gz: 43,419 of 43,419 answers match the kernel (240 not ours: VFS requests 40, …)

import type {
  Difference,
  ReplayedRecord,
  ReplayStart,
  ReplayTotals,
  ScenarioResult,
  SkipReason,
} from "../replay/index.js";
import type { Decoder } from "../trace.js";
import { callText } from "./calls.js";
import { differenceJson, differenceText, type Vocabulary } from "./differences.js";
import { count, type Progress } from "./text.js";

/** What is told while files are replayed, in this order: per file start, scenario…, then file or failed; end. */
export interface Report {
  start(file: string, start: ReplayStart): void;
  /** One call, after it was replayed. */
  call(replayed: ReplayedRecord, decoder: Decoder): void;
  scenario(result: ScenarioResult): void;
  file(file: string, totals: ReplayTotals, differences: readonly Difference[], vocabulary: Vocabulary): void;
  failed(file: string, reason: string): void;
  end(): void;
}

const REASONS: Readonly<Record<SkipReason, string>> = {
  vfs: "VFS requests",
  compat32: "32-bit callers",
  fork: "after a fork",
  syscall: "other system calls",
  path: "other devices",
};

const OUTCOME_MARKS = { matched: " ", differed: "!", skipped: "-" } as const;

export class TextReport implements Report {
  private verboseScenario: string | undefined;

  constructor(
    private readonly out: NodeJS.WritableStream,
    private readonly progress: Progress,
  ) {}

  start(file: string, { meta, abi }: ReplayStart): void {
    this.print(`${file}: Linux ${meta.release}, ${abi} profile${meta.lab ? ", with the lab" : ""}\n`);
  }

  call({ record, outcome, reason, result, argument }: ReplayedRecord, decoder: Decoder): void {
    if (record.scenario !== this.verboseScenario) this.print(`${record.scenario}\n`);
    this.verboseScenario = record.scenario;
    const text = callText(decoder, record, result, argument);
    const warnings = "warnings" in record && record.warnings.length > 0 ? `  [${record.warnings.join(", ")}]` : "";
    const why = reason === undefined ? "" : `  (${REASONS[reason]})`;
    this.print(`${OUTCOME_MARKS[outcome]} ${text}${warnings}${why}\n`);
  }

  scenario({ scenario, matched, differed, skipped }: ScenarioResult): void {
    const mark = differed === 0 ? " " : "!";
    const numbers = `${count(matched).padStart(7)} of ${count(matched + differed).padStart(7)}`;
    this.print(`${mark}${numbers}  ${scenario}${skipped === 0 ? "" : ` (${count(skipped)} not ours)`}\n`);
    this.verboseScenario = undefined;
  }

  file(file: string, totals: ReplayTotals, differences: readonly Difference[], vocabulary: Vocabulary): void {
    for (const difference of differences) this.print(`\n${differenceText(file, difference, vocabulary)}`);
    const hidden = totals.differed - differences.length;
    if (differences.length > 0)
      this.print(
        hidden > 0 ? `\n… and ${count(hidden)} more ${hidden === 1 ? "difference" : "differences"}\n\n` : "\n",
      );
    this.print(`${file}: ${totalsText(totals)}\n`);
  }

  failed(): void {
    // Standard error has it.
  }

  end(): void {
    // Everything was printed as it came.
  }

  private print(text: string): void {
    this.progress.clear();
    this.out.write(text);
  }
}

function totalsText({ matched, differed, skipped, skippedBy }: ReplayTotals): string {
  const failures = differed === 0 ? "" : `, ${count(differed)} ${differed === 1 ? "differs" : "differ"}`;
  const answers = `${count(matched)} of ${count(matched + differed)} answers match the kernel${failures}`;
  if (skipped === 0) return answers;
  const reasons = Object.entries(skippedBy) as [SkipReason, number][];
  const list = reasons.map(([reason, number]) => `${REASONS[reason]} ${count(number)}`).join(", ");
  return `${answers} (${count(skipped)} not ours: ${list})`;
}

export class JsonReport implements Report {
  private readonly files: object[] = [];
  private begun: ReplayStart | undefined;
  private scenarios: object[] = [];

  constructor(private readonly out: NodeJS.WritableStream) {}

  start(_file: string, start: ReplayStart): void {
    this.begun = start;
  }

  call(): void {
    throw new TypeError("the calls are not part of the JSON document");
  }

  scenario({ scenario, matched, differed, skipped, skippedBy }: ScenarioResult): void {
    this.scenarios.push({ scenario, matched, differed, skipped, skippedBy });
  }

  file(file: string, totals: ReplayTotals, differences: readonly Difference[], vocabulary: Vocabulary): void {
    const { matched, differed, skipped, skippedBy } = totals;
    this.add({
      file,
      release: this.begun?.meta.release,
      abi: this.begun?.abi,
      lab: this.begun?.meta.lab,
      ...{ matched, differed, skipped, skippedBy },
      scenarios: this.scenarios,
      differences: differences.map((difference) => differenceJson(difference, vocabulary)),
    });
  }

  failed(file: string, error: string): void {
    this.add({ file, error });
  }

  end(): void {
    this.out.write(`${JSON.stringify({ files: this.files }, null, 2)}\n`);
  }

  private add(file: object): void {
    this.files.push(file);
    this.begun = undefined;
    this.scenarios = [];
  }
}
