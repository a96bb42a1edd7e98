// SPDX-License-Identifier: GPL-2.0-only
//
// A call as a line of the trace: when, on which thread, and what strace would print.

import { html, type TemplateResult } from "lit";
import { Decoder } from "../../trace.js";
import type { LabCall, LabSession } from "../session.js";

/** Writes calls of a session as lines. A line costs a decoding, so only those are written that somebody sees or copies. */
export class CallLines {
  #decoder = new Decoder();

  /** From now on the session's commands are called by their names. */
  use({ commands }: LabSession): void {
    this.#decoder = new Decoder(commands);
  }

  /** A whole line, to be copied. `started` is the time of the log's first call, in milliseconds. */
  text(call: LabCall, started: number): string {
    return `${timeOf(call, started)} [${call.thread}] ${this.#decode(call)}`;
  }

  /** A line in its parts, so that the answer can be seen however long the struct is: the call, what it returned, and in words. */
  render(call: LabCall, started: number): TemplateResult {
    const line = this.#decode(call);
    const [, made = line, answer = "", words = ""] = /^(.*)( = -?\d+(?: E[A-Z0-9]+)?)( \(.*\))?$/s.exec(line) ?? [];
    return html`<span class="time">${timeOf(call, started)}</span><span class="thread">${call.thread}</span
      ><span class="line">${made}<span class="answer">${answer}</span>${words}</span>`;
  }

  #decode({ request, before, bytes, result, fd, address }: LabCall): string {
    // What a call answered stands in its struct afterwards; where nothing could be read then, what was passed does.
    return this.#decoder.decode(request, bytes.length > 0 ? bytes : before, result, { fd, address });
  }
}

/** Seconds since the first call. */
function timeOf(call: LabCall, started: number): string {
  return ((call.time - started) / 1000).toFixed(3);
}
