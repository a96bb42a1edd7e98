// SPDX-License-Identifier: GPL-2.0-only
// What the lab page remembers of a student, and what it makes of a storage that is full, forbidden, or somebody else's.

import { describe, expect, test } from "vitest";
import { Progress, type Store } from "../../examples/lab/progress.ts";

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

describe("progress", () => {
  test("is found again by the next visit", () => {
    const store = memoryStore();
    const first = new Progress(store);
    first.finish("busy");
    first.moveTo({ lesson: "publish", step: 3 });
    const next = new Progress(store);
    expect([next.isFinished("busy"), next.isFinished("publish"), next.place]).toEqual([
      true,
      false,
      { lesson: "publish", step: 3 },
    ]);
  });

  test("is gone after a reset", () => {
    const store = memoryStore();
    const progress = new Progress(store);
    progress.finish("busy");
    progress.moveTo({ lesson: "busy", step: 1 });
    progress.reset();
    expect([store.text, progress.isFinished("busy"), progress.place]).toEqual([null, false, undefined]);
  });

  test.each([
    ["no JSON", "{"],
    ["a number", "7"],
    ["null", "null"],
    ["a list", "[]"],
    ["lessons that are none", '{"finished":7}'],
    ["a step that is none", '{"lesson":"busy","step":1.5}'],
    ["a step before the first", '{"lesson":"busy","step":-1}'],
    ["a lesson that is none", '{"lesson":7,"step":1}'],
  ])("%s counts as nothing", (_, text) => {
    expect(new Progress(memoryStore(text)).place).toBeUndefined();
  });

  test("keeps what fits of what is stored", () => {
    const progress = new Progress(memoryStore('{"finished":["busy",7],"lesson":"busy"}'));
    expect([progress.isFinished("busy"), progress.place]).toEqual([true, undefined]);
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
    progress.moveTo({ lesson: "busy", step: 1 });
    expect([progress.isFinished("busy"), progress.place]).toEqual([true, { lesson: "busy", step: 1 }]);
    progress.reset();
    expect(progress.isFinished("busy")).toBe(false);
  });
});

function refuse(): never {
  throw new Error("SecurityError");
}
