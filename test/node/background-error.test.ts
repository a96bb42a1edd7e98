// SPDX-License-Identifier: GPL-2.0-only
//
// A destroy callback that runs in the background, for an object that another thread released, has no caller to throw to. Its
// error becomes an uncaught one of the process, and the objects after it are destroyed all the same.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const SCRIPT = `
  import { Iommufd } from "iommufd-wasm";
  const errors = [];
  process.on("uncaughtException", (error) => errors.push(error.message));
  process.on("unhandledRejection", (error) => errors.push("rejection " + error.message));
  const owner = Iommufd.createSync();
  const worker = Iommufd.attachSync(owner.share);
  const ran = [];
  owner.defineObjectType({ name: "piece", payloadBytes: 0, destroy({ id }) {
    ran.push(id);
    if (id === 1) throw new Error("thrown for " + id);
  } });
  const type = worker.defineObjectType({ name: "piece", payloadBytes: 0 });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  for (let round = 0; round < 3; round++) {
    const context = worker.open();
    for (let n = 0; n < 3; n++) context.alloc(type).finalize();
    context.close();
    while (owner.stats().objects.queued > 0) await turn();
  }
  await turn();
  owner.detach();
  worker.detach();
  console.log(JSON.stringify({ ran, errors }));
`;

test("a callback that throws in the background is an uncaught error and stops nothing", () => {
  const flags = ["--input-type=module", "--eval", SCRIPT];
  const output = execFileSync(process.execPath, flags, { cwd: ROOT, encoding: "utf8", timeout: 20_000 });
  expect(JSON.parse(output)).toEqual({
    ran: [1, 2, 3, 1, 2, 3, 1, 2, 3],
    errors: ["thrown for 1", "thrown for 1", "thrown for 1"],
  });
});
