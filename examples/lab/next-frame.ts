// SPDX-License-Identifier: GPL-2.0-only
// Shows what many events in a row came to once, when the next picture is drawn.

/** Returns a function that has `update` run before the next picture, however often it is called until then. */
export function onNextFrame(update: () => void): () => void {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      update();
    });
  };
}
