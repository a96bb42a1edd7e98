// SPDX-License-Identifier: GPL-2.0-only
/**
 * Entry of layout.wasm: every constant that the TypeScript side needs, each as an exported global.
 *
 * The build instantiates the module and writes bindings/generated from it, so no number is typed twice. Only constants are
 * exported here; the module has no code.
 */
import { Snapshot, SNAPSHOT_REFERENCES } from "./inspect";
import * as ranges from "./inspect_areas";
import { Counters, Faults, HoldRecord, Identity, ObjectType, Queue, Slot, Thread, WarningRecord } from "./memory-map";
import * as at from "./memory-map";
import * as phase from "./refcount";
import * as results from "./results";
import * as uapi from "./uapi";

export * from "../errno";

export const ABI_VERSION: u32 = at.ABI_VERSION;
export const PROFILE_RFC: u32 = at.PROFILE_RFC;
export const PROFILE_MAINLINE: u32 = at.PROFILE_MAINLINE;
export const PAGE_SIZE: u32 = at.PAGE_SIZE;
export const WASM_PAGE_SIZE: u32 = at.WASM_PAGE_SIZE;

export const NULL_BYTES: u32 = at.NULL_BYTES;
export const IDENTITY_BYTES: u32 = <u32>at.IDENTITY + offsetof<Identity>("bytes");
export const IDENTITY_PROFILE: u32 = <u32>at.IDENTITY + offsetof<Identity>("profile");
export const IDENTITY_HEAP_PAGES: u32 = <u32>at.IDENTITY + offsetof<Identity>("heapPages");
export const IDENTITY_TABLE_END: u32 = <u32>at.IDENTITY + offsetof<Identity>("tableEnd");
export const PAGES_USED: u32 = <u32>at.PAGES + offsetof<at.PageState>("used");
export const PAGES_EXTENT_LOW: u32 = <u32>at.PAGES + offsetof<at.PageState>("extentLow");
export const PAGES_EXTENT_TOP: u32 = <u32>at.PAGES + offsetof<at.PageState>("extentTop");
export const MAPPING_COUNT: u32 = <u32>at.MAPS + offsetof<at.MapState>("count");
export const LIFE_ANNOUNCED: u32 = <u32>at.LIFE + offsetof<at.Life>("announced");
export const LIFE_NONCE: u32 = <u32>at.LIFE + offsetof<at.Life>("nonceLow");
export const QUEUE_LENGTH: u32 = <u32>at.QUEUE + offsetof<Queue>("length");
export const QUEUE_QUEUED_EVER: u32 = <u32>at.QUEUE + offsetof<Queue>("queuedEver");
export const COUNTERS_LEAKED: u32 = <u32>at.COUNTERS + offsetof<Counters>("leaked");
export const COUNTERS_WARNINGS: u32 = <u32>at.COUNTERS + offsetof<Counters>("warnings");

// For tests of the build with fault injection.
export const FAULT_COUNTDOWN: u32 = <u32>at.FAULTS_STATE + offsetof<Faults>("countdown");
export const FAULT_ATTEMPTS: u32 = <u32>at.FAULTS_STATE + offsetof<Faults>("attempts");
export const FAULT_SITE: u32 = <u32>at.FAULTS_STATE + offsetof<Faults>("site");
export const FAULT_MEMORY: u32 = at.FAULT_MEMORY;
export const FAULT_COPY: u32 = at.FAULT_COPY;
export const FAULT_FILE: u32 = at.FAULT_FILE;
export const FAULT_TYPE: u32 = at.FAULT_TYPE;
export const FAULT_ID: u32 = at.FAULT_ID;
export const FAULT_PROCESS: u32 = at.FAULT_PROCESS;

export const WARN_RELEASE_USERS: u32 = at.WARN_RELEASE_USERS;
export const WARN_DEC_LEAK: u32 = at.WARN_DEC_LEAK;
export const WARN_SATURATED: u32 = at.WARN_SATURATED;
export const WARN_HOLDERS_FULL: u32 = at.WARN_HOLDERS_FULL;
export const WARN_DETACH_HELD: u32 = at.WARN_DETACH_HELD;
export const WARN_UNMAP_PINNED: u32 = at.WARN_UNMAP_PINNED;

