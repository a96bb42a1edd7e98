// SPDX-License-Identifier: GPL-2.0-only
//
// For test/support/space-storm.ts: one of the threads of a storm on address spaces.

import { spaceStorm } from "../space-storm-thread.js";
import { serve } from "../thread-tasks.js";

serve({ spaceStorm });
