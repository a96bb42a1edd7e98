// SPDX-License-Identifier: GPL-2.0-only
//
// What is read of an object beside its state word: its serial, by who has a reference on it, and its holds, by who takes a snapshot.
//
// drop × drop × destroy: of two threads with the same reference one drops it and destroys the object; the other comes before, or is
// refused, and looks at no memory of what is gone. hold × inspect: a snapshot of a reserved object shows the holds added so far.

import { makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectOrder } from "../../../bindings/explorer/final-state.js";
import { call, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import { destroy, drop, keepObject, lockObject } from "../object-calls.ts";
import { LIST_BEFORE_ITS_LINK } from "./broken.ts";
import type { Property } from "../property.ts";

const EINVAL = -22;

interface Kept extends Prepared {
  id: number;
  serial: number;
}

const dropAndDestroy: Model<Kept> = {
  name: "drop × drop × destroy",
  setup(core) {
    const prepared = prepare(core, "rfc", 2);
    const id = makeObject(core, prepared);
    return { ...prepared, id, serial: keepObject(core, prepared, 0, id) };
  },
  run: (core, state) => ({
    threads: [
      { name: "dropper", program: () => drop(state, state.id, state.serial) },
      {
        name: "destroyer",
        *program(): Program {
          const dropped = yield* drop(state, state.id, state.serial);
          const destroyed = yield* destroy(core, state, 1, state.id);
          return `${dropped}, destroy ${destroyed}`;
        },
      },
    ],
    finish([one, other]) {
      expectOrder(core, state);
      const text = `drop ${String(one)}, drop ${String(other)}`;
      const right = [`drop 0, drop ${EINVAL}, destroy 0`, `drop ${EINVAL}, drop 0, destroy 0`];
      expect(right.includes(text), `the answers are ${text}`);
      return text;
    },
  }),
  describeAddress: (address, { describe }) => describe(address),
};

interface Reserved extends Prepared {
  handle: number;
  target: number;
  id: number;
}

const holdAndInspect: Model<Reserved> = {
  name: "hold × inspect",
  setup(core) {
    const prepared = prepare(core, "rfc", 2);
    const { file, expected, type } = prepared;
    const target = lockObject(core, prepared, 0, makeObject(core, prepared));
    const handle = core.call(0, "alloc", file, expected, type);
    for (let count = 0; count < 2; count++) expect(core.call(0, "hold", file, handle, target) === 0, "hold fails");
    return { ...prepared, target, handle, id: 2 };
  },
  run: (core, state) => ({
    threads: [
      { name: "holder", program: holder(state) },
      { name: "onlooker", program: onlooker(core, state) },
    ],
    finish: ([held, seen]) => `hold ${String(held)}, ${String(seen)} holds seen`,
  }),
  describeAddress: (address, { describe }) => describe(address),
};

const holder = ({ file, handle, target }: Reserved) =>
  function* (): Program {
    return yield call("hold", file, handle, target);
  };

const onlooker = (core: Core, { file, expected, id, slots }: Reserved) =>
  function* (): Program {
    const result = yield call("inspect", file, expected, id, 0, 0);
    expect(result === 0, `inspect answers ${result}`);
    const seen = core.u32(slots[1]! + core.constant("THREAD_WINDOW") + core.constant("SNAPSHOT_COUNT"));
    expect(seen === 2 || seen === 3, `${seen} holds are seen`);
    return seen;
  };

export const STALE_REFERENCES: readonly Property[] = [
  {
    name: "drop-drop-destroy",
    promise: "who drops a reference finds the object that it is on, or none, whatever becomes of the ID",
    profiles: ["rfc"],
    quick: true,
    model: () => dropAndDestroy,
    seconds: 5,
    twins: [
      {
        name: "reference-is-found-without-the-lock",
        edits: [
          {
            file: "core/kept.ts",
            find: "  lock(tableLockOf(file), RANK_TABLE);\n  const entry = findKept(file, id, serial);",
            replace: "  const entry = findKept(file, id, serial);\n  lock(tableLockOf(file), RANK_TABLE);",
          },
        ],
      },
    ],
  },
  {
    name: "hold-inspect",
    promise: "a snapshot of a reserved object shows the holds that it had at some moment",
    profiles: ["rfc"],
    model: () => holdAndInspect,
    seconds: 5,
    twins: [{ name: "list-is-published-before-its-link", edits: LIST_BEFORE_ITS_LINK }],
  },
];