export const THREADS: u32 = <u32>at.THREADS;
export const MAX_THREADS: u32 = at.MAX_THREADS;
export const THREAD_BYTES: u32 = at.THREAD_BYTES;
export const THREAD_ATTACHED: u32 = at.THREAD_ATTACHED;
export const THREAD_FREE: u32 = at.THREAD_FREE;
export const THREAD_HOST: u32 = offsetof<Thread>("hostThread");
export const THREAD_WATCHED: u32 = offsetof<Thread>("watched");
export const THREAD_INCARNATION: u32 = offsetof<Thread>("incarnation");
export const THREAD_HAND: u32 = offsetof<Thread>("hand");
export const THREAD_HAND_LIST: u32 = offsetof<Thread>("handList");
export const THREAD_HAND_MEMORY: u32 = offsetof<Thread>("handMemory");
export const THREAD_PINNED: u32 = offsetof<Thread>("pinned");
export const THREAD_STATE: u32 = offsetof<Thread>("state");
export const THREAD_ATTENTION: u32 = offsetof<Thread>("attention");
export const ATTENTION_RELEASE: u32 = at.ATTENTION_RELEASE;
export const ATTENTION_WARNINGS: u32 = at.ATTENTION_WARNINGS;
export const THREAD_RELEASING: u32 = offsetof<Thread>("releasing");
export const THREAD_WINDOW_WRITTEN: u32 = offsetof<Thread>("windowWritten");
export const THREAD_RESULT0: u32 = offsetof<Thread>("result0");
export const THREAD_WARNING_COUNT: u32 = offsetof<Thread>("warningCount");
export const THREAD_WARNINGS_LOST: u32 = offsetof<Thread>("warningsLost");
export const THREAD_RECORDS: u32 = at.THREAD_RECORDS;
export const MAX_RECORDS: u32 = at.MAX_RECORDS;
export const THREAD_WARNINGS: u32 = at.THREAD_WARNINGS;
export const THREAD_COMMAND: u32 = at.THREAD_COMMAND;
export const THREAD_WINDOW: u32 = at.THREAD_WINDOW;
export const COMMAND_BYTES: u32 = at.COMMAND_BYTES;

export const WARNING_BYTES: u32 = offsetof<WarningRecord>();
export const WARNING_KIND: u32 = offsetof<WarningRecord>("kind");
export const WARNING_FD: u32 = offsetof<WarningRecord>("fd");
export const WARNING_ID: u32 = offsetof<WarningRecord>("id");

export const RECORD_BYTES: u32 = offsetof<HoldRecord>();
export const RECORD_TARGET: u32 = offsetof<HoldRecord>("target");
export const RECORD_FILE_KIND: u32 = offsetof<HoldRecord>("fileKind");
export const RECORD_KIND_MASK: u32 = at.RECORD_KIND_MASK;
export const RECORD_LOCKED: u32 = at.RECORD_LOCKED;
export const RECORD_RESERVED: u32 = at.RECORD_RESERVED;
export const RECORD_QUEUED: u32 = at.RECORD_QUEUED;
export const RECORD_QUEUED_KEPT: u32 = at.RECORD_QUEUED_KEPT;
export const RECORD_BUSY: u32 = at.RECORD_BUSY;

export const FILES: u32 = <u32>at.FILES;
export const MAX_FILES: u32 = at.MAX_FILES;
export const FILE_BYTES: u32 = at.FILE_BYTES;
export const FIRST_FD: u32 = at.FIRST_FD;
export const FILE_STATE: u32 = offsetof<at.File>("state");
export const FILE_LOCK: u32 = at.FILE_CONTEXT + offsetof<at.Context>("lock");
export const FILE_TAKEN: u32 = at.FILE_CONTEXT + offsetof<at.Context>("taken");
export const FILE_SPARE: u32 = at.FILE_CONTEXT + offsetof<at.Context>("spare");
export const FILE_PHASE_MASK: u32 = at.FILE_PHASE_MASK;
export const FILE_POISONED: u32 = at.FILE_POISONED;
export const FILE_FREE: u32 = at.FILE_FREE;
export const FILE_OPEN: u32 = at.FILE_OPEN;
export const FILE_CLOSED: u32 = at.FILE_CLOSED;
export const FILE_DRAINING: u32 = at.FILE_DRAINING;
export const FILE_BY_NUMBER: u32 = at.FILE_BY_NUMBER;
export const FILE_NEVER: u32 = at.FILE_NEVER;

