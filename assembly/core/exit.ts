// SPDX-License-Identifier: GPL-2.0-only
/**
 * The end of a process: it can map nothing more, and what it has mapped goes, one mapping after the other.
 *
 * Threads that act for it go on: for them user memory is EFAULT from here on. What has pinned its pages keeps them.
 *
 * Once its last mapping is gone the row may be another process' at any time (process.ts). So whoever looks for the next mapping asks for the
 * number, too, under the map lock, under which a row gets it.
 *
 * If the thread dies in here, whoever reaps it unmaps the rest: a mapping of an ended process is nobody's (recoverMappings).
 *
 * Kernel counterpart: do_exit(), exit_mmap().
 */
import { store32 } from "./atomics";
import { EINVAL, ESRCH } from "../errno";
import { finishUnmap, waitForPins } from "./gup";
import { PROCESSES, PROCESS_ENDED, Process } from "./memory-map";
import { RANK_MAP, lock, unlock } from "./mutex";
import { processNumbered } from "./process";
import { MAP_LOCK, beginUnmap, firstOf, ordered } from "./vma";

/** Context: may wait for copies. Return: 0; -ESRCH (ended already); -EINVAL for the default process. */
export function endProcess(pid: u32): i32 {
  lock(MAP_LOCK, RANK_MAP);
  const process = processNumbered(pid);
  const isNone = process == 0 || process == PROCESSES;
  if (!isNone) store32(process + offsetof<Process>("state"), PROCESS_ENDED);
  unlock(MAP_LOCK, RANK_MAP);
  if (isNone) return process == 0 ? -ESRCH : -EINVAL;
  for (let row = takeMapping(process, pid); row != 0; row = takeMapping(process, pid)) {
    waitForPins(row);
    finishUnmap(row);
  }
  return 0;
}

/** Return: a mapping that nobody finds any more, 0 when the process has none. */
function takeMapping(process: usize, pid: u32): usize {
  lock(MAP_LOCK, RANK_MAP);
  const position = changetype<Process>(process).pid == pid ? firstOf(process) : -1;
  const row = position < 0 ? <usize>0 : ordered(position);
  if (row != 0) beginUnmap(row, position);
  unlock(MAP_LOCK, RANK_MAP);
  return row;
}
