// SPDX-License-Identifier: GPL-2.0-only
//
// Reads the parts of this tree's README files that can be true or false: fenced blocks, tables, links.
//
// No Markdown parser: fences, tables and headings begin at the start of a line, as prettier writes them, and nothing is
// nested. What is not written so is reported instead of skipped.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** One fenced block. */
export interface Block {
  /** Path of the file from the root of the tree. */
  readonly file: string;
  /** Number of the first line behind the opening fence, from 1. */
  readonly line: number;
  /** The `##` heading that it stands under; "" above the first one. */
  readonly section: string;
  /** First word behind the opening fence, "" where there is none. */
  readonly language: string;
  /** The other words. */
  readonly words: string;
  /** Its lines, each with its newline. */
  readonly text: string;
}

/** One table: its rows as cells, without the heading row and the dashes. */
export interface Table {
  readonly file: string;
  readonly line: number;
  readonly heading: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const FOLDERS = ["assembly", "bench", "bindings", "examples", "test"];

/** Paths of all Markdown files, from `root`. */
export async function markdownFiles(root: string): Promise<string[]> {
  const files = (await readdir(root)).filter((name) => name.endsWith(".md"));
  for (const folder of FOLDERS) {
    const names = await readdir(join(root, folder), { recursive: true }).catch(() => []);
    files.push(...names.filter((name) => name.endsWith(".md")).map((name) => join(folder, name)));
  }
  return files.sort();
}

/** The fenced blocks of a file, in order. Throws for a fence that is not closed. */
export async function readBlocks(root: string, file: string): Promise<Block[]> {
  const blocks: Block[] = [];
  let section = "";
  let open: { line: number; info: string; lines: string[] } | undefined;
  for (const [index, line] of (await linesOf(root, file)).entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (open === undefined) {
      if (line.startsWith("## ")) section = line.slice(3);
      if (fence) open = { line: index + 2, info: fence[1] ?? "", lines: [] };
    } else if (fence) {
      const [language = "", ...words] = open.info.split(" ");
      const text = open.lines.map((each) => `${each}\n`).join("");
      blocks.push({ file, line: open.line, section, language, words: words.join(" "), text });
      open = undefined;
    } else {
      open.lines.push(line);
    }
  }
  if (open !== undefined) throw new Error(`${file}:${open.line - 1}: the block is not closed`);
  return blocks;
}

/** The tables of a file, in order. */
export async function readTables(root: string, file: string): Promise<Table[]> {
  const tables: { file: string; line: number; heading: string[]; rows: string[][] }[] = [];
  let current: (typeof tables)[number] | undefined;
  for (const [index, line] of (await linesOf(root, file)).entries()) {
    if (!line.startsWith("|")) current = undefined;
    else if (current === undefined)
      tables.push((current = { file, line: index + 1, heading: cellsOf(line), rows: [] }));
    else if (!/^[|\s:-]+$/.test(line)) current.rows.push(cellsOf(line));
  }
  return tables;
}

/** Targets of the links that stay inside the tree, as they are written. */
export async function readLinks(root: string, file: string): Promise<string[]> {
  const text = await readFile(join(root, file), "utf8");
  const targets = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = ""]) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

async function linesOf(root: string, file: string): Promise<string[]> {
  return (await readFile(join(root, file), "utf8")).split("\n");
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, line.trimEnd().lastIndexOf("|"))
    .split("|")
    .map((cell) => cell.trim());
}