export const HANDLE_UNCONFIRMED: u32 = at.HANDLE_UNCONFIRMED;

export const ENTRY_SLOT: u32 = offsetof<at.Entry>("slot");
export const SLOT_ID: u32 = offsetof<Slot>("id");
export const SLOT_OWNER: u32 = offsetof<Slot>("owner");
export const SLOT_TYPE_MASK: u32 = at.SLOT_TYPE_MASK;
export const SLOT_FILE_MASK: u32 = at.SLOT_FILE_MASK;
export const SLOT_PAYLOAD: u32 = at.SLOT_PAYLOAD;
export const MAX_PAYLOAD: u32 = at.MAX_PAYLOAD;

export const CLASSES: u32 = <u32>at.CLASSES + offsetof<at.SlabClass>("lock");
export const CLASS_BYTES: u32 = at.CLASS_BYTES;
export const MAX_CLASSES: u32 = at.MAX_CLASSES;
export const REGISTRY_LOCK: u32 = <u32>at.REGISTRY + offsetof<at.Registry>("lock");
export const MAPS_LOCK: u32 = <u32>at.MAPS + offsetof<at.MapState>("lock");
export const QUEUE_LOCK: u32 = <u32>at.QUEUE + offsetof<Queue>("lock");
export const NODES_LOCK: u32 = <u32>at.NODES + offsetof<at.NodePool>("lock");
export const PAGES_LOCK: u32 = <u32>at.PAGES + offsetof<at.PageState>("lock");

export const TYPES: u32 = <u32>at.TYPES;
export const TYPE_BYTES: u32 = at.TYPE_BYTES;
export const TYPE_PAYLOAD_BYTES: u32 = offsetof<ObjectType>("payloadBytes");
export const TYPE_NAME_BYTES: u32 = offsetof<ObjectType>("nameBytes");
export const TYPE_NAME: u32 = at.TYPE_NAME;
export const TYPE_HAS_DESTROY: u32 = at.TYPE_HAS_DESTROY;
export const NAME_BYTES: u32 = at.NAME_BYTES;

export const IOMMUFD_TYPE: u32 = at.IOMMUFD_TYPE;
export const COMMAND_BASE: u32 = at.COMMAND_BASE;
export const MAX_COMMANDS: u32 = at.MAX_COMMANDS;
export const NR_DESTROY: u32 = uapi.NR_DESTROY;
export const MAINLINE_COMMAND_LIMIT: u32 = at.MAINLINE_COMMAND_LIMIT;

export const PROT_NONE: u32 = at.PROT_NONE;
export const PROT_READ: u32 = at.PROT_READ;
export const PROT_WRITE: u32 = at.PROT_WRITE;
export const MAPPINGS: u32 = <u32>at.MAPPINGS;
export const MAX_MAPPINGS: u32 = at.MAX_MAPPINGS;
export const MAPPING_BYTES: u32 = offsetof<at.Mapping>();
export const MAPPING_STATE: u32 = offsetof<at.Mapping>("state");
export const MAPPING_UNUSED: u32 = at.MAPPING_UNUSED;
export const MAPPING_MAPPED: u32 = at.MAPPING_MAPPED;
export const MAPPING_VA: u32 = offsetof<at.Mapping>("va");
export const MAPPING_PAGES: u32 = offsetof<at.Mapping>("pages");
export const MAPPING_BACKING: u32 = offsetof<at.Mapping>("backing");

export const MAPPING_KIND: u32 = offsetof<at.Mapping>("kind");
export const MAPPING_SOURCE: u32 = offsetof<at.Mapping>("source");
export const MAPPING_PINS: u32 = offsetof<at.Mapping>("pins");
export const MAPPING_ANONYMOUS: u32 = at.MAPPING_ANONYMOUS;
export const MAPPING_MEMFD: u32 = at.MAPPING_MEMFD;
export const MAPPING_EXTERNAL: u32 = at.MAPPING_EXTERNAL;
export const SPACE_SHIFT: u32 = <u32>at.SPACE_SHIFT;

