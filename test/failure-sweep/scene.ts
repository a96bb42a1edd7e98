// SPDX-License-Identifier: GPL-2.0-only
//
// What operations on IO address spaces are made of: calls whose struct lies in a buffer or at a user address, made anew each time.

import {
  IOMMU_IOAS_ALLOC,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_UNMAP,
  IOMMU_VFIO_IOAS,
  type IommufdContext,
  type IoctlCommand,
  IommufdError,
  type UserSpace,
} from "iommufd-wasm";
import type { Operation, World } from "./operation-sweep.ts";

export const PAGE = 4096;
export const WIDE = BigInt(PAGE);
export const FIXED = 1;
export const RIGHTS = 6;
const EVERYTHING = 2n ** 64n - 1n;

type Fields = Readonly<Record<string, "u8" | "u16" | "u32" | "u64">>;

/** Where a struct lies: in a buffer, or at an address where it is in two pages. */
export type Place = "buffer" | "address";

export interface Scene {
  readonly context: IommufdContext;
  readonly world: World;
  readonly ioas: number;
}

export function scene(world: World): Scene {
  const context = world.iommufd.open();
  return { context, world, ioas: context.call(IOMMU_IOAS_ALLOC, {}).out_ioas_id };
}

/** A call of the command; its struct is as fresh each time. Return: the answer, and the reply behind it. */
export function caller<F extends Fields>(
  { context, world }: Scene,
  place: Place,
  command: IoctlCommand<F>,
  fields: Parameters<IoctlCommand<F>["encode"]>[0],
): () => number | string {
  const struct = command.encode(fields);
  return bytesCaller({ context, world }, place, command.request, struct);
}

/** The same for bytes; the process makes the call. */
export function bytesCaller(
  { context, world }: Pick<Scene, "context" | "world">,
  place: Place,
  request: number,
  struct: Uint8Array,
  process: UserSpace = world.iommufd.userSpace,
): () => number | string {
  const said = (result: number, reply: Uint8Array): number | string =>
    result < 0 ? result : `${result} ${Array.from(reply).join(" ")}`;
  if (place === "buffer") {
    return () => {
      const bytes = struct.slice();
      return said(
        process.run(() => context.tryIoctl(request, bytes)),
        bytes,
      );
    };
  }
  const { va, bytes } = process.map(2 * PAGE);
  const at = PAGE - 8;
  const there = bytes.subarray(at, at + struct.length);
  return () => {
    there.set(struct);
    return said(
      process.run(() => context.tryIoctl(request, va + BigInt(at))),
      there,
    );
  };
}

/** The first of the calls that fails, else all answers. */
export function inTurn(...calls: readonly (() => number | string)[]): () => number | string {
  return () => {
    const answers: (number | string)[] = [];
    for (const call of calls) {
      const result = call();
      if (typeof result === "number" && result < 0) return result;
      answers.push(result);
    }
    return answers.join("; ");
  };
}

/** The value of the call as text, or -errno. */
export function numbered(call: () => unknown): () => number | string {
  return () => {
    try {
      return String(call());
    } catch (error) {
      if (error instanceof IommufdError) return error.errno;
      throw error;
    }
  };
}

export const pages = (first: number, count: number): { iova: bigint; length: bigint } => ({
  iova: BigInt(first) * WIDE,
  length: BigInt(count) * WIDE,
});

export function mapFixed(of: Scene, first: number, count: number, place: Place = "buffer"): () => number | string {
  const where = { ...pages(first, count), user_va: BigInt(first) * WIDE + 0x100_0000n };
  return caller(of, place, IOMMU_IOAS_MAP, { flags: FIXED | RIGHTS, ioas_id: of.ioas, ...where });
}

/** How much is unmapped depends on what was tried before: it is no part of the answer. */
export function unmapAll(of: Scene): () => number {
  const unmap = caller(of, "buffer", IOMMU_IOAS_UNMAP, { ioas_id: of.ioas, iova: 0n, length: EVERYTHING });
  return () => Math.min(Number(unmap()) || 0, 0);
}

/** Areas of a page on every other page, from the second on. */
export function fill(of: Scene, count: number): void {
  for (let n = 0; n < count; n++) mapFixed(of, 2 + 2 * n, 1)();
}

const ENOENT = -2;
export const unmapOrNothing = (unmap: () => number | string) => () => {
  const result = unmap();
  return typeof result === "number" && result !== ENOENT ? result : 0;
};

/** The context's address space is VFIO's, with small pages if they are cut. */
export function compatible(world: World): Scene {
  const of = scene(world);
  of.context.call(IOMMU_VFIO_IOAS, { op: 1, ioas_id: of.ioas });
  return of;
}

export function words(...values: readonly bigint[]): Uint8Array {
  return new Uint8Array(new BigUint64Array(values).buffer);
}

/** argsz and flags in one word. */
export const head = (bytes: number, flags = 0): bigint => BigInt(bytes) | (BigInt(flags) << 32n);

/** The operation with its struct at either place. A copy can only fail at an address. */
export function both(
  name: string,
  prepare: (place: Place) => Operation["prepare"],
  errors: Operation["errors"],
): readonly Operation[] {
  const withFault = [...new Set([...errors, "EFAULT" as const])].sort();
  return [
    { name: `${name}, struct in a buffer`, abis: ["mainline"], errors, prepare: prepare("buffer") },
    { name: `${name}, struct at a user address`, abis: ["mainline"], errors: withFault, prepare: prepare("address") },
  ];
}
