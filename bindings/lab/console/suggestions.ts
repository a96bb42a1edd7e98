// SPDX-License-Identifier: GPL-2.0-only
//
// What a field may sensibly be: IDs of objects that exist, types, a pointer to writable memory; and the values that a fresh
// form starts with, so that its first run says something.

import { type Fields, IOMMU_IOAS_MAP_READABLE, IOMMU_IOAS_MAP_WRITEABLE, type IoctlCommand } from "../../index.js";
import { unlessClosed } from "../closed-file.js";
import type { LabSession } from "../session.js";
import { ConsoleMemory } from "./console-memory.js";
import type { FieldValue } from "./field-text.js";
import type { Suggestion } from "./struct-view.js";

/** Objects that are suggested, the first ones. */
const LOOKED_AT = 100;
/** LAB_LOG entries that a fresh form asks for. */
const LOG_ENTRIES = 16;
/** Ranges that a fresh form has room for. */
const RANGES = 16;
/** Bytes of a mapping that a fresh form asks for: a page. */
const MAPPED = 4096;
const READ_WRITE = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE;
const LAB_TYPES = ["DEVICE", "HWPT", "IOAS"];

/**
 * Values of a field that make sense now.
 *
 * @param most how many objects are looked at
 */
export function suggestionsFor(
  session: LabSession,
  command: IoctlCommand<Fields> | undefined,
  field: string,
  most = LOOKED_AT,
): readonly Suggestion[] {
  if (command === undefined || field.startsWith("out_")) return [];
  if (/(^|_)id\d*$/.test(field)) return liveObjects(session, most);
  if (/^(uptr|user_va|allowed_iovas)$/.test(field)) {
    const { va } = ConsoleMemory.of(session.iommufd).scratch;
    return [{ value: `0x${va.toString(16)}`, text: "a writable page" }];
  }
  if (field === "type" && command.name.startsWith("LAB_")) {
    const types = LAB_TYPES.map((name, index) => ({ value: String(index + 1), text: name }));
    return command.name === "LAB_ALLOC" ? types : [{ value: "0", text: "any type" }, ...types];
  }
  return [];
}

/** What a form of that command starts with. */
export function startingValues(command: IoctlCommand<Fields>, writable: bigint): Readonly<Record<string, FieldValue>> {
  if (command.name === "LAB_ALLOC") return { type: LAB_TYPES.length };
  if (command.name === "LAB_LOG") return { capacity: LOG_ENTRIES, uptr: writable };
  if (command.name === "IOMMU_IOAS_MAP") return { flags: READ_WRITE, length: MAPPED, user_va: writable };
  if (command.name === "IOMMU_IOAS_COPY") return { flags: READ_WRITE, length: MAPPED };
  if (command.name === "IOMMU_IOAS_UNMAP") return { length: MAPPED };
  if (command.name === "IOMMU_IOAS_IOVA_RANGES") return { num_iovas: RANGES, allowed_iovas: writable };
  return {};
}

function liveObjects({ context }: LabSession, limit: number): Suggestion[] {
  // When the session is over there is nothing to suggest.
  return unlessClosed(() => context.objects({ limit }), []).map(({ id, type, users }) => ({
    value: String(id),
    text: `${type.name}, ${users} ${users === 1 ? "user" : "users"}`,
  }));
}