export const PROCESSES: u32 = <u32>at.PROCESSES;
export const MAX_PROCESSES: u32 = at.MAX_PROCESSES;
export const PROCESS_BYTES: u32 = at.PROCESS_BYTES;
export const PROCESS_STATE: u32 = offsetof<at.Process>("state");
export const PROCESS_ALIVE: u32 = at.PROCESS_ALIVE;
export const PROCESS_PID: u32 = offsetof<at.Process>("pid");
export const PROCESS_USER: u32 = offsetof<at.Process>("user");
export const PROCESS_CAPABILITIES: u32 = offsetof<at.Process>("capabilities");
export const PROCESS_MEMLOCK: u32 = offsetof<at.Process>("memlock");
export const PROCESS_LOCKED_VM: u32 = offsetof<at.Process>("lockedVm");
export const PROCESS_PINNED_VM: u32 = offsetof<at.Process>("pinnedVm");
export const PROCESS_HOLDERS: u32 = offsetof<at.Process>("holders");
export const USERS: u32 = <u32>at.USERS;
export const MAX_USERS: u32 = at.MAX_USERS;
export const USER_BYTES: u32 = offsetof<at.User>();
export const USER_UID: u32 = offsetof<at.User>("uid");
export const USER_LOCKED: u32 = offsetof<at.User>("locked");
export const USER_HOLDERS: u32 = offsetof<at.User>("holders");
export const CAP_IPC_LOCK: u32 = at.CAP_IPC_LOCK;
export const CAP_SYS_RAWIO: u32 = at.CAP_SYS_RAWIO;
export const CAP_SYS_RESOURCE: u32 = at.CAP_SYS_RESOURCE;
export const THREAD_PROCESS: u32 = offsetof<Thread>("process");

export const MEMFDS: u32 = <u32>at.MEMFDS;
export const MAX_MEMFDS: u32 = at.MAX_MEMFDS;
export const MEMFD_BYTES: u32 = offsetof<at.Memfd>();
export const FIRST_MEMFD: u32 = at.FIRST_MEMFD;
export const MEMFD_STATE: u32 = offsetof<at.Memfd>("state");
export const MEMFD_UNUSED: u32 = at.MEMFD_UNUSED;
export const MEMFD_OPEN: u32 = at.MEMFD_OPEN;
export const MEMFD_SIZE: u32 = offsetof<at.Memfd>("size");
export const MEMFD_BACKING: u32 = offsetof<at.Memfd>("backing");
export const MEMFD_PAGES: u32 = offsetof<at.Memfd>("pages");
export const MEMFD_GENERATION: u32 = offsetof<at.Memfd>("generation");
export const MEMFD_HOLDERS: u32 = offsetof<at.Memfd>("holders");

export const KEEPERS: u32 = <u32>at.KEEPERS;
export const MAX_KEEPERS: u32 = at.MAX_KEEPERS;
export const KEEPER_BYTES: u32 = offsetof<at.Keeper>();
export const KEEPER_STATE: u32 = offsetof<at.Keeper>("state");

export const PHASE_RESERVED: u32 = phase.PHASE_RESERVED;
export const PHASE_LEAKED: u32 = phase.PHASE_LEAKED;

export const MUST_WAIT: i32 = results.MUST_WAIT;
export const MUST_DESTROY: i32 = results.MUST_DESTROY;
export const MUST_EXECUTE: i32 = results.MUST_EXECUTE;
export const MUST_NOTIFY: i32 = results.MUST_NOTIFY;
export const THREAD_CALL: u32 = at.THREAD_CALL;
export const THREAD_CALL_BYTES: u32 = at.THREAD_CALL_BYTES;
export const THREAD_RANGE_FIRST: u32 = offsetof<Thread>("rangeFirst");
export const THREAD_RANGE_LAST: u32 = offsetof<Thread>("rangeLast");
export const THREAD_UNMAP_HANDLE: u32 = offsetof<Thread>("unmapHandle");
export const ACCESS_PINS: u32 = at.ACCESS_PINS;
export const MUST_REFILL: i32 = results.MUST_REFILL;
export const PUT_SLOWLY: i32 = results.PUT_SLOWLY;
export const PUT_UNQUIET: i32 = results.PUT_UNQUIET;
export const REAP_AGAIN: i32 = results.REAP_AGAIN;
export const RELEASE_AGAIN: u32 = results.RELEASE_AGAIN;

