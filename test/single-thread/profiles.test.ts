// SPDX-License-Identifier: GPL-2.0-only
//
// The two profiles side by side: each row is a difference that a caller can see, and everything else is alike. The details
// of each are in the file of their subject.

import { type Iommufd, type IommufdContext, IOMMU_DESTROY } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer, errnoOf, errnoOfAsync } from "../support/answer.ts";
import { ABIS, boot } from "../support/boot.ts";
import { words } from "../support/bytes.ts";
import { counts, loggedType, make, plainType } from "../support/objects.ts";

interface Scene {
  iommufd: Iommufd;
  context: IommufdContext;
  id: number;
  log: number[];
}

/** What both are asked, and what each answers. */
const DIFFERENCES: [what: string, ask: (scene: Scene) => unknown, rfc: unknown, mainline: unknown][] = [
  [
    "a short struct",
    ({ context }) => answer(context.tryIoctl(IOMMU_DESTROY.request, words(7, 1))),
    "EOPNOTSUPP",
    "EINVAL",
  ],
  ["an unknown number with a bad pointer", ({ context }) => answer(context.tryIoctl(0x3bff, null)), "EFAULT", "ENOTTY"],
  ["a VFIO number with a bad pointer", ({ context }) => answer(context.tryIoctl(0x3b75, 1n)), "EFAULT", "ENOTTY"],
  ["a VFIO request, which takes a number", ({ context }) => answer(context.tryIoctl(0x3b65, 1n)), "EFAULT", 1],
  [
    "a lookup while an owner's destroy waits",
    async ({ context, id }) => {
      const reference = context.get(id).putKeepUser();
      const lock = context.get(id);
      const promise = reference.destroyUserAsync();
      const handle = context.tryGet(id);
      if (handle > 0) context.put(handle);
      lock.put();
      await promise;
      return handle > 0 ? "found" : answer(handle);
    },
    "ENOENT",
    "found",
  ],
  [
    "a DESTROY of what a call has locked",
    async ({ context, id }) => {
      const lock = context.get(id);
      const promise = errnoOfAsync(context.destroyAsync(id));
      lock.put();
      return promise;
    },
    "no error",
    "EBUSY",
  ],
  [
    "a second DESTROY while the object is locked",
    async ({ context, id }) => {
      const lock = context.get(id);
      const first = errnoOfAsync(context.destroyAsync(id));
      const second = await errnoOfAsync(context.destroyAsync(id));
      lock.put();
      await first;
      return second;
    },
    "ENOENT",
    "EBUSY",
  ],
  [
    "the order of a release",
    ({ iommufd, context, log }) => {
      make(context, loggedType(iommufd, log, "second"));
      make(context, loggedType(iommufd, log, "logged"));
      context.close();
      return log;
    },
    [1, 3, 2],
    [1, 2, 3],
  ],
  [
    "a release with a target of a type that comes before its holder's",
    ({ iommufd, context, id }) => {
      make(context, plainType(iommufd, "later"), id);
      context.close();
      return iommufd.stats().objects.leaked;
    },
    1,
    0,
  ],
];

describe.each(DIFFERENCES)("%s", (_what, ask, rfc, mainline) => {
  test.each(ABIS)("%s", async (abi) => {
    const log: number[] = [];
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const id = make(context, loggedType(iommufd, log));
    expect(await ask({ iommufd, context, id, log })).toEqual(abi === "rfc" ? rfc : mainline);
  });
});

test.each(ABIS)("%s is what the machine says it is", async (abi) => {
  const { iommufd } = await boot({ abi });
  expect(iommufd.abi).toBe(abi);
  expect(iommufd.stats().abi).toBe(abi);
});

test("rfc is the default", async () => {
  const { iommufd } = await boot();
  expect(iommufd.abi).toBe("rfc");
});

test.each([
  ["rfc", 2 ** 32 - 1],
  ["mainline", 2 ** 31 - 1],
] as const)("%s has IDs up to %d", async (abi, idLimit) => {
  const { iommufd } = await boot({ abi, idLimit });
  expect(make(iommufd.open(), plainType(iommufd))).toBe(1);
  await expect(boot({ abi, idLimit: idLimit + 1 })).rejects.toMatchObject({ code: "EINVAL" });
});

test("two machines of different profiles do not know of each other", async () => {
  const { iommufd: rfc } = await boot({ abi: "rfc" });
  const { iommufd: mainline } = await boot({ abi: "mainline" });
  const [one, two] = [rfc.open(), mainline.open()];
  make(one, plainType(rfc));
  expect(errnoOf(() => two.get(1))).toBe("ENOENT");
  expect(answer(one.tryIoctl(IOMMU_DESTROY.request, words(7, 1)))).toBe("EOPNOTSUPP");
  expect(answer(two.tryIoctl(IOMMU_DESTROY.request, words(7, 1)))).toBe("EINVAL");
  expect(counts(one, 1)).toBe("1/0 live");
});
