// SPDX-License-Identifier: GPL-2.0-only
/**
 * The compiled core as TypeScript sees it: its raw exports, and how it is instantiated on a memory.
 *
 * Files are addresses that `open` returned, `expected` is the state that a context stands for (assembly/core/file.ts). Booleans
 * are 0 and 1. Answers: a value ≥ 0, -errno, or one of Layout.MUST_*.
 */
import { failure } from "./error.js";

/** The functions of assembly/core/index.ts. */
export interface CoreExports {
  init: (bytes: number, profile: number, idLimit: number, tableEnd: number) => number;
  isCompatible: () => number;
  attachThread: (mayBlock: number) => number;
  detachThread: () => void;
  detachNext: () => number;

  open: () => number;
  fileByNumber: (fd: number) => number;
  fget: (file: number) => number;
  fput: (file: number) => void;
  closeNumber: (file: number, expected: number) => number;
  releaseNext: (file: number) => number;
  queueTake: () => number;
  queueFree: (handle: number) => void;
  reapNext: (thread: number, incarnation: number) => number;

  defineType: (nameBytes: number, payloadBytes: number, flags: number) => number;
  defineCommand: (nr: number, size: number, minSize: number, shapeLow: number, shapeHigh: number) => number;

  alloc: (file: number, expected: number, type: number) => number;
  finalize: (file: number, handle: number) => number;
  abort: (file: number, handle: number) => number;
  get: (file: number, expected: number, id: number) => number;
  getTyped: (file: number, expected: number, id: number, type: number) => number;
  getConfirm: (file: number, expected: number, handle: number) => number;
  getSlowly: (file: number, expected: number, id: number, type: number) => number;
  put: (file: number, handle: number) => number;
  putSlowly: (file: number, handle: number) => number;
  putUnquiet: (file: number) => number;
  putKeepUser: (file: number, handle: number) => number;
  dropUser: (file: number, handle: number) => number;
  describe: (file: number, handle: number) => number;
  hold: (file: number, handle: number, target: number) => number;

  destroy: (file: number, expected: number, id: number, blocking: number) => number;
  destroyPoll: (file: number, handle: number) => number;
  destroyWait: (file: number, handle: number, milliseconds: number) => number;
  destroyCancel: (file: number, handle: number) => number;
  destroyFinish: (file: number, handle: number) => number;
  callbackBegins: (slot: number) => void;
  dropReference: (file: number, expected: number, id: number, serial: number) => number;
  holdReference: (file: number, handle: number, id: number, serial: number) => number;
  destroyReference: (file: number, expected: number, id: number, serial: number, blocking: number) => number;

  ioctlWindow: (file: number, expected: number, request: number, length: number, blocking: number) => number;
  ioctlTail: (offset: number, size: number, length: number) => number;
  ioctlHead: (
    file: number,
    expected: number,
    request: number,
    size: number,
    length: number,
    blocking: number,
  ) => number;
  ioctlUser: (file: number, expected: number, request: number, address: bigint, blocking: number) => number;
  ioctlEnd: (file: number) => void;

  makeProcess: (uid: number, capabilities: number, memlock: bigint) => number;
  useProcess: (pid: number) => number;
  setCredentials: (pid: number, uid: number, capabilities: number) => number;
  setMemlock: (pid: number, bytes: bigint) => number;
  endProcess: (pid: number) => number;

  createMemfd: (bytes: number, maxBytes: number) => number;
  truncateMemfd: (fd: number, generation: number, bytes: number) => number;
  closeMemfd: (fd: number, generation: number) => number;

  map: (va: bigint, length: bigint, prot: number) => number;
  mapFile: (va: bigint, length: bigint, prot: number, fd: number, generation: number, offset: bigint) => number;
  mapExternal: (va: bigint, length: bigint, prot: number) => number;
  mapDone: () => void;
  protect: (va: bigint, length: bigint, prot: number) => number;
  unmap: (va: bigint) => number;
  ioctlAgain: (file: number, request: number) => number;

  accessCreate: (file: number, expected: number, flags: number) => number;
  accessAttach: (row: number, id: number, serial: number, ioasId: number, replaces: number) => number;
  accessLeave: (row: number, id: number, serial: number, ioasId: number) => number;
  accessDetach: (row: number, id: number, serial: number) => number;
  accessDestroy: (row: number, id: number, serial: number, blocking: number) => number;
  accessPin: (row: number, id: number, serial: number, iova: bigint, length: bigint, writes: number) => number;
  accessUnpin: (row: number, id: number, serial: number, iova: bigint, length: bigint) => number;
  accessUnpinAll: (row: number, id: number, serial: number) => number;
  accessPinned: (row: number, id: number, serial: number, iova: bigint, length: bigint) => number;
  accessSegment: (row: number, id: number, serial: number, iova: bigint, length: number, writes: number) => number;
  copySegment: (address: number, buffer: number, length: number, writes: number) => void;
  segmentEnd: () => void;

  queueFileRead: (fd: number, bytes: number) => number;
  queueFileWrite: (fd: number, bytes: number) => number;
  queueFileClose: (fd: number) => number;
  readUser: (from: bigint, length: number) => number;
  writeUser: (to: bigint, length: number) => number;

  inspect: (file: number, expected: number, id: number, exact: number, skip: number) => number;
  inspectRanges: (file: number, expected: number, id: number, set: number, from: bigint, most: number) => number;
}

/** Where the compiled core comes from; each entry point of the package has its own. */
export interface CoreSource {
  /** Compiles it, once per realm. */
  compile(): Promise<WebAssembly.Module>;
  /** The same without waiting. @throws IommufdError ENOSYS where that is impossible. */
  compileSync(): WebAssembly.Module;
}

/** A core bound to a memory: one per thread. The functions are own properties, so that a detached one can be disarmed. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): CoreExports {
  let exports: Partial<CoreExports>;
  try {
    exports = { ...new WebAssembly.Instance(module, { env: { memory } }).exports };
  } catch (cause) {
    throw failure("EINVAL", "attach", "the module does not fit the memory", cause);
  }
  if (typeof exports.isCompatible === "function" && typeof exports.attachThread === "function") {
    return exports as CoreExports;
  }
  throw failure("EINVAL", "attach", "the module is not a core of this library");
}

/** Every later call throws: the thread's slot may belong to another thread now. */
export function disarm(core: CoreExports): void {
  const refuse = (): never => {
    throw failure("ESRCH", "iommufd", "this thread has detached");
  };
  for (const name of Object.keys(core)) core[name as keyof CoreExports] = refuse;
}
