// SPDX-License-Identifier: GPL-2.0-only
//
// For test/threads.test.ts: adds 1 to the first word of each shared memory that it is sent, and answers with the old value.

import { post, receive } from "../thread-port.js";

receive(({ memory }) => post({ before: Atomics.add(new Int32Array(memory.buffer), 0, 1) }));
