// SPDX-License-Identifier: GPL-2.0-only
/**
 * How a server hears that its client is dead. Whatever tells first counts:
 *
 * 1. The port's `close` event, where the host has one: always in Node, not (by default) in Chromium 156. A client cannot prevent it.
 * 2. The client's own goodbye, which it says when its page or frame is left, reloaded or removed (`pagehide`).
 * 3. A Web Lock, where the port has no `close` event: the server names one of its own in its welcome, the client holds it as long
 *    as it lives and says so, the server queues behind it, and gets it when the host has cleaned up after the client.
 *    A client that says so without holding it ends its own connection. It tells of terminated and crashed workers and pages, but
 *    needs a secure context and one origin on both sides: a frame of `sandbox` without `allow-same-origin` has none.
 *    The name is no secret within the origin: `navigator.locks.query()` lists it to every script there, which can steal the lock, and
 *    so end this connection, or hide the death by keeping it. A sandboxed frame is of another origin: it sees none and steals none.
 * 4. The frame's removal from its document, which the server's side sees for itself (option `frame`).
 *
 * 2 and 3 need an honest client. A hostile one in a browser's worker can stay silent and be terminated: who terminates it closes
 * its server, or gives `serve` a signal. Until then it costs an open file, and what its calls have made.
 */
import type { RemotePort } from "./port.js";
import { newLockName } from "./protocol.js";

const locks: LockManager | undefined = globalThis.navigator?.locks;

/** The name of a lock to offer to the client; "" where the port itself will tell, or nobody can. */
export function lockNameFor(port: RemotePort): string {
  const isOfNode = typeof (port as { on?: unknown }).on === "function";
  if (isOfNode || "onclose" in port || locks === undefined) return "";
  return newLockName();
}

/** The client's part: `decided` is called once the lock is granted, or cannot be had. Returns how to give it back. */
export function holdLock(name: string, decided: (isHeld: boolean) => void): () => void {
  let release = (): void => undefined;
  const life = new Promise<void>((resolve) => (release = resolve));
  const granted = (): Promise<void> => {
    decided(true);
    return life;
  };
  if (locks === undefined) decided(false);
  else locks.request(name, granted).catch(() => decided(false)); // a frame without an origin
  return release;
}

/** The server's part: `died` is called when the client no longer holds the lock. Returns how to stop. */
export function outlive(name: string, died: () => void): () => void {
  const stop = new AbortController();
  locks?.request(name, { signal: stop.signal }, () => died()).catch(() => undefined); // stopped
  return () => stop.abort();
}

/** Calls `left` when this page or frame is left, reloaded or removed; elsewhere never. Returns how to stop. */
export function onLeaving(left: () => void): () => void {
  if (typeof document === "undefined") return () => undefined;
  addEventListener("pagehide", left);
  return () => removeEventListener("pagehide", left);
}

/** Calls `removed` once the frame is no longer in its document. Returns how to stop. */
export function onRemoval(frame: HTMLIFrameElement, removed: () => void): () => void {
  const observer = new MutationObserver(() => {
    if (!frame.isConnected) removed();
  });
  // A document does not see into its shadow trees: each tree around the frame is watched.
  for (let root = frame.getRootNode(); ; root = root.host.getRootNode()) {
    observer.observe(root, { childList: true, subtree: true });
    if (!(root instanceof ShadowRoot)) break;
  }
  return () => observer.disconnect();
}
