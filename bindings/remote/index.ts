// SPDX-License-Identifier: GPL-2.0-only
/**
 * Entry "./remote": one open file's ioctls for whoever has no memory in common with us, through a MessagePort.
 *
 * `serve` is for the side that has the Iommufd, `connect` for the other one; an import of `connect` alone brings no core.
 */
export { IoctlCommand } from "../command.js";
export { IOMMU_DESTROY } from "../generated/uapi.js";
export { IommufdError } from "../error.js";
export { RemoteContext, connect } from "./connect.js";
export type { ServeOptions } from "./limits.js";
export type { RemotePort } from "./port.js";
export type { EndCode, RemoteEnd } from "./protocol.js";
export { type CloseOptions, type RemoteServer, type ServeStats, serve } from "./serve.js";
