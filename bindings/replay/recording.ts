// SPDX-License-Identifier: GPL-2.0-only
//
// The reader of recordings: from lines of JSON to records, each of them checked.
//
// A recording is a file of JSON lines. The first line, `meta`, names the kernel and the memory regions of the recorded
// process; every other line is one call of one scenario, with what the kernel answered. Bytes are written as hex without
// their trailing zeros: the length stands beside them.
//
// The reader accepts nothing that it does not understand: each line is parsed into one of the record types, or refused
// with a RecordingError that names file, line and reason. The replay can therefore rely on every value's type and range,
// on memory lying inside a region, and on the order of the lines. Members that a record does not need are ignored, as in
// any JSON format that grows.

import { Errno, type ErrnoName, type KernelRelease } from "../index.js";
import { JsonFields, Malformed } from "./json.js";
import { readLines, RecordingError, type RecordingSource } from "./lines.js";
import {
  type AnsweredCall,
  type ArgumentKind,
  GUARD_LENGTH,
  type IoctlRecord,
  type MetaRecord,
  type NamedRecord,
  type OtherMemory,
  type RecordedBytes,
  type RecordedCall,
  type RecordingRecord,
  type Region,
  type RegionPart,
} from "./records.js";

const ARGUMENT_KINDS: readonly ArgumentKind[] = ["buf", "odd", "edge", "ro", "split", "raw"];

/** Options of readRecording(). */
export interface ReadOptions {
  /** The name used in errors, default `recording`. A name in `.gz` promises gzip data. */
  file?: string;
}

/**
 * Reads a recording, plain or gzip-compressed, line by line: first its MetaRecord, then its calls. Bounded memory,
 * whatever the file's length. Throws RecordingError at the first line that is malformed, cut short, of unknown kind or
 * out of order; the lines before it were delivered.
 */
export async function* readRecording(
  source: RecordingSource,
  options: ReadOptions = {},
): AsyncGenerator<RecordingRecord, void, undefined> {
  const file = options.file ?? "recording";
  const parser = new RecordParser();
  let lines = 0;
  for await (const { number, text, ended } of readLines(source, file)) {
    let record: RecordingRecord;
    try {
      record = parser.parse(text, number);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      throw new RecordingError(
        file,
        number,
        ended ? error.message : `${error.message}; the file may have been cut here`,
      );
    }
    lines = number;
    yield record;
  }
  if (lines === 0) throw new RecordingError(file, 1, "the file is empty");
  if (lines === 1) throw new RecordingError(file, 1, "no call follows the meta line");
}

const PAGE = 4096;
/** Kernels with a table of their own. */
const RELEASES: readonly KernelRelease[] = ["6.12"];
/** The most bytes that the regions may have together: they have to fit into one shared memory. */
const REGIONS_LIMIT = 1 << 30;
/** The most pieces of other memory that one call may name; a bound on what one line can make the reader allocate. */
const MEMORY_LIMIT = 16;

/** Parses lines in order; knows the regions and where in which scenario the last line stood. */
class RecordParser {
  private regions: readonly Region[] | undefined;
  private scenario: string | undefined;
  private n = -1;

  parse(text: string, line: number): RecordingRecord {
    const fields = JsonFields.parse(text);
    const op = fields.string("op");
    if (this.regions === undefined) {
      if (op !== "meta") throw new Malformed(`the first line must be the recording's "meta" line, this is "${op}"`);
      const meta = parseMeta(fields, line);
      this.regions = meta.regions;
      return meta;
    }
    if (op === "meta") throw new Malformed('a second "meta" line');
    const call = this.place(fields, line);
    switch (op) {
      case "open":
        return {
          ...call,
          ...answer(fields),
          op,
          fd: fields.integer("fd", -1),
          path: fields.string("path"),
          flags: fields.integer("flags", 0, 0xffff_ffff),
        };
      case "close":
        return { ...call, ...answer(fields), op, fd: fields.integer("fd", -1) };
      case "dup":
        return { ...call, ...answer(fields), op, fd: fields.integer("fd", -1), newFd: fields.integer("newfd", -1) };
      case "implicit_close":
        return { ...call, op, warnings: warnings(fields) };
      case "ioctl":
        return parseIoctl(fields, call, this.regions);
      default:
        return { ...call, op: "named", ...systemCall(fields, op) };
    }
  }

