// SPDX-License-Identifier: GPL-2.0-only
//
// Bytes to the text that bindings/wasm-text.ts decodes, where the alphabet is explained.

const FIRST = 35;
const BACKSLASH = 92;
const SINGLE = 89;

/** The text of a module. Throws where a bundler would have to escape it, because it looks like the end of a script. */
export function textOfBytes(bytes) {
  let text = "";
  for (const byte of bytes) {
    const value = (byte + 2) & 0xff;
    if (value >= SINGLE) text += character(SINGLE - 1 + Math.floor(value / SINGLE));
    text += character(value % SINGLE);
  }
  if (/<\/script|<!--/i.test(text)) throw new Error("the text of the module has to be escaped in a page");
  return text;
}

function character(digit) {
  const code = FIRST + digit;
  return String.fromCharCode(code < BACKSLASH ? code : code + 1);
}
