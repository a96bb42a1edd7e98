// SPDX-License-Identifier: GPL-2.0-only
//
// The machine on which one recording is replayed: an Iommufd, the recorded process' memory, its open files and, if the
// recorded kernel had it, the lab. It outlives the scenarios; reset() brings it back to where the recorder started each
// of them.
//
// The kernel's refcount warnings are of the kind that warns once, and the recorder re-armed them before each call:
// however often one kind happens during a call, it is recorded once. The library reports each, so repetitions are
// dropped here.

import { type Fields, Iommufd, type IoctlCommand } from "../index.js";
import { FaultQueues } from "./fault-queues.js";
import { LabelledFiles } from "./files.js";
import { defineLab } from "./lab.js";
import { createDestroyLog, type DestroyLog } from "./log.js";
import { RecordedMemory } from "./memory.js";
import { RecordedProcess } from "./process.js";
import type { MetaRecord } from "./records.js";

const DEFAULT_MEMORY_BYTES = 64 * 1024 * 1024;

/** Warnings that the kernel prints once per call. */
const ONCE_PER_CALL = "refcount:";

/** How to start a Machine. */
export interface MachineOptions {
  readonly abi: "rfc" | "mainline";
  /** Default: 64 MiB and what the regions take. */
  readonly memoryBytes?: number | undefined;
  /** Default: the core of this package. */
  readonly module?: WebAssembly.Module | undefined;
  /** The recording's name, for errors. */
  readonly file: string;
}

export class Machine {
  readonly files: LabelledFiles;
  readonly faultQueues: FaultQueues;
  readonly process: RecordedProcess;

  private constructor(
    readonly iommufd: Iommufd,
    readonly memory: RecordedMemory,
    private readonly log: DestroyLog,
    private readonly warnings: string[],
  ) {
    this.files = new LabelledFiles(iommufd);
    this.faultQueues = new FaultQueues(iommufd);
    this.process = new RecordedProcess(iommufd.userSpace);
  }

  /** Throws RecordingError when the regions cannot be mapped. */
  static async start(meta: MetaRecord, options: MachineOptions): Promise<Machine> {
    const warnings: string[] = [];
    const regionBytes = meta.regions.reduce((sum, region) => sum + region.length, 0);
    const iommufd = await Iommufd.create({
      abi: options.abi,
      ...(options.abi === "mainline" && meta.kernel !== undefined && { release: meta.kernel }),
      memoryBytes: options.memoryBytes ?? DEFAULT_MEMORY_BYTES + regionBytes,
      ...(options.module && { module: options.module }),
      onWarning: ({ kind, count }) => {
        const once = kind.startsWith(ONCE_PER_CALL);
        if (once && warnings.includes(kind)) return;
        for (let i = 0; i < (once ? 1 : count); i++) warnings.push(kind);
      },
    });
    try {
      const log = createDestroyLog();
      // Nobody else is there during a LAB_HOLD, so it need not take any time.
      if (meta.lab) defineLab(iommufd, { log, wait: () => undefined });
      return new Machine(iommufd, RecordedMemory.map(iommufd.userSpace, meta, options.file), log, warnings);
    } catch (error) {
      iommufd.detach();
      throw error;
    }
  }

  /** The commands that its files understand. */
  commands(): readonly IoctlCommand<Fields>[] {
    return this.iommufd.commands();
  }

  /** Makes a call; returns what it returned and what the library warned about meanwhile. */
  observe(call: () => number): { result: number; warnings: readonly string[] } {
    this.warnings.length = 0;
    const result = call();
    return { result, warnings: [...this.warnings] };
  }

  /** Closes what is open. */
  closeFiles(): void {
    this.files.closeAll();
    this.faultQueues.closeAll();
  }

  /** Makes a system call that the recording names, and that the scope lets through. */
  named(name: string, value: number | undefined): number {
    return RecordedProcess.answers(name) ? this.process.call(name, value) : this.faultQueues.call(name);
  }

  /** Closes what is open, empties the lab's log, and gives the process back what it had. */
  reset(): void {
    this.closeFiles();
    this.process.reset();
    this.log.take(0, () => undefined);
  }

  shutDown(): void {
    this.reset();
    this.memory.unmap();
    this.iommufd.detach();
  }
}
