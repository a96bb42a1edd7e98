// SPDX-License-Identifier: GPL-2.0-only
//
// From the bytes of a recording to its numbered lines.
//
// A recording is JSON lines, plain or gzip-compressed; which one is read off its first two bytes, never off its name
// alone. Everything streams: at any time this file holds one chunk of the input, what the decompressor keeps, and one
// unfinished line, which may not grow past LINE_LIMIT. Only web standard parts are used (streams, DecompressionStream,
// TextDecoder), so the same code runs in Node and in a page.
//
// Whatever is wrong with the bytes becomes a RecordingError that names the file and the line that was being read.

/** Where a recording comes from: its bytes at once, in pieces, or as a stream. A string is its text, not its name. */
export type RecordingSource =
  string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

/** A recording that cannot be read. `message` is `file:line: reason`. */
export class RecordingError extends Error {
  override readonly name = "RecordingError";

  constructor(
    /** The name under which the recording was opened. */
    readonly file: string,
    /** The line that is wrong, counted from 1. */
    readonly line: number,
    /** What is wrong with it. */
    readonly reason: string,
  ) {
    super(`${file}:${line}: ${reason}`);
  }
}

/** One line of text, without its newline. */
export interface NumberedLine {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
  /** False for a last line that no newline ends: the file may have been cut there. */
  readonly ended: boolean;
}

/**
 * The largest line that is accepted, in bytes. An argument of 1 MiB takes 2 MiB of hex, twice when the reply differs;
 * the rest is margin. A file that is not a recording at all must not be read into memory in search of its first
 * newline.
 */
export const LINE_LIMIT = 16 * 1024 * 1024;

const NEWLINE = 0x0a;

/** The lines of a recording, in order. RecordingError: damaged compression, text that is not UTF-8, a line too long. */
export async function* readLines(source: RecordingSource, file: string): AsyncGenerator<NumberedLine, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let number = 1;
  let rest: Uint8Array[] = [];
  let restLength = 0;

  const decode = (bytes: Uint8Array): string => {
    try {
      return decoder.decode(bytes);
    } catch {
      throw new RecordingError(file, number, "not UTF-8 text");
    }
  };

  const keep = (bytes: Uint8Array): void => {
    rest.push(bytes);
    restLength += bytes.length;
    if (restLength > LINE_LIMIT) throw new RecordingError(file, number, `the line is longer than ${LINE_LIMIT} bytes`);
  };

  for await (const chunk of plainChunks(source, file, () => number)) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      yield { number, text: decode(rest.length === 1 ? (rest[0] as Uint8Array) : concat(rest)), ended: true };
      rest = [];
      restLength = 0;
      start = end + 1;
      number++;
    }
    // A copy: the producer of the chunk may use its buffer again.
    if (start < chunk.length) keep(chunk.slice(start));
  }
  if (restLength > 0) yield { number, text: decode(concat(rest)), ended: false };
}

/** The recording's bytes, decompressed when they start as gzip does. */
async function* plainChunks(
  source: RecordingSource,
  file: string,
  line: () => number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = rawChunks(source);
  const first: Uint8Array[] = [];
  let length = 0;
  while (length < 2) {
    const next = await chunks.next();
    if (next.done === true) break;
    first.push(next.value);
    length += next.value.length;
  }
  const head = concat(first);
  const input = prepend(head, chunks);
  if (head[0] === 0x1f && head[1] === 0x8b) {
    yield* gunzip(input, file, line);
  } else if (file.endsWith(".gz") && length > 0) {
    await chunks.return();
    throw new RecordingError(file, 1, "the name ends in .gz, the content is not gzip data");
  } else {
    yield* input;
  }
}

async function* rawChunks(source: RecordingSource): AsyncGenerator<Uint8Array, void, undefined> {
  if (typeof source === "string") {
    yield new TextEncoder().encode(source);
  } else if (source instanceof Uint8Array) {
    yield source;
  } else if ("getReader" in source) {
    // Not every browser can iterate a stream, so it is read by hand.
    const reader = source.getReader();
    let done = false;
    try {
      for (;;) {
        const next = await reader.read();
        if (next.done) break;
        yield next.value;
      }
      done = true;
    } finally {
      if (!done) await reader.cancel().catch(() => undefined);
    }
  } else {
    yield* source;
  }
}

async function* prepend(
  head: Uint8Array,
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (head.length > 0) yield head;
    yield* rest;
  } finally {
    await rest.return();
  }
}

async function* gunzip(
  chunks: AsyncGenerator<Uint8Array, void, undefined>,
  file: string,
  line: () => number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const gzip = new DecompressionStream("gzip");
  const writer = gzip.writable.getWriter();
  // Errors of the *source* (a disk, a network) are the caller's and pass through; errors of the decompressor show at
  // the reading end as well, so the writing end only stops.
  let sourceError: { readonly error: unknown } | undefined;
  const feed = async (): Promise<void> => {
    for (;;) {
      let next: IteratorResult<Uint8Array, void>;
      try {
        next = await chunks.next();
      } catch (error) {
        sourceError = { error };
        await writer.abort(error);
        return;
      }
      if (next.done === true) break;
      await writer.write(next.value as Uint8Array<ArrayBuffer>);
    }
    await writer.close();
  };
  const fed = feed().catch(() => undefined);
  const reader = gzip.readable.getReader();
  let done = false;
  try {
    for (;;) {
      let next: ReadableStreamReadResult<Uint8Array>;
      try {
        next = await reader.read();
      } catch {
        if (sourceError !== undefined) throw sourceError.error;
        throw new RecordingError(file, line(), "the compressed data is damaged or ends early");
      }
      if (next.done) break;
      yield next.value;
    }
    done = true;
  } finally {
    if (!done) {
      await reader.cancel().catch(() => undefined);
      await writer.abort().catch(() => undefined);
    }
    await fed;
    await chunks.return();
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
