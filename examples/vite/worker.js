// SPDX-License-Identifier: GPL-2.0-only
//
// Another thread on the page's memory: it locks the object that the page wants to destroy, and lets go when it is told to.

import { Iommufd } from "iommufd-wasm";

let locked;
onmessage = ({ data: { share, fd, id } }) => {
  if (share) {
    locked = Iommufd.attachSync(share).file(fd).get(id);
    postMessage(`the worker has locked object ${locked.id}`);
  } else {
    locked.put();
  }
};
