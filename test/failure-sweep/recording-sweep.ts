// SPDX-License-Identifier: GPL-2.0-only
//
// The recordings, replayed while attempts fail: a call that fails is made again, and from then on every answer must be the
// recorded kernel's, as if nothing had happened.
//
//   sweepRecords    one pass; each call is repeated with its first, second, … attempt failing until none is left to fail
//   sweepScenario   one scenario from a fresh machine for each n; its n-th attempt fails, whichever call that is in
//
// The first knows every call, but an attempt that is served by what an earlier failure left prepared is not made any more;
// the second makes them all. Both feed the records to the package's own replay, one at a time, and look at the machine
// between two of them.
//
// One failure is left out: the reply of LAB_LOG. The recorded kernel forgets the entries although the reply fails
// (scenario log.ro_reply_clears), so that call cannot be made again.

import type { IommufdStats } from "iommufd-wasm";
import { Errno, type Iommufd } from "iommufd-wasm";
import {
  type CallRecord,
  type MetaRecord,
  readRecording,
  type RecordingRecord,
  replay,
  type ReplayedRecord,
  type ReplayStart,
} from "iommufd-wasm/replay";
import { Faults, countsOf, graphOf, isCopyStopped, leftoversOf } from "./faults.ts";

export interface Recording {
  readonly meta: MetaRecord;
  /** In order, by name. */
  readonly scenarios: ReadonlyMap<string, readonly CallRecord[]>;
}

/** Reads the bytes of a recording. */
export async function loadRecording(bytes: Uint8Array): Promise<Recording> {
  let meta: MetaRecord | undefined;
  const scenarios = new Map<string, CallRecord[]>();
  for await (const record of readRecording(bytes)) {
    if (record.op === "meta") meta = record;
    else scenarios.set(record.scenario, [...(scenarios.get(record.scenario)?.splice(0) ?? []), record]);
  }
  if (meta === undefined) throw new Error("a recording without a meta line");
  return { meta, scenarios };
}

const LAB_LOG = 0x3ba5;
const PAGE_BYTES = 4096n;

/** How many of a call's last attempts are the reply that is left out. */
function attemptsOfLastReply(record: CallRecord): number {
  if (record.op !== "ioctl" || record.request !== LAB_LOG || record.argument === undefined) return 0;
  const last = record.address + BigInt(Math.min(record.argument.before.length, 24)) - 1n;
  return Number(last / PAGE_BYTES - record.address / PAGE_BYTES) + 1;
}

/** How often calls were made to fail, and what was wrong then. */
export interface SweepResult {
  readonly faults: number;
  readonly attempts: number;
  readonly findings: readonly string[];
}

/** The graph at the start of a scenario: until its first call is made the files of the one before may still be open. */
const NOTHING_OPEN = "";

/** The machine of a replay that is under way, and what its last call did. */
class Watch {
  readonly findings: string[] = [];
  faults = 0;
  #iommufd: Iommufd | undefined;
  #faults: Faults | undefined;
  #last: ReplayedRecord | undefined;
  #argument: Uint8Array | undefined;

  readonly options = (module: WebAssembly.Module, memoryBytes?: number) => ({
    module,
    ...(memoryBytes !== undefined && { memoryBytes }),
    onStart: ({ iommufd }: ReplayStart): void => {
      this.#iommufd = iommufd;
      this.#faults = new Faults(iommufd);
    },
    onRecord: (replayed: ReplayedRecord): void => {
      this.#last = replayed;
      this.#argument = this.switch.hasFired ? replayed.argument?.slice() : undefined;
      if (!this.switch.hasFired && replayed.outcome === "differed") this.find(replayed.record, "differs");
    },
  });

