// SPDX-License-Identifier: GPL-2.0-only
//
// Adds the two isolation headers to what a host sends that cannot send them itself.
//
// A page may share memory with its workers only if it, and whatever it loads, came with these headers; a service worker stands
// between the page and its host, and may add them. Only answers of the page's own folder pass here, unchanged otherwise.

const HEADERS = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { request } = event;
  if (new URL(request.url).origin !== location.origin) return;
  // The browser asks like that for its cache only, which a service worker's fetch may not.
  if (request.cache === "only-if-cached" && request.mode !== "same-origin") return;
  event.respondWith(fetch(request).then(isolate));
});

function isolate(response) {
  // An opaque or failed answer has no headers to add to.
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}
