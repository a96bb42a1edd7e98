// SPDX-License-Identifier: GPL-2.0-only
/**
 * Entry of core.wasm: the functions that the bindings call, and nothing else.
 *
 * Arguments are numbers: addresses of files (from open), handles, IDs, user addresses. Answers are a value ≥ 0, -errno, or one of
 * results.ts. A file address comes only from this module; IDs, handles, requests, lengths and user addresses may be anything.
 */
export { init, isCompatible } from "./init";
export { attachThread, detachThread } from "./thread";
export { detachNext } from "./detach";
export { open, fileByNumber, fget, fput, closeNumber } from "./file";
export { releaseNext, queueTake, queueFree } from "./release";
export { reapNext } from "./reap";
export { defineType, defineCommand } from "./registry";
export { alloc, finalize, abort, describe } from "./object";
export { get, getTyped, getConfirm, getSlowly, put, putSlowly, putUnquiet, putKeepUser } from "./lookup";
export { dropUser, dropReference } from "./kept";
export { hold, holdReference } from "./hold";
export {
  destroy,
  destroyPoll,
  destroyWait,
  destroyCancel,
  destroyFinish,
  destroyReference,
  callbackBegins,
} from "./destroy";
export { ioctlWindow, ioctlTail, ioctlHead, ioctlUser, ioctlAgain, ioctlEnd } from "./ioctl";
export { makeProcess, useProcess, setCredentials, setMemlock } from "./process";
export { createMemfd, truncateMemfd, closeMemfd } from "./memfd";
export { map, mapFile, mapExternal, mapDone, protect, unmap } from "./mmap";
export { accessAttach, accessCreate, accessDestroy, accessDetach, accessLeave } from "./access";
export { accessPin, accessPinned, accessUnpin, accessUnpinAll } from "./access_pin";
export { accessSegment, copySegment, segmentEnd } from "./access_copy";
export { queueFileClose, queueFileRead, queueFileWrite } from "./eventq";
export { endProcess } from "./exit";
export { readUser, writeUser } from "./uaccess";
export { inspect } from "./inspect";
export { inspectRanges } from "./inspect_areas";
