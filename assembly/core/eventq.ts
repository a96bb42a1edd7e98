// SPDX-License-Identifier: GPL-2.0-only
/**
 * Fault queues: an object, and a file on which page faults are read and answered.
 *
 * The open file keeps a user on the object, so DESTROY is EBUSY until it is closed, and it keeps the context's file (queue_file.ts):
 * closing the number of /dev/iommu releases nothing before.
 *
 * There is no device yet, hence no fault: a queue is always empty, and no cookie is known.
 *
 * Kernel counterpart: drivers/iommu/iommufd/eventq.c.
 */
import { compareExchange32, load32, store32 } from "./atomics";
import { EBADF, EFAULT, EINVAL, EMFILE, EOPNOTSUPP, ESPIPE } from "../errno";
import { fileLeave, fileMark, inFlight } from "./file";
import { dropReference } from "./kept";
import {
  FIRST_QUEUE_FD,
  HoldRecord,
  MAX_QUEUE_FILES,
  QUEUE_FILE_MASK,
  QUEUE_FILE_OPEN,
  QueueFile,
  Slot,
  TYPE_FAULT,
} from "./memory-map";
import { abort, alloc, finalize, keepUserOfReserved } from "./object";
import { claimQueueFile, findQueueFile, queueFileAt, queueFileMaking, queueFileState } from "./queue_file";
import { serialOfSlot } from "./slot";
import { recordOf } from "./thread";
import { IommuFaultAlloc, IommuHwptPageResponse, IommuHwptPgfault } from "./uapi";
import { respond, structOf } from "./ucmd";
import { slotOf } from "./xarray";

/** IOMMU_FAULT_QUEUE_ALLOC. Context and Return as in ioas.ts; -EMFILE when all rows are open. */
export function faultQueueAlloc(file: usize, expected: u32): i32 {
  const cmd = changetype<IommuFaultAlloc>(structOf());
  if (cmd.flags != 0) return -EOPNOTSUPP;
  const handle = alloc(file, expected, TYPE_FAULT);
  if (handle < 0) return handle;
  const number = claimQueueFile();
  if (number == MAX_QUEUE_FILES) {
    abort(file, handle);
    return -EMFILE;
  }
  const slot = slotOf(changetype<HoldRecord>(recordOf(handle)).target);
  const row = changetype<QueueFile>(queueFileAt(number));
  row.id = changetype<Slot>(slot).id;
  row.serial = serialOfSlot(slot);
  cmd.out_fault_id = row.id;
  cmd.out_fault_fd = FIRST_QUEUE_FD + number;
  if (!respond(offsetof<IommuFaultAlloc>())) {
    store32(queueFileState(queueFileAt(number)), 0);
    abort(file, handle);
    return -EFAULT;
  }
  keepUserOfReserved(file, handle);
  const result = finalize(file, handle);
  store32(queueFileState(queueFileAt(number)), result < 0 ? 0 : (<u32>file) | QUEUE_FILE_OPEN);
  return min(result, 0);
}

/**
 * read(2). Return: 0, there is no fault; -EBADF; -ESPIPE when `bytes` is no multiple of a record's size.
 * (iommufd_fault_fops_read)
 */
export function queueFileRead(fd: i32, bytes: u32): i32 {
  if (findQueueFile(fd) == 0) return -EBADF;
  return bytes % offsetof<IommuHwptPgfault>() != 0 ? -ESPIPE : 0;
}

/** write(2) of whole responses. Return: 0 for none; -EBADF; -ESPIPE; -EINVAL: no such cookie. (iommufd_fault_fops_write) */
export function queueFileWrite(fd: i32, bytes: u32): i32 {
  if (findQueueFile(fd) == 0) return -EBADF;
  if (bytes % offsetof<IommuHwptPageResponse>() != 0) return -ESPIPE;
  return bytes == 0 ? 0 : -EINVAL;
}

/** close(2): the object's user is dropped; the context's file may go. Return: 0, -EBADF. (iommufd_fault_fops_release) */
export function queueFileClose(fd: i32): i32 {
  const row = findQueueFile(fd);
  if (row == 0) return -EBADF;
  const state = load32(queueFileState(row));
  const file: usize = state & ~QUEUE_FILE_MASK;
  fileMark(file); // whoever wins the swap has the row, which kept the file until this mark did
  const isOurs =
    (state & QUEUE_FILE_MASK) == QUEUE_FILE_OPEN &&
    compareExchange32(queueFileState(row), state, queueFileMaking()) == state;
  if (isOurs) {
    const was = changetype<QueueFile>(row);
    dropReference(file, inFlight(file), was.id, <f64>was.serial);
    store32(queueFileState(row), 0);
  }
  fileLeave(file);
  return isOurs ? 0 : -EBADF;
}
