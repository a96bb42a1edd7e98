// SPDX-License-Identifier: GPL-2.0-only
/**
 * Pages objects: memory that areas show. One is made by each map of user memory or of a file; COPY lets more areas show it.
 *
 * Nothing is looked at when it is made: an address that means nothing is found out when somebody reaches through it.
 *
 * Context of everything here: the space's lock is held.
 *
 * Kernel counterpart: struct iopt_pages, iopt_alloc_user_pages(), iopt_put_pages().
 */
import { arenaGive, arenaTake } from "./arena";
import { assertInvariant } from "./config";
import { ARENA_PAGES, PAGES_WRITABLE, PAGE_SHIFT, PAGE_SIZE, PagesObject } from "./memory-map";

/** Memory of the calling process, from `address` on. Context: a piece is reserved. Return: the pages object, with no user yet. */
export function pagesOfUser(file: usize, address: u64, length: u64, writable: bool): usize {
  return pagesOf(file, address, length, writable);
}

function pagesOf(file: usize, start: u64, length: u64, writable: bool): usize {
  const made = arenaTake(file, ARENA_PAGES);
  const pages = changetype<PagesObject>(made);
  const offset = start & (PAGE_SIZE - 1);
  pages.start = start - offset;
  pages.pages = (offset + length + PAGE_SIZE - 1) >> PAGE_SHIFT;
  pages.flags = writable ? PAGES_WRITABLE : 0;
  return made;
}

// @ts-ignore: a decorator on a function
@inline export function pagesGet(pages: usize): void {
  changetype<PagesObject>(pages).users++;
}

/** iopt_put_pages() */
export function pagesPut(file: usize, pages: usize): void {
  const object = changetype<PagesObject>(pages);
  assertInvariant(object.users != 0);
  if (--object.users == 0) arenaGive(file, ARENA_PAGES, pages);
}
