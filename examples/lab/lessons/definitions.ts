// SPDX-License-Identifier: GPL-2.0-only
//
// Ioctls to start from in the definition editor. Each is a whole definition that works as it stands; all read the same two
// names: `cmd`, the running call (its `context`, its `fields`, `respond()`), and `Errno`.

import type { DefinitionText } from "./lesson.js";

export const DOUBLE: DefinitionText = {
  name: "MY_DOUBLE",
  nr: 0xb0,
  fields: "value: u32\ntwice: u32",
  body: "cmd.fields.twice = cmd.fields.value * 2;\ncmd.respond();",
};

export const DOUBLE_CHECKED: DefinitionText = {
  ...DOUBLE,
  body: "if (cmd.fields.value === 0) return -Errno.EINVAL;\ncmd.fields.twice = cmd.fields.value * 2;\ncmd.respond();",
};

export const USERS: DefinitionText = {
  name: "MY_USERS",
  nr: 0xb1,
  fields: "id: u32\nusers: u32",
  body: [
    "const object = cmd.context.inspect(cmd.fields.id);",
    "if (object === undefined) return -Errno.ENOENT;",
    "cmd.fields.users = object.users;",
    "cmd.respond();",
  ].join("\n"),
};

export const COUNT: DefinitionText = {
  name: "MY_COUNT",
  nr: 0xb2,
  fields: "objects: u32\nreferences: u32",
  body: [
    "const objects = cmd.context.objects();",
    "cmd.fields.objects = objects.length;",
    "cmd.fields.references = objects.reduce((sum, each) => sum + each.references.length, 0);",
    "cmd.respond();",
  ].join("\n"),
};

/** In the order in which the editor offers them, with what they do in a few words. */
export const BLOCKS: readonly { readonly label: string; readonly definition: DefinitionText }[] = [
  { label: "Double a number", definition: DOUBLE },
  { label: "Double a number, but not 0", definition: DOUBLE_CHECKED },
  { label: "Tell an object's users", definition: USERS },
  { label: "Count objects and arrows", definition: COUNT },
];
