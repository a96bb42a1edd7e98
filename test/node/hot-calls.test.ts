// SPDX-License-Identifier: GPL-2.0-only
//
// The hot calls allocate nothing: millions of them in a process of their own never make the garbage collector run. One
// object of 16 bytes per call would fill V8's nursery several times.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CALLS = 5_000_000;
const WARM_UP = 200_000;

/** Statements that run with `context`, `type`, `id`, `struct`, `ioas`, `map` and `unmap`; what they leave is as before. */
const HOT = [
  ["tryGet and put", "context.put(context.tryGet(id));"],
  ["tryGet of a type", "context.put(context.tryGet(id, type));"],
  ["a failing tryGet", "context.tryGet(99);"],
  ["a failing tryDestroy", "context.tryDestroy(99);"],
  ["tryAlloc and abort", "context.abort(context.tryAlloc(type));"],
  ["tryAlloc, finalize and tryDestroy", "context.tryDestroy(context.finalize(context.tryAlloc(type)));"],
  ["a failing tryIoctl on a buffer", "context.tryIoctl(IOMMU_DESTROY.request, struct);"],
  ["an unknown tryIoctl", "context.tryIoctl(5, struct);"],
  ["tryMap and tryUnmap", "ioas.tryUnmap(ioas.tryMap(0x10000000, 4096, 6), 4096);"],
  ["a failing tryMap", "ioas.tryMap(0x10000000, 4096, 0);"],
  ["map and unmap by tryIoctl", "context.tryIoctl(0x3b85, map); context.tryIoctl(0x3b86, unmap);"],
] as const;

function collectionsDuring(statement: string): string[] {
  const script = `
    import { writeSync } from "node:fs";
    import { Iommufd, IOMMU_DESTROY, IOMMU_IOAS_MAP, IOMMU_IOAS_UNMAP } from "iommufd-wasm";
    const iommufd = Iommufd.createSync({ abi: "mainline" });
    const context = iommufd.open();
    run(iommufd, context);
    function run(iommufd, context) {
      const type = iommufd.defineObjectType({ name: "plain", payloadBytes: 8 });
      const id = context.alloc(type).finalize();
      const ioas = context.ioasAlloc();
      const map = IOMMU_IOAS_MAP.encode({ flags: 7, ioas_id: ioas.id, user_va: 0x10000000, length: 4096 });
      const unmap = IOMMU_IOAS_UNMAP.encode({ ioas_id: ioas.id, length: 4096 });
      const struct = new Uint8Array([8, 0, 0, 0, 99, 0, 0, 0]);
      const repeat = (count) => { for (let n = 0; n < count; n++) { ${statement} } };
      repeat(${WARM_UP});
      repeat(${WARM_UP});
      globalThis.gc();
      writeSync(1, "begin\\n");
      repeat(${CALLS});
      writeSync(1, "end\\n");
    }`;
  const flags = ["--trace-gc", "--expose-gc", "--input-type=module", "--eval", script];
  const lines = execFileSync(process.execPath, flags, { cwd: ROOT, encoding: "utf8" }).split("\n");
  expect(lines).toContain("end");
  return lines.slice(lines.indexOf("begin") + 1, lines.indexOf("end"));
}

test.each(HOT)("%s", (_name, statement) => {
  expect(collectionsDuring(statement)).toEqual([]);
});

test("this would notice a call that allocates", () => {
  expect(collectionsDuring("globalThis.kept = { id };").length).toBeGreaterThan(0);
});
