// SPDX-License-Identifier: GPL-2.0-only
/**
 * Pages objects: memory that areas show. One is made by each map of user memory or of a file; COPY lets more areas show it.
 *
 * Nothing is looked at when it is made: an address that means nothing is found out when somebody reaches through it. It remembers the
 * process that mapped it, in whose memory its pages are and who pays for pins, or the memfd whose they are.
 *
 * The process and its user must not be forgotten meanwhile. A space holds the first ones that it meets for as long as its file is open,
 * so that a process which maps and unmaps all the time writes no word that others write; other ones are held by each object.
 *
 * Pages objects lie in chunks of their own, so that the end of a file finds all of them whatever its trees look like.
 *
 * Context of everything here: the space's lock is held.
 *
 * Kernel counterpart: struct iopt_pages, iopt_alloc_user_pages(), iopt_alloc_file_pages(), iopt_put_pages().
 */
import { arenaGive, arenaTake, lockSpace, spaceOf, unlockSpace } from "./arena";
import { assertInvariant } from "./config";
import { EINVAL, ENOMEM } from "../errno";
import { memfdPut } from "./memfd";
import {
  ACCOUNT_MM,
  ACCOUNT_NONE,
  ACCOUNT_USER,
  ARENA_CHUNK_BYTES,
  ARENA_PAGES,
  ArenaChunk,
  CAP_IPC_LOCK,
  PAGES_ACCOUNT_SHIFT,
  PAGES_HOLDS_SOURCE,
  PAGES_IS_RANGE,
  PAGES_WRITABLE,
  PAGE_SHIFT,
  PAGE_SIZE,
  PagesObject,
  PinnedRange,
  Process,
  Space,
} from "./memory-map";
import { releasePins, releaseRange, uncharge } from "./pin";
import {
  addPinned,
  capable,
  chargeMm,
  chargeUser,
  currentProcess,
  dropSource,
  holdSource,
  subPinned,
  unchargeMm,
  unchargeUser,
} from "./process";

/**
 * Memory of the calling process from address `start` on, or with `memfd` that file's from offset `start` on, whose reference it takes
 * over.
 *
 * Context: a piece is reserved. Return: the pages object, with no user yet.
 */
export function makePages(file: usize, memfd: usize, start: u64, length: u64, writable: bool): usize {
  const made = arenaTake(file, ARENA_PAGES);
  const pages = changetype<PagesObject>(made);
  const offset = start & (PAGE_SIZE - 1);
  pages.start = start - offset;
  pages.pages = (offset + length + PAGE_SIZE - 1) >> PAGE_SHIFT;
  pages.memfd = <u32>memfd;
  pages.flags = (writable ? PAGES_WRITABLE : 0) | (accountModeOf(file) << PAGES_ACCOUNT_SHIFT);
  setSource(file, pages);
  return made;
}

/** Whom the calling process' pins are charged to. */
function accountModeOf(file: usize): u32 {
  return capable(CAP_IPC_LOCK) ? ACCOUNT_NONE : changetype<Space>(spaceOf(file)).accountMode;
}

/** The calling process becomes the object's. Context: it has none. */
function setSource(file: usize, pages: PagesObject): void {
  const space = changetype<Space>(spaceOf(file));
  const process = currentProcess();
  if (space.sourceProcess == 0) {
    space.sourceUser = <u32>holdSource(process);
    space.sourceProcess = <u32>process;
  }
  pages.process = <u32>process;
  pages.user = changetype<Process>(process).user;
  if (space.sourceProcess == <u32>process && space.sourceUser == pages.user) return;
  pages.user = <u32>holdSource(process);
  pages.flags |= PAGES_HOLDS_SOURCE;
}

// @ts-ignore: a decorator on a function
@inline export function pagesGet(pages: usize): void {
  changetype<PagesObject>(pages).users++;
}

/** iopt_put_pages() */
export function pagesPut(file: usize, pages: usize): void {
  const object = changetype<PagesObject>(pages);
  assertInvariant(object.users != 0);
  if (--object.users != 0) return;
  dropSources(object);
  arenaGive(file, ARENA_PAGES, pages);
}

/** What the object holds is given back: once, whoever dies in between. */
function dropSources(pages: PagesObject): void {
  if ((pages.flags & PAGES_HOLDS_SOURCE) != 0) {
    pages.flags &= ~PAGES_HOLDS_SOURCE;
    dropSource(pages.process, pages.user);
  }
  const memfd: usize = pages.memfd;
  if (memfd == 0) return;
  pages.memfd = 0;
  memfdPut(memfd);
}

