// SPDX-License-Identifier: GPL-2.0-only
//
// The machine and what its program does to the objects, side by side.
//
// The machine starts at once and stops at each request until the reader lets it through. The elements show the file that the
// program has open, and a file of the page's own while it has none.

import { Iommufd, type IommufdContext, IOMMU_DESTROY } from "iommufd-wasm";
import { LabSession } from "iommufd-wasm/lab";
import { defineLab } from "iommufd-wasm/replay";
import emulatorUrl from "v86/build/v86.wasm?url";
import type { DeviceCommand } from "./device.ts";
import programUrl from "./guest/guest.elf?url";
import source from "./guest/program.c?raw";
import { type Machine, startMachine } from "./machine.ts";
import { Command } from "./registers.mjs";

interface Shown extends HTMLElement {
  session: LabSession;
}

const step = elementOf("step", HTMLButtonElement);
const run = elementOf("run", HTMLButtonElement);
const restart = elementOf("restart", HTMLButtonElement);
const state = elementOf("state", HTMLElement);
const serial = elementOf("serial", HTMLElement);
elementOf("source", HTMLElement).textContent = source;

const [emulator, program] = await Promise.all([
  WebAssembly.compileStreaming(fetch(emulatorUrl)),
  fetch(programUrl).then((response) => response.arrayBuffer()),
]);
const iommufd = await Iommufd.create();
const { commands } = defineLab(iommufd);
const none = iommufd.open();
const session = LabSession.of(iommufd, none, commands);
for (const element of document.querySelectorAll<Shown>("iommufd-graph, iommufd-trace")) element.session = session;

/** Lets the request that waits through. */
let letThrough: (() => void) | undefined;
let runsToTheEnd = false;
let machine: Promise<Machine> | undefined;

step.addEventListener("click", () => letThrough?.());
run.addEventListener("click", () => {
  runsToTheEnd = true;
  letThrough?.();
});
let starting = start();
restart.addEventListener("click", () => {
  starting = starting.then(start);
});

async function start(): Promise<void> {
  const before = machine;
  machine = undefined;
  letThrough?.();
  await before?.then((running) => running.switchOff());
  runsToTheEnd = false;
  serial.textContent = "";
  say("The PC starts …");
  machine = startMachine({ emulator, program, iommufd, onCharacter, onHalt, onCommand, onOpen, onClose });
  await machine;
}

function onCharacter(character: string): void {
  serial.append(character);
}

function onHalt(): void {
  say("The program has ended, and the PC has halted.");
}

function onOpen(context: IommufdContext): void {
  session.show(context);
}

function onClose(): void {
  session.show(none);
}

/** The machine waits until the reader wants to see what comes of it. */
async function onCommand(command: DeviceCommand): Promise<void> {
  if (runsToTheEnd) return;
  const mine = machine;
  const running = await mine;
  await running?.pause(); // it would do nothing but ask whether the device is still busy
  say(`The program waits for the answer to ${nameOf(command)}.`);
  setWaiting(true);
  await new Promise<void>((resolve) => (letThrough = resolve));
  letThrough = undefined;
  if (machine !== mine) return; // it is being switched off
  say("The PC goes on …");
  await running?.resume();
}

function say(text: string): void {
  state.textContent = text;
  setWaiting(false);
}

/** Whether there is a request to let through. The buttons keep the focus when there is none. */
function setWaiting(waits: boolean): void {
  for (const button of [step, run]) button.ariaDisabled = String(!waits);
}

function nameOf({ command, file, request }: DeviceCommand): string {
  if (command === Command.OPEN) return "open";
  if (command === Command.CLOSE) return `close(${file})`;
  const known = [IOMMU_DESTROY, ...commands].find((each) => each.request === request);
  return `ioctl(${file}, ${known?.name ?? `0x${request.toString(16)}`})`;
}

function elementOf<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${id}`);
  return element;
}
