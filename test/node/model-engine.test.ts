// SPDX-License-Identifier: GPL-2.0-only
//
// The explorer itself, on programs of a few operations: what it finds, what it leaves out, and that a token says it again.

import { beforeAll, describe, expect, test } from "vitest";
import { buildModel } from "../../bindings/build/build-model.mjs";
import { explore, type Exploration, type Options } from "../model/explore.ts";
import {
  call,
  writes,
  type Call,
  type Calls,
  type Core,
  type Model,
  type Thread,
} from "../../bindings/explorer/model.js";
import { fromToken, toToken } from "../../bindings/explorer/schedule.js";
import { traceOf } from "../model/trace.ts";
import { Random } from "../support/random.ts";

const X = 4096;
const Y = 4160;
const FLAG = 4224;

let module: WebAssembly.Module;
let map: string;

beforeAll(async () => {
  const built = await buildModel([], "assembly/model/litmus.ts");
  module = new WebAssembly.Module(new Uint8Array(built.wasm));
  map = built.map;
});

/** Each thread makes these calls; the outcome is all their answers, and the two words. */
function straight(...threads: Call[][]): Model<void> {
  return modelOf((core) => ({
    threads: threads.map((calls, index) => ({
      name: `t${index}`,
      *program() {
        const answers: number[] = [];
        for (const each of calls) answers.push(yield each);
        return answers.filter((answer) => answer !== undefined).join("");
      },
    })),
    finish: (results) => `${results.join(" ")} x=${core.u32(X)} y=${core.u32(Y)}`,
  }));
}

interface Parts {
  threads: Thread[];
  finish?: (results: readonly unknown[], died: readonly boolean[]) => string;
}

function modelOf(run: (core: Core) => Parts, rest: Partial<Model<void>> = {}): Model<void> {
  return { name: "litmus", pages: 1, steps: 300, setup: () => undefined, run: (core) => run(core), ...rest };
}

const outcomes = ({ outcomes }: Exploration): string[] => [...outcomes.keys()].sort();
const failureOf = (model: Model<void>, options?: Options): string =>
  explore(module, model, options).found?.failure.kind ?? "none";

describe("schedules", () => {
  test("a store buffer shows every outcome of sequential consistency and no other", () => {
    const model = straight([call("store32", X, 1), call("load32", Y)], [call("store32", Y, 1), call("load32", X)]);
    expect(outcomes(explore(module, model))).toEqual(["0 1 x=1 y=1", "1 0 x=1 y=1", "1 1 x=1 y=1"]);
  });

  test("independent threads need one execution", () => {
    const model = straight([call("add32", X, 1), call("add32", X, 1)], [call("add32", Y, 1), call("add32", Y, 1)]);
    expect(explore(module, model).executions).toBe(1);
    expect(explore(module, model, { search: "all" }).executions).toBe(6);
  });

  test("two preemptions show what one cannot", () => {
    // The first thread's swaps succeed in turn only if the other runs between the two and is interrupted in its turn.
    const model = straight(
      [call("compareExchange32", X, 0, 1), call("compareExchange32", X, 2, 3), call("compareExchange32", X, 4, 5)],
      [call("compareExchange32", X, 1, 2), call("compareExchange32", X, 3, 4)],
    );
    const last = "024 13 x=5 y=0";
    expect(outcomes(explore(module, model, { search: 1 }))).not.toContain(last);
    expect(outcomes(explore(module, model, { search: 4 }))).toContain(last);
    expect(outcomes(explore(module, model))).toContain(last);
  });

  test("variables of the programs are scheduling points on request", () => {
    const model = modelOf(() => {
      let variable = 0;
      function* program(): Calls<void> {
        yield writes(0);
        const seen = variable;
        yield writes(0);
        variable = seen + 1;
      }
      return {
        threads: [
          { name: "a", program },
          { name: "b", program },
        ],
        finish: () => String(variable),
      };
    });
    expect(outcomes(explore(module, model))).toEqual(["1", "2"]);
  });
});

