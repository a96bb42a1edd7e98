// SPDX-License-Identifier: GPL-2.0-only
//
// The package by its name: the library, and the elements of the page, which importing `iommufd-wasm/lab` registers.

import { Iommufd } from "iommufd-wasm";
import { LabSession } from "iommufd-wasm/lab";

const show = (line) => document.querySelector("pre").append(`${line}\n`);

const { iommufd, context } = await LabSession.shared(); // what the elements show
const BUFFER = iommufd.defineObjectType({ name: "BUFFER", payloadBytes: 16 });
const id = context.alloc(BUFFER).finalize();
const other = context.alloc(BUFFER).finalize();
show(`the page has made objects ${id} and ${other}`);

const { threads, reason } = Iommufd.isSupported();
if (threads) {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  worker.onmessage = async ({ data }) => {
    show(data);
    const destroyed = context.destroyAsync(id); // waits for the worker; a page must not block
    worker.postMessage({});
    await destroyed;
    show(`object ${id} is destroyed`);
  };
  worker.postMessage({ share: iommufd.share, fd: context.fd, id });
} else {
  show(`there is no worker: ${reason}`);
  context.destroy(id);
  show(`object ${id} is destroyed`);
}
