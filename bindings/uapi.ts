// SPDX-License-Identifier: GPL-2.0-only
/**
 * Which of the uAPI's commands a machine has: the rfc profile the seed's one, a mainline kernel those that its release had.
 *
 * The commands themselves are generated from the core's own declaration, assembly/core/uapi.ts.
 *
 * Kernel counterpart: iommufd_ioctl_ops.
 */
import type { IoctlCommand } from "./command.js";
import { Errno } from "./generated/errno.js";
import { Layout } from "./generated/layout.js";
import { IOMMUFD_COMMANDS, IOMMU_DESTROY, IOMMU_FAULT_QUEUE_ALLOC } from "./generated/uapi.js";
import type { Fields } from "./struct.js";

/** A release of Linux whose table of commands a mainline machine can have. */
export type KernelRelease = "6.12";

/** The last command of each release. */
const LAST: Readonly<Record<KernelRelease, IoctlCommand<Fields>>> = { "6.12": IOMMU_FAULT_QUEUE_ALLOC };

/** One past the last number of a release's table; undefined for a release that is not known. The newest table has commands that are not built. */
export function tableEndOf(release: KernelRelease | undefined): number | undefined {
  if (release === undefined) return Layout.MAINLINE_COMMAND_LIMIT;
  return typeof release === "string" && Object.hasOwn(LAST, release) ? LAST[release].nr + 1 : undefined;
}

/** The built-in commands of a machine. */
export function builtInCommands(profile: number, tableEnd: number): readonly IoctlCommand<Fields>[] {
  if (profile === Layout.PROFILE_RFC) return [IOMMU_DESTROY];
  return IOMMUFD_COMMANDS.filter(({ nr }) => nr < tableEnd);
}

/** A command that other machines have, and this one answered with `result`: which do? Undefined when it is not that. */
export function builtElsewhere(
  request: number,
  result: number,
  profile: number,
): { command: string; message: string } | undefined {
  const command = IOMMUFD_COMMANDS.find((each) => each.request === request);
  if (command === undefined || result !== -Errno.ENOTTY) return undefined;
  const message =
    profile === Layout.PROFILE_RFC
      ? 'a command of the mainline profile: create({ abi: "mainline" })'
      : "a newer kernel's command: create() without release";
  return { command: command.name, message };
}
