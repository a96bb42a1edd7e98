// SPDX-License-Identifier: GPL-2.0-only
//
// npm run test:model -- [options]
//
//   (none)              every property in every profile, and every twin
//   --quick             the properties that `npm test` runs
//   --property NAME     one of them, with its twins; NAME* all whose name begins so
//   --twins-shown       also prints the trace of each caught twin
//   --replay TOKEN      one execution, as a trace
//   --list              names and promises
//
// Exit status 1 if a property fails or a twin survives.

import { parseArgs } from "node:util";
import { checkProperty, moduleOf } from "./check.ts";
import { PROPERTIES } from "./properties/index.ts";
import type { Property } from "./property.ts";
import { fromToken } from "./schedule.ts";
import { traceOf } from "./trace.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean" },
    property: { type: "string" },
    "twins-shown": { type: "boolean" },
    replay: { type: "string" },
    list: { type: "boolean" },
  },
});

if (values.list) {
  for (const { name, promise, profiles, twins } of PROPERTIES) {
    console.log(`${name} (${profiles.join(", ")}): ${promise}`);
    for (const twin of twins) console.log(`  twin ${twin.name}`);
  }
} else if (values.replay !== undefined) await replay(values.replay);
else await checkAll(values.property === undefined ? PROPERTIES : propertiesOf(values.property));

function propertyOf(name: string): Property {
  const found = PROPERTIES.find((property) => property.name === name);
  if (!found) throw new Error(`there is no property ${name}; --list shows them`);
  return found;
}

function propertiesOf(name: string): readonly Property[] {
  if (!name.endsWith("*")) return [propertyOf(name)];
  return PROPERTIES.filter((property) => property.name.startsWith(name.slice(0, -1)));
}

async function replay(token: string): Promise<void> {
  const wanted = fromToken(token);
  const property = propertyOf(wanted.property);
  const twin = property.twins.find(({ name }) => name === wanted.twin);
  if (wanted.twin !== "" && !twin) throw new Error(`${property.name} has no twin ${wanted.twin}`);
  const profile = property.profiles.find((name) => name === wanted.profile);
  if (!profile) throw new Error(`${property.name} is not checked in the profile ${wanted.profile}`);
  const { module, map } = await moduleOf(property, twin);
  const { outcome, text } = traceOf(module, map, property.model(profile), wanted.schedule, wanted.kills);
  console.log(text);
  process.exitCode = outcome.failure ? 1 : 0;
}

async function checkAll(all: readonly Property[]): Promise<void> {
  const begin = performance.now();
  let properties = 0;
  let twins = 0;
  let failed = 0;
  let executions = 0;
  for (const property of all.filter(({ quick }) => !values.quick || quick === true)) {
    for (const twin of [undefined, ...property.twins]) {
      for (const profile of twin?.profiles ?? property.profiles) {
        const verdict = await checkProperty(property, profile, twin);
        console.log(verdict.summary);
        if (verdict.details !== "" && (!twin || values["twins-shown"])) console.log(verdict.details);
        if (!verdict.good) failed++;
        else if (twin) twins++;
        else properties++;
        executions += verdict.exploration.executions;
      }
    }
  }
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(
    `${properties} properties hold, ${twins} twins caught, ${failed} failed; ${executions} executions, ${seconds} s`,
  );
  process.exitCode = failed > 0 ? 1 : 0;
}
