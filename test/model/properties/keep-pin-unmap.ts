// SPDX-License-Identifier: GPL-2.0-only
//
// A pin that outlasts a call against unmap.

import { prepare } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { call, type Calls, type Model, type Program } from "../../../bindings/explorer/model.js";
import type { Property } from "../property.ts";
import {
  both,
  BYTES,
  DEFAULTS,
  describeAddress,
  expectFree,
  page,
  READ_WRITE,
  type State,
  VA,
  WORD,
} from "./user-world.ts";

function longPin(): Model<State> {
  return {
    name: "a pin that is kept × unmap",
    setup(core) {
      const state = { ...prepare(core, "rfc", 3), free: core.u32(core.constant("PAGES_USED")), pid: 1 };
      return { ...state, at: page(core, 0, WORD) };
    },
    run: (core, state) => ({
      threads: [
        {
          name: "device",
          *program(): Program {
            const reach = yield call("pinIn", core.constant("PROCESSES"), VA, BigInt(BYTES), READ_WRITE);
            if (reach === 0) return "fault";
            const row = yield call("keepPin");
            yield call("unpin");
            expect(core.u32(state.at) === WORD, "a pinned page is wiped");
            yield call("dropPin", row);
            return "pinned";
          },
        },
        {
          name: "unmapper",
          *program(): Calls<void> {
            const result = yield call("unmap", VA);
            expect(result === 0, `unmap answers ${result}`);
          },
        },
      ],
      finish([pinned]) {
        expect(core.u32(state.at) === 0, "the page is not wiped");
        expectFree(core, state);
        return String(pinned);
      },
    }),
    describeAddress,
  };
}

export const keepPinUnmap: Property = {
  ...DEFAULTS,
  name: "keep-pin-unmap",
  promise: "pages that are pinned outlast unmap, and go with the last pin",
  model: longPin,
  judge: both,
  twins: [
    {
      name: "unmap-does-not-look-at-pins",
      edits: [
        {
          file: "core/gup.ts",
          find: '  if ((load32(row + offsetof<Mapping>("pins")) != 0 || isCopied(row)) && leaveToPins(row)) return;\n',
          replace: "",
        },
      ],
    },
    {
      name: "the-row-is-left-without-the-lock",
      edits: [
        {
          file: "core/gup.ts",
          find: "function leaveToPins(row: usize): bool {\n  lock(MAP_LOCK, RANK_MAP);",
          replace: "function leaveToPins(row: usize): bool {",
        },
        {
          file: "core/gup.ts",
          find: "  unlock(MAP_LOCK, RANK_MAP);\n  return !isOver;",
          replace: "  return !isOver;",
        },
      ],
    },
  ],
};
