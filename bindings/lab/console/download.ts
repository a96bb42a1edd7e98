// SPDX-License-Identifier: GPL-2.0-only
// Gives the reader a text as a file, by a link that nobody sees.

/** Lets the browser save the text as lines of JSON under that name. */
export function download(text: string, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
