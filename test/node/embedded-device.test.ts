// SPDX-License-Identifier: GPL-2.0-only
//
// The device of examples/v86 without an emulator: registers in, answers and RAM out. What a machine writes is hostile.

import fc from "fast-check";
import { Errno, type Fields, IOMMU_DESTROY, Iommufd, type IoctlCommand } from "iommufd-wasm";
import { defineLab } from "iommufd-wasm/replay";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DeviceCommand, type DeviceListener, type GuestMemory, IommufdDevice } from "../../examples/v86/device.ts";
import { Command, MAGIC, MAX_STRUCT_BYTES, Register, Status, VERSION } from "../../examples/v86/registers.mjs";

const RAM_BYTES = 0x4000;
/** RAM ends here, and goes on behind it. */
const GAP = { first: 0x1000, end: 0x2000 };
const STRUCT = 0x100;
const SIZE_BYTES = 4;
/** Of LAB_ALLOC. */
const STRUCT_BYTES = 28;

let ram: Uint8Array;
let writes: [address: number, length: number][];
let iommufd: Iommufd;
let commands: readonly IoctlCommand<Fields>[];
let device: IommufdDevice;

/** As strict as hardware: what is out of reach must not even be asked for. */
const memory: GuestMemory = {
  reach(address) {
    if (address < GAP.first) return GAP.first - address;
    return address < GAP.end ? 0 : Math.max(0, RAM_BYTES - address);
  },
  read(address, length) {
    expect(length).toBeLessThanOrEqual(memory.reach(address));
    return ram.slice(address, address + length);
  },
  write(address, bytes) {
    expect(bytes.length).toBeLessThanOrEqual(memory.reach(address));
    writes.push([address, bytes.length]);
    ram.set(bytes, address);
  },
};

function plugIn(listener?: DeviceListener): void {
  device = new IommufdDevice(iommufd, memory, listener);
}

beforeEach(() => {
  ram = new Uint8Array(RAM_BYTES);
  writes = [];
  iommufd = Iommufd.createSync();
  ({ commands } = defineLab(iommufd));
  plugIn();
});

afterEach(() => {
  device.close();
  iommufd.detach();
});

function commandOf(name: string): IoctlCommand<Fields> {
  const command = [IOMMU_DESTROY, ...commands].find((each) => each.name === name);
  if (command === undefined) throw new Error(`there is no ${name}`);
  return command;
}

/** The answer to what is going on. */
async function answer(): Promise<number> {
  while ((device.read(Register.STATUS) & Status.BUSY) !== 0) await new Promise(setImmediate);
  return device.read(Register.RESULT);
}

function start(command: number): Promise<number> {
  device.write(Register.COMMAND, command);
  return answer();
}

const open = (): Promise<number> => start(Command.OPEN);

function close(file: number): Promise<number> {
  device.write(Register.FILE, file);
  return start(Command.CLOSE);
}

function ioctlAt(file: number, request: number, address: number): Promise<number> {
  device.write(Register.FILE, file);
  device.write(Register.REQUEST, request);
  device.write(Register.ARGUMENT, address);
  return start(Command.IOCTL);
}

/** With the struct at STRUCT. */
function ioctl(file: number, name: string, fields: Record<string, number | bigint>): Promise<number> {
  const command = commandOf(name);
  ram.set(command.encode(fields), STRUCT);
  return ioctlAt(file, command.request, STRUCT);
}

const reply = (name: string) => commandOf(name).decode(ram.subarray(STRUCT));

async function allocate(file: number, holds = 0): Promise<number> {
  expect(await ioctl(file, "LAB_ALLOC", { type: 3, hold_id0: holds })).toBe(0);
  return reply("LAB_ALLOC")["out_id"] as number;
}

describe("registers", () => {
  test("tell what the device is, and keep what is written, 32 bits of it", () => {
    expect([Register.MAGIC, Register.VERSION].map((offset) => device.read(offset))).toEqual([MAGIC, VERSION]);
    for (const offset of [Register.FILE, Register.REQUEST, Register.ARGUMENT]) {
      device.write(offset, -1);
      expect(device.read(offset)).toBe(0xffff_ffff);
    }
  });

  test("that are read only, and offsets between and behind, ignore what is written", () => {
    const offsets = [Register.MAGIC, Register.VERSION, Register.STATUS, Register.RESULT, Register.FILE + 1, 0x20, -4];
    const before = offsets.map((offset) => device.read(offset));
    for (const offset of offsets) device.write(offset, 0x55);
    expect(offsets.map((offset) => device.read(offset))).toEqual(before);
  });
});

