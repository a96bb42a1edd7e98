// SPDX-License-Identifier: GPL-2.0-only
//
// release × last put: one thread closes a file in which two others have an object locked each, and they unlock.
//
// The release is won exactly once. Whoever wins it and finds a lock steps back, and whoever drops that lock takes it up again; the one
// who steps back looks once more, because the lock may have gone in between.

import { makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectReleased } from "../../../bindings/explorer/final-state.js";
import { call, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import { lockObject, put, runRelease } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";

interface State extends Prepared {
  handles: number[];
}

function model(profile: ProfileName): Model<State> {
  return {
    name: "release × last put",
    setup(core: Core) {
      const prepared = prepare(core, profile, 3);
      const ids = [makeObject(core, prepared), makeObject(core, prepared)];
      return { ...prepared, handles: ids.map((id, thread) => lockObject(core, prepared, thread, id)) };
    },
    run(core, state) {
      const { file, expected, handles } = state;
      const putter = (thread: number) =>
        function* (): Program {
          const result = yield* put(core, state, handles[thread]!);
          expect(result === 0, `put answers ${result}`);
          return yield* runRelease(core, state, thread);
        };
      function* closer(): Program {
        const result = yield call("closeNumber", file, expected);
        expect(result === 0, `close answers ${result}`);
        return yield* runRelease(core, state, 2);
      }
      return {
        threads: [
          { name: "putter A", program: putter(0) },
          { name: "putter B", program: putter(1) },
          { name: "closer", program: closer },
        ],
        finish(won) {
          expectReleased(core, state);
          return `won ${won.map(String).join(" ")} times`;
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const releaseLastPut: Property = {
  name: "release-last-put",
  promise: "a release that finds a lock waits for it, and is taken up by whoever drops the last one",
  profiles: ["rfc", "mainline"],
  model,
  seconds: 5, // each release walks 256 entries, so schedules are long: all of them are too many
  twins: [
    {
      name: "pause-does-not-look-again",
      edits: [
        {
          file: "core/file.ts",
          find: "  if (isHeld(settled(entry))) return true; // whoever lets go after this sees DRAINING\n  return !claimRelease(file, draining);",
          replace: "  return true;",
        },
      ],
    },
    {
      name: "release-looks-for-no-locks",
      edits: [
        {
          file: "core/release.ts",
          find: "    if (isHeld(settled(entry)) && pauseRelease(file, entry)) return false;\n  }",
          replace: "  }",
        },
        {
          file: "core/release.ts",
          find: "      if (holdersOf(word) != 0) {\n        if (pauseRelease(file, entry)) return PAUSED;\n        continue;\n      }\n      if (usersOf(word) != 1) {",
          replace: "      if (usersOf(word) > 2) {",
        },
        {
          file: "core/release.ts",
          find: "    if (holdersOf(word) != 0) {\n      if (pauseRelease(file, entry)) return PAUSED;\n      continue;\n    }\n    context.walkSeen = 1;\n    if (usersOf(word) == 1) {",
          replace: "    context.walkSeen = 1;\n    if (usersOf(word) <= 2) {",
        },
      ],
    },
    {
      name: "put-does-not-ask-for-a-release",
      edits: [{ file: "core/lookup.ts", find: "return isQuiet(file) ? 0 : PUT_UNQUIET;", replace: "return 0;" }],
    },
    {
      name: "two-win-the-release",
      edits: [
        {
          file: "core/file.ts",
          find: "  const won = compareExchange32(stateOf(file), draining, draining - FILE_DRAINING + FILE_RELEASING) == draining;",
          replace:
            "  const won = load32(stateOf(file)) == draining;\n  if (won) store32(stateOf(file), draining - FILE_DRAINING + FILE_RELEASING);",
        },
      ],
    },
  ],
};
