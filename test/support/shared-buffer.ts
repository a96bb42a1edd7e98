// SPDX-License-Identifier: GPL-2.0-only
//
// SharedArrayBuffer, also in a page without isolation: it has no such global, but Wasm memories have such buffers.

const { buffer } = new WebAssembly.Memory({ initial: 0, maximum: 1, shared: true });

export const SharedBuffer = buffer.constructor as typeof SharedArrayBuffer;
