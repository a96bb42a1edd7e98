// SPDX-License-Identifier: GPL-2.0-only
//
// For test/node/wait-liftoff.test.ts: a program whose threads sleep on the core's locks and waits, and wake each other up,
// a fixed number of times. Prints "finished" when all have come through. A lost wake-up leaves it hanging.
//
// It starts itself as its threads. Protecting a range of 486,000 pages holds the map lock long enough for the others to
// go to sleep on it; a blocking DESTROY sleeps on the object's word.

import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { Iommufd } from "iommufd-wasm";

const THREADS = 6;
const LOCK_ROUNDS = 3000;
const DESTROY_ROUNDS = 1000;
const BYTES = 1900 * 2 ** 20;
const [ARRIVED, ROUND, ID] = [0, 1, 2];

if (isMainThread) start();
else work(workerData);

function start() {
  const iommufd = Iommufd.createSync({ memoryBytes: 2 ** 31 });
  const { va } = iommufd.userSpace.map(BYTES);
  const { fd } = iommufd.open();
  const words = new Int32Array(new SharedArrayBuffer(16));
  let left = THREADS;
  for (let number = 0; number < THREADS; number++) {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { share: iommufd.share, words, number, va, fd },
    });
    worker.on("message", () => --left === 0 && console.log("finished"));
  }
}

function work({ share, words, number, va, fd }) {
  const iommufd = Iommufd.attachSync(share);
  const context = iommufd.file(fd);
  const type = iommufd.defineObjectType({ name: "plain", payloadBytes: 8 });
  for (let round = 0; round < LOCK_ROUNDS; round++) {
    meet(words);
    iommufd.userSpace.protect(va, BYTES, round % 2 === 0 ? "r" : "rw");
  }
  for (let round = 0; round < DESTROY_ROUNDS; round++) {
    let lock;
    if (number === 0) {
      lock = context.get(context.alloc(type).finalize());
      Atomics.store(words, ID, lock.id);
    }
    meet(words);
    const id = Atomics.load(words, ID);
    if (number === 1) context.destroy(id);
    else if (number === 0) {
      while (context.inspect(id)?.state !== "destroying");
      for (let look = round * 7; look > 0; look--) Atomics.load(words, ID); // the destroyer falls asleep meanwhile
      lock.put();
    }
    meet(words);
  }
  iommufd.detach();
  parentPort.postMessage("done");
}

/** Returns when all threads have called it. */
function meet(words) {
  const round = Atomics.load(words, ROUND);
  if (Atomics.add(words, ARRIVED, 1) === THREADS - 1) {
    Atomics.store(words, ARRIVED, 0);
    Atomics.add(words, ROUND, 1);
    Atomics.notify(words, ROUND);
  } else {
    while (Atomics.load(words, ROUND) === round) Atomics.wait(words, ROUND, round);
  }
}
