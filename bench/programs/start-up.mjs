// SPDX-License-Identifier: GPL-2.0-only
//
// A fresh process that imports the library and makes one ioctl; prints how long that took, and what the ioctl answered. The import before it, of
// a module without content, is what any import costs.

const beforeEmpty = performance.now();
await import("data:text/javascript,");
const empty = performance.now() - beforeEmpty;

const start = performance.now();
const { IOMMU_DESTROY, Iommufd } = await import("iommufd-wasm");
const iommufd = await Iommufd.create();
const result = iommufd.open().tryIoctl(IOMMU_DESTROY.request, new Uint8Array([8, 0, 0, 0, 1, 0, 0, 0]));
const milliseconds = performance.now() - start;

console.log(JSON.stringify({ milliseconds, empty, result }));
