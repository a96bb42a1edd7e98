// SPDX-License-Identifier: GPL-2.0-only
//
// Who the recorded process is: it begins as root without a limit, and may give that up in the middle of a scenario.

import type { UserSpace } from "../index.js";

const ROOT = { uid: 0, capabilities: ["CAP_IPC_LOCK", "CAP_SYS_RAWIO", "CAP_SYS_RESOURCE"] } as const;
/** What it is after drop_privileges_*. */
const UNPRIVILEGED = { uid: 1000, capabilities: [] } as const;
const SET_LIMIT = "setrlimit_memlock";
const DROP = /^drop_privileges_/;

export class RecordedProcess {
  /** Whether it is root still, and without a limit. */
  private isFresh = true;

  constructor(private readonly userSpace: UserSpace) {}

  /** Whether a recorded system call changes who the process is. */
  static answers(name: string): boolean {
    return name === SET_LIMIT || DROP.test(name);
  }

  /** Makes one of the calls that `answers` knows. `value`: the limit in bytes, as the recorder set it; negative: none. Returns what was recorded. */
  call(name: string, value = 0): number {
    this.isFresh = false;
    if (name === SET_LIMIT) this.userSpace.setMemlock(value < 0 ? Infinity : value);
    else this.userSpace.setCredentials(UNPRIVILEGED);
    return value;
  }

  /** As at the start of each scenario. */
  reset(): void {
    if (this.isFresh) return;
    this.userSpace.setCredentials(ROOT);
    this.userSpace.setMemlock(Infinity);
    this.isFresh = true;
  }
}