  get iommufd(): Iommufd {
    if (this.#iommufd === undefined) throw new Error("the replay has not begun");
    return this.#iommufd;
  }

  get switch(): Faults {
    if (this.#faults === undefined) throw new Error("the replay has not begun");
    return this.#faults;
  }

  graph(): string {
    return graphOf(this.iommufd, this.switch);
  }

  stats(): IommufdStats {
    return this.iommufd.stats();
  }

  find(record: CallRecord, what: string): void {
    this.findings.push(`${record.scenario} #${record.n}, line ${record.line}: ${what}`);
  }

  /** Ends an armed call. Return: whether it was made to fail; if so, it has been looked at. `before`: the graph then. */
  hasFailed(record: CallRecord, before: string): boolean {
    const expected = this.switch.disarm();
    if (expected === undefined) return false;
    this.faults++;
    const result = this.#last?.record === record ? this.#last.result : undefined;
    if (result !== -Errno[expected]) this.find(record, `answers ${String(result)}, not -${expected}`);
    const after = this.graph();
    if (after !== before) this.find(record, `fails with ${expected} and leaves\n${after}\ninstead of\n${before}`);
    if (record.op === "ioctl") {
      if (
        this.#argument &&
        record.argument &&
        !isCopyStopped(record.argument.before, record.argument.after, this.#argument)
      )
        this.find(record, "leaves an argument that no copy makes");
      for (const { address, before, after } of record.memory) {
        const now = this.iommufd.userSpace.read(address, before.length);
        if (!isCopyStopped(before, after, now)) this.find(record, "leaves memory that no copy makes");
      }
    }
    return true;
  }
}

/** Which calls fail, and which attempt comes after the n-th. */
export interface Thoroughness {
  readonly chooses: (record: CallRecord) => boolean;
  readonly next: (n: number) => number;
}

export const EVERYTHING: Thoroughness = { chooses: () => true, next: (n) => n + 1 };
/** One call of so many, and of a long copy's pages the first ones, then ever fewer. */
export const oneCallOf = (calls: number): Thoroughness => ({
  chooses: ({ line }) => line % calls === 0,
  next: (n) => (n < 8 ? n + 1 : 2 * n),
});

/** Makes calls of all scenarios fail at their attempts in turn, then succeed. */
export async function sweepRecords(
  recording: Recording,
  module: WebAssembly.Module,
  { chooses, next } = EVERYTHING,
): Promise<SweepResult> {
  const watch = new Watch();
  const { good, attempts } = await replayGood(recording, module);
  function* records(): Generator<RecordingRecord> {
    yield recording.meta;
    for (const calls of recording.scenarios.values()) {
      for (const [index, record] of calls.entries()) {
        if (!chooses(record)) {
          yield record;
          continue;
        }
        const before = index === 0 ? NOTHING_OPEN : watch.graph();
        const mayFail = (attempts.get(record) ?? 0) - attemptsOfLastReply(record);
        for (let n = 1; ; n = next(n)) {
          watch.switch.arm(n <= mayFail ? n : 0);
          yield record;
          if (!watch.hasFailed(record, before)) break;
        }
      }
    }
  }
  let index = 0;
  for await (const { scenario } of replay(records(), watch.options(module))) {
    const end = endOf(watch);
    if (end !== good[index++]) watch.findings.push(`${scenario}: ends with ${end} instead of ${good[index - 1]}`);
  }
  return { faults: watch.faults, attempts: watch.faults, findings: watch.findings };
}

/** How each scenario ends when nothing fails, and how many attempts each call makes. */
async function replayGood(
  { meta, scenarios }: Recording,
  module: WebAssembly.Module,
): Promise<{ good: string[]; attempts: Map<CallRecord, number> }> {
  const watch = new Watch();
  const good: string[] = [];
  const attempts = new Map<CallRecord, number>();
  function* records(): Generator<RecordingRecord> {
    yield meta;
    for (const record of [...scenarios.values()].flat()) {
      const start = watch.switch.attempts;
      yield record;
      attempts.set(record, watch.switch.attempts - start);
    }
  }
  for await (const _ of replay(records(), watch.options(module))) good.push(endOf(watch));
  if (watch.findings.length > 0) throw new Error(`the replay differs without a failure: ${watch.findings[0]}`);
  return { good, attempts };
}

function endOf(watch: Watch): string {
  const stats = watch.stats();
  return `${leftoversOf(stats)} ${countsOf(stats)} ${stats.bytes.used}`;
}

const SCENARIO_MEMORY = 16 * 1024 * 1024;

/**
 * Replays one scenario on a fresh machine for each n that `choose` picks out of its number of attempts.
 */
export async function sweepScenario(
  recording: Recording,
  name: string,
  module: WebAssembly.Module,
  choose: (attempts: number) => Iterable<number>,
): Promise<SweepResult> {
  const calls = recording.scenarios.get(name) ?? [];
  // Attempts up to and including each call, when nothing fails.
  const upTo: number[] = [];
  const good = await replayOnce(recording.meta, calls, module, function* (watch) {
    const start = watch.switch.attempts;
    for (const record of calls) {
      yield record;
      upTo.push(watch.switch.attempts - start);
    }
  });
  const attempts = upTo.at(-1) ?? 0;
  const findings = [...good.findings];
  let faults = 0;
  for (const n of choose(attempts)) {
    const failing = upTo.findIndex((count) => count >= n);
    const left = calls[failing];
    if (left === undefined || n > (upTo[failing] ?? 0) - attemptsOfLastReply(left)) continue;
    const bad = await replayOnce(recording.meta, calls, module, function* (watch) {
      watch.switch.arm(n);
      for (const [index, record] of calls.entries()) {
        const before = index === failing && index > 0 ? watch.graph() : NOTHING_OPEN;
        yield record;
        if (index === failing) {
          if (watch.hasFailed(record, before)) yield record;
          else watch.find(record, "makes fewer attempts than without a failure");
        }
      }
    });
    if (bad.end !== good.end) findings.push(`${name}, attempt ${n}: ends with ${bad.end} instead of ${good.end}`);
    findings.push(...bad.findings.map((finding) => `${name}, attempt ${n}: ${finding}`));
    faults += bad.faults;
  }
  return { faults, attempts, findings };
}

async function replayOnce(
  meta: MetaRecord,
  calls: readonly CallRecord[],
  module: WebAssembly.Module,
  feed: (watch: Watch) => Iterable<RecordingRecord>,
): Promise<{ end: string; faults: number; findings: readonly string[] }> {
  const watch = new Watch();
  function* records(): Generator<RecordingRecord> {
    yield meta;
    yield* feed(watch);
  }
  let end = "";
  for await (const _ of replay(records(), watch.options(module, SCENARIO_MEMORY))) end = endOf(watch);
  if (end === "" && calls.length > 0) throw new Error("the scenario did not end");
  return { end, faults: watch.faults, findings: watch.findings };
}
