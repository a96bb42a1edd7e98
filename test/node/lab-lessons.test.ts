// SPDX-License-Identifier: GPL-2.0-only
//
// The lab page's lessons without the page: a student who does what "do it for me" would do gets through each of them on a
// real context, and one who does something else is told so.

import {
  type Fields,
  Iommufd,
  IOMMUFD_COMMANDS,
  type IommufdContext,
  type IoctlCommand,
  IOMMU_DESTROY,
} from "iommufd-wasm";
import { defineLab } from "iommufd-wasm/replay";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { define } from "../../examples/lab/definition.ts";
import { LessonRun } from "../../examples/lab/lesson-run.ts";
import { LESSONS } from "../../examples/lab/lessons/index.ts";
import type { Action, DefinitionText, Lesson, Text } from "../../examples/lab/lessons/lesson.ts";
import { type AddedEvent, Samples } from "../../examples/lab/sample.ts";
import { MAPPED_BYTES, mapScratch } from "../../examples/lab/user-memory.ts";

/** More actions than any lesson takes. */
const MOST_ACTIONS = 40;

let iommufd: Iommufd;
let context: IommufdContext;
let commands: IoctlCommand<Fields>[];

beforeEach(async () => {
  iommufd = await Iommufd.create();
  commands = [IOMMU_DESTROY, ...defineLab(iommufd).commands];
  context = iommufd.open();
  samples = new Samples({
    get context() {
      return context;
    },
    get commands() {
      return commands;
    },
  });
});
afterEach(() => {
  iommufd.detach();
  beside?.detach();
  beside = undefined;
});

/** The first machine while a lesson happens on the second one. */
let beside: Iommufd | undefined;

/** As the page: a lesson on mapping has a machine of its own. */
function goToMachineOf({ machine }: Lesson): void {
  if (machine !== "memory" || iommufd.abi === "mainline") return;
  beside = iommufd;
  iommufd = Iommufd.createSync({ abi: "mainline" });
  commands = [...IOMMUFD_COMMANDS];
  context = iommufd.open();
}

let samples: Samples;

function begin(lesson: Lesson, threads = true): LessonRun {
  goToMachineOf(lesson);
  const memory = mapScratch(iommufd, lesson.machine === "memory" ? MAPPED_BYTES : undefined);
  const run = new LessonRun(lesson, { objects: () => context.objects(), memory, threads });
  // As the page does: what a button makes is told as that.
  iommufd.onTrace((event) => {
    if (!samples.isAdding) run.happened({ kind: "calls", calls: [{ ...event, thread: "page", time: 0 }] });
  });
  samples.addEventListener("added", (event) => run.happened({ kind: "sampled", ids: (event as AddedEvent).ids }));
  return run;
}

function commandOf(name: string): IoctlCommand<Fields> {
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw new Error(`no command ${name}`);
  return command;
}

function ioctl(name: string, fields: Readonly<Record<string, number | bigint>>, size?: number): number {
  const command = commandOf(name);
  const bytes = command.encode(fields).slice(0, size);
  if (size !== undefined) new DataView(bytes.buffer).setUint32(0, size, true);
  return context.tryIoctl(command.request, bytes);
}

function reopen(run: LessonRun): void {
  context.close();
  context = iommufd.open();
  run.happened({ kind: "reopened" });
}

function defineText(run: LessonRun, definition: DefinitionText): void {
  const command = define(iommufd, definition, () => undefined);
  commands = [...commands.filter(({ nr }) => nr !== command.nr), command];
  run.happened({ kind: "defined", definition });
}

let raced = 0;

function act(run: LessonRun, action: Action): void {
  switch (action.kind) {
    case "call":
      ioctl(action.command, action.fields, action.size);
      break;
    case "define":
      defineText(run, action.definition);
      break;
    case "sample":
      samples.add();
      break;
    case "reopen":
      reopen(run);
      break;
    case "answer":
      run.happened({ kind: "answered", value: action.value });
      break;
    case "race":
      run.happened({ kind: "raced", race: { race: action.race, mode: action.mode, outcomes: [`ending ${raced++}`] } });
  }
}

