// SPDX-License-Identifier: GPL-2.0-only
//
// close × ioctl in flight × fget: one thread runs an ioctl on a file, another closes its number, a third takes a reference, locks an
// object by it and gives both back.
//
// The file is released once, by whoever is the last: closer, ioctl, reference or lock. Until then all three work with live objects.

import { makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectReleased } from "../../../bindings/explorer/final-state.js";
import { call, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import { get, put, runRelease } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";

interface State extends Prepared {
  id: number;
  request: number;
}

const EBADF = -9;

function model(profile: ProfileName): Model<State> {
  return {
    name: "close × ioctl × fget",
    setup(core: Core) {
      const prepared = prepare(core, profile, 3);
      const nr = core.constant("COMMAND_BASE") + 0x30;
      if (core.call(0, "defineCommand", nr, 8, 8, 1, 1) !== 0) throw new Error("defineCommand failed");
      core.setU32(prepared.slots[0]! + core.constant("THREAD_WINDOW"), 8);
      return { ...prepared, id: makeObject(core, prepared), request: core.constant("IOMMUFD_TYPE") | nr };
    },
    run(core, state) {
      const { file, expected, id, request } = state;
      function* caller(): Program {
        const begun = yield call("ioctlWindow", file, expected, request, 8, 1);
        // Refused, but it may have been the last that the release waited for.
        if (begun === EBADF) return (yield* runRelease(core, state, 0)) > 0 ? "refused, released" : "refused";
        expect(begun === core.constant("MUST_EXECUTE"), `ioctl answers ${begun}`);
        const inFlight = { ...state, expected: expected - core.constant("FILE_OPEN") + core.constant("FILE_DRAINING") };
        const handle = yield* get(core, inFlight, id);
        expect(handle > 0, `get in the ioctl answers ${handle}`);
        expect((yield call("describe", file, handle)) === 0, "the object in the ioctl cannot be looked at");
        expect((yield* put(core, inFlight, handle)) === 0, "put in the ioctl fails");
        yield call("ioctlEnd", file);
        return (yield* runRelease(core, state, 0)) > 0 ? "ran, released" : "ran";
      }
      function* closer(): Program {
        const result = yield call("closeNumber", file, expected);
        expect(result === 0, `close answers ${result}`);
        return (yield* runRelease(core, state, 1)) > 0 ? "released" : "closed";
      }
      function* referrer(): Program {
        const referred = yield call("fget", file);
        if (referred === EBADF) {
          return (yield* runRelease(core, state, 2)) > 0 ? "refused, released" : "refused";
        }
        const handle = yield* get(core, { ...state, expected: referred }, id);
        expect(handle > 0, `get by a reference answers ${handle}`);
        expect((yield* put(core, state, handle)) === 0, "put by a reference fails");
        yield call("fput", file);
        return (yield* runRelease(core, state, 2)) > 0 ? "used, released" : "used";
      }
      return {
        threads: [
          { name: "caller", program: caller },
          { name: "closer", program: closer },
          { name: "referrer", program: referrer },
        ],
        finish([called, closed, referred]) {
          expectReleased(core, state);
          return `ioctl ${String(called)}, close ${String(closed)}, fget ${String(referred)}`;
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const closeIoctlFget: Property = {
  name: "close-ioctl-fget",
  promise: "a closed file is released once, after its last call, reference and lock",
  profiles: ["rfc", "mainline"],
  model,
  seconds: 5, // three threads read each other's marks, six at a time: all schedules are far too many
  twins: [
    {
      name: "release-ignores-calls-in-flight",
      edits: [
        {
          file: "core/file.ts",
          find: "!= FILE_DRAINING || isInUse(file)) return;",
          replace: "!= FILE_DRAINING) return;",
        },
      ],
    },
    {
      name: "call-does-not-look-again",
      edits: [
        {
          file: "core/file.ts",
          find: "  const mark = markOf(current(), file);\n  store32(mark, load<u32>(mark) + 1);\n  return load32(stateOf(file)) == expected || enterLater(file, expected);",
          replace:
            "  const good = load32(stateOf(file)) == expected;\n  const mark = markOf(current(), file);\n  store32(mark, load<u32>(mark) + 1);\n  return good || enterLater(file, expected);",
        },
      ],
    },
    {
      name: "fget-does-not-look-again",
      edits: [
        {
          file: "core/file.ts",
          find: "  store32(mark, before + MARK_REFERENCE);\n  const state = load32(stateOf(file));",
          replace: "  const state = load32(stateOf(file));\n  store32(mark, before + MARK_REFERENCE);",
        },
      ],
    },
    {
      name: "last-call-does-not-release",
      edits: [
        {
          file: "core/file.ts",
          find: "  store32(mark, load<u32>(mark) - 1);\n  if (isDraining(file)) tryRelease(file);",
          replace: "  store32(mark, load<u32>(mark) - 1);",
        },
      ],
    },
    {
      name: "last-reference-does-not-drain",
      edits: [
        {
          file: "core/file.ts",
          find: "  store32(mark, load<u32>(mark) - MARK_REFERENCE);\n  drain(file);",
          replace: "  store32(mark, load<u32>(mark) - MARK_REFERENCE);",
        },
      ],
    },
  ],
};
