// SPDX-License-Identifier: GPL-2.0-only
//
// What is at one IOVA: an area, read at that moment, or the hole around it as the last look found it; and what is said about it.

import { type TemplateResult, html, nothing } from "lit";
import type { Ioas, IoasArea } from "../../index.js";
import type { AreaWatch, Range } from "./area-watch.js";
import type { Place } from "./spaces.js";
import { counted, hex, lengthInWords, rightsInWords } from "./texts.js";
import { LAST_IOVA } from "./window.js";

/** What is at an IOVA. */
export type Spot =
  | { readonly kind: "area"; readonly iova: bigint; readonly area: IoasArea }
  | { readonly kind: "hole" | "reserved"; readonly iova: bigint; readonly range: Range };

/** Looks. @throws IommufdError ENOENT, EBADF, ESRCH, EIO */
export function spotAt(ioas: Ioas, watch: AreaWatch, iova: bigint): Spot {
  const [area] = ioas.areas({ from: iova, limit: 1 });
  if (area !== undefined && area.start <= iova) return { kind: "area", iova, area };
  const reserved = watch.reserved.find(({ start, last }) => start <= iova && iova <= last);
  if (reserved !== undefined) return { kind: "reserved", iova, range: reserved };
  const hole = watch.store.holeAt(iova, LAST_IOVA) ?? { start: iova, last: iova };
  // What came since the last look bounds the hole.
  const last = area === undefined || area.start > hole.last ? hole.last : area.start - 1n;
  return { kind: "hole", iova, range: { start: hole.start, last } };
}

/** The range of a spot. */
export function rangeOf(spot: Spot): Range {
  return spot.kind === "area" ? spot.area : spot.range;
}

/** Whose memory an area shows, and from where on. */
export function sourceInWords({ pid, file, source }: IoasArea): string {
  return file === undefined
    ? `memory of process ${pid} at ${hex(source)}`
    : `memfd ${file}, from byte ${hex(source)} on`;
}

const TITLES: Readonly<Record<Spot["kind"], string>> = { area: "Area", hole: "Hole", reserved: "Reserved" };

/** In one sentence, for who hears it. */
export function spotInWords(spot: Spot): string {
  const { start, last } = rangeOf(spot);
  const where = `${hex(start)} to ${hex(last)}, ${lengthInWords(last - start + 1n)}`;
  if (spot.kind !== "area") return `${TITLES[spot.kind]}, ${where}`;
  const { area } = spot;
  const shared = area.shared > 1 ? `, memory shown by ${counted(area.shared, "area")}` : "";
  return `Area, ${where}, ${rightsInWords(area)}, ${sourceInWords(area)}${shared}`;
}

/** All that is known. `places`: where else the memory is shown. */
export function spotView(spot: Spot, places: readonly Place[], goTo: (place: Place) => void): TemplateResult {
  const { start, last } = rangeOf(spot);
  return html`<h3>${TITLES[spot.kind]} <code>${hex(start)}</code> … <code>${hex(last)}</code></h3>
    <dl>
      ${fact("Length", html`${lengthInWords(last - start + 1n)} <span class="muted">(${hex(last - start + 1n)})</span>`)}
      ${fact("Here", html`<code>${hex(spot.iova)}</code>, offset <code>${hex(spot.iova - start)}</code>`)}
      ${spot.kind === "area" ? areaFacts(spot.area, places, goTo) : fact("Means", MEANING[spot.kind])}
    </dl>`;
}

const MEANING = {
  hole: "nothing is mapped: a device that reaches here gets a fault",
  reserved: "nothing may be mapped here",
} as const;

function areaFacts(area: IoasArea, places: readonly Place[], goTo: (place: Place) => void): TemplateResult {
  if (area.state === "transition") return fact("State", "half made, or half gone");
  return html`${fact("Rights", rightsInWords(area))} ${fact("Source", sourceInWords(area))}
  ${area.pins === 0 ? nothing : fact("Pins", counted(area.pins, "pin"))}
  ${fact(
    "Memory",
    area.shared === 1
      ? "shown by this area only"
      : html`shown by
        ${counted(area.shared, "area")}${places.length === 0 ? nothing : ", also by "}${places.map(
          (place) =>
            html`<button type="button" class="place" @click=${() => goTo(place)}>
                IOAS ${place.id}, ${hex(place.start)}</button
              >${" "}`,
        )}`,
  )}`;
}

function fact(name: string, value: unknown): TemplateResult {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}
