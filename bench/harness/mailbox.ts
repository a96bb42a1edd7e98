// SPDX-License-Identifier: GPL-2.0-only
//
// The messages of one side of a worker, in order: those that came before somebody asked wait, and so do those who ask before one
// comes. A failure reaches everybody who asks from then on.

export class Mailbox {
  readonly #messages: unknown[] = [];
  readonly #waiting: { resolve: (message: unknown) => void; reject: (error: Error) => void }[] = [];
  #failure: Error | undefined;

  receive(message: unknown): void {
    const first = this.#waiting.shift();
    if (first) first.resolve(message);
    else this.#messages.push(message);
  }

  fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as Peer.next
  next(): Promise<any> {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift());
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }
}

/** What a worker says first. */
export const UP = "up";
