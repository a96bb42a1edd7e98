// SPDX-License-Identifier: GPL-2.0-only
//
// The page of `npm run test:stress`: runs the stress that ./chromium.ts asks for.

import { STRESSES } from "./all.ts";
import type { StressCounts, StressOptions } from "./stress.ts";

export interface StressPage {
  runStress(name: string, options: StressOptions): Promise<StressCounts>;
}

(globalThis as unknown as StressPage).runStress = async (name, options) => {
  const stress = STRESSES.find((known) => known.name === name);
  if (stress === undefined) throw new Error(`no stress ${name}`);
  return stress.run(options).catch((error: unknown) => {
    // Causes do not cross to Node.
    const { stack, cause } = error as Error;
    throw new Error([stack, cause instanceof Error ? cause.stack : ""].join("\n"));
  });
};
