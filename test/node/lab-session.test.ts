// SPDX-License-Identifier: GPL-2.0-only
//
// A lab session's end: it is the same end also when a destroy callback throws, and nobody is given a session that is over.

import { expect, test } from "vitest";
import { Iommufd } from "../../bindings/index.ts";
import { CallRecorder } from "../../bindings/lab/console/call-recorder.ts";
import { LabSession } from "../../bindings/lab/session.ts";

/** A session whose file has one object that throws when it is destroyed. */
async function throwingSession(): Promise<{ session: LabSession; events: string[] }> {
  const iommufd = await Iommufd.create();
  const type = iommufd.defineObjectType({
    name: "THROWS",
    payloadBytes: 8,
    destroy() {
      throw new RangeError("in the callback");
    },
  });
  const session = LabSession.of(iommufd, iommufd.open());
  session.context.alloc(type).finalize();
  const events: string[] = [];
  for (const name of ["close", "context"]) session.addEventListener(name, () => events.push(name));
  return { session, events };
}

test("the shared session is made anew after it was closed", async () => {
  const first = await LabSession.shared();
  expect(await LabSession.shared()).toBe(first);
  expect(first.isClosed).toBe(false);
  first.close();
  expect(first.isClosed).toBe(true);
  const second = await LabSession.shared();
  expect(second).not.toBe(first);
  expect(second.context.objects()).toEqual([]);
  first.close(); // once more: the new one stays
  expect(await LabSession.shared()).toBe(second);
  (await LabSession.create()).close(); // one of its own
  expect(await LabSession.shared()).toBe(second);
  second.close();
});

test("each profile has a shared session of its own, with its commands", async () => {
  const [objects, memory] = await Promise.all([LabSession.shared(), LabSession.shared("mainline")]);
  expect([objects.iommufd.abi, memory.iommufd.abi]).toEqual(["rfc", "mainline"]);
  expect(await LabSession.shared("mainline")).toBe(memory);
  const names = memory.commands.map(({ name }) => name);
  expect([names[0], names.includes("IOMMU_IOAS_MAP"), new Set(names).size]).toEqual([
    "IOMMU_DESTROY",
    true,
    names.length,
  ]);
  memory.close();
  expect(await LabSession.shared()).toBe(objects);
  const next = await LabSession.shared("mainline");
  expect([next === memory, next.isClosed]).toEqual([false, false]);
  next.close();
  objects.close();
});

test("closes also when a destroy callback throws, which is still seen", async () => {
  const { session, events } = await throwingSession();
  expect(() => session.close()).toThrow("in the callback");
  expect(events).toEqual(["close"]);
  expect(() => session.iommufd.open()).toThrow(expect.objectContaining({ code: "ESRCH" }));
});

test("reopens also when a destroy callback throws, which is still seen", async () => {
  const { session, events } = await throwingSession();
  expect(() => session.reopen()).toThrow("in the callback");
  expect(events).toEqual(["context"]);
  expect(session.context.objects()).toEqual([]);
  session.close();
});

test("is closed when the thread has left; not when only the number was closed", async () => {
  const session = await LabSession.create();
  session.iommufd.file(session.context.fd).close();
  expect(session.isClosed).toBe(false);
  expect(new CallRecorder(session).start).toEqual([]);
  session.iommufd.detach();
  expect(session.isClosed).toBe(true);
  expect(new CallRecorder(session).start).toEqual([]);
});

test("has the lab that it defined, with the log that its objects' end is written to; another's kernel has none", async () => {
  const session = await LabSession.create();
  const alloc = session.commands.find(({ name }) => name === "LAB_ALLOC");
  expect(session.lab?.types.map(({ name }) => name)).toEqual(["DEVICE", "HWPT", "IOAS"]);
  session.context.call(alloc!, { type: 3 });
  session.context.destroy(1);
  const pairs: number[] = [];
  session.lab?.log.take(9, (taken) => pairs.push(...taken));
  expect(pairs).toEqual([3, 1]);
  session.close();
  const iommufd = await Iommufd.create();
  expect(LabSession.of(iommufd, iommufd.open()).lab).toBeUndefined();
  iommufd.detach();
});
