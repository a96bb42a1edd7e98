// SPDX-License-Identifier: GPL-2.0-only
//
// One scenario of a recording: makes its calls on the machine, compares the answers, counts.
//
// Compared are the result, every byte of the argument (also the ones that must not change), the guard behind it, the
// other memory that the record names, and the warnings in their order. Of an open or a dup only success or the errno is
// compared: the number of a file means nothing in another process.

import { Errno, IOMMU_FAULT_QUEUE_ALLOC } from "../index.js";
import { compareBytes, compareResult, compareWarnings, type Difference, type Finding } from "./difference.js";
import type { Machine } from "./machine.js";
import {
  GUARD_BYTE,
  type CallRecord,
  type ImplicitCloseRecord,
  type IoctlRecord,
  type NamedRecord,
} from "./records.js";
import type { ScenarioResult, SkipReason } from "./results.js";
import { Scope } from "./scope.js";

/** One record, after it was replayed. */
export interface ReplayedRecord {
  readonly record: CallRecord;
  readonly outcome: "matched" | "differed" | "skipped";
  /** Why it was skipped. */
  readonly reason?: SkipReason;
  /** What the library answered: a value of 0 or more, or a negative errno; undefined when skipped. */
  readonly result?: number;
  /** An ioctl's argument after the call: live memory, valid until the listener returns. Empty for a raw pointer. */
  readonly argument?: Uint8Array;
}

/** Options of a Scenario. */
export interface ScenarioOptions {
  /** How many differences to keep; the others are only counted. */
  readonly differences: number;
  readonly onRecord?: ((replayed: ReplayedRecord) => void) | undefined;
}

/** A file number of the recorded process. */
const FAULT_FD = "out_fault_fd";

export class Scenario {
  private matched = 0;
  private differed = 0;
  private skipped = 0;
  private readonly skippedBy: Partial<Record<SkipReason, number>> = {};
  private readonly differences: Difference[] = [];
  private readonly scope: Scope;
  private last: CallRecord | undefined;

  constructor(
    readonly name: string,
    private readonly machine: Machine,
    private readonly options: ScenarioOptions,
  ) {
    this.scope = new Scope(() => machine.faultQueues.any);
  }

  /** Replays the scenario's next record. */
  replay(record: CallRecord): void {
    this.last = record;
    const reason = this.scope.outside(record);
    if (reason !== undefined) {
      this.skipped++;
      this.skippedBy[reason] = (this.skippedBy[reason] ?? 0) + 1;
      this.options.onRecord?.({ record, outcome: "skipped", reason });
      return;
    }
    const { files } = this.machine;
    switch (record.op) {
      case "open":
        this.fileCall(record, () => files.open(record.fd, record.flags), Math.min(record.result, 0));
        break;
      case "dup":
        this.fileCall(record, () => files.dup(record.fd, record.newFd), Math.min(record.result, 0));
        break;
      case "close":
        this.fileCall(record, () => files.close(record.fd), record.result);
        break;
      case "ioctl":
        this.ioctl(record);
        break;
      case "implicit_close":
        this.count(record, 0, this.closeAll(record));
        break;
      case "named":
        this.named(record);
        break;
    }
  }

  /** Closes what the scenario left open, and gives its result. */
  end(): ScenarioResult {
    if (this.last !== undefined && this.last.op !== "implicit_close" && !this.scope.forked) {
      // The recorder closed the files too, and would have written down a warning.
      const { line, n } = this.last;
      const record: ImplicitCloseRecord = { op: "implicit_close", line, scenario: this.name, n: n + 1, warnings: [] };
      const findings = this.closeAll(record);
      if (findings.length > 0) this.count(record, 0, findings);
    }
    this.machine.reset();
    const { name: scenario, matched, differed, skipped, skippedBy, differences } = this;
    return { scenario, matched, differed, skipped, skippedBy, differences };
  }

  private fileCall(record: CallRecord & { warnings: readonly string[] }, call: () => number, expected: number): void {
    const { result, warnings } = this.machine.observe(call);
    this.count(record, result, [compareResult(expected, result), compareWarnings(record.warnings, warnings)]);
  }

  private named(record: NamedRecord): void {
    const { result, warnings } = this.machine.observe(() => this.machine.named(record.name, record.result));
    this.count(record, result, [compareResult(record.result ?? 0, result), compareWarnings([], warnings)]);
  }

  private closeAll(record: ImplicitCloseRecord): Finding[] {
    const { warnings } = this.machine.observe(() => {
      this.machine.closeFiles();
      return 0;
    });
    return present([compareWarnings(record.warnings, warnings)]);
  }

  private ioctl(record: IoctlRecord): void {
    const { files, memory } = this.machine;
    memory.prepare(record);
    const { result, warnings } = this.machine.observe(() => files.ioctl(record.fd, record.request, record.address));

    const findings: (Finding | undefined)[] = [compareResult(record.result, result)];
    const argument = memory.argument(record);
    if (record.request === IOMMU_FAULT_QUEUE_ALLOC.request && result >= 0) this.faultQueueMade(argument);
    if (record.argument !== undefined) {
      findings.push(this.compareArgument(record, record.argument.after, argument));
      const guard = memory.guard(record);
      const intact = new Uint8Array(guard.length).fill(GUARD_BYTE);
      const end = record.address + BigInt(argument.length);
      findings.push(compareBytes("guard", end, record.pastEnd?.subarray(0, guard.length) ?? intact, guard));
    }
    for (const { address, after } of record.memory) {
      findings.push(compareBytes("memory", address, after, memory.other(address, after.length)));
    }
    findings.push(compareWarnings(record.warnings, warnings));
    this.count(record, result, findings, argument);
  }

  /** Under the rfc profile the number is another command, if any. */
  private faultQueueMade(argument: Uint8Array): void {
    if (this.machine.iommufd.abi === "mainline") {
      this.machine.faultQueues.made(IOMMU_FAULT_QUEUE_ALLOC.decode(argument)[FAULT_FD]);
    }
  }

  private compareArgument(record: IoctlRecord, recorded: Uint8Array, argument: Uint8Array): Finding | undefined {
    // How far a copy came before the read-only page stopped it is no promise of the kernel's.
    if (record.how === "split" && record.result === -Errno.EFAULT) return undefined;
    let expected = recorded;
    const number = IOMMU_FAULT_QUEUE_ALLOC.fields[FAULT_FD];
    if (record.request === IOMMU_FAULT_QUEUE_ALLOC.request && record.result >= 0 && number !== undefined) {
      expected = recorded.slice();
      expected.set(argument.subarray(number.offset, number.offset + number.size), number.offset);
    }
    return compareBytes("argument", record.address, expected, argument);
  }

  private count(
    record: CallRecord,
    result: number,
    comparisons: readonly (Finding | undefined)[],
    argument?: Uint8Array,
  ): void {
    const findings = present(comparisons);
    if (findings.length === 0) {
      this.matched++;
    } else {
      this.differed++;
      if (this.differences.length < this.options.differences) this.differences.push({ record, findings });
    }
    const outcome = findings.length === 0 ? "matched" : "differed";
    this.options.onRecord?.({ record, outcome, result, ...(argument && { argument }) });
  }
}

function present(findings: readonly (Finding | undefined)[]): Finding[] {
  return findings.filter((finding) => finding !== undefined);
}
