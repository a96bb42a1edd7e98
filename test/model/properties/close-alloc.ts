// SPDX-License-Identifier: GPL-2.0-only
//
// close × alloc, close × destroy: one thread closes a file and opens it again, while a second makes an object in it, or takes one out.
//
// Neither has a mark on the file. While they change the ID table its lock keeps the file from being released, from alloc to finalize
// the reserved word does; whoever ends that takes up a release that waits for it. A call that comes too late must not touch the table,
// which may be the new file's by then.

import { makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectReleased } from "../../../bindings/explorer/final-state.js";
import { call, type Calls, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import { make, resultOf, runRelease } from "../object-calls.ts";
import type { Edit, ProfileName, Property } from "../property.ts";

const EBADF = -9;
const ENOENT = -2;

interface State extends Prepared {
  id: number;
}

function model(profile: ProfileName, name: string, changer: (core: Core, state: State) => Calls<string>): Model<State> {
  return {
    name: `close × ${name}`,
    setup(core: Core) {
      const prepared = prepare(core, profile, 2);
      return { ...prepared, id: makeObject(core, prepared) };
    },
    run(core, state) {
      const { file, expected } = state;
      let reopened: Prepared | undefined;
      function* change(): Program {
        const done = yield* changer(core, state);
        yield* runRelease(core, state, 0);
        return done;
      }
      function* closer(): Program {
        const result = yield call("closeNumber", file, expected);
        expect(result === 0, `close answers ${result}`);
        yield* runRelease(core, state, 1);
        const again = yield call("open");
        if (again !== file) return "ok"; // the release is still to come
        reopened = { ...state, expected: resultOf(core, state, 1) };
        const id = yield* make(reopened);
        expect(id === 1, `the first ID of the new file is ${id}`);
        return "reopened";
      }
      return {
        threads: [
          { name, program: change },
          { name: "close, open, alloc", program: closer },
        ],
        finish(done) {
          if (reopened) {
            expect(core.call(1, "inspect", file, reopened.expected, 1, 1, 0) === 0, "the new file's object is gone");
            expect(core.call(1, "closeNumber", file, reopened.expected) === 0, "the new file cannot be closed");
            while (core.call(1, "releaseNext", file) !== 0);
          }
          expectReleased(core, state);
          return done.map(String).join(", ");
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

function* allocates(_: Core, { file, expected, type }: State): Calls<string> {
  const handle = yield call("alloc", file, expected, type);
  if (handle === EBADF) return "too late";
  expect(handle > 0, `alloc answers ${handle}`);
  const id = yield call("finalize", file, handle);
  expect(id === 2, `finalize answers ${id}`);
  return "in time";
}

function* destroys(_: Core, { file, expected, id }: State): Calls<string> {
  const result = yield call("destroy", file, expected, id, 1);
  expect(result === 0 || result === EBADF || result === ENOENT, `destroy answers ${result}`);
  return result === 0 ? "in time" : "too late";
}

const SECTION_DOES_NOT_KEEP_THE_FILE: readonly Edit[] = [
  {
    file: "core/file.ts",
    find: `  if (owner != 0 && load32(threadNamed(owner) + offsetof<Thread>("collecting")) == 0) return true;\n`,
    replace: "",
  },
];

export const closeAlloc: Property = {
  name: "close-alloc",
  promise:
    "an allocation that is in time keeps its file until the reservation ends, one that is too late touches nothing",
  profiles: ["rfc", "mainline"],
  model: (profile) => model(profile, "alloc, finalize", allocates),
  seconds: 5,
  twins: [
    {
      name: "alloc-does-not-look-at-the-file",
      profiles: ["rfc"],
      edits: [
        {
          file: "core/object.ts",
          find: "const entry = mayUse(file, expected) ? reserve(file, type, slab, slot, isSpare) : refusal(file, expected);",
          replace: "const entry = reserve(file, type, slab, slot, isSpare);",
        },
      ],
    },
    {
      name: "release-ignores-reservations",
      profiles: ["rfc"],
      edits: [
        {
          file: "core/release.ts",
          find: "if (isHeld(settled(entry)) && pauseRelease(file, entry)) return false;",
          replace: "if (holdersOf(settled(entry)) != 0 && pauseRelease(file, entry)) return false;",
        },
      ],
    },
    {
      name: "finalize-does-not-resume-the-release",
      profiles: ["rfc"],
      edits: [
        {
          file: "core/object.ts",
          find: "  thread.publishing = 0;\n  fileUnlocked(file);",
          replace: "  thread.publishing = 0;",
        },
      ],
    },
    { name: "section-does-not-keep-the-file", profiles: ["rfc"], edits: SECTION_DOES_NOT_KEEP_THE_FILE },
  ],
};

export const closeDestroy: Property = {
  name: "close-destroy",
  promise: "a removal that is in time keeps its file meanwhile, one that is too late touches nothing",
  profiles: ["rfc", "mainline"],
  model: (profile) => model(profile, "destroy", destroys),
  seconds: 5,
  twins: [
    {
      name: "idle-removal-does-not-look-at-the-file",
      profiles: ["rfc"],
      edits: [
        {
          file: "core/destroy.ts",
          find: "mayUse(file, expected) && loadRelaxed64(entry) == word",
          replace: "loadRelaxed64(entry) == word",
        },
      ],
    },
    {
      name: "idle-removal-does-not-resume-the-release",
      profiles: ["rfc"],
      edits: [
        {
          file: "core/destroy.ts",
          find: "  if (isOut && !isSpare) slabFree(slab, slot, hand());\n  fileUnlocked(file);",
          replace: "  if (isOut && !isSpare) slabFree(slab, slot, hand());",
        },
      ],
    },
    { name: "section-does-not-keep-the-file", profiles: ["rfc"], edits: SECTION_DOES_NOT_KEEP_THE_FILE },
  ],
};
