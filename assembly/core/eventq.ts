// SPDX-License-Identifier: GPL-2.0-only
/**
 * Fault queues: an object, and a file on which page faults are read and answered, which is its owner (owned.ts).
 *
 * There is no device yet, hence no fault: a queue is always empty, and no cookie is known.
 *
 * Kernel counterpart: drivers/iommu/iommufd/eventq.c.
 */
import { EBADF, EFAULT, EINVAL, EOPNOTSUPP, ESPIPE } from "../errno";
import { fileLeave, isPoisoned } from "./file";
import { freeKeeper, keeperOf, keptBy } from "./keeper";
import { FIRST_QUEUE_FD, KEEPERS, Keeper, TYPE_FAULT, Thread } from "./memory-map";
import { abortOwned, allocOwned, dropOwned, endOwned, markOwned, publishOwned } from "./owned";
import { current } from "./thread";
import { IommuFaultAlloc, IommuHwptPageResponse, IommuHwptPgfault } from "./uapi";
import { respond, structOf } from "./ucmd";
import { xaEntry } from "./xarray";

/** IOMMU_FAULT_QUEUE_ALLOC. Context and Return as in ioas.ts; -EMFILE when there is no number left. */
export function faultQueueAlloc(file: usize, expected: u32): i32 {
  const cmd = changetype<IommuFaultAlloc>(structOf());
  if (cmd.flags != 0) return -EOPNOTSUPP;
  const handle = allocOwned(file, expected, TYPE_FAULT);
  if (handle < 0) return handle;
  const row: usize = changetype<Thread>(current()).result0;
  cmd.out_fault_id = changetype<Keeper>(row).id;
  cmd.out_fault_fd = FIRST_QUEUE_FD + <u32>(row - KEEPERS) / offsetof<Keeper>();
  if (!respond(offsetof<IommuFaultAlloc>())) {
    abortOwned(file, handle, row);
    return -EFAULT;
  }
  return publishOwned(file, handle, row);
}

/** Return: the open row of that file number, or 0. */
function queueOf(fd: i32): usize {
  return keeperOf(<u32>fd - FIRST_QUEUE_FD, TYPE_FAULT);
}

/**
 * read(2). Return: 0, there is no fault; -EBADF; -ESPIPE when `bytes` is no multiple of a record's size.
 * (iommufd_fault_fops_read)
 */
export function queueFileRead(fd: i32, bytes: u32): i32 {
  if (queueOf(fd) == 0) return -EBADF;
  return bytes % offsetof<IommuHwptPgfault>() != 0 ? -ESPIPE : 0;
}

/** write(2) of whole responses. Return: 0 for none; -EBADF; -ESPIPE; -EINVAL: no such cookie. (iommufd_fault_fops_write) */
export function queueFileWrite(fd: i32, bytes: u32): i32 {
  if (queueOf(fd) == 0) return -EBADF;
  if (bytes % offsetof<IommuHwptPageResponse>() != 0) return -ESPIPE;
  return bytes == 0 ? 0 : -EINVAL;
}

/** close(2): the object's user is dropped; the context's file may go. Return: 0, -EBADF. (iommufd_fault_fops_release) */
export function queueFileClose(fd: i32): i32 {
  const row = queueOf(fd);
  if (row == 0) return -EBADF;
  const state = markOwned(row); // whoever wins the swap has the row, which kept the file until this mark did
  if (state == 0) return -EBADF;
  const file = keptBy(state);
  const isOurs = endOwned(row, state);
  if (isOurs) {
    if (!isPoisoned(file)) dropOwned(file, row, xaEntry(file, changetype<Keeper>(row).id), false);
    freeKeeper(row);
  }
  fileLeave(file);
  return isOurs ? 0 : -EBADF;
}
