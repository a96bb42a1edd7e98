// SPDX-License-Identifier: GPL-2.0-only
//
// examples/v86 without a page: the PC runs its program in Node, and what the program says is compared line by line.
//
// The committed program is what the sources say: where there is a compiler they are compiled again. The bytes must be the same if
// the compiler is, whose name stands in the program; with any other, the program must do the same.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Iommufd } from "iommufd-wasm";
import { defineLab } from "iommufd-wasm/replay";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildGuest, headerText } from "../../examples/v86/guest/build.mjs";
import { type Machine, startMachine } from "../../examples/v86/machine.ts";
import { Register } from "../../examples/v86/registers.mjs";
import { saidBy } from "../support/guest-lines.ts";
import { readTables } from "../support/markdown.ts";

const GUEST = new URL("../../examples/v86/guest/", import.meta.url);
const COMMITTED = fileURLToPath(new URL("guest.elf", GUEST));
const require = createRequire(import.meta.url);

let emulator: WebAssembly.Module;
beforeAll(async () => {
  emulator = await WebAssembly.compile(await readFile(require.resolve("v86/build/v86.wasm")));
});

/** Runs a program until the PC has halted. */
async function linesOf(path: string): Promise<string[]> {
  const iommufd = Iommufd.createSync();
  defineLab(iommufd);
  let said = "";
  let machine: Machine | undefined;
  try {
    const bytes = await readFile(path);
    let onHalt = (): void => undefined;
    const halted = new Promise<void>((resolve) => (onHalt = resolve));
    const onCharacter = (character: string): void => void (said += character);
    machine = await startMachine({ emulator, program: new Uint8Array(bytes).buffer, iommufd, onCharacter, onHalt });
    await halted;
    return said.trimEnd().split("\n");
  } finally {
    await machine?.switchOff();
    expect(iommufd.stats().objects).toMatchObject({ live: 0, leaked: 0 });
    iommufd.detach();
  }
}

test("the program opens, makes two objects, gets EBUSY, destroys in the right order and closes", async () => {
  expect(await linesOf(COMMITTED)).toEqual(saidBy(3));
});

test("its header says what the register map and the library say", async () => {
  expect(await readFile(new URL("device.h", GUEST), "utf8")).toBe(headerText());
});

test("the README's table of registers is the register map", async () => {
  const tables = await readTables(fileURLToPath(new URL("../../", import.meta.url)), "examples/v86/README.md");
  const table = tables.find(({ heading }) => heading[0] === "offset");
  const hex = (offset: number): string => `\`0x${offset.toString(16).padStart(2, "0")}\``;
  expect(table?.rows.map(([offset, name]) => [offset, name])).toEqual(
    Object.entries(Register).map(([name, offset]) => [hex(offset), `\`${name}\``]),
  );
});

test("a machine that is switched off can be followed by another one", async () => {
  expect(await linesOf(COMMITTED)).toEqual(await linesOf(COMMITTED));
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "iommufd-wasm-guest-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** The text of the section that compilers sign with. */
function compilerOf(elf: Buffer): string | undefined {
  return /GCC: [^\0]+|clang version [^\0]+/.exec(elf.toString("latin1"))?.[0];
}

test("the committed program is what its sources compile to", async () => {
  const path = join(folder, "guest.elf");
  if (!(await buildGuest(path))) return; // no compiler that makes 32-bit x86 programs
  const [committed, built] = await Promise.all([readFile(COMMITTED), readFile(path)]);
  expect(compilerOf(committed)).toBeDefined();
  if (compilerOf(built) === compilerOf(committed)) expect(built.equals(committed)).toBe(true);
  expect(await linesOf(path)).toEqual(saidBy(3));
});
