// SPDX-License-Identifier: GPL-2.0-only
//
// Checks a property: it holds in each of its profiles, and each twin fails.

import { buildModel } from "../../bindings/build/build-model.mjs";
import { explore, type Exploration, type Found } from "./explore.ts";
import type { ProfileName, Property, Twin } from "./property.ts";
import { toToken } from "../../bindings/explorer/schedule.js";
import { traceOf } from "./trace.ts";

export interface Built {
  module: WebAssembly.Module;
  map: string;
}

const built = new Map<string, Promise<Built>>();

/** The module of a twin, or of the core as it is. */
export function moduleOf(property: Property, twin?: Twin): Promise<Built> {
  const key = twin ? `${property.name}/${twin.name}` : "";
  let module = built.get(key);
  if (!module) {
    module = buildModel(twin?.edits).then(({ wasm, map }) => ({
      module: new WebAssembly.Module(new Uint8Array(wasm)),
      map,
    }));
    built.set(key, module);
  }
  return module;
}

export interface Verdict {
  property: string;
  profile: ProfileName;
  twin: string;
  good: boolean;
  exploration: Exploration;
  /** One line. */
  summary: string;
  /** Of an unexpected failure: trace and token. Of a caught twin: the same, to look at. */
  details: string;
}

export async function checkProperty(property: Property, profile: ProfileName, twin?: Twin): Promise<Verdict> {
  const { module, map } = await moduleOf(property, twin);
  const model = property.model(profile);
  const exploration = explore(module, model, property);
  const { found } = exploration;
  const judged = found || exploration.bound ? undefined : property.judge?.(exploration.outcomes, profile);
  const fails = found !== undefined || judged !== undefined;
  const good = fails === (twin !== undefined) && found?.failure.kind !== "twin";
  const head = `${property.name}${twin ? ` / twin ${twin.name}` : ""} (${profile})`;
  const what = found ? `${found.failure.kind}: ${firstLine(found.failure.message)}` : (judged ?? "holds");
  return {
    property: property.name,
    profile,
    twin: twin?.name ?? "",
    good,
    exploration,
    summary: `${good ? "ok  " : "FAIL"} ${head}: ${twin ? (fails ? `caught, ${what}` : "survives") : what}; ${counts(exploration)}`,
    details: found ? detailsOf(property, profile, twin, { module, map }, found) : "",
  };
}

const firstLine = (text: string): string => text.split("\n")[0]!;

function counts({ executions, pruned, events, seconds, bound, killPoints }: Exploration): string {
  const rate = Math.round(executions / Math.max(seconds, 0.001));
  const kills = killPoints === undefined ? "" : `, ${killPoints} points of death`;
  const limit = bound
    ? `, at most ${bound.preemptions} preemptions because ${bound.reason} (by bound: ${bound.executions.join(", ")})`
    : ", all schedules";
  return `${executions} executions (${pruned} cut off), ${events} steps, ${seconds.toFixed(1)} s, ${rate}/s${kills}${limit}`;
}

function detailsOf(
  property: Property,
  profile: ProfileName,
  twin: Twin | undefined,
  built: Built,
  found: Found,
): string {
  const token = toToken({
    property: property.name,
    twin: twin?.name ?? "",
    profile,
    kills: found.kills,
    schedule: found.schedule,
  });
  const { text } = traceOf(built.module, built.map, property.model(profile), found.schedule, found.kills);
  return `${text}again: npm run test:model -- --replay ${token}\n`;
}
