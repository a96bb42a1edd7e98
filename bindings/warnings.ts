// SPDX-License-Identifier: GPL-2.0-only
/**
 * Kernel warnings: what Linux would print with WARN_ON. Counted for all threads, reported to the thread that caused them.
 */
import { Layout } from "./generated/layout.js";

/** Something that a correct client never causes. */
export interface IommufdWarning {
  /**
   * - "release:users": at release an object still had users; it is leaked, never reused
   * - "refcount:decrement_hit_0_leaking_memory": a hold on such an object was dropped
   * - "refcount:saturated": a users count reached its maximum; the object can never be destroyed
   * - "holders:full": too many short-term holders at a time; the lookup got ENOENT
   * - "detach:held": a thread left with a handle in use, which was given back
   * - "unmap:pinned": an access kept its pins through 100 requests of UNMAP, which gave up
   * - "warnings:lost": reports that found no room
   */
  kind: string;
  /** How many of them this report stands for. */
  count: number;
  /** File number of the context. */
  context?: number;
  /** The object's ID. */
  id?: number;
}

/** Names of the core's WARN_*, in their order. */
export const WARNING_KINDS: readonly string[] = Object.entries({
  "release:users": Layout.WARN_RELEASE_USERS,
  "refcount:decrement_hit_0_leaking_memory": Layout.WARN_DEC_LEAK,
  "refcount:saturated": Layout.WARN_SATURATED,
  "holders:full": Layout.WARN_HOLDERS_FULL,
  "detach:held": Layout.WARN_DETACH_HELD,
  "unmap:pinned": Layout.WARN_UNMAP_PINNED,
})
  .sort(([, a], [, b]) => a - b)
  .map(([kind]) => kind);
