// SPDX-License-Identifier: GPL-2.0-only
//
// The recording's open files: what each label stands for, and the little of open(2) that Linux answers before the
// driver sees the call.
//
// Every label is a reference of its own on its file, as every number of a process is: open() makes the first, dup()
// takes another with iommufd_fget(), and the file's number stays open until the last of them is closed, because only a
// number can be the source of one more reference. The close of the last label is therefore the call during which the
// release runs, exactly as in the kernel.

import { Errno, type Iommufd, IommufdError, type IommufdContext } from "../index.js";

/** One open file behind one or more labels. */
interface OpenFile {
  readonly context: IommufdContext;
  labels: number;
}

/** What a label stands for: a reference on a file, or a path that was only looked up (O_PATH). */
type Label = { readonly file: OpenFile; readonly reference: IommufdContext } | "path";

// open(2) flags, the values of x86-64.
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_DIRECT = 0o40000;
const O_DIRECTORY = 0o200000;
const O_PATH = 0o10000000;

/** The device node; others are not the library's. */
export const DEVICE_PATH = "/dev/iommu";

/** A number that no open file has. */
const NO_FILE = -1;

export class LabelledFiles {
  private readonly labels = new Map<number, Label>();
  /** What stood behind labels that were given to another file while open. */
  private readonly overwritten: Label[] = [];

  constructor(private readonly iommufd: Iommufd) {}

  /** open(DEVICE_PATH, flags); 0 or a negative errno. A failed open leaves the label bad. */
  open(label: number, flags: number): number {
    this.vacate(label);
    // Linux refuses these for a device node on its own: do_open(), do_dentry_open().
    if ((flags & O_DIRECTORY) !== 0) return -Errno.ENOTDIR;
    if ((flags & O_PATH) !== 0) {
      this.labels.set(label, "path");
      return 0;
    }
    if ((flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0) return -Errno.EEXIST;
    if ((flags & O_DIRECT) !== 0) return -Errno.EINVAL;
    return errnoOf(() => {
      const context = this.iommufd.open();
      this.labels.set(label, { file: { context, labels: 1 }, reference: context });
    });
  }

  /** dup(label); 0 or a negative errno. */
  dup(label: number, newLabel: number): number {
    const source = this.labels.get(label);
    this.vacate(newLabel);
    if (source === undefined) return -Errno.EBADF;
    if (source === "path") {
      this.labels.set(newLabel, "path");
      return 0;
    }
    return errnoOf(() => {
      const reference = this.iommufd.fget(source.file.context.fd);
      source.file.labels++;
      this.labels.set(newLabel, { file: source.file, reference });
    });
  }

  /** close(label); 0 or a negative errno. */
  close(label: number): number {
    const found = this.labels.get(label);
    if (found === undefined) return -Errno.EBADF;
    this.labels.delete(label);
    return closeLabel(found);
  }

  /** Closes everything that is open, the lowest label first. */
  closeAll(): void {
    for (const label of [...this.labels.keys()].sort((a, b) => a - b)) this.close(label);
    for (const label of this.overwritten.splice(0)) closeLabel(label);
  }

  /** The label is about to mean something else; what it meant stays open, as it has no other name to be closed by. */
  private vacate(label: number): void {
    const found = this.labels.get(label);
    if (found === undefined) return;
    this.labels.delete(label);
    this.overwritten.push(found);
  }

  /** ioctl(label, request, address): its value, or a negative errno. */
  ioctl(label: number, request: number, address: bigint): number {
    const found = this.labels.get(label);
    if (found !== undefined && found !== "path") return found.reference.tryIoctl(request, address);
    // The library itself has to answer EBADF; by a number, as a label that is not open has no object.
    let result = 0;
    const failed = errnoOf(() => {
      result = this.iommufd.file(NO_FILE).tryIoctl(request, address);
    });
    return failed === 0 ? result : failed;
  }
}

function closeLabel(label: Label): number {
  if (label === "path") return 0;
  return errnoOf(() => {
    const { file, reference } = label;
    file.labels--;
    if (reference !== file.context) reference.close();
    if (file.labels === 0) file.context.close();
  });
}

function errnoOf(call: () => void): number {
  try {
    call();
    return 0;
  } catch (error) {
    if (error instanceof IommufdError) return error.errno;
    throw error;
  }
}
