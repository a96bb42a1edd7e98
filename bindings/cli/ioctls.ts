// SPDX-License-Identifier: GPL-2.0-only
//
// `iommufd-wasm ioctls`: the command table, as a person or a program reads it.

import { type Fields, Iommufd, type IoctlCommand } from "../index.js";
import { defineLab } from "../replay/index.js";
import type { IoctlsCommand } from "./arguments.js";
import { alignColumns, hex } from "./text.js";

/** Prints the commands that an Iommufd of the profile understands, in the order of their numbers. */
export function printIoctls(options: IoctlsCommand, out: NodeJS.WritableStream): void {
  const { abi = "rfc", release } = options;
  const iommufd = Iommufd.createSync({ abi, ...(release && { release }) });
  try {
    if (options.lab) defineLab(iommufd);
    const commands = [...iommufd.commands()].sort((a, b) => a.nr - b.nr);
    out.write(options.json ? `${JSON.stringify(commands.map(toJson), null, 2)}\n` : table(commands));
  } finally {
    iommufd.detach();
  }
}

function toJson({ nr, request, name, size, minSize, fields }: IoctlCommand<Fields>): object {
  const list = Object.entries(fields).map(([field, { offset, size: bytes, type }]) => ({
    name: field,
    offset,
    size: bytes,
    type,
  }));
  return { nr, request, name, size, minSize, fields: list };
}

function table(commands: readonly IoctlCommand<Fields>[]): string {
  const rows = commands.map((command) => [
    hex(command.nr, 2),
    hex(command.request, 4),
    command.name,
    String(command.size),
    String(command.minSize),
    Object.entries(command.fields)
      .map(([name, { offset, type }]) => `${name} ${type} @${offset}`)
      .join(", "),
  ]);
  return alignColumns([["nr", "request", "name", "size", "min", "fields"], ...rows], ["<", "<", "<", ">", ">", "<"]);
}
