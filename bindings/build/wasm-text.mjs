// SPDX-License-Identifier: GPL-2.0-only
//
// Bytes to the text that bindings/wasm-text.ts decodes, where the alphabet is explained.

const FREQUENT = 91;
const DIGITS = Array.from({ length: 127 - 32 }, (_, index) => String.fromCharCode(32 + index)).filter(
  (character) => character !== '"' && character !== "\\",
);

/** The text of a module. Throws where a bundler would have to escape it, because it looks like the end of a script. */
export function textOfBytes(bytes) {
  const isFrequent = frequentOf(bytes);
  const text = flagsOf(isFrequent) + spelledBy(spellings(isFrequent), bytes);
  if (/<\/script|<!--/i.test(text)) throw new Error("the text of the module has to be escaped in a page");
  return text;
}

/** For each value of a byte whether it is among those that the module has most of; the lesser of two that it has as often. */
function frequentOf(bytes) {
  const counts = new Array(256).fill(0);
  for (const byte of bytes) counts[byte]++;
  const values = [...counts.keys()].sort((a, b) => counts[b] - counts[a] || a - b).slice(0, FREQUENT);
  return counts.map((_, value) => values.includes(value));
}

function flagsOf(isFrequent) {
  let text = "";
  for (let value = 0; value < 256; value += 4) {
    text += DIGITS[isFrequent.slice(value, value + 4).reduce((flags, flag, bit) => flags | (Number(flag) << bit), 0)];
  }
  return text;
}

function spellings(isFrequent) {
  const pairs = DIGITS.slice(FREQUENT).flatMap((first) => DIGITS.map((second) => first + second));
  let [frequent, others] = [0, 0];
  return isFrequent.map((flag) => (flag ? DIGITS[frequent++] : pairs[others++]));
}

function spelledBy(spelling, bytes) {
  return Array.from(bytes, (byte) => spelling[byte]).join("");
}
