// SPDX-License-Identifier: GPL-2.0-only
// What the lab page remembers of a student, and what it makes of a storage that is full, forbidden, or somebody else's.

import { describe, expect, test } from "vitest";
import { type Place, Progress, type Store } from "../../examples/lab/progress.ts";

function memoryStore(text?: string): Store & { text: string | null } {
  return {
    text: text ?? null,
    getItem() {
      return this.text;
    },
    setItem(_key, value) {
      this.text = value;
    },
    removeItem() {
      this.text = null;
    },
  };
}

const PLACE: Place = { step: 1, facts: {}, leftOut: [] };

describe("progress", () => {
  test("is found again by the next visit", () => {
    const store = memoryStore();
    const first = new Progress(store);
    first.finish("busy");
    first.open("publish");
    first.keep("publish", { step: 3, facts: {}, leftOut: [] });
    first.keep("two-callers", { step: 2, facts: { endings: 2 }, leftOut: [3] });
    const next = new Progress(store);
    expect([next.isFinished("busy"), next.isFinished("publish"), next.lesson]).toEqual([true, false, "publish"]);
    expect(next.placeIn("publish")).toEqual({ step: 3, facts: {}, leftOut: [] });
    expect(next.placeIn("two-callers")).toEqual({ step: 2, facts: { endings: 2 }, leftOut: [3] });
    expect(next.placeIn("busy")).toBeUndefined();
  });

  test("is gone after a reset", () => {
    const store = memoryStore();
    const progress = new Progress(store);
    progress.finish("busy");
    progress.open("busy");
    progress.keep("busy", PLACE);
    progress.reset();
    expect([store.text, progress.isFinished("busy"), progress.lesson]).toEqual([null, false, undefined]);
    expect(progress.placeIn("busy")).toBeUndefined();
  });

  test.each([
    ["no JSON", "{"],
    ["a number", "7"],
    ["null", "null"],
    ["a list", "[]"],
    ["lessons that are none", '{"finished":7}'],
    ["places that are none", '{"places":7}'],
    ["a place that is none", '{"places":{"busy":7}}'],
    ["a step that is none", '{"places":{"busy":{"step":1.5}}}'],
    ["a step before the first", '{"places":{"busy":{"step":-1}}}'],
    ["a lesson that is none", '{"lesson":7}'],
  ])("%s counts as nothing", (_, text) => {
    const progress = new Progress(memoryStore(text));
    expect([progress.lesson, progress.placeIn("busy")]).toEqual([undefined, undefined]);
  });

  test("keeps what fits of what is stored", () => {
    const text =
      '{"finished":["busy",7],"lesson":"busy","places":{"publish":7,"busy":{"step":2,"facts":{"a":1,"b":"2"},"leftOut":[1,-1,"0"]}}}';
    const progress = new Progress(memoryStore(text));
    expect([progress.isFinished("busy"), progress.lesson]).toEqual([true, "busy"]);
    expect(progress.placeIn("busy")).toEqual({ step: 2, facts: { a: 1 }, leftOut: [1] });
  });

  test.each([
    ["there is none", undefined],
    [
      "the browser forbids its use",
      {
        getItem: refuse,
        setItem: refuse,
        removeItem: refuse,
      },
    ],
  ])("lasts as long as the page where %s", (_, store) => {
    const progress = new Progress(store);
    progress.finish("busy");
    progress.open("busy");
    progress.keep("busy", PLACE);
    expect([progress.isFinished("busy"), progress.lesson, progress.placeIn("busy")]).toEqual([true, "busy", PLACE]);
    progress.reset();
    expect(progress.isFinished("busy")).toBe(false);
  });
});

function refuse(): never {
  throw new Error("SecurityError");
}
