// SPDX-License-Identifier: GPL-2.0-only
//
// The server of `npm run examples`: every folder here is a page.
//
//   /…                   as in this folder, with the two headers that let a page share memory with its workers
//   /without-headers/…   the same without them, as most web servers send it
//   /cdn/iommufd-wasm/…  the files of the package, as they lie on a CDN: untouched, readable from any origin
//   /plain/…             untouched as well: no bundler has seen that page
//
// Everything else goes through Vite, for which `iommufd-wasm` is an installed package: the one that `npm run build` has built.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const HERE = new URL("./", import.meta.url);
const PACKAGE = new URL("../", import.meta.url);
const NAME = "iommufd-wasm";

const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};
const OF_A_CDN = { "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin" };

const WITHOUT_HEADERS = "/without-headers/";
const CDN = `/cdn/${NAME}/`;
const PLAIN = "/plain/";

const CONTENT_TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".map": "application/json",
  ".wasm": "application/wasm",
};

export default defineConfig({
  root: fileURLToPath(HERE),
  appType: "mpa",
  server: { fs: { allow: [fileURLToPath(PACKAGE)] } },
  // Both are ES modules already, and nothing has to be found while a page is open.
  optimizeDeps: { noDiscovery: true },
  plugins: [pathsAndHeaders(), packageByItsName()],
});

function pathsAndHeaders() {
  return {
    name: "paths-and-headers",
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        const isPlainServer = request.url.startsWith(WITHOUT_HEADERS);
        if (isPlainServer) request.url = request.url.slice(WITHOUT_HEADERS.length - 1);
        else setHeaders(response, ISOLATION);
        const { pathname } = new URL(request.url, "http://localhost");
        if (pathname.startsWith(CDN)) {
          setHeaders(response, OF_A_CDN);
          void sendFile(response, new URL(`./${pathname.slice(CDN.length)}`, PACKAGE), new URL("./dist/", PACKAGE));
        } else if (pathname.startsWith(PLAIN)) {
          const name = pathname.slice(PLAIN.length) || "index.html";
          void sendFile(response, new URL(`.${PLAIN}${name}`, HERE), new URL(`.${PLAIN}`, HERE));
        } else {
          next();
        }
      });
    },
  };
}

function setHeaders(response, headers) {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

/** Sends a file that lies in `folder`; 404 for any other. */
async function sendFile(response, file, folder) {
  try {
    if (!file.href.startsWith(folder.href)) throw new Error("outside the folder");
    const bytes = await readFile(file);
    response.setHeader("Content-Type", CONTENT_TYPES[extname(file.pathname)] ?? "application/octet-stream");
    response.end(bytes);
  } catch {
    response.statusCode = 404;
    response.end("There is no such file.\n");
  }
}

/** The name leads to dist/ by the `exports` of package.json, as for everybody who has installed the package. */
function packageByItsName() {
  const { resolve } = createRequire(new URL("package.json", PACKAGE));
  return {
    name: "package-by-its-name",
    enforce: "pre",
    resolveId(id) {
      return id === NAME || id.startsWith(`${NAME}/`) ? resolve(id) : null;
    },
  };
}
