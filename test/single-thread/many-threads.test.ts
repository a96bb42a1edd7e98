// SPDX-License-Identifier: GPL-2.0-only
//
// As many threads as a memory has room for: the last of them counts as the first does.

import type { Iommufd } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { ABIS, boot, otherThread } from "../support/boot.ts";
import { counts, loggedType, make, plainType } from "../support/objects.ts";

const MAX_THREADS = 64;

/** The thread in the last slot. */
function lastThread(iommufd: Iommufd): Iommufd {
  const others = Array.from({ length: MAX_THREADS - 1 }, () => otherThread(iommufd));
  expect(iommufd.stats().threads.attached).toBe(MAX_THREADS);
  return others.at(-1) as Iommufd;
}

describe.each(ABIS)("%s: a file that was closed stays until the last thread", (abi) => {
  test("gives its reservation back", async () => {
    const { iommufd } = await boot({ abi });
    const log: number[] = [];
    const context = iommufd.open();
    const id = make(context, loggedType(iommufd, log));
    const last = lastThread(iommufd);
    const theirs = last.file(context.fd);
    const reserved = theirs.alloc(plainType(last, "plain", 0));
    context.close();
    expect(iommufd.stats().files.open).toBe(1);
    expect(log).toEqual([]);
    reserved.abort();
    expect(iommufd.stats().files.open).toBe(0);
    expect(iommufd.stats().objects.queued + log.length).toBe(1);
    expect(id).toBe(1);
  });

  test("gives its reference back", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const last = lastThread(iommufd);
    const reference = last.fget(context.fd);
    context.close();
    expect(iommufd.stats().files.open).toBe(1);
    const id = reference.alloc(plainType(last, "plain", 0)).finalize();
    expect(counts(reference, id)).toBe("1/0 live");
    reference.close();
    expect(iommufd.stats().files.open).toBe(0);
  });
});
