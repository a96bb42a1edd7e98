// SPDX-License-Identifier: GPL-2.0-only
//
// The worker of attach: attaches to the share that it gets, makes one ioctl, and answers with how long both took.

import { IOMMU_DESTROY, Iommufd, type IommufdShare } from "iommufd-wasm";
import { peer } from "../harness/peer.ts";

const struct = new Uint8Array(new Uint32Array([8, 1]).buffer);
const { share, fd } = (await peer.next()) as { share: IommufdShare; fd: number };
const start = performance.now();
const iommufd = Iommufd.attachSync(share);
const result = iommufd.file(fd).tryIoctl(IOMMU_DESTROY.request, struct);
const milliseconds = performance.now() - start;
iommufd.detach();
peer.post({ milliseconds, result });
