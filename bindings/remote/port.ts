// SPDX-License-Identifier: GPL-2.0-only
/**
 * The port between the two ends: a MessagePort of a browser or of Node's `worker_threads`, which agree on this much.
 *
 * One end of a channel belongs to one `serve` or `connect`, and to nobody else: it is closed at the end, and what others would say on
 * it is no message of the protocol. In Node a listening port keeps the process alive; call its `unref()` where that is not wanted.
 */

/** What is needed of a port. It must clone what it carries, as every MessagePort does. */
export interface RemotePort {
  postMessage(message: unknown): void;
  addEventListener(type: string, listener: (event: Event) => void): void;
  removeEventListener(type: string, listener: (event: Event) => void): void;
  start(): void;
  close(): void;
}

/** What happens on a port. */
export interface PortListener {
  /** A message, with what could come along with it. */
  heard(data: unknown, ports: readonly unknown[]): void;
  /** A message that the host could not decode. */
  garbled(): void;
  /** The host says that the other end is closed or dead. */
  gone(): void;
}

/** Listens until the returned function is called, which closes the port, too. */
export function listen(port: RemotePort, listener: PortListener): () => void {
  const onMessage = (event: Event): void => {
    const { data, ports } = event as MessageEvent<unknown>;
    listener.heard(data, ports ?? []);
  };
  const onError = (): void => listener.garbled();
  const onClose = (): void => listener.gone();
  port.addEventListener("message", onMessage);
  port.addEventListener("messageerror", onError);
  port.addEventListener("close", onClose);
  port.start();
  return () => {
    port.removeEventListener("message", onMessage);
    port.removeEventListener("messageerror", onError);
    port.removeEventListener("close", onClose);
    port.close();
  };
}
