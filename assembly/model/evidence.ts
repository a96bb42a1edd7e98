// SPDX-License-Identifier: GPL-2.0-only
/**
 * What models of deaths look at beyond the layout of the bindings: the evidence in a thread's slot, the entries of an ID table, free
 * lists. Functions read only, and are called when no thread runs.
 */
import * as at from "../core/memory-map";
import { holdOf } from "../core/hold";
import { destroyersOf, freezerOf, holdersOf, phaseOf, usersOf } from "../core/refcount";
import { current } from "../core/thread";
import { slotOf, xaLoad } from "../core/xarray";

export const THREAD_CLAIMING: u32 = offsetof<at.Thread>("claiming");
export const THREAD_MAPPING: u32 = offsetof<at.Thread>("mapping");
export const THREAD_CHANGING: u32 = offsetof<at.Thread>("changing");
export const THREAD_CHANGE_STARTED: u32 = offsetof<at.Thread>("changeStarted");
export const THREAD_REAPER: u32 = offsetof<at.Thread>("reaper");
export const THREAD_REAPING: u32 = offsetof<at.Thread>("reaping");
export const THREAD_SWEEPS: u32 = offsetof<at.Thread>("sweeps");
export const THREAD_FILES_SETTLED: u32 = offsetof<at.Thread>("filesSettled");
export const THREAD_PUBLISHING: u32 = offsetof<at.Thread>("publishing");
export const THREAD_MARKS: u32 = at.THREAD_MARKS;
export const THREAD_DEAD: u32 = at.THREAD_DEAD;
export const FILE_POISONED: u32 = at.FILE_POISONED;
export const FILE_HINT: u32 = at.FILE_CONTEXT + offsetof<at.Context>("freeHint");
export const FILE_ROOT: u32 = offsetof<at.File>("root");
export const CLASS_SLOT_BYTES: u32 = offsetof<at.SlabClass>("slotBytes");
export const CLASS_FREE: u32 = offsetof<at.SlabClass>("free");
export const CLASS_BUMP: u32 = offsetof<at.SlabClass>("bump");
export const CLASS_BUMP_END: u32 = offsetof<at.SlabClass>("bumpEnd");
export const CLASS_COUNT: u32 = <u32>at.REGISTRY + offsetof<at.Registry>("classCount");
export const TYPE_COUNT: u32 = <u32>at.REGISTRY + offsetof<at.Registry>("typeCount");
export const NODES_FREE: u32 = <u32>at.NODES + offsetof<at.NodePool>("free");
export const ROOT_PAGES: u32 = <u32>at.IDENTITY + offsetof<at.Identity>("rootPages");
export const HEAP: u32 = <u32>at.IDENTITY + offsetof<at.Identity>("heap");
export const SLOT_LINK: u32 = offsetof<at.Slot>("link");
export const SLOT_SERIAL: u32 = offsetof<at.Slot>("serial");
export const SLOT_SERIAL_SHIFT: u32 = at.SLOT_SERIAL_SHIFT;
export const ENTRY_KEPT: u32 = offsetof<at.Entry>("kept");
export const QUEUE_HEAD: u32 = <u32>at.QUEUE + offsetof<at.Queue>("head");
export const FRAMES: u32 = <u32>at.FRAMES;
export const FRAME_USER: u32 = at.FRAME_USER;
export const HANDLER_NONE: u32 = at.HANDLER_NONE;
export const COMMANDS: u32 = <u32>at.COMMANDS;
export const COMMAND_ROW_BYTES: u32 = offsetof<at.Command>();
export const MAPPING_UNUSED: u32 = at.MAPPING_UNUSED;
export const MAPPING_ORPHAN: u32 = at.MAPPING_ORPHAN;
export const MAPPING_PROTECTIONS: u32 = offsetof<at.Mapping>("protections");
export const MAPPING_PINS: u32 = offsetof<at.Mapping>("pins");
export const PROCESS_HOLDERS: u32 = offsetof<at.Process>("holders");
export const PROCESS_FREE: u32 = at.PROCESS_FREE;
export const PROCESS_ENDED: u32 = at.PROCESS_ENDED;
export const USERS: u32 = <u32>at.USERS;
export const MAX_USERS: u32 = at.MAX_USERS;
export const USER_BYTES: u32 = offsetof<at.User>();
export const USER_HOLDERS: u32 = offsetof<at.User>("holders");
export const MEMFD_HOLDERS: u32 = offsetof<at.Memfd>("holders");

export function entryAt(file: usize, id: u32): usize {
  return xaLoad(file, id);
}
export function entryPhase(entry: usize): u32 {
  return phaseOf(load<u64>(entry));
}
export function entryUsers(entry: usize): u32 {
  return usersOf(load<u64>(entry));
}
export function entryHolders(entry: usize): u32 {
  return holdersOf(load<u64>(entry));
}
export function entryDestroyers(entry: usize): u32 {
  return destroyersOf(load<u64>(entry));
}
export function entryFreezer(entry: usize): u32 {
  return freezerOf(load<u64>(entry));
}
/** Entry of the n-th object that the entry's object holds, 0 behind the last. */
export function entryNote(entry: usize, index: u32): usize {
  return holdOf(slotOf(entry), index);
}
/** The same for an object that is in no table. */
export function slotNote(slot: usize, index: u32): usize {
  return holdOf(slot, index);
}
/** Address of the calling instance's slot. */
export function slotOfThread(): usize {
  return current();
}
