// SPDX-License-Identifier: GPL-2.0-only
//
// A PC by v86 with nothing in it but RAM, a serial port and the device; no BIOS, no disk. v86 itself is the boot loader: it
// puts a Multiboot program into RAM and jumps to it in 32-bit protected mode.
//
// The same code runs in a page and in Node: who starts the machine has loaded the two files already, each host in its own way.

import type { Iommufd } from "iommufd-wasm";
import { V86 } from "v86";
import { type DeviceListener, type GuestMemory, IommufdDevice } from "./device.ts";
import { DEVICE_BASE } from "./registers.mjs";

export interface MachineOptions extends DeviceListener {
  /** v86.wasm of the package v86, compiled. */
  emulator: WebAssembly.Module;
  /** A Multiboot program. */
  program: ArrayBuffer;
  /** What is behind the device: nothing else should use its user space. */
  iommufd: Iommufd;
  /** The program has written a character to the first serial port. */
  onCharacter: (character: string) => void;
  /** It has halted for good: with interrupts off, nothing can wake it up. */
  onHalt: () => void;
}

const RAM_BYTES = 16 * 2 ** 20;
/** v86 hands out the address space beyond RAM in blocks. */
const BLOCK_BYTES = 2 ** 17;
/** In a PC the video memory hides this piece of RAM. */
const VIDEO = { first: 0xa_0000, end: 0xc_0000 };

/** An event that v86's declarations leave out. */
const HALT = "cpu-event-halt" as "emulator-stopped";

/** The parts of v86 that its declarations leave out, and that devices are made with. */
interface V86Internals {
  readonly v86: {
    readonly cpu: {
      readonly io: {
        mmap_register(
          address: number,
          length: number,
          read8: (address: number) => number,
          write8: (address: number, value: number) => void,
          read32: (address: number) => number,
          write32: (address: number, value: number) => void,
        ): void;
      };
    };
  };
}

/** A machine that is switched on. */
export interface Machine {
  /** Stops its clock; the device goes on. */
  pause(): Promise<void>;
  /** Lets it go on from where it was paused. */
  resume(): Promise<void>;
  /** Switches it off and closes its files. */
  switchOff(): Promise<void>;
}

/** Switches a machine on: it runs the program from its start. */
export async function startMachine(options: MachineOptions): Promise<Machine> {
  const { emulator, program, iommufd, onCharacter, onHalt } = options;
  const machine = new V86({
    wasm_fn: async (imports) => (await WebAssembly.instantiate(emulator, imports)).exports,
    memory_size: RAM_BYTES,
    multiboot: { buffer: program },
    disable_keyboard: true,
    disable_mouse: true,
    disable_speaker: true,
    autostart: false,
  });
  await new Promise<void>((resolve) => machine.add_listener("emulator-loaded", resolve));
  const device = new IommufdDevice(iommufd, memoryOf(machine), options);
  plugIn(device, machine);
  machine.add_listener("serial0-output-byte", (byte) => onCharacter(String.fromCharCode(byte)));
  machine.add_listener(HALT, onHalt);
  await machine.run();
  return {
    pause: () => machine.stop(),
    resume: () => machine.run(),
    async switchOff() {
      await machine.stop();
      device.close();
      await machine.destroy();
    },
  };
}

function plugIn(device: IommufdDevice, machine: V86): void {
  const { cpu } = (machine as unknown as V86Internals).v86;
  const offsetOf = (address: number): number => (address >>> 0) - DEVICE_BASE; // v86 has signed addresses
  cpu.io.mmap_register(
    DEVICE_BASE,
    BLOCK_BYTES,
    () => 0,
    () => undefined,
    (address) => device.read(offsetOf(address)),
    (address, value) => device.write(offsetOf(address), value),
  );
}

function memoryOf(machine: V86): GuestMemory {
  return {
    reach(address) {
      if (address < VIDEO.first) return VIDEO.first - address;
      return address < VIDEO.end ? 0 : Math.max(0, RAM_BYTES - address);
    },
    read: (address, length) => machine.read_memory(address, length).slice(),
    // Not into the bytes themselves: v86 keeps compiled copies of the code in RAM, and has to hear of changes.
    write: (address, bytes) => machine.write_memory(bytes, address),
  };
}
