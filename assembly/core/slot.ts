// SPDX-License-Identifier: GPL-2.0-only
/**
 * What the head of an object's slot says of it: which type it has, in which file it is, and its serial.
 *
 * All of it but the serial's low half is one word, `owner`, so it appears in one store. It is valid from alloc until the slot is freed;
 * what the state word and the entry say comes first.
 *
 * A serial has 47 bits: no two objects of a file row have the same, unless one is made every 60 ns for three months.
 *
 * Kernel counterpart: struct iommufd_object.
 */
import { FILES, SLOT_CALLBACK_RAN, SLOT_FILE_MASK, SLOT_SERIAL_SHIFT, SLOT_TYPE_MASK, Slot } from "./memory-map";

/** Context: the slot is the caller's. */
// @ts-ignore: a decorator on a function
@inline export function initSlot(slot: usize, id: u32, type: u32, file: usize, serial: u64): void {
  const object = changetype<Slot>(slot);
  object.id = id;
  object.serial = <u32>serial;
  object.owner = type | (<u32>(file - FILES)) | ((<u32>(serial >> 32)) << SLOT_SERIAL_SHIFT);
}

// @ts-ignore: a decorator on a function
@inline export function typeOfSlot(slot: usize): u32 {
  return changetype<Slot>(slot).owner & SLOT_TYPE_MASK;
}

/** Return: address of the file. */
// @ts-ignore: a decorator on a function
@inline export function fileOfSlot(slot: usize): usize {
  return FILES + (changetype<Slot>(slot).owner & SLOT_FILE_MASK);
}

// @ts-ignore: a decorator on a function
@inline export function serialOfSlot(slot: usize): u64 {
  return ((<u64>(changetype<Slot>(slot).owner >> SLOT_SERIAL_SHIFT)) << 32) | changetype<Slot>(slot).serial;
}

/** Whether the destroy callback has begun, and must not begin again. */
// @ts-ignore: a decorator on a function
@inline export function hasCallbackRun(slot: usize): bool {
  return (changetype<Slot>(slot).owner & SLOT_CALLBACK_RAN) != 0;
}
