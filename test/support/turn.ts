// SPDX-License-Identifier: GPL-2.0-only
//
// Letting the event loop run, without any time passing by the clock: what was woken gets its turn.

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** As many turns as it takes for the condition to hold; what makes it hold is a wake-up inside the library. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
