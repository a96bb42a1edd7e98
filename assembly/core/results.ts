// SPDX-License-Identifier: GPL-2.0-only
/**
 * What a core function may answer besides 0, a value or -errno: "TypeScript, it is your turn".
 *
 * The values lie below every -errno (the kernel's MAX_ERRNO is 4095), so one signed comparison tells an ordinary answer
 * from these. Details are in the thread slot's result words, valid until the thread's next call.
 */

/**
 * A destroy is queued behind holders. result0: handle for destroyWait and destroyCancel; result1: address of the state word;
 * result2, result3: the word's halves as they were seen, the value to sleep on.
 */
export const MUST_WAIT: i32 = -0x10001;
/** The object is gone; its callback is to be run. result0: handle for destroyFinish; result1: slot. */
export const MUST_DESTROY: i32 = -0x10002;
/** The command's struct lies in the command buffer; execute it, then call ioctlEnd. result0: the declared size. */
export const MUST_EXECUTE: i32 = -0x10003;
/** The zeros so far are good: put the argument's next bytes into the window and call ioctlTail. result0: offset. */
export const MUST_REFILL: i32 = -0x10004;
/** UNMAP found pins: run the accesses' callbacks for rangeFirst … rangeLast, then call ioctlAgain with the words of THREAD_CALL as they are. */
export const MUST_NOTIFY: i32 = -0x10005;
/** releaseNext: hand the warnings out and call again; no callback to run. */
export const RELEASE_AGAIN: u32 = 1;

/** put: nothing happened; putSlowly does it. */
export const PUT_SLOWLY: i32 = 1;
/** put: done, and the file waits to be released, or is poisoned: call putUnquiet. */
export const PUT_UNQUIET: i32 = 2;

/** reapNext: something was left to the bindings (attention), or only a step was made: call again. */
export const REAP_AGAIN: i32 = 1;
