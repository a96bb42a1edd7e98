// SPDX-License-Identifier: GPL-2.0-only
//
// A thread died in a file whose objects are not what their entries say: nothing can be put in order, so the file is poisoned. The
// model itself spoils an entry between the death and the reaping. Every call on the file answers EIO, other files go on, and closing it
// gives the row, its nodes and the memory of the objects back that can be recognised.

import { audit } from "../audit.ts";
import { serve } from "../closing.ts";
import { entriesOf, filesOf } from "../tables.ts";
import { keep, makeObject, makeWorld, must, runDirectly, type World } from "../world.ts";
import { expect } from "../../../bindings/explorer/failure.js";
import { call, type Core, type Model, type Step } from "../../../bindings/explorer/model.js";
import type { ProfileName, Property, Twin } from "../property.ts";
import { CallbackLog, reap } from "../reaper.ts";

const VICTIM = 0;
const REAPER = 1;
const OTHER = 2;
const EIO = -5;
const EINVAL = -22;

interface State extends World {
  readonly id: number;
  readonly entry: number;
  /** What a lock adds to the halves of its state word. */
  readonly lock: { low: number; high: number };
  /** Where the entry of that object names its slot. */
  readonly slotAt: number;
  readonly kept: number;
  readonly serial: number;
  readonly locked: number;
  readonly second: number;
  readonly reserved: number;
  readonly referred: number;
}

interface Spoil {
  /** What the thread dies in. */
  victim(state: State): Step;
  /** How an entry is spoilt. */
  spoil(core: Core, state: State): void;
  /** Whether the entry's object can still be recognised. */
  keepsSlot: boolean;
}

const allocates: Spoil["victim"] = ({ file, expected, plain }) => call("alloc", file, expected, plain);

const SPOILS: Record<string, Spoil> = {
  "slot-pointer": {
    victim: allocates,
    spoil: (core, state) => core.setU32(state.slotAt, 0x44),
    keepsSlot: false,
  },
  "slot-id": {
    victim: allocates,
    spoil: (core, state) => core.setU32(core.u32(state.slotAt) + core.constant("SLOT_ID"), 77),
    keepsSlot: false,
  },
  // Two locks more than there are records, of which the dead thread's may explain one.
  holders: {
    victim: ({ file, expected, id }) => call("getSlowly", file, expected, id, 0),
    spoil(core, { entry, lock }) {
      core.setU32(entry, core.u32(entry) + 2 * lock.low);
      core.setU32(entry + 4, core.u32(entry + 4) + 2 * lock.high);
    },
    keepsSlot: true,
  },
};

function model(how: Spoil, profile: ProfileName): Model<State> {
  return {
    name: "poison",
    pages: 4,
    setup(core: Core) {
      const world = makeWorld(core, profile, 3);
      const { file, expected } = world;
      const id = makeObject(core, world, world.plain);
      const other = makeObject(core, world, world.calling);
      const kept = makeObject(core, world, world.plain, [other, other, other]);
      const serial = keep(core, world, kept, OTHER);
      const locked = must(core, OTHER, "getSlowly", file, expected, other, 0);
      const second = must(core, OTHER, "getSlowly", file, expected, other, 0);
      const reserved = must(core, OTHER, "alloc", file, expected, world.plain);
      const referred = must(core, OTHER, "fget", file);
      const entry = core.call(OTHER, "entryAt", file, id);
      const slotAt = entry + core.constant("ENTRY_SLOT");
      const [low, high] = [core.u32(entry), core.u32(entry + 4)];
      const handle = must(core, OTHER, "getSlowly", file, expected, id, 0);
      const lock = { low: core.u32(entry) - low, high: core.u32(entry + 4) - high };
      must(core, OTHER, "putSlowly", file, handle);
      return { ...world, id, entry, lock, slotAt, kept, serial, locked, second, reserved, referred };
    },
    run(core, state) {
      const log = new CallbackLog(core, state.slots);
      return {
        threads: [
          {
            name: "victim",
            *program() {
              yield how.victim(state);
            },
          },
          {
            name: "reaper",
            *program() {
              how.spoil(core, state);
              yield* reap(core, log, REAPER, [VICTIM]);
            },
            afterDeathOf: VICTIM,
          },
        ],
        finish: (_, died) => (died[VICTIM] === true ? checkPoisoned(core, state, log, how) : "nobody died"),
      };
    },
  };
}

function answers(core: Core, wanted: number, name: string, ...args: number[]): void {
  const result = core.call(OTHER, name, ...args);
  expect(result === wanted, `${name} of a poisoned file answers ${result}, not ${wanted}`);
}

