// SPDX-License-Identifier: GPL-2.0-only
//
// Entry of trace.wasm: the functions that as-bind binds.
//
// The transform of as-bind records the types of exactly these exports in a custom section, and its JavaScript side
// converts strings and byte arrays by them. Two of its habits shape the signatures:
// - it pins each converted argument, but not the elements of an array of strings while it converts the next one, so a
//   command is described by one call per field instead of one call with an array;
// - it can pass neither `null` for an array nor an optional argument, so `decode` takes a flag instead.
//
// Nothing here throws. bindings/trace/module.ts holds the TypeScript view of this list.

export { decode } from "./decode";
export { defineCommand, defineField, forgetCommands } from "./command";
export { errnoName } from "./errno_name";
export { errnoText } from "./errno_text";
