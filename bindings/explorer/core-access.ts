// SPDX-License-Identifier: GPL-2.0-only
//
// The module as set-up and finish use it: direct calls, and looks into the memory.

import { Failure } from "./failure.js";
import type { LiveBytes } from "./live-bytes.js";
import type { Machine } from "./machine.js";
import type { Core } from "./model.js";
import type { RaceChecker } from "./race-checker.js";

export function exportOf(machine: Machine, thread: number, name: string): (...args: unknown[]) => unknown {
  const found = machine.instances[thread]?.exports[name];
  if (typeof found !== "function") throw new Failure("twin", `the module exports no ${name}`);
  return found;
}

export function coreOf(machine: Machine, live: LiveBytes, races: RaceChecker): Core {
  const constants = constantsOf(machine);
  return {
    bytes: machine.bytes,
    constants,
    call: (thread, name, ...args) => {
      live.beginCall(thread);
      return exportOf(machine, thread, name)(...args) as number;
    },
    constant: (name) => {
      const value = constants[name];
      if (value === undefined) throw new Failure("twin", `the module has no constant ${name}`);
      return value;
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

function constantsOf(machine: Machine): Record<string, number> {
  const { exports, self } = machine.instances[0]!;
  const globals = Object.entries(exports as Record<string, unknown>).flatMap(([name, global]): [string, number][] =>
    global instanceof WebAssembly.Global && global !== self ? [[name, global.value as number]] : [],
  );
  return Object.fromEntries(globals);
}
