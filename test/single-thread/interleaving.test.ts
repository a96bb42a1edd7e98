// SPDX-License-Identifier: GPL-2.0-only
//
// Everything at once: three threads of the machine, played by one, lock, keep, hold, destroy, wait and give up at random on
// the same few objects, while files are closed under them. At the end everything is let go, and then nothing may be
// left: no promise that waits, no object that was lost or destroyed twice, no file.

import { IommufdError } from "iommufd-wasm";
import type { Iommufd, IommufdContext, LockedObject, ObjectReference, ObjectType, ReservedObject } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { ABIS, boot, otherThread } from "../support/boot.ts";
import { Random } from "../support/random.ts";
import { turn, until } from "../support/turn.ts";

const STEPS = 6_000;
const IDS = 12;

interface Player {
  iommufd: Iommufd;
  context: IommufdContext;
  type: ObjectType;
  locks: LockedObject[];
  references: ObjectReference[];
  reserved: ReservedObject[];
}

class Game {
  readonly players: Player[] = [];
  readonly controllers = new Set<AbortController>();
  readonly pending = new Set<Promise<unknown>>();
  readonly outcomes = new Map<string, number>();
  made = 0;
  aborted = 0;
  destroyed = 0;

  constructor(
    readonly random: Random,
    threads: Iommufd[],
  ) {
    for (const iommufd of threads) {
      const type = iommufd.defineObjectType({ name: "piece", payloadBytes: 8, destroy: () => void this.destroyed++ });
      const context = this.players[0] === undefined ? iommufd.open() : iommufd.file(this.players[0].context.fd);
      this.players.push({ iommufd, context, type, locks: [], references: [], reserved: [] });
    }
  }

  /** Takes a random element out of the list. */
  take<T>(list: T[]): T | undefined {
    return list.splice(this.random.below(Math.max(1, list.length)), 1)[0];
  }

  count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  /** Runs a call; its error, if any, is an outcome too. */
  attempt(name: string, call: () => unknown): void {
    try {
      call();
      this.count(name);
    } catch (error) {
      this.count(`${name} ${(error as { code?: string }).code ?? String(error)}`);
    }
  }

  /** Follows a waiting call, which a signal may end. */
  follow(name: string, start: (signal: AbortSignal) => Promise<unknown>, failed: () => void = () => undefined): void {
    const controller = new AbortController();
    this.controllers.add(controller);
    const promise = start(controller.signal)
      .then(
        (result) => this.count(`${name} ${String(result)}`),
        (error: IommufdError | DOMException) => {
          this.count(`${name} ${error instanceof IommufdError ? error.code : error.name}`);
          failed();
        },
      )
      .finally(() => {
        this.controllers.delete(controller);
        this.pending.delete(promise);
      });
    this.pending.add(promise);
  }

  step(): void {
    const { random } = this;
    const player = random.pick(this.players);
    const { context, type, locks, references, reserved } = player;
    const id = 1 + random.below(IDS);
    switch (random.below(12)) {
      case 0:
      case 1:
        if (context.objects().length >= IDS) break;
        this.attempt("alloc", () => reserved.push(context.alloc(type)));
        this.made++;
        break;
      case 2: {
        const object = this.take(reserved);
        if (object === undefined) break;
        const target = random.oneIn(2) ? this.take(locks) : this.take(references);
        if (target !== undefined) {
          this.attempt("hold", () => object.hold(target));
          if ("put" in target) target.put();
        }
        if (random.oneIn(4)) {
          object.abort();
          this.aborted++;
        } else {
          object.finalize();
        }
        break;
      }
      case 3:
      case 4:
      case 5:
        this.attempt("get", () => locks.push(context.get(id)));
        break;
      case 6:
      case 7:
        this.take(locks)?.put();
        break;
      case 8: {
        const lock = this.take(locks);
        if (lock !== undefined) references.push(lock.putKeepUser());
        break;
      }
      case 9:
        this.take(references)?.drop();
        break;
      case 10: {
        const reference = this.take(references);
        if (reference === undefined) break;
        const back = (): void => void references.push(reference);
        this.follow("destroyUser", (signal) => reference.destroyUserAsync({ signal }), back);
        break;
      }
      default: {
        const how = random.below(9);
        if (how < 3) this.follow("destroy", (signal) => context.destroyAsync(id, { signal }));
        else if (how < 5) random.pick([...this.controllers])?.abort();
        else this.attempt("destroy now", () => context.destroy(id, { timeoutMs: 0 })); // one thread plays all: no blocking
      }
    }
  }

  /** Lets go of everything. */
  async windDown(): Promise<void> {
    for (const { locks, reserved } of this.players) {
      for (const lock of locks.splice(0)) lock.put();
      for (const object of reserved.splice(0)) {
        object.abort();
        this.aborted++;
      }
    }
    await until(() => this.pending.size === 0);
    for (const { references } of this.players) for (const reference of references.splice(0)) reference.drop();
  }
}

describe.each(ABIS)("%s", (abi) => {
  test.each([1, 2, 3, 4])("game %d leaves nothing behind", async (seed) => {
    const { iommufd, warnings } = await boot({ abi });
    const game = new Game(new Random(seed), [iommufd, otherThread(iommufd), otherThread(iommufd)]);
    const [first] = game.players as [Player];
    for (let step = 0; step < STEPS; step++) {
      game.step();
      if (step % 7 === 0) await turn();
    }
    await game.windDown();
    for (let left = first.context.objects().length; left > 0; left--) {
      for (const { id, users, holders, state } of first.context.objects()) {
        expect([holders, state]).toEqual([0, "live"]);
        if (users === 1) first.context.destroy(id);
      }
    }
    expect(first.context.objects()).toEqual([]);
    expect(game.destroyed).toBe(game.made - game.aborted);
    expect(warnings).toEqual([]);
    first.context.close();
    expect(iommufd.stats()).toMatchObject({
      files: { open: 0 },
      objects: { live: 0, reserved: 0, leaked: 0, queued: 0 },
      waiting: [],
    });
    // The game was worth playing: waits that succeeded, failed and were given up.
    for (const outcome of ["destroyUser true", "destroyUser false", "destroyUser AbortError", "get ENOENT", "hold"]) {
      expect([...game.outcomes.keys()]).toContain(outcome);
    }
  });

  test.each([5, 6, 7, 8])(
    "game %d, its file closed in the middle, is released when everything is let go",
    async (seed) => {
      const { iommufd } = await boot({ abi });
      const game = new Game(new Random(seed), [iommufd, otherThread(iommufd), otherThread(iommufd)]);
      const [first] = game.players as [Player];
      const step = (): void => {
        try {
          game.step();
        } catch (error) {
          // By number nobody gets in any more; what is in hand can still be let go.
          expect(error).toMatchObject({ code: "EBADF" });
        }
      };
      for (let n = 0; n < 1_000; n++) {
        step();
        if (n % 7 === 0) await turn();
      }
      first.context.close();
      for (let n = 0; n < 300; n++) {
        step();
        if (n % 7 === 0) await turn();
      }
      for (const { locks, reserved } of game.players) {
        for (const lock of locks.splice(0)) lock.put();
        for (const object of reserved.splice(0)) object.abort();
      }
      await until(() => game.pending.size === 0);
      expect(iommufd.stats()).toMatchObject({ files: { open: 0 }, objects: { live: 0, reserved: 0 }, waiting: [] });
      const { leaked, queued } = iommufd.stats().objects;
      expect(queued).toBe(0);
      if (leaked === 0) expect(iommufd.stats().warnings["release:users"]).toBe(0);
    },
  );
});
