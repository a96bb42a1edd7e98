// SPDX-License-Identifier: GPL-2.0-only
//
// Base64 to bytes, for the Wasm modules that are inlined in the bundles.
//
// `atob` is what Node and every browser have in common. It gives a string with one character per byte; the copy out of it
// is done once per module and thread.

/** The bytes behind a base64 text. Throws `InvalidCharacterError` where the text is not base64. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
