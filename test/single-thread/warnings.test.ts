// SPDX-License-Identifier: GPL-2.0-only
//
// Kernel warnings: to whom they go, when, and what happens when a listener misbehaves. Which calls warn about what is in the
// file of their subject.

import type { Iommufd, IommufdContext, IommufdWarning } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer } from "../support/answer.ts";
import { boot, otherThread } from "../support/boot.ts";
import { counts, make, plainType } from "../support/objects.ts";

/** Closes a file whose only object somebody kept: one "release:users". */
function leakOne(iommufd: Iommufd): IommufdContext {
  const context = iommufd.open();
  context.get(make(context, plainType(iommufd))).putKeepUser();
  context.close();
  return context;
}

/** Locks of one thread on an object, as many as it can have. */
function lockOften(context: IommufdContext, id: number): number[] {
  const handles: number[] = [];
  for (let handle = context.tryGet(id); handle > 0; handle = context.tryGet(id)) handles.push(handle);
  return handles;
}

test("a warning is reported after the call's work is done, before the call returns", async () => {
  const { iommufd } = await boot();
  const seen: unknown[] = [];
  iommufd.onWarning((warning) => seen.push(warning, iommufd.stats().files.open, iommufd.stats().objects.leaked));
  const context = leakOne(iommufd);
  expect(seen).toEqual([{ kind: "release:users", count: 1, context: context.fd, id: 1 }, 0, 1]);
});

test("warnings are counted for all, and reported to the thread that caused them", async () => {
  const { iommufd, warnings } = await boot();
  const other = otherThread(iommufd);
  const theirs: IommufdWarning[] = [];
  other.onWarning((warning) => theirs.push(warning));
  leakOne(other);
  expect(warnings).toEqual([]);
  expect(theirs).toHaveLength(1);
  leakOne(iommufd);
  expect(warnings).toHaveLength(1);
  expect(theirs).toHaveLength(1);
  expect(iommufd.stats().warnings["release:users"]).toBe(2);
  expect(other.stats().warnings).toEqual(iommufd.stats().warnings);
});

test("without a listener warnings are counted only; a later listener gets later ones", async () => {
  const { iommufd, warnings } = await boot();
  iommufd.onWarning(undefined);
  leakOne(iommufd);
  expect(warnings).toEqual([]);
  expect(iommufd.stats().warnings["release:users"]).toBe(1);
  const later: IommufdWarning[] = [];
  iommufd.onWarning((warning) => later.push(warning));
  expect(later).toEqual([]);
  leakOne(iommufd);
  expect(later).toHaveLength(1);
});

test("a listener may use the library, and cause warnings of its own", async () => {
  const { iommufd } = await boot();
  let depth = 0;
  const seen: number[] = [];
  iommufd.onWarning(() => {
    seen.push(depth);
    if (depth === 3) return;
    depth++;
    leakOne(iommufd);
    depth--;
  });
  leakOne(iommufd);
  expect(seen).toEqual([0, 1, 2, 3]);
  expect(iommufd.stats().objects.leaked).toBe(4);
  expect(iommufd.stats().files.open).toBe(0);
});

test("what a listener throws comes out of the call, whose work is done and whose other warnings are reported", async () => {
  const { iommufd } = await boot();
  const seen: unknown[] = [];
  iommufd.onWarning(({ id }) => {
    seen.push(id);
    throw new Error(`about ${id}`);
  });
  const context = iommufd.open();
  const type = plainType(iommufd);
  for (let n = 0; n < 3; n++) context.get(make(context, type)).putKeepUser();
  make(context, type);
  expect(() => context.close()).toThrow("about 1");
  expect(seen).toEqual([1, 2, 3]);
  expect(iommufd.stats()).toMatchObject({ files: { open: 0 }, objects: { live: 0, leaked: 3 } });
});

test("a release that leaks more objects than a thread's ring has room for reports each of them", async () => {
  const LEAKS = 600;
  const { iommufd, warnings } = await boot();
  const context = iommufd.open();
  const type = plainType(iommufd);
  const ids = Array.from({ length: LEAKS }, () => make(context, type));
  for (const id of ids) context.get(id).putKeepUser();
  context.close();
  expect(warnings.map(({ id }) => id)).toEqual(ids);
  expect(iommufd.stats().warnings["release:users"]).toBe(LEAKS);
  expect(iommufd.stats().objects.leaked).toBe(LEAKS);
});

describe("when an object has as many holders as fit", () => {
  test("one more lookup is ENOENT with a warning, and the object is as before", async () => {
    const { iommufd, warnings } = await boot();
    const others = [otherThread(iommufd), otherThread(iommufd)];
    const context = iommufd.open();
    const id = make(context, plainType(iommufd));
    const views = [context, ...others.map((other) => other.file(context.fd))];
    // Threads have handles for fewer locks than an object takes, or for as many.
    const locks = views.map((view) => [view, lockOften(view, id)] as const);
    const total = locks.reduce((sum, [, handles]) => sum + handles.length, 0);
    const last = views.at(-1) as IommufdContext;
    const heard: IommufdWarning[] = [];
    others.at(-1)?.onWarning((warning) => heard.push(warning));
    const before = counts(context, id);
    expect(before).toBe(`${total + 1}/${total} live`);
    expect(answer(last.tryGet(id))).toBe("ENOENT");
    expect(heard).toEqual([{ kind: "holders:full", count: 1, context: context.fd, id }]);
    expect(warnings).toEqual([]);
    expect(counts(context, id)).toBe(before);

    const [view, handles] = locks[0] as (typeof locks)[0];
    view.put(handles.pop() as number);
    const handle = last.tryGet(id);
    expect(handle).toBeGreaterThan(0);
    last.put(handle);
    for (const [holder, held] of locks) for (const lock of held) holder.put(lock);
    expect(counts(context, id)).toBe("1/0 live");
    context.destroy(id);
  });
});

test("the 128th queued owner is EAGAIN and keeps its reference", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const id = make(context, plainType(iommufd));
  const references = Array.from({ length: 128 }, () => context.get(id).putKeepUser());
  const lock = context.get(id);
  const last = references.pop();
  const waiting = references.map((reference) => reference.destroyUserAsync());
  expect(counts(context, id)).toBe("130/1 destroying");
  await expect(last?.destroyUserAsync()).rejects.toMatchObject({ code: "EAGAIN" });
  expect(counts(context, id)).toBe("130/1 destroying");
  lock.put();
  expect(await Promise.all(waiting)).toEqual(Array(127).fill(false));
  expect(counts(context, id)).toBe("2/0 live");
  expect(await last?.destroyUserAsync()).toBe(true);
});