describe("commands", () => {
  test("open files by the kernel's numbers, and close them", async () => {
    const [first, second] = [await open(), await open()];
    expect(second).toBe(first + 1);
    expect([await close(first), await close(first), await open()]).toEqual([0, -Errno.EBADF, first]);
  });

  test("that do not exist are EINVAL", async () => {
    expect([await start(0), await start(4), await start(-1)]).toEqual(Array(3).fill(-Errno.EINVAL));
  });

  test("reach the files that this machine opened, and no others", async () => {
    const hosts = iommufd.open();
    const id = hosts.alloc(iommufd.defineObjectType({ name: "HOSTS", payloadBytes: 0 })).finalize();
    expect(await ioctl(hosts.fd, "IOMMU_DESTROY", { id })).toBe(-Errno.EBADF);
    expect(await close(hosts.fd)).toBe(-Errno.EBADF);
    expect(hosts.inspect(id)?.state).toBe("live");
  });

  test("run out of files as a process does", async () => {
    let last = await open();
    while (last >= 0) last = await open();
    expect(last).toBe(-Errno.EMFILE);
  });

  test("are told to the host before they are carried out, with the registers of that moment", async () => {
    const seen: DeviceCommand[] = [];
    let letThrough: (() => void) | undefined;
    plugIn({
      onCommand(command) {
        seen.push(command);
        return new Promise((resolve) => (letThrough = resolve));
      },
    });
    device.write(Register.FILE, 7);
    device.write(Register.COMMAND, Command.OPEN);
    device.write(Register.FILE, 8);
    expect(seen).toEqual([{ command: Command.OPEN, file: 7, request: 0, address: 0 }]);
    expect([device.read(Register.STATUS), iommufd.stats().files.open]).toEqual([Status.BUSY, 0]);
    letThrough?.();
    expect(await answer()).toBeGreaterThan(0);
  });
});

describe("an ioctl", () => {
  test("answers in the struct, and writes only the bytes that it changed", async () => {
    const file = await open();
    expect(await allocate(file)).toBe(1);
    const { offset } = commandOf("LAB_ALLOC").fields["out_id"] ?? { offset: -1 };
    expect(writes).toEqual([[STRUCT + offset, 1]]);
  });

  test("says EBUSY while an object is held", async () => {
    const file = await open();
    const held = await allocate(file);
    const holder = await allocate(file, held);
    const answers: number[] = [];
    for (const id of [held, holder, held]) answers.push(await ioctl(file, "IOMMU_DESTROY", { id }));
    expect(answers).toEqual([-Errno.EBUSY, 0, 0]);
  });

  test("takes a struct at address 0, and one that ends with RAM", async () => {
    const file = await open();
    const id = await allocate(file);
    const bytes = IOMMU_DESTROY.encode({ id });
    ram.set(bytes, 0);
    expect(await ioctlAt(file, IOMMU_DESTROY.request, 0)).toBe(0);
    ram.set(bytes, RAM_BYTES - bytes.length);
    expect(await ioctlAt(file, IOMMU_DESTROY.request, RAM_BYTES - bytes.length)).toBe(-Errno.ENOENT);
  });

  test.each([
    ["behind RAM", RAM_BYTES, STRUCT_BYTES, "EFAULT"],
    ["at the end of the address space", 0xffff_fffc, STRUCT_BYTES, "EFAULT"],
    ["in a gap", GAP.first, STRUCT_BYTES, "EFAULT"],
    ["that ends in a gap", GAP.first - 4, STRUCT_BYTES, "EFAULT"],
    ["that ends behind RAM", RAM_BYTES - 4, STRUCT_BYTES, "EFAULT"],
    ["whose size is cut off", RAM_BYTES - SIZE_BYTES + 1, STRUCT_BYTES, "EFAULT"],
    ["whose size leads out of RAM", GAP.end, RAM_BYTES - GAP.end + 1, "EFAULT"],
    ["that is longer than the device takes", GAP.end, MAX_STRUCT_BYTES + 1, "E2BIG"],
    ["that claims all addresses", GAP.end, 0xffff_ffff, "E2BIG"],
    ["without a size", STRUCT, 0, "EOPNOTSUPP"],
  ] as const)("of a struct %s is refused and changes nothing", async (_where, address, size, code) => {
    const file = await open();
    await allocate(file);
    ram.fill(0);
    const word = new Uint8Array(new Uint32Array([size]).buffer);
    ram.set(word.subarray(0, Math.max(0, RAM_BYTES - address)), Math.min(address, RAM_BYTES));
    const before = ram.slice();
    writes = [];
    expect(await ioctlAt(file, commandOf("LAB_ALLOC").request, address)).toBe(-Errno[code]);
    expect(writes).toEqual([]);
    expect(ram).toEqual(before);
    expect(iommufd.stats().objects.live).toBe(1);
  });

  test("of a struct with a tail that is not zero is E2BIG", async () => {
    const file = await open();
    const bytes = IOMMU_DESTROY.encode({ id: 1 });
    ram.set(bytes, STRUCT);
    new DataView(ram.buffer).setUint32(STRUCT, GAP.first - STRUCT, true);
    ram[GAP.first - 1] = 1;
    expect(await ioctlAt(file, IOMMU_DESTROY.request, STRUCT)).toBe(-Errno.E2BIG);
  });

  test("copies no more of a machine's RAM than a struct may have", async () => {
    const large = new Uint8Array(16 * MAX_STRUCT_BYTES);
    const reads: number[] = [];
    device = new IommufdDevice(iommufd, {
      reach: (address) => Math.max(0, large.length - address),
      read(address, length) {
        reads.push(length);
        return large.slice(address, address + length);
      },
      write: (address, bytes) => large.set(bytes, address),
    });
    const file = await open();
    const answers: number[] = [];
    for (const size of [MAX_STRUCT_BYTES, MAX_STRUCT_BYTES + 1, large.length]) {
      large.set(IOMMU_DESTROY.encode({ id: 1 }));
      new DataView(large.buffer).setUint32(0, size, true);
      answers.push(await ioctlAt(file, IOMMU_DESTROY.request, 0));
    }
    expect(answers).toEqual([-Errno.ENOENT, -Errno.E2BIG, -Errno.E2BIG]);
    expect(reads).toEqual([SIZE_BYTES, MAX_STRUCT_BYTES, SIZE_BYTES, SIZE_BYTES]);
  });

  test("does not follow pointers inside a struct into RAM", async () => {
    const file = await open();
    const id = await allocate(file);
    expect(await ioctl(file, "IOMMU_DESTROY", { id })).toBe(0);
    const before = ram.slice(GAP.end);
    expect(await ioctl(file, "LAB_LOG", { capacity: 1, uptr: BigInt(GAP.end) })).toBe(-Errno.EFAULT);
    expect(ram.slice(GAP.end)).toEqual(before);
  });
});

