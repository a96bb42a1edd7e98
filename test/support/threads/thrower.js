// SPDX-License-Identifier: GPL-2.0-only
//
// For test/threads.test.ts: fails at the first message.

import { receive } from "../thread-port.js";

receive(() => {
  throw new Error("thrown in the thread");
});
