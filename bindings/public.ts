// SPDX-License-Identifier: GPL-2.0-only
/** What the entries "." and "./external" have in common: all public names but `Iommufd` itself. */
export { Access, type AccessOptions, type PinnedPiece } from "./access.js";
export { IoctlCommand, type Output } from "./command.js";
export { type FaultQueue, type FaultQueueId, IommufdContext } from "./context.js";
export { IommufdError, type IommufdErrorDetails } from "./error.js";
export { Errno, type ErrnoName } from "./generated/errno.js";
export type { ExternalMemory } from "./external-memory.js";
export { FaultFile, type FaultFileEvents } from "./fault-file.js";
export * from "./generated/uapi.js";
export { LockedObject, ObjectReference, ReservedObject } from "./handles.js";
export {
  Ioas,
  type IoasId,
  type IoasMapFileOptions,
  type IoasMapOptions,
  type IovaRangeInput,
  type IovaRanges,
} from "./ioas.js";
export type { IoasArea, IovaRange, RangePart } from "./ioas-ranges.js";
export type { Argument } from "./ioctl-call.js";
export type { Abi, IoctlDefinition, IommufdOptions, IommufdShare, WatchOptions } from "./iommufd.js";
export type { ObjectInfo, ObjectRange } from "./object-info.js";
export type { WatchableWorker } from "./life.js";
export { Memfd, type MemfdShare } from "./memfd.js";
export { type DyingObject, ObjectType, type ObjectTypeDefinition } from "./object-type.js";
export type { Capability, Credentials, MemlockUsage, UserSpaceOptions } from "./process.js";
export type { ReapReport } from "./reap.js";
export type { IommufdStats, ThreadStats, WaitingDestroy } from "./stats.js";
export { type FieldLayout, type FieldType, type Fields, type Input, Struct, type Values } from "./struct.js";
export type { Support } from "./support.js";
export type { KernelRelease } from "./uapi.js";
export type { TraceEvent, TraceListener } from "./trace-event.js";
export { UserCommand } from "./user-command.js";
export { type MapOptions, type Protection, type UserAddress, type UserMapping, UserSpace } from "./user-space.js";
export type { WaitOptions } from "./wait.js";
export type { IommufdWarning } from "./warnings.js";
