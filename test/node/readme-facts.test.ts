// SPDX-License-Identifier: GPL-2.0-only
//
// What the Markdown files say about this tree besides code: which files a folder has and in which order they build on each
// other, which scripts exist, where links lead, and where the limits are.

import { access, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Iommufd, IommufdError, type IommufdContext, type IoctlDefinition } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { markdownFiles, readLinks, readTables, type Table } from "../support/markdown.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FILES = await markdownFiles(ROOT);

const tables = (await Promise.all(FILES.map((file) => readTables(ROOT, file)))).flat();
const fileTables = tables.filter(({ heading }) => heading[0] === "file");

/** File names in backticks, in the order of the rows. */
function namesIn({ rows }: Table): string[] {
  return rows.flatMap(([cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
}

test("every folder with a table of files is in the list", () => {
  const folders = fileTables.map(({ file }) => dirname(file));
  expect(folders.sort()).toEqual([
    "assembly/core",
    "assembly/trace",
    "bench",
    "bindings",
    "bindings/cli",
    "bindings/explorer",
    "bindings/lab",
    "bindings/lab/console",
    "bindings/lab/graph",
    "bindings/lab/iova",
    "bindings/lab/race",
    "bindings/lab/trace",
    "bindings/remote",
    "bindings/replay",
    "examples",
    "examples/lab",
    "examples/lab/lessons",
    "examples/v86",
    "examples/v86/guest",
    "test/fuzz",
    "test/model",
    "test/model/seed",
    "test/vectors",
  ]);
});

test.each(fileTables.map((table) => [table.file, table] as const))(
  "%s names exactly the files of its folder",
  async (file, table) => {
    const entries = await readdir(join(ROOT, dirname(file)), { withFileTypes: true });
    const present = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    const own = new Set(["README.md", "tsconfig.json"]);
    const files = namesIn(table).filter((name) => !name.endsWith("/"));
    expect(files.sort()).toEqual(present.filter((name) => !own.has(name)).sort());
  },
);

test.each(["assembly/core/README.md", "bindings/README.md"])(
  "in %s each file imports values only from files above it",
  async (file) => {
    const folder = dirname(file);
    const table = fileTables.find((each) => each.file === file);
    const order = table === undefined ? [] : namesIn(table);
    const upwards: string[] = [];
    for (const [index, name] of order.entries()) {
      for (const imported of await valueImports(join(ROOT, folder, name))) {
        const position = order.indexOf(imported);
        if (position >= index) upwards.push(`${name} imports ${imported}`);
      }
    }
    expect(order.length).toBeGreaterThan(20);
    expect(upwards).toEqual([]);
  },
);

/** Files of the same folder that a module imports or exports anything but types from. */
async function valueImports(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8");
  const statements = text.matchAll(/^(?:import|export) ([^;"]*?)from "\.\/([a-z_-]+)(?:\.js)?";/gm);
  return [...statements]
    .filter(([, names = ""]) => {
      if (names.startsWith("type ")) return false;
      const list = /\{([^}]*)\}/.exec(names)?.[1];
      return list === undefined || list.split(",").some((name) => name.trim() !== "" && !/^\s*type /.test(name));
    })
    .map(([, , name = ""]) => `${name}.ts`);
}

test("every script that a README names exists", async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { scripts: object };
  const unknown: string[] = [];
  for (const file of FILES) {
    const text = await readFile(join(ROOT, file), "utf8");
    for (const [, name = ""] of text.matchAll(/npm run (?:-s )?([a-z:-]*[a-z])/g)) {
      if (!(name in scripts)) unknown.push(`${file}: npm run ${name}`);
    }
  }
  expect(unknown).toEqual([]);
});

test("every link inside the tree leads to a file, and to a heading of it", async () => {
  const dead: string[] = [];
  for (const file of FILES) {
    for (const link of await readLinks(ROOT, file)) {
      const [target = "", heading] = link.split("#");
      const path = target === "" ? join(ROOT, file) : join(ROOT, dirname(file), target);
      const isThere = await access(path).then(
        () => true,
        () => false,
      );
      const isDead = !isThere || (heading !== undefined && !(await anchorsOf(path)).has(heading));
      if (isDead) dead.push(`${file}: ${link}`);
    }
  }
  expect(dead).toEqual([]);
});

/** The names by which the headings of a Markdown file are linked to. */
async function anchorsOf(path: string): Promise<Set<string>> {
  const text = await readFile(path, "utf8");
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    ),
  );
}

// ------------------------------------------------------------------------------------------------------ limits

/** Calls `act(1)`, `act(2)` … and returns how often it worked, and the code of the error that ended it. */
function countUntilError(act: (n: number) => unknown): [number, string] {
  for (let n = 1; ; n++) {
    try {
      act(n);
    } catch (error) {
      if (error instanceof IommufdError) return [n - 1, error.code];
      throw error;
    }
  }
}

/** The largest size up to twice 2^31 that works, and the code of the error beyond it. */
function largest(act: (size: number) => unknown): [number, string] {
  let works = 0;
  let code = "";
  for (let step = 2 ** 32; step >= 1; step /= 2) {
    try {
      act(works + step);
      works += step;
    } catch (error) {
      if (!(error instanceof IommufdError)) throw error;
      code = error.code;
    }
  }
  return [works, code];
}

type Probe = (iommufd: Iommufd, context: IommufdContext) => [number, string];

/** By the first column of the README's table. */
const PROBES: Readonly<Record<string, Probe>> = {
  "attached threads": ({ share }) => {
    const [more, code] = countUntilError(() => Iommufd.attachSync(share));
    return [more + 1, code];
  },
  "handles of one thread at a time": (iommufd, context) => {
    const id = context.alloc(iommufd.defineObjectType({ name: "A", payloadBytes: 0 })).finalize();
    return countUntilError(() => context.get(id));
  },
  "open files": (iommufd) => {
    const [more, code] = countUntilError(() => iommufd.open());
    return [more + 1, code];
  },
  "`fget` of one file by a thread": (iommufd, context) => countUntilError(() => iommufd.fget(context.fd)),
  "mappings of all processes": (iommufd) => {
    const spaces = [iommufd.userSpace, iommufd.createUserSpace()];
    return countUntilError((n) => spaces[n % 2]?.map(1));
  },
  processes: (iommufd) => {
    const [more, code] = countUntilError(() => iommufd.createUserSpace());
    return [more + 1, code];
  },
  memfds: (iommufd) => countUntilError(() => iommufd.createMemfd(1)),
  "accesses and fault queues": () => {
    const context = Iommufd.createSync({ abi: "mainline" }).open();
    return countUntilError((n) => (n % 2 === 0 ? context.access() : context.faultQueueAlloc()));
  },
  "object types": (iommufd) => countUntilError((n) => iommufd.defineObjectType({ name: `T${n}`, payloadBytes: n })),
  "bytes of payload of an object": (iommufd) =>
    largest((payloadBytes) => iommufd.defineObjectType({ name: `P${payloadBytes}`, payloadBytes })),
  "bytes of an ioctl's struct": (iommufd) => {
    let nr = 0x81;
    const define = (bytes: number): IoctlDefinition<Record<string, `u8[${number}]`>> => ({
      name: `C${bytes}`,
      nr: nr++,
      fields: { rest: `u8[${bytes}]` },
      execute: () => undefined,
    });
    const [bytes, code] = largest((size) => iommufd.defineIoctl(define(size)));
    return [bytes + 4, code]; // with the size in front
  },
  "bytes of the shared memory": () => {
    Iommufd.createSync({ memoryBytes: 2 ** 31 }).detach();
    const [, code] = countUntilError((n) => n > 1 && Iommufd.createSync({ memoryBytes: 2 ** 31 + 1 }));
    return [2 ** 31, code];
  },
};

describe("the README's limits", () => {
  const table = tables.find(({ file, heading }) => file === "README.md" && heading[0] === "what");

  test("are all tried here", () => {
    expect(table?.rows.map(([what]) => what)).toEqual(Object.keys(PROBES));
  });

  test.each(table?.rows.map((row) => [...row]) ?? [])("%s: %s, then %s", (what = "", most = "", beyond = "") => {
    const iommufd = Iommufd.createSync();
    try {
      expect(PROBES[what]?.(iommufd, iommufd.open())).toEqual([
        Number(most.replaceAll(",", "")),
        beyond.replaceAll("`", ""),
      ]);
    } finally {
      iommufd.detach();
    }
  });
});
