// SPDX-License-Identifier: GPL-2.0-only
//
// The explorer's properties as killers: which are about which file of the core. A fault in what is left for the reaper shows only
// where a thread dies, any other one sooner where none does.

import { PROPERTIES } from "../model/properties/index.ts";
import type { Property } from "../model/property.ts";
import { type Mutant, showsOnDeath } from "./mutant.ts";

/** Names of properties without a death, and what a thread is doing when it dies. */
const NEAR: Readonly<Record<string, [living: RegExp, dying: RegExp]>> = {
  "atomics.ts": [/^(mutex|get-destroy)$/, /-(put|alloc)/],
  "thread.ts": [/^attach/, /-(get|put|destroy-callback|release)/],
  "mutex.ts": [/^mutex/, /-(alloc|put|get)|locks$/],
  "refcount.ts": [/^(get|put|wait-put|destroy|keep|saturation|underflow|change)/, /-(put|get|destroy)|-reuse$/],
  "change.ts": [/^(keep|change|underflow|wait-put-kept)/, /-(keep|drop|hold|references|reference)/],
  "page-alloc.ts": [/^(two-files|map|slab|alloc)/, /-(map|unmap|alloc)/],
  "slab.ts": [/^(slab|alloc|abort)/, /-(alloc|abort|hold)/],
  "spares.ts": [/^(close-alloc|close-destroy|death-alloc)/, /-(alloc|abort)/],
  "xarray.ts": [/^(two-files|alloc|abort|recycled|close|release)/, /-(alloc|abort|close)/],
  "registry.ts": [/^(define|dying)/, /-define/],
  "file.ts": [/^(open|close|release)/, /-(open|fget|close|ioctl)/],
  "kept.ts": [/^drop|kept|^(keep|underflow)/, /-(drop|reference)/],
  "hold.ts": [/^(hold|change)/, /-(hold|abort|destroy)/],
  "object.ts": [/^(finalize|abort|alloc|recycled)/, /-(alloc|finalize|abort)/],
  "lookup.ts": [/^(get|put|close-get|recycled|keep|release)/, /-(get|put)/],
  "destroy.ts": [/^(destroy|get|put|wait|kept|keep|access-destroy)/, /-(destroy|wait)/],
  "release.ts": [/^(release|close|dying)/, /-(close|queue)/],
  "process.ts": [/^(charge|enter|map-exit|copy-exit)/, /process|charge|pin/],
  "memfd.ts": [/^memfd/, /memfd/],
  "vma.ts": [/^(copy|map|unmap)/, /-(map|unmap|copy|protect)/],
  "gup.ts": [/^(copy|map|keep-pin|memfd)/, /-(map|unmap|copy|protect|pin)/],
  "mmap.ts": [/^(copy|map|unmap)/, /-(map|unmap|copy|protect)/],
  "exit.ts": [/-exit/, /exit|process/],
  "uaccess.ts": [/^copy/, /-copy/],
  "ioctl.ts": [/ioctl/, /-ioctl/],
  "keeper.ts": [/^space-queue|access/, /-queue-|access/],
  "owned.ts": [/^space-queue|access/, /-queue-|access/],
  "abandon.ts": [/^$/, /-queue-|access/],
  "arena.ts": [/^(trees|space-)/, /-ioas-/],
  "interval_tree.ts": [/^(trees|space-)/, /-ioas-/],
  "pin.ts": [/access/, /access|pin/],
  "pages.ts": [/^space-|access/, /-ioas-|access/],
  "io_pagetable.ts": [/^space-/, /-ioas-/],
  "ioas.ts": [/^space-/, /-ioas-/],
  "vfio_compat.ts": [/^space-vfio/, /-ioas-vfio/],
  "eventq.ts": [/^space-queue/, /-queue-/],
  "access.ts": [/access/, /access|pin/],
  "attached.ts": [/access/, /access/],
  "access_pin.ts": [/access/, /access|pin/],
  "access_copy.ts": [/access/, /access|pin/],
  "recount.ts": [/^$/, /^(death|beside|two).*-(put|get|destroy)/],
  "repair.ts": [/^$/, /^(death|beside)/],
  "reap.ts": [/^$/, /^(death|beside)/],
};

const isDying = ({ name }: Property): boolean => /^(death|beside|reaper|two-deaths|poison)-/.test(name);
/** Single deaths find most, second deaths cost most. */
const rank = ({ name }: Property): number =>
  ["death", "beside", "two", "poison", "race", "reaper"].indexOf(name.split("-")[0]!);
const inOrder = (a: Property, b: Property): number => rank(a) - rank(b);

const breaks = ({ twins }: Property, file: string): boolean =>
  twins.some(({ edits }) => edits.some((edit) => edit.file === `core/${file}`));

/** The properties most likely to show the mutant, those with a twin in its file first. */
export function nearProperties(mutant: Mutant): readonly string[] {
  const [living, dying] = NEAR[mutant.file] ?? [/^$/, /^$/];
  const dies = showsOnDeath(mutant);
  const near = PROPERTIES.filter((each) => isDying(each) === dies && !each.name.startsWith("reaper-"));
  const about = near.filter(({ name }) => (dies ? dying : living).test(name)).sort(inOrder);
  const first = about.filter((each) => breaks(each, mutant.file));
  return [...first, ...about.filter((each) => !first.includes(each))].map(({ name }) => name);
}

/** The others, those of the same sort first. */
export function otherProperties(mutant: Mutant): readonly string[] {
  const near = nearProperties(mutant);
  const isApt = (each: Property): boolean => isDying(each) === showsOnDeath(mutant);
  const others = PROPERTIES.filter((each) => !near.includes(each.name)).sort(inOrder);
  return [...others.filter(isApt), ...others.filter((each) => !isApt(each))].map(({ name }) => name);
}