/** The first pages object of the file that is in use, `after` another one or 0. Return: 0 when there is none left. */
function nextPages(file: usize, after: usize): usize {
  const space = changetype<Space>(spaceOf(file));
  let chunk: usize = space.chunks;
  if (after != 0) while (after - chunk >= ARENA_CHUNK_BYTES) chunk = changetype<ArenaChunk>(chunk).link;
  for (; chunk != 0; chunk = changetype<ArenaChunk>(chunk).link) {
    if (changetype<ArenaChunk>(chunk).hasPages == 0) continue;
    let at =
      after != 0 && after - chunk < ARENA_CHUNK_BYTES
        ? after + offsetof<PagesObject>()
        : chunk + offsetof<ArenaChunk>();
    for (; at + offsetof<PagesObject>() <= chunk + ARENA_CHUNK_BYTES; at += offsetof<PagesObject>()) {
      if (changetype<PagesObject>(at).users != 0) return at;
    }
  }
  return 0;
}

/** Gives back what the file's pages objects hold, and what the space holds for them. Context: the caller releases the file; takes the lock. */
export function releasePages(file: usize): void {
  const space = changetype<Space>(spaceOf(file));
  lockSpace(file);
  for (let pages = nextPages(file, 0); pages != 0; pages = nextPages(file, pages)) {
    // Pins are left in a poisoned file only: the owner of an access keeps a file that is whole.
    if (isRange(pages)) releaseRange(changetype<PinnedRange>(pages));
    else {
      releasePins(changetype<PagesObject>(pages));
      dropSources(changetype<PagesObject>(pages));
    }
  }
  const process: usize = space.sourceProcess;
  space.sourceProcess = 0;
  if (process != 0) dropSource(process, space.sourceUser);
  unlockSpace(file);
}

// @ts-ignore: a decorator on a function
@inline function isRange(piece: usize): bool {
  return (changetype<PagesObject>(piece).flags & PAGES_IS_RANGE) != 0;
}

// ---------------------------------------------------------------------------------------------------- IOMMU_IOAS_CHANGE_PROCESS

/**
 * The calling process becomes the owner of all mappings, which must be of files, and pays for what is pinned of them.
 *
 * Context: takes the lock. Return: 0; -EINVAL; -ENOMEM (more than it may lock); then nothing has changed. (iommufd_ioas_change_process)
 */
export function changeProcess(file: usize): i32 {
  lockSpace(file);
  const process = currentProcess();
  const user: usize = changetype<Process>(process).user;
  const mm = pinnedOfOthers(file, ACCOUNT_MM, process, user);
  const locked = pinnedOfOthers(file, ACCOUNT_USER, process, user);
  let result: i32 = 0;
  if (!areAllOfFiles(file)) result = -EINVAL;
  else if (mm != 0 && !chargeMm(process, mm)) result = -ENOMEM;
  else if (locked != 0 && !chargeUser(user, process, locked)) {
    unchargeMm(process, mm);
    result = -ENOMEM;
  } else {
    for (let pages = nextPages(file, 0); pages != 0; pages = nextPages(file, pages)) {
      if (!isRange(pages)) changeOwner(file, changetype<PagesObject>(pages), user);
    }
  }
  unlockSpace(file);
  return result;
}

function areAllOfFiles(file: usize): bool {
  for (let pages = nextPages(file, 0); pages != 0; pages = nextPages(file, pages)) {
    if (!isRange(pages) && changetype<PagesObject>(pages).memfd == 0) return false;
  }
  return true;
}

/** Whether pins in that mode are charged to somebody else. */
function isOfOther(pages: PagesObject, mode: u32, process: usize, user: usize): bool {
  if (pages.flags >> PAGES_ACCOUNT_SHIFT != mode) return false;
  return pages.process != <u32>process || (mode == ACCOUNT_USER && pages.user != <u32>user);
}

function pinnedOfOthers(file: usize, mode: u32, process: usize, user: usize): u32 {
  let count: u32 = 0;
  for (let piece = nextPages(file, 0); piece != 0; piece = nextPages(file, piece)) {
    if (isRange(piece)) continue;
    const pages = changetype<PagesObject>(piece);
    if (isOfOther(pages, mode, process, user)) count += pages.pinned;
  }
  return count;
}

/** Context: what is pinned is charged to the calling process, and to `user`, its own at that time. */
function changeOwner(file: usize, pages: PagesObject, user: usize): void {
  const process = currentProcess();
  const count = pages.pinned;
  const mode = pages.flags >> PAGES_ACCOUNT_SHIFT;
  if (isOfOther(pages, mode, process, user)) uncharge(pages, count);
  subPinned(pages.process, count);
  if ((pages.flags & PAGES_HOLDS_SOURCE) != 0) {
    pages.flags &= ~PAGES_HOLDS_SOURCE;
    dropSource(pages.process, pages.user);
  }
  setSource(file, pages);
  addPinned(process, count);
  if (mode != ACCOUNT_USER || pages.user == <u32>user) return;
  // Its credentials have just changed.
  unchargeUser(user, count);
  unchargeUser(pages.user, 0 - count);
}