export const SNAPSHOT_ID: u32 = offsetof<Snapshot>("id");
export const SNAPSHOT_TYPE: u32 = offsetof<Snapshot>("type");
export const SNAPSHOT_PHASE: u32 = offsetof<Snapshot>("phase");
export const SNAPSHOT_USERS: u32 = offsetof<Snapshot>("users");
export const SNAPSHOT_HOLDERS: u32 = offsetof<Snapshot>("holders");
export const SNAPSHOT_DESTROYERS: u32 = offsetof<Snapshot>("destroyers");
export const SNAPSHOT_COUNT: u32 = offsetof<Snapshot>("references");
export const SNAPSHOT_IDS: u32 = SNAPSHOT_REFERENCES;

export const RANGES_AREAS: u32 = ranges.RANGES_AREAS;
export const RANGES_RESERVED: u32 = ranges.RANGES_RESERVED;
export const RANGES_ALLOWED: u32 = ranges.RANGES_ALLOWED;
export const RANGES_MOST: u32 = ranges.RANGES_MOST;
export const RANGE_BYTES: u32 = offsetof<ranges.RangeSnapshot>();
export const RANGE_FIRST: u32 = offsetof<ranges.RangeSnapshot>("first");
export const RANGE_LAST: u32 = offsetof<ranges.RangeSnapshot>("last");
export const RANGE_SOURCE: u32 = offsetof<ranges.RangeSnapshot>("source");
export const RANGE_PAGES: u32 = offsetof<ranges.RangeSnapshot>("pages");
export const RANGE_SHARED: u32 = offsetof<ranges.RangeSnapshot>("shared");
export const RANGE_FLAGS: u32 = offsetof<ranges.RangeSnapshot>("flags");
export const RANGE_PID: u32 = offsetof<ranges.RangeSnapshot>("pid");
export const RANGE_FD: u32 = offsetof<ranges.RangeSnapshot>("fd");
export const RANGE_PINS: u32 = offsetof<ranges.RangeSnapshot>("pins");
export const AREA_READ: u32 = at.AREA_READ;
export const AREA_WRITE: u32 = at.AREA_WRITE;
export const TYPE_IOAS: u32 = at.TYPE_IOAS;
// For tests, which have no device whose IOVAs are reserved.
export const IOAS_RESERVED: u32 = offsetof<at.Ioas>("reserved");
export const IOAS_ALLOWED: u32 = offsetof<at.Ioas>("allowed");

// Structs that the bindings write word by word.
export const MAP_BYTES: u32 = offsetof<uapi.IommuIoasMap>();
export const MAP_FLAGS: u32 = offsetof<uapi.IommuIoasMap>("flags");
export const MAP_IOAS_ID: u32 = offsetof<uapi.IommuIoasMap>("ioas_id");
export const MAP_RESERVED: u32 = offsetof<uapi.IommuIoasMap>("__reserved");
export const MAP_USER_VA: u32 = offsetof<uapi.IommuIoasMap>("user_va");
export const MAP_LENGTH: u32 = offsetof<uapi.IommuIoasMap>("length");
export const MAP_IOVA: u32 = offsetof<uapi.IommuIoasMap>("iova");
export const UNMAP_BYTES: u32 = offsetof<uapi.IommuIoasUnmap>();
export const UNMAP_IOAS_ID: u32 = offsetof<uapi.IommuIoasUnmap>("ioas_id");
export const UNMAP_IOVA: u32 = offsetof<uapi.IommuIoasUnmap>("iova");
export const UNMAP_LENGTH: u32 = offsetof<uapi.IommuIoasUnmap>("length");
