// SPDX-License-Identifier: GPL-2.0-only
//
// Kills (test/support/kills.ts): a thousand workers die at work in each host, half in each profile, a dozen at a time while as many
// work on. Each is reaped, and nothing is left. Four in five at least must have died inside a call.

import { runKills } from "../support/kills.ts";
import type { Stress } from "./stress.ts";

const ABIS = ["rfc", "mainline"] as const;
const KILLS_EACH = 500;
const THREADS = 24;
const LEAST_INSIDE = 0.8;

export const kills: Stress = {
  name: "kills",
  minutes: 15,
  async run({ seed }) {
    const counts: Record<string, number> & { operations: number } = {
      operations: 0,
      inside: 0,
      interrupted: 0,
      records: 0,
    };
    for (const [index, abi] of ABIS.entries()) {
      const result = await runKills({ abi, kills: KILLS_EACH, threads: THREADS, seed: seed + index });
      counts.operations += result.kills;
      counts.inside = (counts.inside ?? 0) + result.inside;
      counts.interrupted = (counts.interrupted ?? 0) + result.interrupted;
      counts.records = (counts.records ?? 0) + result.records;
      for (const [doing, count] of Object.entries(result.doings)) {
        counts[`in ${doing}`] = (counts[`in ${doing}`] ?? 0) + count;
      }
    }
    const share = (counts.inside ?? 0) / counts.operations;
    if (share < LEAST_INSIDE) throw new Error(`only ${Math.round(share * 100)} % died inside a call`);
    return counts;
  },
};
