// SPDX-License-Identifier: GPL-2.0-only
//
// Builds the program of the machine: `npm run examples:guest`, or `buildGuest()` from a test.
//
// `device.h` comes from the register map and from the library's own commands, so that no number is written twice; it is
// committed, as the program is (`guest.elf`): who has no compiler for 32-bit x86 runs the example all the same. The
// compiler's name stands in the program itself (section .comment), so that a test knows when the bytes must be the same.

import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { IOMMU_DESTROY, Iommufd } from "iommufd-wasm";
import { defineLab } from "iommufd-wasm/replay";
import { Command, DEVICE_BASE, MAGIC, MAX_STRUCT_BYTES, Register, Status, VERSION } from "../registers.mjs";

const run = promisify(execFile);
const HERE = new URL("./", import.meta.url);
const SOURCES = ["start.S", "driver.c", "program.c", "serial.c"];
// No libc, no start files, nothing that depends on the folder or the day; -n: sections need not begin at pages.
const FLAGS = [
  ...["-m32", "-march=i686", "-Os", "-std=c11", "-Wall", "-Wextra", "-Werror"],
  ...["-ffreestanding", "-fno-pic", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-fcf-protection=none"],
  ...["-nostdlib", "-static", "-no-pie", "-s", "-Wl,-n", "-Wl,--build-id=none", "-Wl,-z,noexecstack"],
];

/** What `device.h` says. */
export function headerText() {
  const iommufd = Iommufd.createSync();
  const [alloc] = defineLab(iommufd).commands;
  iommufd.detach();
  const hex = (number) => `0x${number.toString(16)}u`;
  const defines = [
    ["DEVICE_BASE", DEVICE_BASE],
    ["DEVICE_MAGIC", MAGIC],
    ["DEVICE_VERSION", VERSION],
    ["DEVICE_MAX_STRUCT_BYTES", MAX_STRUCT_BYTES],
    ...Object.entries(Register).map(([name, offset]) => [`REGISTER_${name}`, offset]),
    ...Object.entries(Command).map(([name, number]) => [`COMMAND_${name}`, number]),
    ...Object.entries(Status).map(([name, bit]) => [`STATUS_${name}`, bit]),
  ];
  return `${[
    "/* SPDX-License-Identifier: GPL-2.0-only",
    " *",
    " * Written by build.mjs: the register map of ../registers.mjs, and the requests as the library defines them.",
    " */",
    "#ifndef DEVICE_H",
    "#define DEVICE_H",
    "",
    "#include <stdint.h>",
    "",
    ...defines.map(([name, number]) => `#define ${name} ${hex(number)}`),
    ...[IOMMU_DESTROY, alloc].flatMap((command) => [
      "",
      `#define ${command.name} ${hex(command.request)}`,
      `struct ${command.name.toLowerCase()} {`,
      ...Object.entries(command.fields).map(([field, { type }]) => `\t${cType(type)} ${field};`),
      "};",
    ]),
    "",
    "#endif",
  ].join("\n")}\n`;
}

/** Integers only: what this program's commands have. */
function cType(type) {
  const [, sign, bits] = /^([us])(\d+)$/.exec(type) ?? [];
  if (bits === undefined) throw new Error(`no C type for ${type}`);
  return `${sign === "u" ? "u" : ""}int${bits}_t`;
}

/** Compiles the program to `path`. Returns false where there is no C compiler that makes 32-bit x86 programs. */
export async function buildGuest(path) {
  try {
    await run("cc", ["-m32", "-ffreestanding", "-E", fileURLToPath(new URL("driver.h", HERE))]);
  } catch {
    return false;
  }
  const files = [...SOURCES, "guest.ld"].map((name) => fileURLToPath(new URL(name, HERE)));
  const script = files.pop();
  await run("cc", [...FLAGS, "-T", script, "-o", path, ...files]);
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(new URL("device.h", HERE), headerText());
  if (!(await buildGuest(fileURLToPath(new URL("guest.elf", HERE))))) {
    console.error("There is no C compiler (cc) that makes 32-bit x86 programs.");
    process.exitCode = 1;
  }
}