/** A file that the victim was not using when it died stays as it is: the entry is somebody else's trouble. */
function checkPoisoned(core: Core, state: State, log: CallbackLog, { keepsSlot }: Spoil): string {
  const { file, expected, id, serial, kept, locked, second, reserved, referred, plain, slots } = state;
  if ((core.u32(file + core.constant("FILE_STATE")) & core.constant("FILE_POISONED")) === 0) return "not poisoned";
  const byNumber = core.constant("FILE_BY_NUMBER");
  for (const context of [expected, byNumber, referred]) {
    answers(core, EIO, "alloc", file, context, plain);
    answers(core, EIO, "getSlowly", file, context, id, 0);
    answers(core, EIO, "destroy", file, context, id, 0);
    answers(core, EIO, "inspect", file, context, id, 0, 0);
    answers(core, EIO, "dropReference", file, context, kept, serial);
    answers(core, EIO, "destroyReference", file, context, kept, serial, 0);
    answers(core, EIO, "ioctlWindow", file, context, 0, 4, 0);
  }
  const fast = core.call(OTHER, "get", file, expected, kept);
  if (fast !== 0) answers(core, EIO, "getConfirm", file, expected, fast & ~core.constant("HANDLE_UNCONFIRMED"));
  answers(core, EIO, "fget", file);
  answers(core, EIO, "hold", file, reserved, locked);
  answers(core, EIO, "holdReference", file, reserved, kept, serial);
  answers(core, EIO, "dropUser", file, locked);
  answers(core, EIO, "putKeepUser", file, locked);
  answers(core, EINVAL, "putSlowly", file, locked);
  answers(core, EIO, "putSlowly", file, second);

  // Another file works.
  const there = must(core, OTHER, "open");
  expect(there !== file, "the row of a poisoned file is handed out");
  const fresh = { ...state, file: there, expected: core.u32(slots[OTHER]! + core.constant("THREAD_RESULT0")) };
  const made = makeObject(core, fresh, plain, [], OTHER);
  must(core, OTHER, "destroy", there, fresh.expected, made, 1);
  must(core, OTHER, "closeNumber", there, byNumber);
  runDirectly(core, OTHER, log.attend(OTHER));

  must(core, OTHER, "closeNumber", file, byNumber);
  core.call(OTHER, "fput", file);
  runDirectly(core, OTHER, log.attend(OTHER));
  // What is reserved in it may still be written to, so the file stays until that is given up.
  const phase = core.u32(file + core.constant("FILE_STATE")) & core.constant("FILE_PHASE_MASK");
  expect(phase === core.constant("FILE_DRAINING"), `the file is in phase ${phase} while a reservation is left`);
  answers(core, EIO, "finalize", file, reserved);
  answers(core, EINVAL, "abort", file, reserved);
  runDirectly(core, OTHER, log.attend(OTHER));
  for (const row of filesOf(core))
    expect(row.phase === 0, `file 0x${row.file.toString(16)} stays in phase ${row.phase}`);
  expect(core.u32(file + core.constant("FILE_ROOT")) === 0, "the table of the poisoned file stays");
  audit(core, slots, [VICTIM]);
  // The row serves again. What could not be recognised is lost: the slot of the spoilt entry at most.
  const again = must(core, OTHER, "open");
  expect(again === file && entriesOf(core, file).length === 0, "the row does not begin anew");
  must(core, OTHER, "closeNumber", file, byNumber);
  runDirectly(core, OTHER, log.attend(OTHER));
  expect(log.begun.size === 0, "a callback ran for an object of a poisoned file");
  const lost = keepsSlot ? 0 : core.constant("SLOT_PAYLOAD"); // a whole slot: objects of the plain type have no payload
  const first = serve(core, state, OTHER, log, lost);
  expect(serve(core, state, OTHER, log, lost) === first, "a round that comes again takes more memory");
  return "poisoned";
}

const TWINS: Record<string, readonly Twin[]> = {
  "slot-id": [
    {
      name: "alloc-asks-no-poison",
      profiles: ["rfc"],
      edits: [
        {
          file: "core/file.ts",
          find: "  if (expected == FILE_BY_NUMBER) return (state & (FILE_PHASE_MASK | FILE_POISONED)) == FILE_OPEN;",
          replace: "  if (expected == FILE_BY_NUMBER) return (state & FILE_PHASE_MASK) == FILE_OPEN;",
        },
      ],
    },
  ],
  holders: [
    {
      name: "more-is-missing-than-was-uncertain",
      profiles: ["rfc"],
      edits: [{ file: "core/recount.ts", find: " || surplus > busy) {", replace: ") {" }],
    },
  ],
};

export const POISONS: readonly Property[] = Object.entries(SPOILS).map(([name, how]) => ({
  name: `poison-${name}`,
  promise: "a file that cannot be put in order answers EIO, and its memory comes back when it is closed",
  profiles: ["rfc", "mainline"],
  quick: name === "slot-id",
  model: (profile: ProfileName) => model(how, profile),
  kill: { thread: VICTIM },
  judge: (outcomes) => (outcomes.has("poisoned") ? undefined : "nothing was ever poisoned"),
  twins: TWINS[name] ?? [],
}));
