// SPDX-License-Identifier: GPL-2.0-only
//
// Compiles the native rivals with the machine's C and C++ compilers: `npm run bench:native`, or `buildNative()` from a bench.
//
// The programs go to build/bench/native. Run as a program, this also writes iommufd.s: what the compiler made of the functions
// that are timed, for readers who have no compiler or another one. Without a compiler there is no native rival, and no error.

import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const HERE = new URL("./", import.meta.url);
const OUT = new URL("../../build/bench/native/", import.meta.url);
// -fno-builtin-malloc: or the compiler makes calloc of malloc and memset, which is slower in many a C library.
const FLAGS = ["-O2", "-std=c11", "-fno-builtin-malloc", "-Wall", "-Wextra", "-Werror", "-pthread"];

// What the benches time, in the order of iommufd.c; put is inline, and stands in the loop of its caller.
const FUNCTIONS = [
  "object_alloc",
  "object_finalize",
  "object_abort",
  "get_object",
  "object_destroy_user",
  "destroy",
  "context_ioctl",
];

const FLAGS_CPP = ["-O2", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-pthread"];

/** Compiles both programs. Returns the path of "iommufd-native", or undefined where there is no C compiler. */
export async function buildNative() {
  const [path] = await Promise.all([
    compile("cc", FLAGS, "iommufd-native", ["iommufd.c", "program.c"]),
    compile("c++", FLAGS_CPP, "map-unmap-native", ["map-unmap.cpp"]),
  ]);
  return path;
}

/** Returns the program's path, or undefined where there is no such compiler. */
async function compile(compiler, flags, program, sources) {
  try {
    await run(compiler, ["--version"]);
  } catch {
    return undefined;
  }
  await mkdir(OUT, { recursive: true });
  const path = fileURLToPath(new URL(program, OUT));
  await run(compiler, [...flags, "-o", path, ...sources.map((name) => fileURLToPath(new URL(name, HERE)))]);
  return path;
}

/** The machine code of the functions, without addresses of this build. */
async function disassembly(path) {
  const { stdout: compiler } = await run("cc", ["--version"]);
  const listings = [];
  for (const name of FUNCTIONS) {
    const { stdout } = await run("objdump", ["--no-show-raw-insn", "--no-addresses", `--disassemble=${name}`, path]);
    const [, listing] = new RegExp(`(<${name}>:\\n[^]*?)\\n(\\n|$)`).exec(stdout) ?? [];
    if (listing === undefined) throw new Error(`${name} is not in ${path}`);
    listings.push(listing.replace(/ +$/gm, ""));
  }
  const head = [
    "# SPDX-License-Identifier: GPL-2.0-only",
    "#",
    "# What the compiler made of iommufd.c; written by `npm run bench:native`.",
    `# cc ${FLAGS.join(" ")}, ${compiler.split("\n")[0]}, ${process.arch}`,
  ];
  return `${head.join("\n")}\n\n${listings.join("\n\n")}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = await buildNative();
  if (path === undefined) {
    console.error("There is no C compiler (cc), so no native rival of objects and locks.");
    process.exitCode = 1;
  } else {
    await writeFile(new URL("iommufd.s", HERE), await disassembly(path));
    console.log("build/bench/native/iommufd-native, bench/native/iommufd.s");
  }
}
