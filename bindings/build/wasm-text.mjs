// SPDX-License-Identifier: GPL-2.0-only
//
// Bytes to the text that bindings/wasm-text.ts decodes, where the alphabet is explained. A byte that has several spellings
// gets the shortest one with the least lift.

const LAST_SINGLE = 122;
const LAST = 126;
const LIFT = 98;
const ZERO = 35;

const SPELLINGS = spellings();

/** The text of a module. Throws where a bundler would have to escape it, because it looks like the end of a script. */
export function textOfBytes(bytes) {
  const text = Array.from(bytes, (byte) => SPELLINGS[byte]).join("");
  if (/<\/script|<!--/i.test(text)) throw new Error("the text of the module has to be escaped in a page");
  return text;
}

function spellings() {
  const ofByte = [];
  for (let lift = 0; lift <= LAST - LAST_SINGLE; lift++) {
    const prefix = lift === 0 ? "" : String.fromCharCode(LAST_SINGLE + lift);
    for (let code = 32; code <= LAST_SINGLE; code++) {
      const character = String.fromCharCode(code);
      if (character !== '"' && character !== "\\") ofByte[(code + lift * LIFT - ZERO) & 0xff] ??= prefix + character;
    }
  }
  return ofByte;
}
