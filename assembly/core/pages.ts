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
import { EINVAL } from "../errno";
import { memfdPut } from "./memfd";
import {
  ACCOUNT_NONE,
  ARENA_CHUNK_BYTES,
  ARENA_PAGES,
  ArenaChunk,
  CAP_IPC_LOCK,
  PAGES_ACCOUNT_SHIFT,
  PAGES_HOLDS_SOURCE,
  PAGES_WRITABLE,
  PAGE_SHIFT,
  PAGE_SIZE,
  PagesObject,
  Process,
  Space,
} from "./memory-map";
import { capable, currentProcess, dropSource, holdSource } from "./process";

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
    dropSources(changetype<PagesObject>(pages));
  }
  const process: usize = space.sourceProcess;
  space.sourceProcess = 0;
  if (process != 0) dropSource(process, space.sourceUser);
  unlockSpace(file);
}

/**
 * The calling process becomes the owner of all mappings, which must be of files.
 *
 * Context: takes the lock. Return: 0; -EINVAL. (iommufd_ioas_change_process)
 */
export function changeProcess(file: usize): i32 {
  let result: i32 = 0;
  lockSpace(file);
  for (let pages = nextPages(file, 0); pages != 0 && result == 0; pages = nextPages(file, pages)) {
    if (changetype<PagesObject>(pages).memfd == 0) result = -EINVAL;
  }
  for (let pages = nextPages(file, 0); pages != 0 && result == 0; pages = nextPages(file, pages)) {
    const object = changetype<PagesObject>(pages);
    if ((object.flags & PAGES_HOLDS_SOURCE) != 0) {
      object.flags &= ~PAGES_HOLDS_SOURCE;
      dropSource(object.process, object.user);
    }
    setSource(file, object);
  }
  unlockSpace(file);
  return result;
}
