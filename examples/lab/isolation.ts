// SPDX-License-Identifier: GPL-2.0-only
//
// Gets the page isolated where its host does not send the headers: by a service worker that adds them, and one reload.
//
// One reload and never a second: that the page was reloaded for this is noted in the session's storage, and a page that is
// not isolated even so goes on with one thread.

const RELOADED = "iommufd-lab-reloaded";

/** Registers the service worker where it can help, and loads the page again as soon as it is in place. */
export async function isolate(workerUrl: URL): Promise<void> {
  if (crossOriginIsolated) return;
  try {
    if (!isSecureContext || !("serviceWorker" in navigator) || sessionStorage.getItem(RELOADED) !== null) return;
    const inPlace = new Promise((resolve) => {
      navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true });
    });
    await navigator.serviceWorker.register(workerUrl);
    if (navigator.serviceWorker.controller === null) await inPlace;
    sessionStorage.setItem(RELOADED, "1");
    location.reload();
  } catch {
    // No service worker, or no storage: one thread then.
  }
}