  private place(fields: JsonFields, line: number): RecordedCall {
    const scenario = fields.string("s");
    const n = fields.integer("n", 0);
    if (scenario === this.scenario && n <= this.n) {
      throw new Malformed(`"n" is ${n} after ${this.n}: the lines of "${scenario}" are out of order`);
    }
    this.scenario = scenario;
    this.n = n;
    return { line, scenario, n };
  }
}

function parseMeta(fields: JsonFields, line: number): MetaRecord {
  const release = fields.string("release");
  const mode = fields.string("mode");
  if (mode === "races")
    throw new Malformed("a recording of races: they are not calls in an order, and cannot be replayed");
  if (mode !== "core" && mode !== "pure") throw new Malformed(`unknown mode "${mode}"`);
  if (fields.integer("page_size", 0) !== PAGE) throw new Malformed(`"page_size" must be ${PAGE}`);
  const abi = release.includes("rfc") ? "rfc" : "mainline";
  const kernel = abi === "mainline" ? RELEASES.find((known) => release.startsWith(`${known}.`)) : undefined;
  const lab = abi === "rfc" && mode === "core";
  return { op: "meta", line, release, mode, abi, kernel, lab, regions: parseRegions(fields) };
}

function parseRegions(fields: JsonFields): Region[] {
  const table = fields.object("regions");
  const regions: Region[] = [];
  for (const name of table.keys()) {
    const row = table.array(name);
    const [address, length, prot] = row;
    if (row.length !== 3 || typeof address !== "string" || typeof prot !== "string") {
      throw new Malformed(`region "${name}" must be [address, bytes, protection]`);
    }
    if (typeof length !== "number" || !Number.isSafeInteger(length) || length < 0) {
      throw new Malformed(`region "${name}": the length must be a number of bytes`);
    }
    const region = {
      name,
      address: parseAddress(address, `region "${name}"`),
      length,
      parts: parseParts(name, length, prot),
    };
    if (region.address % BigInt(PAGE) !== 0n) throw new Malformed(`region "${name}" does not start at a page`);
    regions.push(region);
  }
  const total = regions.reduce((sum, region) => sum + region.length, 0);
  if (total > REGIONS_LIMIT) throw new Malformed(`the regions are ${total} bytes in all, more than ${REGIONS_LIMIT}`);
  return regions;
}

/** `rw`, `r`, `none`, `unmapped`, or a list of pieces such as `4096 rw, 4096 r`. */
function parseParts(name: string, length: number, prot: string): RegionPart[] {
  if (prot === "unmapped") return [];
  const parts: RegionPart[] = [];
  let total = 0;
  for (const piece of prot.split(", ")) {
    const match = /^(?:(\d{1,15}) )?(rw|r|none)$/.exec(piece);
    if (match === null) throw new Malformed(`region "${name}": unknown protection "${prot}"`);
    const size = match[1] === undefined ? length : Number(match[1]);
    if (size === 0 || size % PAGE !== 0) throw new Malformed(`region "${name}": ${size} bytes are not whole pages`);
    parts.push({ length: size, prot: match[2] as RegionPart["prot"] });
    total += size;
  }
  if (total !== length) throw new Malformed(`region "${name}": its parts are ${total} bytes, the region is ${length}`);
  return parts;
}

function parseIoctl(fields: JsonFields, call: RecordedCall, regions: readonly Region[]): IoctlRecord {
  const request = parseHexNumber(fields.string("cmd"), "cmd");
  const address = parseAddress(fields.string("addr"), '"addr"');
  const how = fields.string("how") as ArgumentKind;
  if (!ARGUMENT_KINDS.includes(how)) throw new Malformed(`unknown kind of argument "${how}"`);

  let argument: RecordedBytes | undefined;
  let cut: number | undefined;
  if (how !== "raw") {
    const length = fields.integer("len", 0);
    requireInside(regions, address, length, "the argument");
    const before = fields.bytes("in", length);
    if (fields.has("poke")) poke(before, fields.array("poke"));
    argument = { before, after: fields.has("out") ? fields.bytes("out", length) : before };
    if (how === "split") cut = fields.integer("cut", 0);
  }

  const memory = fields.has("mem") ? fields.objects("mem").map((item) => parseOtherMemory(item, regions)) : [];
  if (memory.length > MEMORY_LIMIT) throw new Malformed(`"mem" has ${memory.length} items, more than ${MEMORY_LIMIT}`);
  const pastEnd = fields.has("past_end") ? fields.bytes("past_end", GUARD_LENGTH) : undefined;
  const fd = fields.integer("fd", -1);
  return { ...call, ...answer(fields), op: "ioctl", fd, request, address, how, argument, cut, pastEnd, memory };
}

