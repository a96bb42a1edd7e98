// SPDX-License-Identifier: GPL-2.0-only
//
// A failing execution as a table: one row for each event, one column for each thread, with values and source lines.

import { MAX_THREADS } from "../../bindings/explorer/machine.js";
import type { Model } from "../../bindings/explorer/model.js";
import * as op from "../../bindings/explorer/operation.js";
import { Guided, type Schedule } from "../../bindings/explorer/schedule.js";
import { Scheduler } from "../../bindings/explorer/scheduler.js";
import { SourceLines } from "./source-lines.ts";
import type { Event, Kill, Outcome } from "../../bindings/explorer/strategy.js";

interface Row {
  thread: number;
  number: string;
  text: string;
  line: string;
}

const hex = (value: bigint): string => (value < 10n ? String(value) : `0x${value.toString(16)}`);
const WIDEST = 62;

/** Executes the schedule again. Return: what came out, and the table. */
export function traceOf(
  module: WebAssembly.Module,
  map: string,
  model: Model,
  schedule: Schedule,
  kills: readonly Kill[],
): { outcome: Outcome; text: string } {
  const lines = new SourceLines(map);
  const scheduler = new Scheduler(module, model);
  scheduler.kills = kills;
  const rows: Row[] = [];
  scheduler.listener = {
    event: (event, operation, before, note) => {
      const thread = event.process % MAX_THREADS;
      const line = lines.ofStack(scheduler.stacks[thread] ?? "");
      const text = describe(event, operation, before, scheduler) + (note === "" ? "" : `, ${note}`);
      rows.push({ thread, number: String(rows.filter((row) => row.number !== "").length + 1), text, line });
    },
    step: (thread, text) => rows.push({ thread, number: "", text, line: "" }),
  };
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 40;
  const outcome = scheduler.execute(new Guided(schedule, { strict: true }));
  Error.stackTraceLimit = stackTraceLimit;
  let text = table(rows, scheduler.threadNames);
  if (outcome.failure) {
    const at = lines.ofStack(outcome.failure.stack ?? "");
    text += `\n${outcome.failure.kind}: ${outcome.failure.message}${at === "" ? "" : ` (${at})`}\n`;
  } else text += `\noutcome: ${outcome.text}\n`;
  return { outcome, text };
}

function describe(
  event: Event,
  { kind, aLow, aHigh, bLow, bHigh }: op.Operation,
  before: bigint,
  scheduler: Scheduler,
): string {
  const wide = op.IS_64[kind]!;
  const a = wide ? (BigInt(aHigh >>> 0) << 32n) | BigInt(aLow >>> 0) : BigInt(aLow >>> 0);
  const b = wide ? (BigInt(bHigh >>> 0) << 32n) | BigInt(bLow >>> 0) : BigInt(bLow >>> 0);
  if (event.kind === op.TIMEOUT) return `the wait of ${scheduler.describe(event.address)} ends`;
  const name = op.NAMES[kind]!;
  if (kind === op.START) return "starts";
  if (kind === op.READ_VARIABLE || kind === op.WRITE_VARIABLE) return `${name} variable ${event.address}`;
  const what = `${name} ${scheduler.describe(event.address)}`;
  switch (kind) {
    case op.COMPARE_EXCHANGE32:
    case op.COMPARE_EXCHANGE64:
      return event.writes ? `${what}: ${hex(a)} → ${hex(b)}` : `${what}: ${hex(a)} expected, found ${hex(before)}`;
    case op.STORE32:
    case op.STORE64:
    case op.STORE_RELAXED32:
    case op.STORE_RELAXED64:
      return `${what}: ${hex(before)} → ${hex(a)}`;
    case op.EXCHANGE32:
    case op.EXCHANGE64:
      return `${what}: ${hex(before)} → ${hex(a)}`;
    case op.ADD32:
      return `${what}: ${hex(before)} ${aLow < 0 ? `− ${-aLow}` : `+ ${aLow}`}`;
    case op.FILL_RELAXED:
      return `${what}, ${aLow} bytes`;
    case op.NOTIFY:
      return `${what}, ${aLow < 0 ? "all" : aLow}`;
    case op.WAKE:
      return what;
    case op.WAIT32:
    case op.WAIT64:
      return `${what} while ${hex(a)}`;
    default:
      return `${what} = ${hex(before)}`;
  }
}

const SHOWN_OF_RUN = 2;

/** Of many steps in a row of one thread at one line, the first few and their number. */
function withoutRuns(rows: readonly Row[]): Row[] {
  const kept: Row[] = [];
  for (let from = 0; from < rows.length;) {
    const row = rows[from]!;
    let to = from + 1;
    while (to < rows.length && row.line !== "" && rows[to]!.line === row.line && rows[to]!.thread === row.thread) to++;
    if (to - from <= SHOWN_OF_RUN + 2) kept.push(...rows.slice(from, to));
    else {
      const left = to - from - SHOWN_OF_RUN;
      kept.push(...rows.slice(from, from + SHOWN_OF_RUN), { ...row, number: "", text: `… ${left} more at this line` });
    }
    from = to;
  }
  return kept;
}

function table(rows: readonly Row[], names: readonly string[]): string {
  const used = names.map((_, thread) => rows.some((row) => row.thread === thread));
  const widths = names.map((name, thread) =>
    Math.min(
      WIDEST,
      Math.max(name.length, ...rows.filter((row) => row.thread === thread).map(({ text }) => text.length)),
    ),
  );
  const line = (number: string, cells: (string | undefined)[], end: string): string =>
    `${number.padStart(4)}  ${names
      .flatMap((_, thread) => (used[thread] ? [(cells[thread] ?? "").padEnd(widths[thread]!)] : []))
      .join("  ")}  ${end}`.trimEnd();
  const out = [line("step", [...names], "line")];
  for (const { thread, number, text, line: at } of withoutRuns(rows)) {
    const cells: (string | undefined)[] = [];
    cells[thread] = text;
    out.push(line(number, cells, at.replace("assembly/core/", "")));
  }
  return `${out.join("\n")}\n`;
}
