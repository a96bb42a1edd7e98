// SPDX-License-Identifier: GPL-2.0-only
//
// Reads as much of a WebAssembly binary as the shape checks need: sections, imports, exports, globals.
//
// The engine's own WebAssembly.Module.imports() tells neither limits nor sharedness, and nothing about globals that are
// not exported, so the few sections are read here. Section numbers and encodings are those of the WebAssembly binary
// format, including the threads proposal's flag bit for shared memories.

export const SECTION = { import: 2, memory: 5, global: 6, export: 7, start: 8, code: 10, data: 11 };
const KINDS = ["function", "table", "memory", "global", "tag"];
const ATOMIC_PREFIX = 0xfe;
/** memory.atomic.wait32 and wait64, with the log2 of their alignment that follows. */
const WAIT_ALIGNMENT = new Map([
  [0x01, 2],
  [0x02, 3],
]);
const I32_STORE = 0x36;
const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get done() {
    return this.at >= this.bytes.length;
  }

  byte() {
    if (this.done) throw new Error("the binary ends in the middle");
    return this.bytes[this.at++];
  }

  skip(length) {
    this.at += length;
  }

  /** LEB128; more than 32 bits lose their upper part, which nobody here asks for. */
  leb() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  slice(length) {
    if (this.at + length > this.bytes.length) throw new Error("the binary ends in the middle");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name() {
    return new TextDecoder().decode(this.slice(this.leb()));
  }

  vector(readOne) {
    return Array.from({ length: this.leb() }, () => readOne());
  }

  limits() {
    const flags = this.leb();
    return { shared: (flags & 2) !== 0, minimum: this.leb(), maximum: flags & 1 ? this.leb() : undefined };
  }

  constantExpression() {
    for (;;) {
      const opcode = this.byte();
      if (opcode === 0x0b) return;
      if (opcode === 0x41 || opcode === 0x42 || opcode === 0x23 || opcode === 0xd2) this.leb();
      else if (opcode === 0x43) this.skip(4);
      else if (opcode === 0x44) this.skip(8);
      else if (opcode === 0xd0) this.byte();
      else throw new Error(`opcode 0x${opcode.toString(16)} in the initial value of a global`);
    }
  }
}

/** Returns section number → contents, custom sections left out. */
export function readSections(bytes) {
  if (!MAGIC_AND_VERSION.every((byte, index) => bytes[index] === byte)) throw new Error("not a WebAssembly binary");
  const reader = new Reader(bytes);
  reader.skip(MAGIC_AND_VERSION.length);
  const sections = new Map();
  while (!reader.done) {
    const id = reader.byte();
    const contents = reader.slice(reader.leb());
    if (id !== 0) sections.set(id, contents);
  }
  return sections;
}

/** Returns {module, name, kind, memory?}[]; `memory` holds the limits of an imported memory. */
export function readImports(sections) {
  return readVector(sections, SECTION.import, (reader) => {
    const entry = { module: reader.name(), name: reader.name(), kind: KINDS[reader.byte()] };
    if (entry.kind === "function") reader.leb();
    else if (entry.kind === "memory") entry.memory = reader.limits();
    else if (entry.kind === "global") reader.skip(2);
    else if (entry.kind === "table") (reader.skip(1), reader.limits());
    return entry;
  });
}

/** Returns {name, kind}[]. */
export function readExports(sections) {
  return readVector(sections, SECTION.export, (reader) => {
    const entry = { name: reader.name(), kind: KINDS[reader.byte()] };
    reader.leb();
    return entry;
  });
}

/** Returns {mutable}[] of the globals that the module defines itself. */
export function readGlobals(sections) {
  return readVector(sections, SECTION.global, (reader) => {
    reader.byte(); // the value's type
    const mutable = reader.byte() === 1;
    reader.constantExpression();
    return { mutable };
  });
}

function readVector(sections, id, readOne) {
  const contents = sections.get(id);
  if (!contents) return [];
  const reader = new Reader(contents);
  return reader.vector(() => readOne(reader));
}

/**
 * How many waits the code has whose answer is not stored by the next instruction. Finds them by their opcode bytes, in the
 * instructions alone: sizes and local declarations of the functions hold the same bytes now and then.
 */
export function countUnstoredWaits(sections) {
  return readVector(sections, SECTION.code, (reader) => {
    const body = new Reader(reader.slice(reader.leb()));
    body.vector(() => (body.leb(), body.byte())); // locals: how many, of which type
    return unstoredWaits(body.slice(body.bytes.length - body.at));
  }).reduce((sum, count) => sum + count, 0);
}

function unstoredWaits(instructions) {
  let count = 0;
  for (let at = 0; at + 2 < instructions.length; at++) {
    const isWait =
      instructions[at] === ATOMIC_PREFIX && WAIT_ALIGNMENT.get(instructions[at + 1]) === instructions[at + 2];
    if (!isWait) continue;
    let next = at + 3;
    while (instructions[next] >= 0x80) next++; // the offset, LEB128
    if (instructions[next + 1] !== I32_STORE) count++;
  }
  return count;
}
