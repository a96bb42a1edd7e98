// SPDX-License-Identifier: GPL-2.0-only
//
// The module as set-up and finish use it: direct calls, and looks into the memory.

import { Failure } from "./failure.ts";
import type { LiveBytes } from "./live-bytes.ts";
import type { Machine } from "./machine.ts";
import type { Core } from "./model.ts";
import type { RaceChecker } from "./race-checker.ts";

export function exportOf(machine: Machine, thread: number, name: string): (...args: unknown[]) => unknown {
  const found = machine.instances[thread]?.exports[name];
  if (typeof found !== "function") throw new Failure("twin", `the module exports no ${name}`);
  return found;
}

export function coreOf(machine: Machine, live: LiveBytes, races: RaceChecker): Core {
  const constants = new Map<string, number>();
  return {
    bytes: machine.bytes,
    call: (thread, name, ...args) => {
      live.beginCall(thread);
      return exportOf(machine, thread, name)(...args) as number;
    },
    constant: (name) => {
      const known = constants.get(name);
      if (known !== undefined) return known;
      const found = machine.instances[0]!.exports[name] as unknown;
      if (!(found instanceof WebAssembly.Global)) throw new Failure("twin", `the module has no constant ${name}`);
      constants.set(name, found.value as number);
      return found.value as number;
    },
    u8: (address) => machine.u8[address]!,
    u32: (address) => machine.u32[address >> 2]!,
    u64: (address) => machine.u64(address),
    setU32: (address, value) => {
      machine.touch(address, 4);
      machine.u32[address >> 2] = value;
    },
    unallocated: (from, to) => live.forbid(from, to),
    nullPage: (end) => live.nullPage(end),
    mayRace: (from, to) => races.exempt(from, to),
    liveBytes: (from, to) => live.count(from, to),
  };
}
