// SPDX-License-Identifier: GPL-2.0-only
//
// A property: a model, the profiles it is checked in, and twins that must fail.

import type { Options } from "./explore.ts";
import type { ProfileName } from "../../bindings/explorer/core-setup.js";
import type { Model } from "../../bindings/explorer/model.js";

export type { ProfileName };

/** One place in a source: `file` is relative to assembly/, `find` must be there exactly once. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Twin {
  /** What is broken, in a few words joined by dashes. */
  readonly name: string;
  readonly edits: readonly Edit[];
  /** In which profiles the explorer must catch it; those of the property unless told. */
  readonly profiles?: readonly ProfileName[];
}

export interface Property extends Options {
  readonly name: string;
  /** What is promised, in one sentence. */
  readonly promise: string;
  readonly profiles: readonly ProfileName[];
  /** Part of the subset that `npm test` runs. */
  readonly quick?: boolean;
  model(profile: ProfileName): Model;
  readonly twins: readonly Twin[];
  /** Looks at all outcomes of a complete exploration. Return: a sentence when something is wrong with the set. */
  judge?(outcomes: ReadonlyMap<string, number>, profile: ProfileName): string | undefined;
}
