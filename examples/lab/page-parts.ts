// SPDX-License-Identifier: GPL-2.0-only
// The parts of the page that a lesson points at, by the names of the public contract of `iommufd-wasm/lab`.

import type { IommufdConsole, IommufdIova, LabSession, IommufdRace } from "iommufd-wasm/lab";
import type { MachineName, Place } from "./lessons/lesson.js";

/** What the page uses of the elements that show a session. */
export interface SessionElement extends HTMLElement {
  session: LabSession | undefined;
  readonly updateComplete: Promise<boolean>;
}

const SECTION: Readonly<Record<Place, string>> = {
  console: "console",
  graph: "objects",
  file: "objects",
  race: "race",
  definition: "definition",
  memory: "memory",
};

/** The element with that ID, which the page is known to have. */
export function part(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/** The console of a machine. */
export function consoleElement(machine: MachineName): IommufdConsole {
  return theOnly(`#${machine === "memory" ? "memory" : "console"} iommufd-console`) as IommufdConsole;
}

/** The page's race view. */
export function raceElement(): IommufdRace {
  return theOnly("iommufd-race") as IommufdRace;
}

/** The page's ribbon. */
export function iovaElement(): IommufdIova {
  return theOnly("iommufd-iova") as IommufdIova;
}

function theOnly(name: string): Element {
  const element = document.querySelector(name);
  if (element === null) throw new Error(`the page has no ${name}`);
  return element;
}

/** The elements that show a machine's session; the race view has kernels of its own. */
export function sessionElements(machine: MachineName): SessionElement[] {
  const names = ["graph", "console", "trace", "iova"].map((name) => `iommufd-${name}`);
  const elements = [...document.querySelectorAll<SessionElement>(names.join())];
  return elements.filter((element) => part("memory").contains(element) === (machine === "memory"));
}

/** Marks the section that a step happens in, and takes the mark from the others. */
export function markPlace(place: Place | undefined): void {
  for (const id of new Set(Object.values(SECTION))) {
    part(id).classList.toggle("wanted", place !== undefined && SECTION[place] === id);
  }
}

/** Brings the section into view, unless it is; of one that does not fit, its beginning. */
export function reveal(place: Place): void {
  const section = part(SECTION[place]);
  const fits = section.getBoundingClientRect().height <= innerHeight;
  section.scrollIntoView({ block: fits ? "nearest" : "start" });
}

/** Whether the lesson stands beside the bench, so that it stays in sight wherever the bench is: style/page.css says when. */
export function isLessonBeside(): boolean {
  return matchMedia("(min-width: 68rem)").matches;
}