describe("an ioctl that has to wait", () => {
  let other: Iommufd;
  beforeEach(() => {
    other = Iommufd.attachSync(iommufd.share);
  });
  afterEach(() => other.detach());

  test("is BUSY until it need not any more; commands meanwhile are lost and leave OVERRUN", async () => {
    const file = await open();
    const id = await allocate(file);
    const locked = other.file(file).get(id);
    const destroyed = ioctl(file, "IOMMU_DESTROY", { id });
    await new Promise(setImmediate);
    expect(device.read(Register.STATUS)).toBe(Status.BUSY);
    device.write(Register.COMMAND, Command.CLOSE);
    expect(device.read(Register.STATUS)).toBe(Status.BUSY | Status.OVERRUN);
    locked.put();
    expect(await destroyed).toBe(0);
    expect(device.read(Register.STATUS)).toBe(Status.OVERRUN);
    expect(await close(file)).toBe(0);
    expect(device.read(Register.STATUS)).toBe(0);
  });

  test("ends when the machine is switched off, and its files are closed", async () => {
    const file = await open();
    const id = await allocate(file);
    const locked = other.file(file).get(id);
    const destroyed = ioctl(file, "IOMMU_DESTROY", { id });
    await new Promise(setImmediate);
    device.close();
    await destroyed;
    locked.put();
    expect(() => iommufd.file(file).objects()).toThrow("EBADF");
    expect(iommufd.stats().objects).toMatchObject({ live: 0, leaked: 0 });
  });
});

test("nothing that a machine writes makes the device throw, or touch what is not RAM", async () => {
  const word = fc.oneof(
    fc.constantFrom(0, 4, 8, 28, GAP.first - 4, GAP.first, GAP.end, RAM_BYTES - 4, RAM_BYTES, 0x7fff_ffff, 0xffff_ffff),
    fc.constantFrom(...commands.map(({ request }) => request), IOMMU_DESTROY.request),
    fc.nat(RAM_BYTES),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  );
  const step = fc.record({
    pokes: fc.array(fc.tuple(fc.nat(RAM_BYTES - 4), word), { maxLength: 6 }),
    file: fc.oneof(fc.integer({ min: 2, max: 8 }), word),
    request: word,
    argument: word,
    command: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 3 }) }, { weight: 1, arbitrary: word }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
      for (const { pokes, file, request, argument, command } of steps) {
        for (const [at, value] of pokes) new DataView(ram.buffer).setUint32(at, value >>> 0, true);
        device.write(Register.FILE, file);
        device.write(Register.REQUEST, request);
        device.write(Register.ARGUMENT, argument);
        expect(await start(command)).toBeGreaterThan(-4096);
      }
    }),
    { numRuns: 200 },
  );
});
