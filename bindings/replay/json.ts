// SPDX-License-Identifier: GPL-2.0-only
//
// One line's JSON object, read member by member with its type and range checked.
//
// Each reader returns a value of the promised type or throws Malformed with a reason that names the member; nothing is
// coerced and nothing has a default. The reader of recordings (recording.ts) adds file and line.

/** Something in a line is not as the format says; the message is the reason. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/**
 * The most bytes that one member may stand for. A line's length bounds its hex, but not the zeros that follow: without
 * this, one short line could ask for any amount of memory. The longest in practice is 1 MiB.
 */
const BYTES_LIMIT = 16 * 1024 * 1024;

/** An object's members. */
export class JsonFields {
  private constructor(private readonly members: Readonly<Record<string, unknown>>) {}

  static parse(text: string): JsonFields {
    if (text.trim() === "") throw new Malformed("the line is empty");
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      // A RangeError too: nesting deeper than the engine's stack.
      throw new Malformed(`not JSON (${error instanceof Error ? error.message : String(error)})`);
    }
    return JsonFields.of(value, "the line");
  }

  private static of(value: unknown, what: string): JsonFields {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new Malformed(`${what} is not an object`);
    return new JsonFields(value as Record<string, unknown>);
  }

  keys(): string[] {
    return Object.keys(this.members);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.members, name);
  }

  string(name: string): string {
    const value = this.get(name);
    if (typeof value !== "string") throw new Malformed(`"${name}" must be a string`);
    return value;
  }

  integer(name: string, least: number, most: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.get(name);
    if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new Malformed(`"${name}" must be an integer`);
    if (value < least || value > most) throw new Malformed(`"${name}" is out of range: ${value}`);
    return value;
  }

  array(name: string): readonly unknown[] {
    const value = this.get(name);
    if (!Array.isArray(value)) throw new Malformed(`"${name}" must be a list`);
    return value;
  }

  strings(name: string): readonly string[] {
    const list = this.array(name);
    if (!list.every((item) => typeof item === "string")) throw new Malformed(`"${name}" must be a list of strings`);
    return list;
  }

  object(name: string): JsonFields {
    return JsonFields.of(this.get(name), `"${name}"`);
  }

  objects(name: string): JsonFields[] {
    return this.array(name).map((item) => JsonFields.of(item, `an item of "${name}"`));
  }

  /** Hex whose trailing zeros were dropped, as `length` bytes. */
  bytes(name: string, length: number): Uint8Array {
    const hex = this.string(name);
    if (length > BYTES_LIMIT) throw new Malformed(`"${name}" would be ${length} bytes long`);
    if (hex.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(hex)) throw new Malformed(`"${name}" is not hex`);
    if (hex.length / 2 > length)
      throw new Malformed(`"${name}" holds ${hex.length / 2} bytes, more than the ${length} announced`);
    const bytes = new Uint8Array(length);
    for (let i = 0; i < hex.length / 2; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
    return bytes;
  }

  private get(name: string): unknown {
    if (!this.has(name)) throw new Malformed(`"${name}" is missing`);
    return this.members[name];
  }
}
