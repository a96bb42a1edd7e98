// SPDX-License-Identifier: GPL-2.0-only
//
// Random numbers for threads: the same for the same seed, so that a failure can be repeated as far as threads allow.

/** Returns a function that gives 32 random bits, unsigned (mulberry32). @param {number} seed @returns {() => number} */
export function random(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}
