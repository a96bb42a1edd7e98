// SPDX-License-Identifier: GPL-2.0-only
//
// The worker of attach.bench.mjs: says that it is up, then attaches to the share it gets and answers with the time.

import { parentPort } from "node:worker_threads";
import { Iommufd } from "iommufd-wasm";

parentPort.once("message", ({ share, fd }) => {
  const start = performance.now();
  const iommufd = Iommufd.attachSync(share);
  const result = iommufd.file(fd).tryDestroy(1);
  const milliseconds = performance.now() - start;
  iommufd.detach();
  parentPort.postMessage({ milliseconds, result });
});
parentPort.postMessage("up");
