// SPDX-License-Identifier: GPL-2.0-only
//
// Every fenced block of every Markdown file of this tree is executed or checked, by its language and the words behind it.
//
//   js, ts           the blocks of one `##` section are one program, run in Node with the package installed; ts is
//                    type-checked first. What it prints must be, line by line, what the comments behind `console.log(…);`
//                    say, and those that begin with `prints:`. A program without such comments must only succeed.
//   html, js file=…  a Vite project with those files, shown in Chromium. `text page` is what the page must show.
//   js express, nginx, toml, and vite.config.js: the two isolation headers, and no others
//   console          `$ ` begins a command, which is run; the lines behind it are its output, `…` stands for any lines
//   sh               commands that would take too long or need the network: each must exist, with the right names
//   text             a drawing or an excerpt: nothing to execute
//
// A block of any other kind fails.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Consumer, toJavaScript } from "../support/consumer.ts";
import { type Block, markdownFiles, readBlocks } from "../support/markdown.ts";
import { textOfPage } from "../support/vite-page.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};
const VITE_CONFIG = "vite.config.js";

const blocks = (await Promise.all((await markdownFiles(ROOT)).map((file) => readBlocks(ROOT, file)))).flat();

type Kind = "program" | "page" | "headers" | "transcript" | "commands" | "nothing" | "unknown";

function kindOf({ language, words }: Block): Kind {
  const isFile = words.startsWith("file=");
  switch (`${language} ${isFile ? "file" : words}`.trim()) {
    case "js":
    case "ts":
      return "program";
    case "html file":
    case "js file":
    case "text page":
      return "page";
    case "js express":
    case "nginx":
    case "toml":
      return "headers";
    case "console":
      return "transcript";
    case "sh":
      return "commands";
    case "text":
      return "nothing";
    default:
      return "unknown";
  }
}

const all = (kind: Kind): Block[] => blocks.filter((block) => kindOf(block) === kind);
const placeOf = ({ file, line }: Block): string => `${file}:${line}`;
const fileOf = ({ words }: Block): string => words.replace("file=", "");

let consumer: Consumer;
beforeAll(async () => {
  consumer = await Consumer.install(ROOT);
});
afterAll(() => consumer.remove());

test("every block is of a kind that is executed or checked", () => {
  expect(all("unknown").map((block) => `${placeOf(block)} ${block.language} ${block.words}`)).toEqual([]);
});

test("the README has a program, a page, the headers, a transcript and commands", () => {
  const kinds = new Set(blocks.filter(({ file }) => file === "README.md").map(kindOf));
  expect([...kinds].sort()).toEqual(["commands", "headers", "nothing", "page", "program", "transcript"]);
});

// ------------------------------------------------------------------------------------------------------ programs

interface Program {
  readonly place: string;
  readonly language: string;
  /** The blocks at their own lines of the file, so that an error names the right one. */
  readonly text: string;
}

function programs(): Program[] {
  const parts = new Map<string, Block[]>();
  for (const block of all("program")) {
    const key = [block.file, block.section, block.language].join("\n");
    parts.set(key, [...(parts.get(key) ?? []), block]);
  }
  return [...parts.values()].map((part) => {
    const lines: string[] = [];
    for (const { line, text } of part) {
      while (lines.length < line - 1) lines.push("");
      lines.push(...text.trimEnd().split("\n"));
    }
    const [first] = part as [Block];
    return { place: placeOf(first), language: first.language, text: `${lines.join("\n")}\n` };
  });
}

/** What a program's comments say that it prints. */
function promised(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const [, comment] = /\/\/ prints: (.+)$/.exec(line) ?? /console\.log\(.*\); \/\/ (.+)$/.exec(line) ?? [];
    return comment === undefined ? [] : [comment];
  });
}

describe.each(programs())("the program at $place", ({ place, language, text }) => {
  const name = place.replace(/\W+/g, "-");

  test("is right and prints what its comments say", async () => {
    if (language === "ts") expect(consumer.typeErrors(await consumer.write(`${name}.ts`, text))).toEqual([]);
    const module = await consumer.write(`${name}.js`, language === "ts" ? toJavaScript(text) : text);
    const { status, out, err } = await consumer.runModule(module);
    expect(err).toBe("");
    expect(status).toBe(0);
    const comments = promised(text);
    if (comments.length > 0) expect(out.trimEnd().split("\n")).toEqual(comments);
  });
});

// ------------------------------------------------------------------------------------------------------ pages

