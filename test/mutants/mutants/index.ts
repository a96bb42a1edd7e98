// SPDX-License-Identifier: GPL-2.0-only
//
// All mutants, in the order of the core's README.

import type { Mutant } from "../mutant.ts";
import { ACCESS, ACCESS_COPY, ACCESS_PIN, ATTACHED } from "./access.ts";
import { ATOMICS } from "./atomics.ts";
import { CHANGE } from "./change.ts";
import { DEVICES, INSPECT_AREAS, UCMD } from "./commands.ts";
import { DESTROY } from "./destroy.ts";
import { FILE } from "./file.ts";
import { GUP } from "./gup.ts";
import { HOLD } from "./hold.ts";
import { IOCTL } from "./ioctl.ts";
import { KEPT } from "./kept.ts";
import { LOOKUP } from "./lookup.ts";
import { MEMFD } from "./memfd.ts";
import { MMAP } from "./mmap.ts";
import { MUTEX } from "./mutex.ts";
import { OBJECT } from "./object.ts";
import { ABANDON, EVENTQ, KEEPER } from "./owners.ts";
import { PAGE_ALLOC } from "./page-alloc.ts";
import { PAGES, PIN } from "./pins.ts";
import { EXIT, PROCESS } from "./process.ts";
import { REAP, RECOUNT, REPAIR } from "./reap.ts";
import { REFCOUNT } from "./refcount.ts";
import { REGISTRY } from "./registry.ts";
import { RELEASE } from "./release.ts";
import { SLAB } from "./slab.ts";
import { ARENA, INTERVAL_TREE, IOAS, IO_PAGETABLE, OWNED, VFIO_COMPAT } from "./spaces.ts";
import { SPARES } from "./spares.ts";
import { THREAD } from "./thread.ts";
import { UACCESS } from "./uaccess.ts";
import { VMA } from "./vma.ts";
import { XARRAY } from "./xarray.ts";

export const MUTANTS: readonly Mutant[] = [
  ...ATOMICS,
  ...THREAD,
  ...MUTEX,
  ...REFCOUNT,
  ...CHANGE,
  ...PAGE_ALLOC,
  ...SLAB,
  ...SPARES,
  ...XARRAY,
  ...REGISTRY,
  ...FILE,
  ...KEPT,
  ...HOLD,
  ...OBJECT,
  ...LOOKUP,
  ...DESTROY,
  ...RELEASE,
  ...PROCESS,
  ...MEMFD,
  ...VMA,
  ...GUP,
  ...MMAP,
  ...EXIT,
  ...UACCESS,
  ...KEEPER,
  ...OWNED,
  ...ABANDON,
  ...ARENA,
  ...INTERVAL_TREE,
  ...PIN,
  ...PAGES,
  ...IO_PAGETABLE,
  ...IOAS,
  ...INSPECT_AREAS,
  ...VFIO_COMPAT,
  ...UCMD,
  ...EVENTQ,
  ...DEVICES,
  ...ACCESS,
  ...ATTACHED,
  ...ACCESS_PIN,
  ...ACCESS_COPY,
  ...IOCTL,
  ...RECOUNT,
  ...REPAIR,
  ...REAP,
];
