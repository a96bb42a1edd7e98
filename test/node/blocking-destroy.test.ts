// SPDX-License-Identifier: GPL-2.0-only
//
// A destroy that blocks its thread until another thread lets go. Node's main thread may block; a page's may not.

import { expect, test } from "vitest";
import { boot } from "../support/boot.ts";
import { counts, loggedType, make } from "../support/objects.ts";
import { startThread } from "../support/thread.ts";

const HOURS = 3_600_000;

test.each<[timeoutMs: number | undefined]>([
  [undefined],
  [Infinity],
  [HOURS],
  [2 ** 31],
  [2 ** 32],
  [1e13],
  [1e14],
  [Number.MAX_SAFE_INTEGER],
  [Number.MAX_VALUE],
])("with a limit of %s ms a destroy waits for the other thread's lock and succeeds", async (timeoutMs) => {
  const log: number[] = [];
  const { iommufd } = await boot();
  const context = iommufd.open();
  const type = loggedType(iommufd, log);
  const limits = timeoutMs === undefined ? {} : { timeoutMs };
  const destroys = [
    (id: number) => context.destroy(id, limits),
    (id: number) => void context.get(id).putKeepUser().destroyUser(limits),
  ];
  for (const destroy of destroys) {
    const id = make(context, type);
    const thread = await startThread("holder.js");
    thread.post({ share: iommufd.share, fd: context.fd, id });
    expect(await thread.next()).toBe("locked");
    destroy(id);
    expect(counts(context, id)).toBe("absent");
    expect(await thread.next()).toBe("put");
    await thread.terminate();
  }
  expect(log).toEqual([1, 1]);
});
