// SPDX-License-Identifier: GPL-2.0-only
//
// The broken twins of the properties (test/model) are edits of the core's sources: each must have its one place there, or the next long
// run would stop at it.

import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { PROPERTIES } from "../model/properties/index.ts";

const here = import.meta.url;

test("each edit of a twin has exactly one place in the core", async () => {
  const misplaced: string[] = [];
  for (const { name, twins } of PROPERTIES) {
    for (const twin of twins) {
      const texts = new Map<string, string>();
      for (const { file, find, replace } of twin.edits) {
        const text = texts.get(file) ?? (await readFile(new URL(`../../assembly/${file}`, here), "utf8"));
        const places = text.split(find).length - 1;
        if (places !== 1) misplaced.push(`${name} / ${twin.name}: ${places} places in ${file}`);
        texts.set(
          file,
          text.replace(find, () => replace),
        ); // later edits see the earlier ones
      }
    }
  }
  expect(misplaced).toEqual([]);
});
