// SPDX-License-Identifier: GPL-2.0-only
//
// A difference, for a person and for a program.
//
//   rfc-core.jsonl:19776  fd.bad #5
//     recorded   ioctl(1, LAB_ALLOC, {size=28, type=1, …, out_id=1, out_probe_errno=0}) = 0
//     got        ioctl(1, LAB_ALLOC, {size=28, type=1, …, out_id=2, out_probe_errno=0}) = 0
//     argument   1 byte differs, at 0x10000001000
//       out_id     recorded 1 (0x1), got 2 (0x2)
//       +0x010     recorded  00 00 00 00 01 00 00 00 00 00 00 00
//                  got       00 00 00 00 02 00 00 00 00 00 00 00
//                                        ^^

import type { Fields, IoctlCommand } from "../index.js";
import type { BytesFinding, Difference, Finding } from "../replay/index.js";
import { errnoName, type Decoder } from "../trace.js";
import { callText } from "./calls.js";
import { hex } from "./text.js";

const ROW = 16;

/** What it takes to put a recorded call into words. */
export interface Vocabulary {
  readonly decoder: Decoder;
  readonly commands: readonly IoctlCommand<Fields>[];
}

/** Several lines, each with its newline. */
export function differenceText(file: string, { record, findings }: Difference, vocabulary: Vocabulary): string {
  const lines = [`${file}:${record.line}  ${record.scenario} #${record.n}`];
  const { recorded, got } = bothCalls({ record, findings }, vocabulary);
  lines.push(`  recorded   ${recorded}`);
  if (got !== recorded) lines.push(`  got        ${got}`);
  for (const finding of findings) lines.push(...findingLines(finding, commandOf(record, vocabulary)));
  return `${lines.join("\n")}\n`;
}

/** The difference as plain JSON; numbers that need more than 53 bits are hex strings. */
export function differenceJson({ record, findings }: Difference, vocabulary: Vocabulary): object {
  const { recorded, got } = bothCalls({ record, findings }, vocabulary);
  return {
    line: record.line,
    scenario: record.scenario,
    n: record.n,
    recorded,
    got,
    findings: findings.map((finding) => findingJson(finding, commandOf(record, vocabulary))),
  };
}

function commandOf(record: Difference["record"], { commands }: Vocabulary): IoctlCommand<Fields> | undefined {
  return record.op === "ioctl" ? commands.find(({ request }) => request === record.request) : undefined;
}

/** The call as recorded, and as the library answered it. */
function bothCalls({ record, findings }: Difference, { decoder }: Vocabulary): { recorded: string; got: string } {
  if (!("result" in record)) {
    const text = callText(decoder, record);
    return { recorded: text, got: text };
  }
  let result = record.result;
  let argument = record.op === "ioctl" ? record.argument?.after : undefined;
  for (const finding of findings) {
    if (finding.what === "result") result = finding.got;
    if (finding.what === "argument" && argument !== undefined) {
      argument = argument.slice();
      argument.set(finding.got, finding.offset);
    }
  }
  return { recorded: callText(decoder, record, record.result), got: callText(decoder, record, result, argument) };
}

function findingLines(finding: Finding, command: IoctlCommand<Fields> | undefined): string[] {
  switch (finding.what) {
    case "result":
      // The two lines above show it.
      return [];
    case "warnings":
      return [`  warnings   recorded ${listText(finding.expected)}`, `             got      ${listText(finding.got)}`];
    case "argument":
    case "guard":
    case "memory": {
      const bytes = finding.count === 1 ? "1 byte differs" : `${finding.count} bytes differ`;
      const fields = changedFields(finding, command).map(
        ({ name, expected, got }) => `    ${name.padEnd(10)} recorded ${expected}, got ${got}`,
      );
      return [`  ${finding.what.padEnd(10)} ${bytes}, at ${hex(finding.address)}`, ...fields, ...hexRows(finding)];
    }
  }
}

function listText(list: readonly string[]): string {
  return list.length === 0 ? "none" : list.join(", ");
}

/** The rows of the window that differ, one above the other, with the differing bytes marked. */
function hexRows({ offset, expected, got }: BytesFinding): string[] {
  const lines: string[] = [];
  for (let start = 0; start < expected.length; start += ROW) {
    const row = expected.subarray(start, start + ROW);
    const other = got.subarray(start, start + ROW);
    const marks = [...row].map((byte, index) => (byte === other[index] ? "  " : "^^"));
    if (!marks.includes("^^")) continue;
    lines.push(`    +${hex(offset + start, 3)}     recorded  ${spaced(row)}`);
    lines.push(`               got       ${spaced(other)}`);
    lines.push(`                         ${marks.join(" ").trimEnd()}`);
  }
  return lines;
}

/** The fields of the command's struct that differ. */
function changedFields(
  { what, offset, expected, got }: BytesFinding,
  command: IoctlCommand<Fields> | undefined,
): { name: string; expected: string; got: string }[] {
  if (what !== "argument" || command === undefined || offset !== 0) return [];
  const changed: { name: string; expected: string; got: string }[] = [];
  for (const [name, field] of Object.entries(command.fields)) {
    const end = field.offset + field.size;
    if (end > expected.length) continue;
    const values = [expected, got].map((bytes) => fieldText(bytes.subarray(field.offset, end), field.type));
    const [before = "", after = ""] = values;
    if (before !== after) changed.push({ name, expected: before, got: after });
  }
  return changed;
}

/** A number in decimal and hex, anything else as bytes. */
function fieldText(bytes: Uint8Array, type: string): string {
  const match = /^([us])(8|16|32|64)$/.exec(type);
  if (match === null) return spaced(bytes);
  let value = 0n;
  for (const byte of [...bytes].reverse()) value = (value << 8n) | BigInt(byte);
  const shown = match[1] === "s" ? BigInt.asIntN(8 * bytes.length, value) : value;
  return `${shown} (${hex(value)})`;
}

function spaced(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function findingJson(finding: Finding, command: IoctlCommand<Fields> | undefined): object {
  switch (finding.what) {
    case "result":
      return { what: finding.what, expected: resultJson(finding.expected), got: resultJson(finding.got) };
    case "warnings":
      return finding;
    case "argument":
    case "guard":
    case "memory":
      return {
        what: finding.what,
        address: hex(finding.address),
        offset: finding.offset,
        differingBytes: finding.count,
        expected: spaced(finding.expected),
        got: spaced(finding.got),
        fields: changedFields(finding, command),
      };
  }
}

function resultJson(result: number): object {
  return result >= 0 ? { ret: result, errno: "" } : { ret: -1, errno: errnoName(result) ?? String(-result) };
}