describe("the page", () => {
  const parts = all("page");
  const shown = parts.find(({ words }) => words === "page")?.text ?? "";

  beforeAll(async () => {
    for (const part of parts) if (part.language !== "text") await consumer.write(fileOf(part), part.text);
  });

  test.each(["dev", "built"] as const)("shows what the README says, %s by Vite, with a worker", async (mode) => {
    expect(shown).not.toBe("");
    expect(await textOfPage(consumer.folder, mode, shown)).toBe(shown.trimEnd());
  });
});

// ------------------------------------------------------------------------------------------------------ headers

/** The headers that a web server sends by a snippet. */
function headersOf({ language, words, text }: Block): Record<string, string> {
  if (words === "express") {
    const sent: Record<string, string> = {};
    const response = { set: (headers: Record<string, string>) => Object.assign(sent, headers) };
    type Middleware = (request: object, response: object, next: () => void) => void;
    const app = { use: (middleware: Middleware) => middleware({}, response, () => (sent["next"] = "called")) };
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the snippet is what is tested
    (new Function("app", text) as (application: typeof app) => void)(app);
    expect(sent["next"]).toBe("called");
    delete sent["next"];
    return sent;
  }
  const line = language === "nginx" ? /^add_header (\S+) (\S+) always;$/ : /^(\S+) = "(.*)"$/;
  const headers: [string, string][] = [];
  for (const each of text.trimEnd().split("\n")) {
    if (language === "toml" && /^(\[\[headers\]\]|for = "\/\*"|\[headers\.values\])$/.test(each)) continue;
    const [, name, value] = line.exec(each) ?? [];
    if (name === undefined || value === undefined) throw new Error(`not understood: ${each}`);
    headers.push([name, value]);
  }
  return Object.fromEntries(headers);
}

test.each(all("headers").map((block) => ({ place: placeOf(block), block })))(
  "the snippet at $place sends the two headers",
  ({ block }) => {
    expect(headersOf(block)).toEqual(ISOLATION);
  },
);

test("the Vite configuration sends the two headers, from the sources and from the built page", async () => {
  const block = all("page").find((part) => fileOf(part) === VITE_CONFIG);
  const path = await consumer.write(`config-${VITE_CONFIG}`, block?.text ?? "");
  const { default: config } = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as { default: unknown };
  expect(config).toEqual({ server: { headers: ISOLATION }, preview: { headers: ISOLATION } });
});

// ------------------------------------------------------------------------------------------------------ commands

/** A transcript's commands, each with the lines behind it. */
function stepsOf({ text }: Block): { command: string; output: string[] }[] {
  const steps: { command: string; output: string[] }[] = [];
  for (const line of text.trimEnd().split("\n")) {
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), output: [] });
    else if (steps.length === 0) throw new Error(`output before the first command: ${line}`);
    else steps.at(-1)?.output.push(line);
  }
  return steps;
}

/** Matches the shown output; a line `…` stands for any lines, also for none. */
function patternOf(output: string[]): RegExp {
  const lines = output.map((line) =>
    line === "…" ? "(?:.*\\n)*?" : `${line.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}\\n`,
  );
  return new RegExp(`^${lines.join("")}$`);
}

const steps = all("transcript").flatMap((block) => stepsOf(block).map((step) => ({ place: placeOf(block), ...step })));

test.each(steps)("$place: `$command` prints what is shown", async ({ command, output }) => {
  expect(command).toMatch(/^npx iommufd-wasm /);
  const { out, err } = await consumer.runShell(command);
  expect(err).toBe("");
  expect(out).toMatch(patternOf(output));
});

test("every command line names scripts, files and a version that exist", async () => {
  const { name, version, scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    name: string;
    version: string;
    scripts: Record<string, string>;
  };
  const isKnown = (command: string): boolean => {
    const [program, verb = "", ...rest] = command.split(" ");
    if (program !== "npm") return false;
    if (verb === "ci" || verb === "pack") return rest.length === 0;
    if (verb === "test" || verb === "start") return verb in scripts && rest.length === 0;
    if (verb === "run") return (rest[0] ?? "") in scripts && (rest.length === 1 || rest[1] === "--");
    return verb === "install" && rest.join(" ") === `./${name}-${version}.tgz`;
  };
  const unknown = all("commands").flatMap((block) =>
    block.text
      .trimEnd()
      .split("\n")
      .flatMap((line) => line.replace(/ *#.*/, "").split(" && "))
      .filter((command) => command !== "" && !isKnown(command))
      .map((command) => `${placeOf(block)}: ${command}`),
  );
  expect(unknown).toEqual([]);
});
