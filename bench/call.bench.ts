// SPDX-License-Identifier: GPL-2.0-only
/**
 * A command that JavaScript executes: by typed `call()`, with objects for the fields, and by `tryIoctl` with a buffer of one's own.
 *
 * The rival is what one would write by hand for one command: a DataView on the caller's buffer, a Map from request to function, the
 * reply written back. Beside it IOMMU_DESTROY of a missing ID, which never leaves the core.
 */
import { IOMMU_DESTROY, Iommufd } from "iommufd-wasm";
import type { Bench } from "./harness/bench.ts";
import { type Candidate, alternate, fresh, ratiosOf, summaries } from "./harness/rounds.ts";

const CALL = "context.call";
const IOCTL = "tryIoctl of the same";
const DESTROY = "tryIoctl DESTROY, ENOENT";
const ENOENT = -2;

export default {
  title: "a command that JavaScript executes",
  run(host) {
    const iommufd = Iommufd.createSync();
    const context = iommufd.open();
    const DOUBLE = iommufd.defineIoctl({
      name: "BENCH_DOUBLE",
      nr: 0xb0,
      fields: { value: "u32", twice: "u32" },
      execute(cmd) {
        cmd.fields.twice = cmd.fields.value * 2;
        cmd.respond();
      },
    });
    const words = new Uint32Array([12, 0, 0]);
    const bytes = new Uint8Array(words.buffer);
    const destroy = new Uint8Array(new Uint32Array([8, 1_000_000]).buffer);
    const handlers = new Map([[DOUBLE.request, doubleByHand]]);

    const candidates: Record<string, Candidate> = {
      [CALL]: counting((value) => context.call(DOUBLE, { value }).twice === value * 2),
      [IOCTL]: counting((value) => {
        words[1] = value;
        return context.tryIoctl(DOUBLE.request, bytes) === 0 && words[2] === value * 2;
      }),
      [DESTROY]: counting(() => context.tryIoctl(IOMMU_DESTROY.request, destroy) === ENOENT),
      "DataView by hand": counting((value) => {
        words[1] = value;
        return handlers.get(DOUBLE.request)?.(bytes) === 0 && words[2] === value * 2;
      }),
    };
    const samples = alternate(candidates, {
      operations: host.smoke ? 500 : 20_000,
      rounds: host.smoke ? 3 : 31,
    });
    iommufd.detach();
    return Promise.resolve({
      unit: "ns per call",
      candidates: summaries(samples),
      ratios: ratiosOf(samples, [CALL, IOCTL, DESTROY]),
      bars: [],
    });
  },
} satisfies Bench;

function counting(call: (value: number) => boolean): Candidate {
  const loop = fresh(countRight);
  return { run: (operations) => loop(call, operations) };
}

// Uses its arguments only: `fresh` makes a copy for each candidate.
function countRight(call: (value: number) => boolean, operations: number): number {
  let right = 0;
  for (let index = 0; index < operations; index++) right += call(index) ? 1 : 0;
  return right;
}

function doubleByHand(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) return -14; // EFAULT
  const size = view.getUint32(0, true);
  if (size < 12) return -95; // EOPNOTSUPP
  if (bytes.length < size) return -14; // EFAULT
  for (let at = 12; at < size; at++) if (bytes[at] !== 0) return -7; // E2BIG
  view.setUint32(8, view.getUint32(4, true) * 2, true);
  return 0;
}
