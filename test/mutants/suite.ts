// SPDX-License-Identifier: GPL-2.0-only
//
// The unit tests as killers: which files are about which file of the core.

const single = (...names: string[]): string[] => names.map((name) => `test/single-thread/${name}.test.ts`);
const threads = (...names: string[]): string[] => names.map((name) => `test/${name}.test.ts`);

/** The tests that are most likely to see a fault of that file of the core. */
const NEAR: Readonly<Record<string, readonly string[]>> = {
  "atomics.ts": threads("threads-wait"),
  "thread.ts": single("handles", "detach", "warnings", "exhaustion", "core-exports"),
  "mutex.ts": single("life-cycle"),
  "refcount.ts": single("small-fields", "life-cycle", "interleaving", "warnings"),
  "change.ts": single("life-cycle", "holds"),
  "page-alloc.ts": single("user-space", "exhaustion", "stats"),
  "slab.ts": single("life-cycle", "exhaustion", "stats"),
  "spares.ts": single("life-cycle", "exhaustion", "fuzz-oracle"),
  "xarray.ts": single("ids", "stats", "exhaustion"),
  "registry.ts": single("object-types", "define-ioctl", "core-exports"),
  "file.ts": single("files", "interleaving", "many-threads", "core-exports"),
  "kept.ts": single("life-cycle", "holds", "core-exports"),
  "hold.ts": single("holds"),
  "object.ts": single("life-cycle", "exhaustion", "stats"),
  "lookup.ts": single("life-cycle", "interleaving", "small-fields", "exhaustion", "warnings"),
  "destroy.ts": single("life-cycle", "interleaving", "async", "callbacks", "small-fields", "access"),
  "release.ts": single("release-rfc", "release-mainline", "callbacks"),
  "process.ts": single("processes", "access-charges"),
  "memfd.ts": single("memfd", "access-charges"),
  "vma.ts": single("user-space", "processes"),
  "gup.ts": single("user-space", "processes", "memfd", "access-pin", "access-core"),
  "mmap.ts": single("user-space", "processes", "memfd", "core-exports"),
  "exit.ts": single("processes", "access-pin"),
  "uaccess.ts": single("user-space", "copy-struct"),
  "ucmd.ts": single("uapi", "replay", "copy-struct"),
  "keeper.ts": single("uapi", "ioas-context", "access", "exhaustion"),
  "owned.ts": single("uapi", "access", "access-core", "failure-sweep"),
  "arena.ts": single("ioas", "ioas-map", "address-spaces"),
  "interval_tree.ts": single("ioas-map", "address-spaces"),
  "pin.ts": single("access-charges", "access-pin", "access-core", "failure-sweep"),
  "pages.ts": single("access-charges", "ioas", "ioas-areas", "access-pin"),
  "io_pagetable.ts": single("ioas-map", "ioas-unmap", "access-unmap", "access-core", "address-spaces", "failure-sweep"),
  "ioas.ts": single(
    "ioas",
    "ioas-map",
    "ioas-areas",
    "ioas-context",
    "access-unmap",
    "address-spaces",
    "failure-sweep",
  ),
  "inspect_areas.ts": single("ioas-areas", "ioas"),
  "vfio_compat.ts": single("uapi", "replay", "access-unmap", "address-spaces"),
  "eventq.ts": single("uapi", "ioas-context", "failure-sweep"),
  "devices.ts": single("uapi", "replay"),
  "access.ts": single("access", "access-core", "access-unmap"),
  "attached.ts": single("access", "access-core"),
  "access_pin.ts": single("access-pin", "access-core", "access-charges", "failure-sweep"),
  "access_copy.ts": single("access-copy", "access-unmap", "access-core", "access-charges"),
  "ioctl.ts": single("dispatch", "copy-struct", "define-ioctl"),
  "abandon.ts": single("access", "access-core"),
};

/** All that one thread can see, the fuzzer's oracle with fixed seeds among it; without tests of what is not the core. */
const SINGLE: readonly string[] = single(
  ...["life-cycle", "holds", "handles", "ids", "files", "interleaving", "release-rfc", "release-mainline", "detach"],
  ...[
    "callbacks",
    "async",
    "small-fields",
    "exhaustion",
    "many-threads",
    "stats",
    "warnings",
    "profiles",
    "object-types",
  ],
  ...[
    "define-ioctl",
    "dispatch",
    "copy-struct",
    "user-space",
    "any-input",
    "core-exports",
    "failure-sweep",
    "fuzz-oracle",
    "address-spaces",
  ],
  ...["ioas", "ioas-map", "ioas-unmap", "ioas-areas", "ioas-context", "uapi", "options", "processes", "memfd"],
  ...[
    "access",
    "access-copy",
    "access-pin",
    "access-unmap",
    "access-core",
    "access-charges",
    "replay",
    "replay-answers",
  ],
);

/** What needs threads or much time; the recorded races last, they take longest. */
const SLOW: readonly string[] = [
  ...threads("threads-types", "threads-files", "threads-wait", "threads-attach", "threads-memory", "threads-death"),
  ...threads("threads-access", "threads-reap"),
  ...threads("threads-stress"),
  ...single("ids"),
  ...threads("races"),
];

/** Tests of single that are left to slow, by their names. */
export const QUICK_ONLY = "^(?!.*(100,000|1,000,000|one call in|some short scenarios))";

export const nearTests = (file: string): readonly string[] => NEAR[file] ?? [];
export const singleTests = (file: string): readonly string[] =>
  SINGLE.filter((test) => !nearTests(file).includes(test));
export const slowTests = (): readonly string[] => SLOW;

/** Builds of the core that tests load by themselves, besides the package's. */
export type Variant = "small" | "faults";

export function variantsOf(tests: readonly string[]): readonly Variant[] {
  const variants: Variant[] = [];
  if (tests.some((test) => test.endsWith("/small-fields.test.ts"))) variants.push("small");
  if (tests.some((test) => test.endsWith("/failure-sweep.test.ts"))) variants.push("faults");
  return variants;
}
