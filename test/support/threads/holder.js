// SPDX-License-Identifier: GPL-2.0-only
//
// For test/node/blocking-destroy.test.ts: locks one object, says so, and lets go once somebody waits for it.

import { Iommufd } from "iommufd-wasm";
import { post, receive } from "../thread-port.js";

receive(({ share, fd, id }) => {
  const iommufd = Iommufd.attachSync(share);
  const locked = iommufd.file(fd).get(id);
  post("locked");
  while (iommufd.stats().waiting.length === 0);
  locked.put();
  iommufd.detach();
  post("put");
});
