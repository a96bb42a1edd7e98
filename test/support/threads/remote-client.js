// SPDX-License-Identifier: GPL-2.0-only
//
// For test/threads-remote.test.ts: a thread that has a port and nothing else, or that serves a file on one.
//
//   connect    connects to the file behind the port; answers when the server has answered
//   ioctl      makes a call; answers with the result and the bytes afterwards
//   close      closes the connection; answers with how it ended
//   spin       is busy for ever
//   serve      attaches to a share and serves one of its files

import { Iommufd } from "iommufd-wasm";
import { connect, serve } from "iommufd-wasm/remote";
import { post, receive } from "../thread-port.js";

let remote;

const tasks = {
  async connect({ port }) {
    remote = connect(port);
    await remote.ready;
    post("connected");
  },

  async ioctl({ request, bytes }) {
    const result = await remote.tryIoctl(request, bytes);
    post({ result, bytes });
  },

  async close() {
    remote.close();
    post(await remote.closed);
  },

  spin() {
    post("spinning");
    for (;;);
  },

  async serve({ share, fd, port }) {
    const iommufd = await Iommufd.attach(share);
    const server = serve(port, iommufd.fget(fd));
    post("serving");
    const { code } = await server.closed;
    iommufd.detach();
    post(code);
  },
};

receive(({ task, ...options }) => tasks[task](options));
