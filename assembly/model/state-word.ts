// SPDX-License-Identifier: GPL-2.0-only
/**
 * Where the fields of a state word lie in this build (core/refcount.ts has the picture), for those who show a word bit by bit.
 *
 * For each field its lowest bit and its number of bits.
 */
import * as word from "../core/refcount";

export const STATE_USERS_SHIFT: u32 = 0;
export const STATE_USERS_BITS: u32 = <u32>word.USERS_BITS;
export const STATE_GENERATION_SHIFT: u32 = <u32>word.GENERATION_SHIFT;
export const STATE_GENERATION_BITS: u32 = <u32>word.GENERATION_BITS;
export const STATE_WAITED_SHIFT: u32 = <u32>word.WAITED_SHIFT;
export const STATE_WAITED_BITS: u32 = 1;
export const STATE_TYPE_SHIFT: u32 = <u32>word.TYPE_SHIFT;
export const STATE_TYPE_BITS: u32 = <u32>word.TYPE_BITS;
export const STATE_HOLDERS_SHIFT: u32 = <u32>word.HOLDERS_SHIFT;
export const STATE_HOLDERS_BITS: u32 = <u32>word.HOLDERS_BITS;
export const STATE_DESTROYERS_SHIFT: u32 = <u32>word.DESTROYERS_SHIFT;
export const STATE_DESTROYERS_BITS: u32 = <u32>word.DESTROYERS_BITS;
export const STATE_FROZEN_SHIFT: u32 = <u32>word.FROZEN_SHIFT;
export const STATE_FROZEN_BITS: u32 = 1;
export const STATE_PHASE_SHIFT: u32 = <u32>word.PHASE_SHIFT;
export const STATE_PHASE_BITS: u32 = <u32>word.PHASE_BITS;

/** Values of the phase. */
export const STATE_FREE: u32 = word.PHASE_FREE;
export const STATE_RESERVED: u32 = word.PHASE_RESERVED;
export const STATE_LIVE: u32 = word.PHASE_LIVE;
export const STATE_LEAKED: u32 = word.PHASE_LEAKED;