describe("waiting", () => {
  const notifier = [call("store32", X, 1), call("notify", X, 1)];

  test("a wait that checks the word loses no wake-up", () => {
    expect(failureOf(straight([call("wait32", X, 0, -1n)], notifier))).toBe("none");
  });

  test("a notify before the wait is lost, which is a deadlock", () => {
    expect(failureOf(straight([call("wait32", Y, 0, -1n)], [call("notify", Y, 1)]))).toBe("deadlock");
  });

  test("a finite wait ends by itself", () => {
    expect(failureOf(straight([call("wait32", X, 0, 1n)]))).toBe("none");
  });

  test("a spurious wake-up is tried when the model asks for it", () => {
    const model = straight([call("wait32", X, 0, -1n), call("load32", X)], notifier);
    expect(outcomes(explore(module, model))).toEqual(["1  x=1 y=0"]);
    expect(outcomes(explore(module, { ...model, spurious: 1 }))).toEqual(["0  x=1 y=0", "1  x=1 y=0"]);
  });

  test("a notify of one may wake any sleeper", () => {
    const sleeper = [call("wait32", X, 0, 1n), call("add32", Y, 1)];
    const model = straight(
      sleeper,
      sleeper,
      [call("pause", FLAG, 0), call("notify", X, 1)],
      [call("store32", FLAG, 1)],
    );
    expect(outcomes(explore(module, model))).toEqual(["0 1   x=0 y=2", "1 0   x=0 y=2"]);
  });

  test("a pause without an end is a deadlock, a loop without one a livelock", () => {
    expect(failureOf(straight([call("pause", X, 0)]))).toBe("deadlock");
    const loop = modelOf(() => ({
      threads: [
        {
          name: "loop",
          *program() {
            while ((yield call("load32", X)) === 0);
          },
        },
      ],
    }));
    expect(failureOf(loop)).toBe("livelock");
  });
});

describe("memory", () => {
  const message = (store: string, load: string): Model<void> =>
    modelOf(() => ({
      threads: [
        {
          name: "sender",
          *program() {
            yield call("plainStore", X, 7);
            yield call(store, FLAG, 1);
          },
        },
        {
          name: "receiver",
          *program() {
            if ((yield call(load, FLAG)) === 1) return yield call("plainLoad", X);
            return "nothing";
          },
        },
      ],
      finish: ([, got]) => String(got),
    }));

  test("a message passed by an atomic flag is no race", () => {
    expect(outcomes(explore(module, message("store32", "load32")))).toEqual(["7", "nothing"]);
  });

  test.each([
    ["storeRelaxed32", "load32"],
    ["store32", "loadRelaxed32"],
    ["plainStore", "load32"],
  ])("a message passed by %s and %s is a race", (store, load) => {
    expect(failureOf(message(store, load))).toBe("race");
  });

  test("a notify orders what came before it", () => {
    const model = (last: Call): Model<void> =>
      straight([call("plainStore", Y, 1), call("notify", X, -1)], [call("wait32", X, 0, -1n), last]);
    const failures = explore(module, model(call("plainLoad", Y)), { collectsFailures: true });
    expect(outcomes(failures).filter((text) => text.startsWith("race"))).toEqual([]);
  });

  test("an access to freed memory fails", () => {
    const model = straight(
      [call("allocRange", X, 64), call("freeRange", X, 64), call("store32", FLAG, 1)],
      [call("pause", FLAG, 0), call("load32", FLAG), call("plainLoad", X)],
    );
    expect(failureOf(model)).toBe("memory");
  });

  test("two lives of a slot within one call fail", () => {
    const model = modelOf(
      () => ({
        threads: [
          {
            name: "owner",
            *program() {
              yield call("readTwice", X, FLAG);
            },
          },
          {
            name: "thief",
            *program() {
              yield call("pause", FLAG, 0);
              yield call("load32", FLAG);
              yield call("freeRange", X, 64);
              yield call("allocRange", X, 64);
              yield call("store32", FLAG, 2);
            },
          },
        ],
      }),
      { setup: (core) => void core.call(0, "allocRange", X, 64) },
    );
    expect(failureOf(model)).toBe("memory");
  });

  test("a byte outside of the memory fails", () => {
    expect(failureOf(straight([call("plainLoad", 65536 + 8)]))).toBe("memory");
  });
});

