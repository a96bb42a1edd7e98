// SPDX-License-Identifier: GPL-2.0-only
//
// Reads assembly/core/uapi.ts, which declares the uAPI once: its constants and structs with their comments, as plain data.
//
// The text is parsed, not run: it is AssemblyScript, and what is wanted besides numbers are names and comments. Whatever the
// rules at the head of that file do not allow is an error here, so that nothing is left out silently.

import { readFile } from "node:fs/promises";
import ts from "typescript";

const SOURCE = new URL("../../assembly/core/uapi.ts", import.meta.url);

/** Types of fields: bytes, and how the bindings call them. */
const TYPES = { u8: [1, "u8"], u16: [2, "u16"], u32: [4, "u32"], u64: [8, "u64"], i32: [4, "s32"], i64: [8, "s64"] };

/**
 * @returns {Promise<{constants: Constant[], structs: Struct[]}>}
 *   constant: { name, value, doc, tags }
 *   struct:   { name (the class), kernelName, doc, tags, fields: [{ name, members, type, offset, size, doc, flags?, values? }], size,
 *               command?: { name, nr, last, minSize }, request? }
 */
export async function readDeclaration() {
  const file = ts.createSourceFile("uapi.ts", await readFile(SOURCE, "utf8"), ts.ScriptTarget.Latest, true);
  const constants = [];
  const structs = [];
  for (const statement of file.statements) {
    if (ts.isVariableStatement(statement)) constants.push(...statement.declarationList.declarations.map(constantOf));
    else if (ts.isClassDeclaration(statement)) structs.push(structOf(statement, constants));
    else throw problem(statement, "is neither a constant nor a struct");
  }
  for (const constant of constants) {
    if (constant.tags.values !== undefined) constant.values = named(constant, constant.tags.values, constants);
  }
  for (const { fields, tags } of structs) {
    if (tags.request !== undefined) named({ node: file }, tags.request, constants);
    for (const field of fields) {
      for (const tag of ["flags", "values"]) {
        if (field.tags[tag] !== undefined) field[tag] = named(field, field.tags[tag], constants);
      }
    }
  }
  return { constants, structs };
}

function constantOf(declaration) {
  const { initializer } = declaration;
  if (initializer === undefined || !ts.isNumericLiteral(initializer)) throw problem(declaration, "is no number");
  const value = Number(initializer.text);
  return { node: declaration, name: declaration.name.getText(), value, ...commentOf(declaration.parent.parent) };
}

function structOf(node, constants) {
  const { doc, tags } = commentOf(node);
  const [, kernelName] = /^struct (\w+)\./.exec(doc) ?? [];
  if (kernelName === undefined) throw problem(node, 'has no comment that begins with "struct NAME."');
  const members = node.members.map((member) => {
    const [size, type] = TYPES[member.type?.getText()] ?? [];
    if (!ts.isPropertyDeclaration(member) || size === undefined) throw problem(member, "is no field of a known type");
    return { node: member, name: member.name.getText(), type, size, ...commentOf(member) };
  });
  let end = 0;
  for (const member of members) {
    if (end % member.size !== 0) throw problem(member.node, `lies at ${end}, which is no multiple of its size`);
    member.offset = end;
    end += member.size;
  }
  const size = end;
  if (size % Math.max(...members.map((member) => member.size)) !== 0) throw problem(node, "lacks padding at its end");
  const fields = members.reduce(gather, []);
  const struct = { node, name: node.name.text, kernelName, doc, tags, fields, size, request: tags.request };
  if (tags.ioctl !== undefined) struct.command = commandOf(node, tags.ioctl, struct, constants);
  return struct;
}

/** x0, x1, … become the byte array x. `members` are the fields of the class that a field of the struct has become of. */
function gather(fields, member) {
  const array = fields.at(-1);
  if (member.type === "u8" && member.name.endsWith("0")) {
    return [...fields, { ...member, name: member.name.slice(0, -1), members: [member.name] }];
  }
  if (array !== undefined && member.name === `${array.name}${array.size}` && array.members[0] === `${array.name}0`) {
    array.members.push(member.name);
    array.size += 1;
    array.type = `u8[${array.size}]`;
    return fields;
  }
  return [...fields, { ...member, members: [member.name] }];
}

function commandOf(node, text, { fields, size }, constants) {
  const [name, number, last, ...more] = text.split(" ");
  const nr = constants.find((constant) => constant.name === number)?.value;
  const mandatory = fields.find((field) => field.members.includes(last));
  if (more.length > 0 || nr === undefined || mandatory === undefined) throw problem(node, `has the tag @ioctl ${text}`);
  if (fields[0].name !== "size") throw problem(node, "does not begin with its size");
  const minSize = mandatory.offset + mandatory.size;
  return { name, nr, last: mandatory === fields.at(-1) ? undefined : mandatory.name, minSize, size };
}

/** The constants of a list of names. */
function named({ node }, names, constants) {
  return (names === "" ? [] : names.split(" ")).map((name) => {
    const constant = constants.find((each) => each.name === name);
    if (constant === undefined) throw problem(node, `names ${name}, which is no constant`);
    return constant;
  });
}

/** The comment right above a node in one line, and its tags; one behind an empty line is not the node's. */
function commentOf(node) {
  const text = node.getSourceFile().text;
  const comment = node.jsDoc?.findLast(({ end }) => !/\n\s*\n/.test(text.slice(end, node.getStart())));
  const oneLine = (text) => (ts.getTextOfJSDocComment(text) ?? "").replace(/\s+/g, " ").trim();
  const tags = {};
  for (const tag of comment?.tags ?? []) tags[tag.tagName.text] = oneLine(tag.comment);
  return { doc: comment === undefined ? "" : oneLine(comment.comment), tags };
}

function problem(node, what) {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(node.getStart());
  return new Error(`assembly/core/uapi.ts:${line + 1}: ${node.name?.getText() ?? node.getText()} ${what}`);
}
