// SPDX-License-Identifier: GPL-2.0-only
/**
 * How a server hears that its client is dead.
 *
 * By the port's `close` event, where the host has one: Node, and Chromium from 122 on. It fires for `terminate()`, a removed frame, a
 * reload and a crash, and a client cannot prevent it.
 *
 * Elsewhere by a Web Lock: the server names it in its welcome with a number that nobody guesses, the client holds it as long as it lives and
 * says so, the server queues behind it, and gets it when the host has cleaned up after the client. A client that says so
 * without holding it ends its own connection. It needs a secure context and one origin on both sides, so a frame of `sandbox` without
 * `allow-same-origin` has none.
 *
 * Where there is neither, nobody tells: who made the worker or the frame and ends it calls `close()` of what `serve` returned.
 */
import type { RemotePort } from "./port.js";

const locks: LockManager | undefined = globalThis.navigator?.locks;

/** The name of a lock to offer to the client; "" where the port itself will tell, or nobody can. */
export function lockNameFor(port: RemotePort): string {
  const isOfNode = typeof (port as { on?: unknown }).on === "function";
  if (isOfNode || "onclose" in port || locks === undefined) return "";
  return `iommufd-wasm remote ${globalThis.crypto.randomUUID()}`;
}

/** The client's part: `held` is called once the lock is granted. Returns how to give it back. */
export function holdLock(name: string, held: () => void): () => void {
  let release = (): void => undefined;
  const life = new Promise<void>((resolve) => (release = resolve));
  const granted = (): Promise<void> => {
    held();
    return life;
  };
  locks?.request(name, granted).catch(() => undefined); // a frame without an origin, or a page that is being closed
  return release;
}

/** The server's part: `died` is called when the client no longer holds the lock. Returns how to stop. */
export function outlive(name: string, died: () => void): () => void {
  const stop = new AbortController();
  locks?.request(name, { signal: stop.signal }, () => died()).catch(() => undefined); // stopped
  return () => stop.abort();
}
