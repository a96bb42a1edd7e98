// SPDX-License-Identifier: GPL-2.0-only
//
// Writes the two views of the uAPI that are not the core's own: the typed commands of the bindings, and the structs that the trace decoder
// prints. Both come from assembly/core/uapi.ts and nothing else, so that no number, name or field of the uAPI is written twice.
//
//   generate-uapi.mjs           writes both files
//   generate-uapi.mjs --check   writes nothing, and fails if a file differs from what it would write
//
// The decoder is AssemblyScript too and takes its offsets from the classes, as the core does.

import { produce, reportDrift } from "./generated-file.mjs";
import { readDeclaration } from "./uapi-declaration.mjs";

const { constants, structs } = await readDeclaration();
const commands = structs.filter(({ command }) => command !== undefined).sort((a, b) => a.command.nr - b.command.nr);
const requests = constants.filter(({ name, values }) => values !== undefined || structs.some(takes(name)));

await produce("bindings/generated/uapi.ts", "assembly/core/uapi.ts", import.meta.url, bindings());
await produce("assembly/trace/uapi.ts", "assembly/core/uapi.ts", import.meta.url, decoder());
reportDrift();

function takes(request) {
  return (struct) => struct.request === request;
}

// --------------------------------------------------------------------------------------------------- bindings

function bindings() {
  return [
    `import { IoctlCommand } from "../command.js"; import { type Fields, Struct } from "../struct.js";\n`,
    // A command has its number; what is left are values of fields and the VFIO requests.
    constants
      .filter(({ name }) => !name.startsWith("NR_"))
      .map(constant)
      .join("\n"),
    ...commands.map(command),
    `/** All commands of the newest mainline kernel that are built, by ascending number. */
    export const IOMMUFD_COMMANDS: readonly IoctlCommand<Fields>[] = [${commands.map((each) => each.command.name).join(", ")}];`,
    ...structs.filter((each) => each.command === undefined).map(struct),
  ].join("\n\n");
}

function constant({ name, value, doc, values }) {
  const takesThese = values?.length > 0 ? `Takes by value: ${listOf(values)}.` : values && "Takes nothing.";
  const struct = structs.find(takes(name));
  const text = [doc, takesThese, struct && `Takes ${struct.kernelName}.`].filter(Boolean).join(" ");
  return `${comment(text)}export const ${name} = ${requests.some((each) => each.name === name) ? `0x${value.toString(16)}` : value};`;
}

function command(struct) {
  const { name, nr, last } = struct.command;
  const fields = struct.fields.slice(1);
  return `${fieldsType(struct, fields)}
    ${comment(struct.doc)}export const ${name}: IoctlCommand<${struct.name}> = /* @__PURE__ */ new IoctlCommand({
      name: "${name}", nr: 0x${nr.toString(16)}, fields: ${literal(fields)}, ${last === undefined ? "" : `last: "${last}",`}
    });`;
}

function struct(struct) {
  return `${fieldsType(struct, struct.fields)}
    ${comment(struct.doc)}export const ${struct.kernelName}: Struct<${struct.name}> = /* @__PURE__ */ new Struct("${struct.kernelName}", ${literal(struct.fields)});`;
}

function fieldsType({ name, kernelName }, fields) {
  const members = fields.map((field) => `${comment(fieldText(field))}${field.name}: "${field.type}";`).join("\n");
  return `/** The fields of struct ${kernelName}. */\nexport type ${name} = {\n${members}\n};`;
}

function fieldText({ name, doc, flags, values }) {
  const text = doc === "" && name.startsWith("__reserved") ? "Must be 0." : doc;
  const list = flags ? `Bits: ${listOf(flags)}.` : values ? `One of ${listOf(values)}.` : "";
  return `${text} ${list}`.trim();
}

function listOf(values) {
  return values.map(({ name }) => name).join(", ");
}

function literal(fields) {
  return `{ ${fields.map(({ name, type }) => `${name}: "${type}"`).join(", ")} }`;
}

/** A comment, wrapped where it would be a long line. */
function comment(text) {
  if (text === "") return "";
  if (text.length < 120) return `/** ${text} */\n`;
  const lines = text.match(/.{1,120}(?:\s|$)/g).map((line) => ` * ${line.trim()}`);
  return `/**\n${lines.join("\n")}\n */\n`;
}

// --------------------------------------------------------------------------------------------------- decoder

function decoder() {
  const described = structs.filter((each) => each.command !== undefined || each.request !== undefined);
  const used = new Set(described.map(({ name }) => name));
  for (const { fields } of described)
    for (const field of fields) for (const { name } of valuesOf(field)) used.add(name);
  for (const { name, values } of requests) for (const each of [{ name }, ...(values ?? [])]) used.add(each.name);
  const numbers = commands.map(({ command }) =>
    constants.find(({ name, value }) => name.startsWith("NR_") && value === command.nr),
  );
  for (const { name } of numbers) used.add(name);
  return `
    import { IOMMUFD_TYPE } from "../core/memory-map";
    import { ${[...used].sort().join(", ")} } from "../core/uapi";
    import { byValue, field, meaning, struct } from "./built_in";
    import { Kind } from "./command";

    /** Describes all built-in commands, with the names of the values that their fields take. */
    export function describeUapi(): void {
      ${commands.map((each, index) => describe(each, `IOMMUFD_TYPE | ${numbers[index].name}`, each.command.name)).join("\n")}
      ${requests.map(request).join("\n")}
    }`;
}

function request({ name, values }) {
  const taken = structs.find(takes(name));
  if (taken !== undefined) return describe(taken, name, name);
  return [`byValue("${name}", ${name});`, ...values.map((value) => meaningOf(value))].join("\n");
}

function describe({ name: type, fields }, number, name) {
  const lines = fields.flatMap((each) => [
    `field("${each.name}", offsetof<${type}>("${each.members[0]}"), ${each.size}, Kind.${kindOf(each)});`,
    ...valuesOf(each).map(meaningOf),
  ]);
  return [`struct("${name}", ${number}, offsetof<${type}>());`, ...lines].join("\n");
}

function valuesOf({ flags, values }) {
  return flags ?? values ?? [];
}

function meaningOf({ name }) {
  return `meaning("${name}", ${name});`;
}

function kindOf({ type, flags, values }) {
  if (flags !== undefined) return "FLAGS";
  if (values !== undefined) return "ONE_OF";
  return type.startsWith("u8[") ? "BYTES" : type.startsWith("s") ? "SIGNED" : "UNSIGNED";
}
