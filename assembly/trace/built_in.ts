// SPDX-License-Identifier: GPL-2.0-only
//
// The commands that are known without being described: all of the uAPI that the core knows, VFIO's requests included.
//
// uapi.ts, which is generated from the core's own declaration, describes them by the functions here, one thing after the other: a
// struct, its fields, and behind a field the names of its values. That happens once, at the first look-up.

import { Command, Field, Kind, Meaning } from "./command";
import { describeUapi } from "./uapi";

const known = new Map<u32, Command>();

/** Where `field` and `meaning` add to. */
let described: Command = new Command("", 0, 0);
let meanings: Meaning[] = [];

/** The built-in command of a request, or null. */
export function builtIn(request: u32): Command | null {
  if (known.size == 0) describeUapi();
  return known.has(request) ? known.get(request) : null;
}

/** A request with a struct; its fields follow. */
export function struct(name: string, request: u32, size: u32): void {
  described = new Command(name, request, size);
  known.set(request, described);
}

/** A request whose argument is a number; what numbers mean follows. */
export function byValue(name: string, request: u32): void {
  struct(name, request, 0);
  described.isByValue = true;
  meanings = described.values;
}

/** The next field; for FLAGS and ONE_OF, the names of its values follow. */
export function field(name: string, offset: u32, size: u32, kind: Kind): void {
  const added = new Field(name, offset, size, kind);
  meanings = added.meanings;
  described.add(added);
}

/** A value of the last field, or a bit of it. */
export function meaning(name: string, value: u64): void {
  meanings.push(new Meaning(name, value));
}
