// SPDX-License-Identifier: GPL-2.0-only
//
// Small recordings, written by hand: the text of a file as the recorder would have made it.

/** Addresses of the regions in META. */
export const ARG = 0x100_0000_0000n;
export const ARG_BYTES = 65_536;
export const READ_ONLY = 0x100_0800_0000n;
export const AUX = 0x100_1000_0000n;
export const SPLIT = 0x106_0000_0000n;

/** A kernel with the seed and the lab. */
export const META = {
  op: "meta",
  release: "6.12.117-rfcseed",
  machine: "x86_64",
  page_size: 4096,
  uid: 0,
  mode: "core",
  regions: {
    ARG: ["0x10000000000", ARG_BYTES, "rw"],
    ARGRO: ["0x10008000000", 65_536, "r"],
    AUX: ["0x10010000000", 65_536, "rw"],
    NONE: ["0x10500000000", 65_536, "none"],
    SPL: ["0x10600000000", 8192, "4096 rw, 4096 r"],
    HOLE: ["0x10300000000", 0, "unmapped"],
  },
};

/** A call without its place in the scenario. */
export type Call = { op: string } & Record<string, unknown>;

/** JSON lines: META, then the calls in order; a call may name its own `s` and `n`. */
export function recording(calls: readonly Call[], meta: object = META): string {
  let scenario = "test";
  let n = -1;
  const lines = calls.map((call) => {
    if (call.s !== undefined && call.s !== scenario) {
      scenario = call.s as string;
      n = -1;
    }
    n = (call.n as number | undefined) ?? n + 1;
    return { ...call, s: scenario, n };
  });
  return [meta, ...lines].map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** Calls with what a kernel answered; `more` overrides or adds members. */
export const call = {
  open: (fd: number, more: object = {}): Call => ({
    ...{ op: "open", fd, path: "/dev/iommu", flags: 2, ret: 0, errno: "" },
    ...more,
  }),
  close: (fd: number, more: object = {}): Call => ({ op: "close", fd, ret: 0, errno: "", ...more }),
  dup: (fd: number, newfd: number, more: object = {}): Call => ({ op: "dup", fd, newfd, ret: 0, errno: "", ...more }),
  ioctl: (fd: number, nr: number, words: readonly number[], more: object = {}): Call => ({
    op: "ioctl",
    fd,
    cmd: request(nr),
    how: "buf",
    addr: address(ARG + 4096n),
    len: 4 * words.length,
    in: hexWords(words),
    ret: 0,
    errno: "",
    ...more,
  }),
};

/** An ioctl number of the `;` range as it stands in a recording. */
export function request(nr: number): string {
  return `0x${(0x3b00 | nr).toString(16).padStart(8, "0")}`;
}

export function address(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** Little-endian 32-bit words as hex without trailing zero bytes. */
export function hexWords(words: readonly number[]): string {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => view.setUint32(4 * index, word, true));
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(?:00)+$/, "");
}

export function failure(errno: string): object {
  return { ret: -1, errno };
}