describe("death", () => {
  const model = modelOf((core) => ({
    threads: [
      {
        name: "publisher",
        *program() {
          yield call("publish", X, FLAG);
        },
      },
      {
        name: "reaper",
        afterDeathOf: 0,
        *program() {
          return `${yield call("plainLoad", X)}${yield call("plainLoad", X + 4)}${yield call("load32", FLAG)}`;
        },
      },
    ],
    finish: ([, reaped], died) => `${String(died[0])} ${String(reaped)} flag=${core.u32(FLAG)}`,
  }));

  test("a thread dies before each of its writes, and what it did is seen by the one after it", () => {
    const exploration = explore(module, model, { kill: { thread: 0 } });
    expect(exploration.killPoints).toBe(3);
    expect(outcomes(exploration)).toEqual([
      "false undefined flag=1",
      "true 000 flag=0",
      "true 100 flag=0",
      "true 120 flag=0",
    ]);
  });

  test("nobody dies without being told to", () => {
    expect(outcomes(explore(module, model))).toEqual(["false undefined flag=1"]);
  });
});

describe("failures", () => {
  test("a token makes the same execution again, with lines of the sources", () => {
    const model = straight(
      [call("plainStore", X, 1), call("storeRelaxed32", FLAG, 1)],
      [call("load32", FLAG), call("plainLoad", X)],
    );
    const { found } = explore(module, model);
    const token = toToken({ property: "p", twin: "", profile: "rfc", kills: [], schedule: found!.schedule });
    const replay = fromToken(token);
    expect(replay.schedule).toEqual(found!.schedule);
    const { outcome, text } = traceOf(module, map, model, replay.schedule, replay.kills);
    expect(outcome.failure?.message).toBe(found!.failure.message);
    expect(text).toContain("(assembly/model/litmus.ts:");
  });

  test("a twin's edit must fit exactly once", async () => {
    const edit = (find: string) => [{ file: "core/mutex.ts", find, replace: "" }];
    await expect(buildModel(edit("no such text"))).rejects.toThrow("0 places");
    await expect(buildModel(edit("lock"))).rejects.toThrow("places");
  });
});

describe("the reduction loses nothing", () => {
  const SEED = 20260728;
  const PROGRAMS = 80;

  test(`${PROGRAMS} random programs have the outcomes of all schedules, seed ${SEED}`, () => {
    const source = new Random(SEED);
    const random = (below: number): number => source.below(below);
    let saved = 0;
    for (let n = 0; n < PROGRAMS; n++) {
      const threads = Array.from({ length: 2 + random(2) }, () =>
        Array.from({ length: 2 + random(2) }, () => randomCall(random)),
      );
      const model = { ...straight(...threads), spurious: random(2) };
      const reduced = explore(module, model, { collectsFailures: true });
      const all = explore(module, model, { collectsFailures: true, search: "all" });
      const text = JSON.stringify(threads, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
      expect(outcomes(reduced), `program ${n}: ${text}`).toEqual(outcomes(all));
      saved += all.executions - reduced.executions;
    }
    expect(saved).toBeGreaterThan(PROGRAMS);
  });

  function randomCall(random: (below: number) => number): Call {
    const address = [X, Y][random(2)]!;
    const value = random(3);
    switch (random(9)) {
      case 0:
        return call("store32", address, value);
      case 1:
        return call("add32", address, 1);
      case 2:
        return call("compareExchange32", address, value, value + 1);
      case 3:
        return call("loadRelaxed32", address);
      case 4:
        return call("storeRelaxed32", address, value);
      case 5:
        return call("wait32", address, 0, random(2) === 0 ? -1n : 1n);
      case 6:
        return call("notify", address, random(2) === 0 ? 1 : -1);
      case 7:
        return call("pause", address, 0);
      default:
        return call("load32", address);
    }
  }
});
