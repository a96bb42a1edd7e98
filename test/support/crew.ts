// SPDX-License-Identifier: GPL-2.0-only
//
// A crew (./crew-threads.ts) for one test: on a new Iommufd whose warnings are collected, and all of it ends with the test.

import type { Iommufd, IommufdOptions, IommufdWarning } from "iommufd-wasm";
import { expect, onTestFinished } from "vitest";
import { boot } from "./boot.ts";
import { type CrewThreads, NOTHING, startCrewThreads, whatIsLeft } from "./crew-threads.ts";

export { takeLog, until } from "./crew-threads.ts";

export interface Crew extends CrewThreads {
  readonly iommufd: Iommufd;
  readonly warnings: IommufdWarning[];
}

/** Starts `count` threads of test/support/threads/`file` on a new Iommufd. */
export async function startCrew(file: string, count: number, options: IommufdOptions = {}): Promise<Crew> {
  const { iommufd, warnings } = await boot(options);
  const threads = await startCrewThreads(file, count);
  onTestFinished(threads.end);
  await threads.attachTo(iommufd);
  return { iommufd, warnings, ...threads };
}

/** No object, no file, no mapping, nobody waits, and no thread holds anything. */
export function expectNothingLeft(iommufd: Iommufd): void {
  expect(whatIsLeft(iommufd)).toEqual(NOTHING);
}
