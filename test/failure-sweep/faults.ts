// SPDX-License-Identifier: GPL-2.0-only
//
// The switch of the core that can be made to fail (asconfig target "faults"), and what must not have changed when it did.
//
// The core counts its attempts, the places where something may run out or a user copy may fail. `arm(n)` lets the n-th
// attempt from now on fail, once; `disarm` ends that and says which error the call must have given. The words lie in the
// memory map, so nothing of this is known to the bindings.

import type { ErrnoName, Iommufd, IommufdStats } from "iommufd-wasm";
import { Layout } from "../../bindings/generated/layout.ts";

/** What a call answers when a place of that kind fails: the documented error. */
const ERROR_OF_SITE: Readonly<Record<number, ErrnoName>> = {
  [Layout.FAULT_MEMORY]: "ENOMEM",
  [Layout.FAULT_COPY]: "EFAULT",
  [Layout.FAULT_FILE]: "EMFILE",
  [Layout.FAULT_TYPE]: "ENOSPC",
  [Layout.FAULT_ID]: "EBUSY",
  [Layout.FAULT_PROCESS]: "EAGAIN",
};

/** Tables whose rows count who has them. A free row keeps its last words. */
const COUNTED: Readonly<Record<string, Counted>> = {
  process: {
    table: Layout.PROCESSES,
    count: Layout.MAX_PROCESSES,
    bytes: Layout.PROCESS_BYTES,
    isUsed: () => true,
    fields: [Layout.PROCESS_LOCKED_VM, Layout.PROCESS_PINNED_VM, Layout.PROCESS_HOLDERS],
  },
  user: {
    table: Layout.USERS,
    count: Layout.MAX_USERS,
    bytes: Layout.USER_BYTES,
    isUsed: () => true,
    fields: [Layout.USER_LOCKED, Layout.USER_HOLDERS],
  },
  owner: {
    table: Layout.KEEPERS,
    count: Layout.MAX_KEEPERS,
    bytes: Layout.KEEPER_BYTES,
    isUsed: () => true,
    fields: [Layout.KEEPER_STATE],
  },
  memfd: {
    table: Layout.MEMFDS,
    count: Layout.MAX_MEMFDS,
    bytes: Layout.MEMFD_BYTES,
    isUsed: (word) => word(Layout.MEMFD_STATE) !== Layout.MEMFD_UNUSED,
    fields: [Layout.MEMFD_HOLDERS],
  },
  mapping: {
    table: Layout.MAPPINGS,
    count: Layout.MAX_MAPPINGS,
    bytes: Layout.MAPPING_BYTES,
    isUsed: (word) => word(Layout.MAPPING_STATE) !== Layout.MAPPING_UNUSED,
    fields: [Layout.MAPPING_PINS],
    // How many depends on where ranges have been cut.
    isFlag: true,
  },
};

interface Counted {
  readonly table: number;
  readonly count: number;
  readonly bytes: number;
  readonly isUsed: (word: (offset: number) => number) => boolean;
  readonly fields: readonly number[];
  /** Only whether they are zero matters. */
  readonly isFlag?: boolean;
}

export class Faults {
  readonly #words: Uint32Array;

  constructor(iommufd: Iommufd) {
    this.#words = new Uint32Array(iommufd.share.memory.buffer);
  }

  /** How many attempts there were, ever. */
  get attempts(): number {
    return this.#words[Layout.FAULT_ATTEMPTS >> 2] ?? 0;
  }

  /** The n-th attempt from now on fails. */
  arm(n: number): void {
    this.#words[Layout.FAULT_SITE >> 2] = 0;
    this.#words[Layout.FAULT_COUNTDOWN >> 2] = n;
  }

  /** The error that the call must have given; undefined when it made fewer attempts. Nothing fails afterwards. */
  disarm(): ErrnoName | undefined {
    this.#words[Layout.FAULT_COUNTDOWN >> 2] = 0;
    const site = this.#words[Layout.FAULT_SITE >> 2] ?? 0;
    this.#words[Layout.FAULT_SITE >> 2] = 0;
    if (site === 0) return undefined;
    const error = ERROR_OF_SITE[site];
    if (error === undefined) throw new Error(`an attempt of the unknown kind ${site} failed`);
    return error;
  }

  /** Whether the armed attempt has failed by now. */
  get hasFired(): boolean {
    return this.#words[Layout.FAULT_SITE >> 2] !== 0;
  }

  /** What is pinned, charged or held of processes, users, mappings and memfds, and which owners there are; the empty text for none. */
  pinsAndOwners(): string {
    const used: string[] = [];
    for (const [what, { table, count, bytes, isUsed, fields, isFlag }] of Object.entries(COUNTED)) {
      for (let number = 0; number < count; number++) {
        const word = (offset: number): number => this.#words[(table + number * bytes + offset) >> 2] ?? 0;
        const values = fields.map((field) => (isFlag === true ? Math.min(word(field) >>> 0, 1) : word(field)));
        if (isUsed(word) && values.some((value) => value !== 0)) used.push(`${what} ${number}: ${values.join(" ")}`);
      }
    }
    return used.join("; ");
  }

  /** Numbers of the files that are open. */
  openFiles(): number[] {
    const numbers: number[] = [];
    for (let index = 0; index < Layout.MAX_FILES; index++) {
      const state = this.#words[(Layout.FILES + index * Layout.FILE_BYTES + Layout.FILE_STATE) >> 2] ?? 0;
      if ((state & Layout.FILE_PHASE_MASK) === Layout.FILE_OPEN) numbers.push(index + Layout.FIRST_FD);
    }
    return numbers;
  }
}

/** The graph of every open file as text: IDs, types, states, users, holders, holds. */
export function graphOf(iommufd: Iommufd, faults: Faults): string {
  const lines: string[] = [];
  for (const fd of faults.openFiles()) {
    lines.push(`file ${fd}`);
    for (const { id, type, state, users, holders, references } of iommufd.file(fd).objects()) {
      lines.push(`  ${id} ${type.name} ${state} ${users}/${holders} → ${references.join(" ")}`);
    }
  }
  return lines.join("\n");
}

/** The statistics without the memory in use, which may grow once by what the next attempt needs. */
export function countsOf({ bytes: { total, heap }, ...others }: IommufdStats): string {
  return JSON.stringify({ ...others, bytes: { total, heap } });
}

/** What is left when everything is closed although it must not be; the empty text when nothing is. */
export function leftoversOf({ objects, files, threads, waiting }: IommufdStats): string {
  const busy = threads.list.filter(({ locked, reserved, waiting }) => locked + reserved + waiting > 0);
  const left = objects.live + objects.reserved + objects.queued + files.open + busy.length + waiting.length;
  return left === 0 ? "" : JSON.stringify({ objects, files, busy, waiting });
}

/** Whether a copy that stopped somewhere can have made `now`: a beginning of `after`, then `before`. */
export function isCopyStopped(before: Uint8Array, after: Uint8Array, now: Uint8Array): boolean {
  let index = 0;
  while (index < now.length && now[index] === after[index]) index++;
  while (index < now.length && now[index] === before[index]) index++;
  return index === now.length;
}
