// SPDX-License-Identifier: GPL-2.0-only
//
// The calls of a race, made through the lab's ioctls by one worker, and what they answered in the recording's words.
//
// `prepare` does all that a call needs before its one ioctl, so that the actors of a race can be released right in front of that.

import type { SystemCall } from "../../explorer/lab-programs.js";
import {
  Errno,
  type Fields,
  type Iommufd,
  type IommufdContext,
  IommufdError,
  type IoctlCommand,
  IOMMU_DESTROY,
} from "../../index.js";
import { defineLab } from "../../replay/lab.js";
import type { RaceBoard } from "./race-board.js";

/** Two results of a call besides what it returns. */
const OUTPUTS: Readonly<Record<string, readonly string[]>> = {
  ALLOC: ["out_id", "out_probe_errno"],
  STATE: ["out_users", "out_type"],
};
const ALLOC_PROBE = 2;
const ERROR_NAMES = new Map<number, string>(Object.entries(Errno).map(([name, number]) => [-number, name]));

/** One thread's side of a race. */
export class RaceCaller {
  readonly iommufd: Iommufd;
  readonly #board: RaceBoard;
  readonly #commands: ReadonlyMap<string, IoctlCommand<Fields>>;

  constructor(iommufd: Iommufd, board: RaceBoard) {
    this.iommufd = iommufd;
    this.#board = board;
    iommufd.onWarning(({ kind }) => board.addWarning(kind));
    const { commands } = defineLab(iommufd, {
      log: board.log,
      wait: () => undefined,
    });
    this.#commands = new Map([
      ["DESTROY", IOMMU_DESTROY],
      ...commands.map((command): [string, IoctlCommand<Fields>] => [command.name.replace("LAB_", ""), command]),
    ]);
  }

  /** Returns what makes the call: it answers 0 or -errno, then the call's outputs. */
  prepare({ call, args = [] }: SystemCall, fd: number): () => number[] {
    let context: IommufdContext;
    try {
      context = this.iommufd.file(fd);
    } catch (error) {
      if (!(error instanceof IommufdError)) throw error;
      return () => [error.errno];
    }
    if (call === "CLOSE") {
      return () => {
        context.close();
        return [0];
      };
    }
    const command = this.#commands.get(call);
    if (command === undefined) throw new Error(`no such call: ${call}`);
    const names = Object.keys(command.fields).slice(1); // the size comes first
    const struct = command.encode(
      Object.fromEntries(args.map((value, index): [string, number] => [names[index] ?? "", value])),
    );
    const outputs = OUTPUTS[call] ?? [];
    return () => {
      const result = context.tryIoctl(command.request, struct);
      if (outputs.length === 0) return [result];
      const fields = command.decode(struct);
      return [result, ...outputs.map((name) => Number(fields[name]))];
    };
  }

  /** A call at once, in words. LOG is answered from the board. */
  call(call: SystemCall, fd: number): string {
    if (call.call === "LOG") return this.#takeLog();
    return this.inWords(call, this.prepare(call, fd)());
  }

  /** What a call answered, as the recording writes it. */
  inWords({ call, args = [] }: SystemCall, [result = 0, first = 0, second = 0]: readonly number[]): string {
    if (result < 0) return ERROR_NAMES.get(result) ?? `${result}`;
    if (call === "STATE") return `users=${first},type=${second}`;
    if (call !== "ALLOC") return `${result}`;
    const probes = ((args[3] ?? 0) & ALLOC_PROBE) !== 0;
    return `id=${first}${probes ? (second === Errno.ENOENT ? ",invisible" : ",visible") : ""}`;
  }

  #takeLog(): string {
    const entries: string[] = [];
    this.#board.log.take(Infinity, (pairs) => {
      for (let at = 0; at < pairs.length; at += 2) entries.push(`${pairs[at]}:${pairs[at + 1]}`);
    });
    return `[${entries.join(",")}]`;
  }
}
