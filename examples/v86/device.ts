// SPDX-License-Identifier: GPL-2.0-only
//
// /dev/iommu as a piece of hardware: a few registers through which a program of an emulated machine opens files, makes
// ioctls whose structs lie in its own RAM, and closes. `registers.mjs` is the map; nothing here knows which emulator it is.
//
// An ioctl is a round trip: the struct is copied out of RAM, the library runs it, and the bytes that it changed are copied
// back. Nothing blocks: an ioctl that has to wait, such as destroying an object that another thread has locked, leaves STATUS
// at BUSY while the machine goes on.
//
// What the machine may do: nothing but what /dev/iommu does for the files that it opened itself. The numbers that it writes
// are hostile. A struct that says it is longer than MAX_STRUCT_BYTES is E2BIG before any of it is copied, so the machine does not
// decide how long an ioctl keeps the host's thread busy. An address outside RAM is EFAULT, as it is where the struct's own size leads there; the number of a file that it
// did not open is EBADF. A pointer inside a struct means the user space of `iommufd`, not RAM: give each machine an Iommufd
// of its own, in whose user space nothing is mapped, and such a pointer is EFAULT, too.

import { Errno, type Iommufd, type IommufdContext, IommufdError } from "iommufd-wasm";
import { Command, MAGIC, MAX_STRUCT_BYTES, Register, Status, VERSION } from "./registers.mjs";

/** The machine's RAM, by physical address. */
export interface GuestMemory {
  /** How many bytes of RAM there are without a gap from `address` on; 0 where there is none. */
  reach(address: number): number;
  /** A copy of bytes within reach. */
  read(address: number, length: number): Uint8Array;
  /** Changes bytes within reach. */
  write(address: number, bytes: Uint8Array): void;
}

/** What the machine asked for when it wrote COMMAND: the registers of that moment. */
export interface DeviceCommand {
  /** One of `Command`, or any other number. */
  readonly command: number;
  readonly file: number;
  readonly request: number;
  readonly address: number;
}

/** What the host wants to know or to decide. */
export interface DeviceListener {
  /** Awaited before a command is carried out; the machine sees BUSY meanwhile. */
  onCommand?(command: DeviceCommand): Promise<void> | void;
  /** The machine has opened a file. */
  onOpen?(context: IommufdContext): void;
  /** It is about to close one. */
  onClose?(context: IommufdContext): void;
}

const SIZE_BYTES = 4;

/** The device: what reads and writes of its registers do. */
export class IommufdDevice {
  readonly #iommufd: Iommufd;
  readonly #memory: GuestMemory;
  readonly #listener: DeviceListener;
  /** What the machine opened and did not close, by number. */
  readonly #files = new Map<number, IommufdContext>();
  readonly #ending = new AbortController();
  /** What the machine wrote into the registers that keep it. */
  readonly #written = new Map<number, number>([
    [Register.FILE, 0],
    [Register.REQUEST, 0],
    [Register.ARGUMENT, 0],
  ]);
  #status = 0;
  #result = 0;

  constructor(iommufd: Iommufd, memory: GuestMemory, listener: DeviceListener = {}) {
    this.#iommufd = iommufd;
    this.#memory = memory;
    this.#listener = listener;
  }

  /** The register at `offset` from the first one; 0 where there is none. */
  read(offset: number): number {
    switch (offset) {
      case Register.MAGIC:
        return MAGIC;
      case Register.VERSION:
        return VERSION;
      case Register.STATUS:
        return this.#status;
      case Register.RESULT:
        return this.#result;
      default:
        return this.#written.get(offset) ?? 0;
    }
  }

  /** Writes a register; where there is none, or it cannot be written, nothing happens. */
  write(offset: number, value: number): void {
    if (offset === Register.COMMAND) this.#start(value >>> 0);
    else if (this.#written.has(offset)) this.#written.set(offset, value >>> 0);
  }

  /** The machine is switched off: its files are closed, and nobody waits any more. */
  close(): void {
    this.#ending.abort();
    for (const number of [...this.#files.keys()]) this.#close(number);
  }

  #start(command: number): void {
    if ((this.#status & Status.BUSY) !== 0) {
      this.#status |= Status.OVERRUN;
      return;
    }
    this.#status = Status.BUSY;
    const file = this.read(Register.FILE);
    void this.#finish({ command, file, request: this.read(Register.REQUEST), address: this.read(Register.ARGUMENT) });
  }

  /** Carries a command out and answers. What is no errno is an uncaught error of the host, and EIO for the machine. */
  async #finish(command: DeviceCommand): Promise<void> {
    this.#result = -Errno.EIO;
    try {
      await this.#listener.onCommand?.(command);
      if (!this.#ending.signal.aborted) this.#result = await this.#run(command);
    } catch (error) {
      if (error instanceof IommufdError) this.#result = error.errno;
      else if (!this.#ending.signal.aborted) throw error;
    } finally {
      this.#status &= ~Status.BUSY;
    }
  }

  async #run({ command, file, request, address }: DeviceCommand): Promise<number> {
    switch (command) {
      case Command.OPEN:
        return this.#open();
      case Command.IOCTL:
        return this.#ioctl(file, request, address);
      case Command.CLOSE:
        return this.#close(file);
      default:
        return -Errno.EINVAL;
    }
  }

  #open(): number {
    const context = this.#iommufd.open();
    this.#files.set(context.fd, context);
    this.#listener.onOpen?.(context);
    return context.fd;
  }

  #close(file: number): number {
    const context = this.#files.get(file);
    if (context === undefined) return -Errno.EBADF;
    this.#files.delete(file);
    this.#listener.onClose?.(context);
    context.close();
    return 0;
  }

  async #ioctl(file: number, request: number, address: number): Promise<number> {
    const context = this.#files.get(file);
    if (context === undefined) return -Errno.EBADF;
    const { says, within } = this.#structBytes(address);
    if (says > MAX_STRUCT_BYTES) return -Errno.E2BIG;
    const before = this.#memory.read(address, within);
    const struct = before.slice();
    try {
      return await context.ioctlAsync(request, struct, { signal: this.#ending.signal });
    } finally {
      this.#writeChanges(address, before, struct);
    }
  }

  /** Bytes that the struct says it has, and as many of them as there are in RAM: one byte further is EFAULT. */
  #structBytes(address: number): { says: number; within: number } {
    const reach = this.#memory.reach(address);
    if (reach < SIZE_BYTES) return { says: SIZE_BYTES, within: reach };
    const { buffer, byteOffset } = this.#memory.read(address, SIZE_BYTES);
    const says = Math.max(new DataView(buffer, byteOffset).getUint32(0, true), SIZE_BYTES);
    return { says, within: Math.min(says, reach) };
  }

  /** Only what the call changed: the rest is the machine's own, which may have changed it meanwhile. */
  #writeChanges(address: number, before: Uint8Array, after: Uint8Array): void {
    for (let at = 0; at < after.length; at++) {
      const first = at;
      while (at < after.length && after[at] !== before[at]) at++;
      if (at > first) this.#memory.write(address + first, after.subarray(first, at));
    }
  }
}
