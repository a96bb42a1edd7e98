// SPDX-License-Identifier: GPL-2.0-only
//
// For test/support/storm.ts: one of the threads of a storm.

import { storm } from "../storm-thread.js";
import { serve } from "../thread-tasks.js";

serve({ storm });