function parseOtherMemory(fields: JsonFields, regions: readonly Region[]): OtherMemory {
  const address = parseAddress(fields.string("va"), '"va"');
  const length = fields.integer("len", 0);
  requireInside(regions, address, length, "other memory");
  const before = fields.bytes("in", length);
  return { address, before, after: fields.has("out") ? fields.bytes("out", length) : before };
}

/** Memory that is prepared and looked at afterwards must be mapped, whatever its protection, within one region. */
function requireInside(regions: readonly Region[], address: bigint, length: number, what: string): void {
  const end = address + BigInt(length);
  for (const region of regions) {
    if (region.parts.length > 0 && address >= region.address && end <= region.address + BigInt(region.length)) return;
  }
  throw new Malformed(`${what}, ${length} bytes at 0x${address.toString(16)}, is not inside a region`);
}

/** [offset, value]: one more byte of the argument. */
function poke(bytes: Uint8Array, pair: readonly unknown[]): void {
  const [offset, value] = pair;
  const good = pair.length === 2 && Number.isSafeInteger(offset) && Number.isSafeInteger(value);
  if (
    !good ||
    (offset as number) < 0 ||
    (offset as number) >= bytes.length ||
    (value as number) < 0 ||
    (value as number) > 255
  ) {
    throw new Malformed('"poke" must be [offset inside the argument, byte]');
  }
  bytes[offset as number] = value as number;
}

function answer(fields: JsonFields): Pick<AnsweredCall, "result" | "warnings"> {
  const ret = fields.integer("ret", -1);
  const errno = fields.string("errno");
  if (ret < 0 !== (errno !== "")) throw new Malformed(`"ret" ${ret} and "errno" "${errno}" contradict each other`);
  if (errno !== "" && !Object.hasOwn(Errno, errno)) throw new Malformed(`unknown errno "${errno}"`);
  return {
    result: errno === "" ? ret : -Errno[errno as ErrnoName],
    warnings: warnings(fields),
  };
}

function warnings(fields: JsonFields): readonly string[] {
  return fields.has("warn") ? fields.strings("warn") : [];
}

/** Other system calls have open-ended names; what makes a line one of them is that it has an answer. */
function systemCall(fields: JsonFields, op: string): Pick<NamedRecord, "name" | "result"> {
  if (!/^[a-z][a-z0-9_]*$/.test(op)) throw new Malformed(`unknown kind of line "${op}"`);
  // These two say what the recorder did, and may have none.
  if (/^(?:drop_privileges|fork)_/.test(op) && !fields.has("ret")) return { name: op, result: undefined };
  if (!fields.has("ret")) throw new Malformed(`unknown kind of line "${op}"`);
  const value = fields.integer("ret", Number.MIN_SAFE_INTEGER);
  const errno = fields.string("errno");
  // Names that only other systems have are no mistake here: most of these calls are not made again.
  return { name: op, result: Object.hasOwn(Errno, errno) ? -Errno[errno as ErrnoName] : value };
}

function parseHexNumber(text: string, name: string): number {
  if (!/^0x[0-9a-f]{1,8}$/i.test(text)) throw new Malformed(`"${name}" must be a 32-bit number in hex, not "${text}"`);
  return Number(text);
}

function parseAddress(text: string, where: string): bigint {
  if (!/^0x[0-9a-f]{1,16}$/i.test(text)) throw new Malformed(`${where}: "${text}" is not a 64-bit address in hex`);
  return BigInt(text);
}