/** Acts until the lesson is over, and returns what became of it. */
function walk(run: LessonRun, most = MOST_ACTIONS): LessonRun {
  for (let count = 0; count < most && run.present !== undefined; count++) {
    const action = run.present.next(run.evidence());
    if (action === undefined) break;
    act(run, action);
  }
  return run;
}

/** Acts until so many steps are done. */
function walkTo(run: LessonRun, step: number): LessonRun {
  for (let count = 0; count < MOST_ACTIONS && run.step < step; count++) walk(run, 1);
  expect([run.step, run.note]).toEqual([step, undefined]);
  return run;
}

const textOf = (run: LessonRun, text: Text): string => (typeof text === "string" ? text : text(run.facts));

describe.each(LESSONS.map((lesson) => [lesson.id, lesson] as const))("the lesson %s", (_, lesson) => {
  test("is completed by what “do it for me” does", () => {
    const run = walk(begin(lesson));
    expect([run.step, run.note]).toEqual([lesson.steps.length, undefined]);
  });

  test("is completed beside other objects", () => {
    samples.add();
    ioctl("LAB_ALLOC", { type: 3 });
    expect(walk(begin(lesson)).isDone).toBe(true);
  });

  test("has texts that name what was found, never something undefined", () => {
    const run = begin(lesson);
    for (const [index, step] of lesson.steps.entries()) {
      const before = [step.title, step.text, step.hint, ...(step.question ? [step.question.ask] : [])];
      walkTo(run, index);
      const texts = before.map((text) => textOf(run, text));
      walkTo(run, index + 1);
      for (const text of [...texts, textOf(run, step.learned)]) {
        expect(text).not.toMatch(/undefined|NaN|\[object/);
        expect(text.trim()).not.toBe("");
      }
    }
  });

  test("does not go on by itself: no step is done before something happens", () => {
    const run = begin(lesson);
    expect(run.happened({ kind: "selected", id: 1 })).toBe(false);
    expect(run.step).toBe(0);
  });

  test("is not begun by objects that a button makes, except where it asks for them", () => {
    const run = begin(lesson);
    const isAsked = lesson.steps[0]?.next(run.evidence())?.kind === "sample";
    samples.add();
    expect(run.step).toBe(isAsked ? 1 : 0);
  });

  test("rests: no step of it is done by what is done in another lesson", () => {
    const run = begin(lesson);
    for (const [index] of lesson.steps.entries()) {
      walkTo(run, index);
      expect(run.overhear("changed")).toBe(false);
      expect(run.step).toBe(index);
    }
  });

  test("rests, and begins again when the file with its objects is closed", () => {
    const run = walkTo(begin(lesson), 1);
    const begins = lesson.tiedToFile !== false;
    expect(run.overhear("reopened")).toBe(begins);
    expect([run.step, run.note]).toEqual(begins ? [0, expect.stringContaining("begins again")] : [1, undefined]);
  });

  test("tells one who answers a question wrongly why", () => {
    const run = begin(lesson);
    for (const [index, step] of lesson.steps.entries()) {
      walkTo(run, index);
      if (step.question === undefined) continue;
      const right = step.next(run.evidence());
      const wrong = step.question
        .choices(run.evidence())
        .filter(({ value }) => right?.kind === "answer" && value !== right.value);
      expect(wrong.length).toBeGreaterThan(0);
      for (const { value } of wrong) {
        run.happened({ kind: "answered", value });
        expect([run.step, typeof run.note]).toEqual([index, "string"]);
      }
    }
  });
});

const [firstObject] = LESSONS as [Lesson];

describe("the first lesson", () => {
  test("has five steps, and the first EBUSY is met, explained and fixed in them", () => {
    const results: number[] = [];
    const run = begin(firstObject);
    iommufd.onTrace((event) => {
      results.push(event.result);
      run.happened({ kind: "calls", calls: [{ ...event, thread: "page", time: 0 }] });
    });
    walk(run);
    expect(firstObject.steps).toHaveLength(5);
    expect(results).toEqual([0, 0, -16, 0, 0]);
    expect(context.objects()).toEqual([]);
  });

  test("says what is wrong with an object of another type, and with one that holds nothing", () => {
    const run = begin(firstObject);
    ioctl("LAB_ALLOC", { type: 2 });
    expect([run.step, run.note]).toEqual([0, expect.stringContaining("`type` 3")]);
    ioctl("LAB_ALLOC", { type: 3 });
    expect([run.step, run.note]).toEqual([1, undefined]);
    ioctl("LAB_ALLOC", { type: 2 });
    expect([run.step, run.note]).toEqual([1, expect.stringContaining("Set `hold_id0` to 2")]);
  });

  test("an object that was given up at once is none", () => {
    const run = begin(firstObject);
    ioctl("LAB_ALLOC", { type: 3, flags: 1 });
    expect([run.step, run.note]).toEqual([0, expect.stringContaining("`flags`")]);
  });

  test("destroying in the right order before EBUSY was met begins again, and says so", () => {
    const run = walkTo(begin(firstObject), 2);
    ioctl("IOMMU_DESTROY", { id: 2 });
    expect([run.step, run.note]).toEqual([0, expect.stringContaining("gone")]);
    expect(walk(run).isDone).toBe(true);
  });

  test("closing the file begins again, and says so", () => {
    const run = walkTo(begin(firstObject), 3);
    reopen(run);
    expect([run.step, run.note]).toEqual([0, expect.stringContaining("closed")]);
  });
});

describe("a lesson that rests", () => {
  test("begins again when what it had built is destroyed meanwhile, and not by other objects' end", () => {
    const run = walkTo(begin(firstObject), 2);
    const other = new LessonRun(firstObject, {
      objects: () => context.objects(),
      memory: mapScratch(iommufd),
      threads: true,
    });
    iommufd.onTrace((event) => other.happened({ kind: "calls", calls: [{ ...event, thread: "page", time: 0 }] }));
    ioctl("LAB_ALLOC", { type: 3 });
    ioctl("IOMMU_DESTROY", { id: 3 });
    expect([run.overhear("changed"), run.step]).toEqual([false, 2]);
    ioctl("IOMMU_DESTROY", { id: 2 });
    expect([run.overhear("changed"), run.step, run.note]).toEqual([true, 0, expect.stringContaining("gone")]);
    expect(run.overhear("changed")).toBe(false);
  });

  test("stays finished, whatever is closed", () => {
    const run = walk(begin(firstObject));
    expect([run.overhear("reopened"), run.isDone]).toEqual([false, true]);
  });
});

describe("the lesson on the release order", () => {
  const order = LESSONS.find(({ id }) => id === "release-order") as Lesson;

  test("offers the chain that is there, and does not take it unasked", () => {
    samples.add();
    const run = begin(order);
    expect(run.already?.text).toBe("There is one: DEVICE 3, HWPT 2, IOAS 1.");
    ioctl("LAB_STATE", { id: 1 });
    ioctl("LAB_ALLOC", { type: 3 });
    expect(run.step).toBe(0);
    run.happened({ kind: "taken" });
    expect([run.step, run.facts]).toEqual([1, { device: 3, hwpt: 2, ioas: 1 }]);
  });

  test("takes nothing where nothing is", () => {
    const run = begin(order);
    expect(run.already).toBeUndefined();
    run.happened({ kind: "taken" });
    expect(run.step).toBe(0);
  });

  test("is done by the student's own chain, and by a button's", () => {
    samples.add();
    const own = begin(order);
    ioctl("LAB_ALLOC", { type: 3 });
    ioctl("LAB_ALLOC", { type: 2, hold_id0: 4 });
    expect(own.step).toBe(0);
    ioctl("LAB_ALLOC", { type: 1, hold_id0: 5 });
    expect([own.step, own.facts]).toEqual([1, { device: 6, hwpt: 5, ioas: 4 }]);
    const byButton = begin(order);
    samples.add();
    expect([byButton.step, byButton.facts]).toEqual([1, { device: 9, hwpt: 8, ioas: 7 }]);
  });

  test("is not done by a call that failed, whatever its struct says", () => {
    samples.add();
    const run = begin(order);
    expect(ioctl("LAB_ALLOC", { type: 9, out_id: 3 })).toBeLessThan(0);
    expect(run.step).toBe(0);
  });
});

describe("the lesson on races", () => {
  const race = LESSONS.find(({ id }) => id === "two-callers") as Lesson;

  test("passes over the step that needs threads where there are none", () => {
    const run = walk(begin(race, false));
    expect(run.isDone).toBe(true);
    expect(race.steps.map((_, index) => run.wasPassedOver(index))).toEqual([false, false, false, true]);
  });

  test("the same ending twice is one ending", () => {
    const run = begin(race);
    const same = { race: "destroy-get", mode: "step", outcomes: ["0, 0"] } as const;
    run.happened({ kind: "raced", race: same });
    run.happened({ kind: "raced", race: same });
    expect([run.step, typeof run.note]).toEqual([1, "string"]);
  });

  test("a schedule of the first step counts for the second, where another ending is wanted", () => {
    const run = begin(race);
    run.happened({ kind: "raced", race: { race: "destroy-get", mode: "step", outcomes: ["0, 0"] } });
    run.happened({ kind: "raced", race: { race: "destroy-get", mode: "step", outcomes: ["0, ENOENT"] } });
    expect([run.step, run.facts]).toEqual([2, { endings: 2 }]);
  });

  test("threads that ran during earlier steps do not do the last one", () => {
    const run = begin(race);
    const threads = { kind: "raced", race: { race: "destroy-get", mode: "run", outcomes: ["0, 0"] } } as const;
    for (const step of [1, 2, 3]) {
      run.happened(threads);
      walkTo(run, step);
    }
    expect(run.evidence().races).toEqual([]);
    run.happened({ kind: "selected", id: 1 });
    expect(run.step).toBe(3);
    run.happened(threads);
    expect(run.isDone).toBe(true);
  });

  test("goes on at a place that was kept", () => {
    const { place } = walkTo(begin(race), 2);
    const run = begin(race);
    run.resume(place);
    expect([run.step, run.facts]).toEqual([2, { endings: 2 }]);
    expect(walk(run).isDone).toBe(true);
  });

  test("goes on at what was left out where there are threads now, and stays finished where there are none", () => {
    const { place } = walk(begin(race, false));
    const [now, never] = [begin(race), begin(race, false)];
    now.resume(place);
    never.resume(place);
    expect([now.step, now.wasPassedOver(3), never.isDone, never.wasPassedOver(3)]).toEqual([3, false, true, true]);
  });

  test("a place beyond its last step is its end", () => {
    const run = begin(race);
    run.resume({ step: 99, facts: {}, leftOut: [] });
    expect(run.step).toBe(race.steps.length);
  });

  test("a lesson that begins again has seen no race", () => {
    const run = walkTo(begin({ ...race, tiedToFile: true }), 1);
    expect(run.evidence().races).toHaveLength(1);
    reopen(run);
    expect([run.step, run.evidence().races]).toEqual([0, []]);
  });
});

describe("the lesson on mapping", () => {
  const mapping = LESSONS.find(({ id }) => id === "map-memory") as Lesson;
  const READ_WRITE = 6;
  const FIXED = 7;
  const map = (fields: Readonly<Record<string, number | bigint>>): number =>
    ioctl("IOMMU_IOAS_MAP", { flags: READ_WRITE, ioas_id: 1, length: 0x1000, user_va: 0x4000, ...fields });

  test("meets EEXIST and ENOENT, finds the alignment, and leaves nothing behind", () => {
    const run = begin(mapping);
    const results: number[] = [];
    iommufd.onTrace((event) => {
      results.push(event.result);
      run.happened({ kind: "calls", calls: [{ ...event, thread: "page", time: 0 }] });
    });
    walk(run);
    expect(results).toEqual([0, 0, 0, -17, -2, 0, 0, 0, 0, 0, 0]);
    expect(run.facts).toMatchObject({ first: 1, page: 0x1000, three: 0x4000, second: 2, copy: 0x1000 });
    expect(context.objects()).toEqual([]);
  });

  test("a mapping that the rest would not fit begins again, and says so", () => {
    const run = walkTo(begin(mapping), 1);
    map({ length: 0x3000 });
    expect([run.step, run.note]).toEqual([0, expect.stringContaining("new address space")]);
    expect(walk(run).isDone).toBe(true);
  });

  test("says that a call was for another address space, or had no right", () => {
    const run = walkTo(begin(mapping), 1);
    map({ ioas_id: 7 });
    expect([run.step, run.note]).toEqual([1, expect.stringContaining("Set `ioas_id` to 1")]);
    map({ flags: 0 });
    expect([run.step, run.note]).toEqual([1, expect.stringContaining("EINVAL")]);
  });

  test("memory that is less aligned lands elsewhere, which is told and may be mended", () => {
    const run = walkTo(begin(mapping), 3);
    map({ length: 0x3000, user_va: 0x5000 });
    expect([run.step, run.note]).toEqual([3, expect.stringContaining("0x2000")]);
    expect(walk(run).isDone).toBe(true);
  });

  test("a free IOVA is not the one that is taken", () => {
    const run = walkTo(begin(mapping), 4);
    map({ flags: FIXED, iova: 0x10_0000 });
    expect([run.step, run.note]).toEqual([4, expect.stringContaining("0x100000 was free")]);
    map({});
    expect([run.step, run.note]).toEqual([4, expect.stringContaining("flags` to 7")]);
    map({ flags: FIXED, iova: 0x1000 });
    expect(run.step).toBe(5);
  });

  test("unmapping all where a part was asked for begins again; where there is nothing, it is told", () => {
    const run = walkTo(begin(mapping), 5);
    ioctl("IOMMU_IOAS_UNMAP", { ioas_id: 1, iova: 0x10_0000, length: 0x1000 });
    expect([run.step, run.note]).toEqual([5, expect.stringContaining("ENOENT")]);
    ioctl("IOMMU_IOAS_UNMAP", { ioas_id: 1, iova: 0x4000, length: 0x3000 });
    expect([run.step, run.note]).toEqual([0, expect.stringContaining("gone")]);
  });

  test("losing the page before it is copied begins again, and so does losing a space", () => {
    const run = walkTo(begin(mapping), 8);
    ioctl("IOMMU_IOAS_UNMAP", { ioas_id: 1, iova: 0, length: 0x8000 });
    expect([run.step, run.note]).toEqual([0, expect.stringContaining("unmapped")]);
    walk(run, 9);
    expect(run.step).toBeGreaterThan(7);
    ioctl("IOMMU_DESTROY", { id: run.facts["second"] ?? 0 });
    expect([run.step, run.note]).toEqual([0, expect.stringContaining("address space of this lesson is gone")]);
  });

  test("a copy the other way round is not taken", () => {
    const run = walkTo(begin(mapping), 8);
    ioctl("IOMMU_IOAS_COPY", { flags: 6, dst_ioas_id: 1, src_ioas_id: 1, src_iova: 0x1000, length: 0x1000 });
    expect([run.step, run.note]).toEqual([8, expect.stringContaining("From 1 to 2")]);
    ioctl("IOMMU_IOAS_COPY", { flags: 6, dst_ioas_id: 2, src_ioas_id: 1, src_iova: 0x9000, length: 0x1000 });
    expect([run.step, run.note]).toEqual([8, expect.stringContaining("ENOENT")]);
  });
});
