// SPDX-License-Identifier: GPL-2.0-only
//
// get × destroy: one thread locks an object, looks at it and unlocks it, while another destroys it.
//
// rfc: the destroyer waits for the holder, so the destroy always succeeds. mainline: it does not wait; a holder makes it fail with
// EBUSY. In both, what is locked stays memory of this object until it is unlocked: the look reads the slot, and the explorer's map
// of live bytes fails a look at freed memory.

import { boot, describeCore, makeObject, type Booted } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { call, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import { destroy, get, put } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";

interface State extends Booted {
  id: number;
  describe: (address: number) => string | undefined;
}

const ENOENT = -2;
const EBUSY = -16;

const ALLOWED: Record<ProfileName, readonly string[]> = {
  rfc: ["get ok, destroy 0", "get -2, destroy 0"],
  mainline: ["get ok, destroy 0", "get ok, destroy -16", "get -2, destroy 0"],
};

function model(profile: ProfileName): Model<State> {
  return {
    name: "get × destroy",
    spurious: 1,
    setup(core: Core) {
      const booted = boot(core, profile, 2);
      const id = makeObject(core, booted);
      return { ...booted, id, describe: describeCore(core, booted, [id]) };
    },
    run(core, state) {
      const { file, id } = state;
      function* getter(): Program {
        const handle = yield* get(core, state, id);
        if (handle === ENOENT) return handle;
        expect(handle > 0, `get answers ${handle}`);
        const described = yield call("describe", file, handle);
        expect(described === 0, `describe answers ${described}`);
        const result = yield* put(core, state, handle);
        expect(result === 0, `put answers ${result}`);
        return "ok";
      }
      return {
        threads: [
          { name: "getter", program: getter },
          { name: "destroyer", program: () => destroy(core, state, 1, id) },
        ],
        finish([got, destroyed]) {
          const taken = core.u32(file + core.constant("FILE_TAKEN"));
          expect(taken === (destroyed === EBUSY ? 1 : 0), `${taken} IDs are taken at the end`);
          const text = `get ${String(got)}, destroy ${String(destroyed)}`;
          expect(ALLOWED[profile].includes(text), `the kernel never answers: ${text}`);
          return text;
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const getDestroy: Property = {
  name: "get-destroy",
  promise: "a locked object is not destroyed, and its destroyer learns of the unlock",
  profiles: ["rfc", "mainline"],
  quick: true,
  model,
  judge(outcomes, profile) {
    const missing = ALLOWED[profile].filter((text) => !outcomes.has(text));
    return missing.length > 0 ? `never seen: ${missing.join("; ")}` : undefined;
  },
  twins: [
    {
      name: "last-holder-wakes-nobody",
      profiles: ["rfc"],
      edits: [
        {
          file: "core/refcount.ts",
          find: "      if (wakesDestroyers(next)) notify(entry, -1);",
          replace: "",
        },
      ],
    },
    {
      name: "get-stores-blindly",
      edits: [
        {
          file: "core/lookup.ts",
          find: `  announceRecord(record, name, entry, file);
  if (compareExchange64(entry, word, next) != word) {
    withdrawRecord(record, name);
    return 0;
  }`,
          replace: `  announceRecord(record, name, entry, file);
  store64(entry, next);`,
        },
        { file: "core/lookup.ts", find: "loadRelaxed64 } from", replace: "loadRelaxed64, store64 } from" },
      ],
    },
    {
      name: "destroy-counts-one-user-too-few",
      profiles: ["mainline"],
      edits: [
        {
          file: "core/destroy.ts",
          find: "      if (usersOf(word) != 1) return -EBUSY;\n      if (hasCallback",
          replace: "      if (usersOf(word) > 2) return -EBUSY;\n      if (hasCallback",
        },
      ],
    },
  ],
};
