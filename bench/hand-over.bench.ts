// SPDX-License-Identifier: GPL-2.0-only
/**
 * What it costs that an object goes from one thread to another: without waiting, and with it.
 *
 * Taking turns: two threads get + put one object alternately, so that its word travels between the cores each time. A turn is told by a
 * word on which both spin; the floor does its two atomic operations in the same turns.
 *
 * Destroy waits for the last put: a chain in which each thread lets go of an object for whose end the other one waits, wakes up,
 * finds its own destroy done and lets go of the next. It has as many wake-ups as objects, so no two clocks are compared. The bare chain is
 * the same with Atomics.wait and Atomics.notify only. A thread that comes soon after the other has begun to wait may find it still
 * looking, and spare both the sleep; in the second chain nobody comes soon, and what was let pass is subtracted.
 */
import { Iommufd } from "iommufd-wasm";
import type { Bench, Result, Spread } from "./harness/bench.ts";
import { Crew } from "./harness/crew.ts";
import { ratio, summary } from "./harness/rounds.ts";
import { AtomicsTable } from "./rivals/atomics.ts";
import { STRIDE, compileFloor, floorMemory } from "./rivals/floor.ts";
import type { ObjectTable } from "./rivals/rival.ts";
import type { HandOverSetup, HandedOver, HandOverTask, Kind } from "./workers/hand-over.ts";

const OURS = "iommufd-wasm";
const SITUATIONS: Readonly<Record<Kind, string>> = {
  turns: "taking turns",
  waits: "destroy waits for the last put",
  sleeps: "destroy sleeps until the last put",
};
const NAMES: Readonly<Record<Kind, Readonly<Record<HandOverTask["who"], string>>>> = {
  turns: { ours: OURS, atomics: "Atomics by hand", bare: "floor" },
  waits: { ours: OURS, atomics: "Atomics by hand", bare: "bare wait + notify" },
  sleeps: { ours: OURS, atomics: "Atomics by hand", bare: "bare wait + notify" },
};
const KINDS: readonly Kind[] = ["turns", "waits", "sleeps"];
const WHO: readonly HandOverTask["who"][] = ["ours", "atomics", "bare"];

const BARS: Result["bars"] = [
  {
    ratio: `${SITUATIONS.sleeps}: ${OURS} / ${NAMES.sleeps.bare}`,
    limit: 1.3,
    kind: "most",
    text: "a destroy that sleeps until the last put, against a bare wait + notify",
  },
];

export default {
  title: "hand-over between two threads",
  async run(host) {
    // No thread has room for more than 1,023 handles; both together have an object for each wake-up.
    const counts: Record<Kind, number> = host.smoke
      ? { turns: 40, waits: 40, sleeps: 40 }
      : { turns: 20_000, waits: 800, sleeps: 400 };
    const iommufd = Iommufd.createSync();
    const type = iommufd.defineObjectType({ name: "BENCH", payloadBytes: 16 });
    const context = iommufd.open();
    const table = AtomicsTable.create(counts.waits + 1);
    const turn = new SharedArrayBuffer(4);
    const setup: HandOverSetup = {
      share: iommufd.share,
      fd: context.fd,
      table: table.buffer,
      words: new SharedArrayBuffer((counts.waits + 1) * STRIDE),
      turn,
      module: await compileFloor(host),
      memory: floorMemory(64),
    };
    const crew = await Crew.start(host, "hand-over", [{ message: setup }, { message: setup }]);
    const samples: Record<string, number[]> = {};
    for (let round = host.smoke ? 0 : -2; round < (host.smoke ? 2 : 21); round++) {
      for (const kind of KINDS) {
        for (const who of rotated(WHO, round)) {
          const count = counts[kind];
          fill(context, type, kind === "turns" ? 1 : count);
          fill(table, 1, kind === "turns" ? 1 : count);
          new Int32Array(turn)[0] = 0;
          const tasks = ([0, 1] as const).map((thread): HandOverTask => ({ kind, who, thread, count }));
          const works = await crew.round<HandedOver>(tasks, 0);
          const longest = Math.max(...works.map(({ milliseconds }) => milliseconds));
          const paused = works.reduce((sum, work) => sum + work.paused, 0); // never both at a time
          if (round < 0) continue;
          (samples[`${SITUATIONS[kind]}: ${NAMES[kind][who]}`] ??= []).push(((longest - paused) * 1e6) / count);
        }
      }
    }
    if (iommufd.stats().threads.list.some(({ locked, waiting }) => locked + waiting > 0))
      throw new Error("a lock is left");
    await crew.end();
    return resultOf(samples);
  },
} satisfies Bench;

function rotated<V>(values: readonly V[], by: number): V[] {
  const at = (by + 2 * values.length) % values.length;
  return [...values.slice(at), ...values.slice(0, at)];
}

/** Makes objects until there are 1 … `objects`; none of them may be in use. */
function fill<T>(table: ObjectTable<T>, type: T, objects: number): void {
  for (;;) {
    const id = table.finalize(table.tryAlloc(type));
    if (id <= objects) continue;
    if (table.tryDestroy(id) !== 0) throw new Error(`object ${id} is in use`);
    return;
  }
}

function resultOf(samples: Readonly<Record<string, readonly number[]>>): Result {
  const ratios: Record<string, Spread> = {};
  for (const kind of KINDS) {
    const name = (who: HandOverTask["who"]): string => `${SITUATIONS[kind]}: ${NAMES[kind][who]}`;
    for (const who of ["bare", "atomics"] as const) {
      ratios[`${name("ours")} / ${NAMES[kind][who]}`] = ratio(samples[name("ours")] ?? [], samples[name(who)] ?? []);
    }
  }
  const candidates = Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, summary(values)]));
  return { unit: "ns per hand-over", candidates, ratios, bars: BARS };
}
