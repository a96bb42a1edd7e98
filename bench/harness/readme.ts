// SPDX-License-Identifier: GPL-2.0-only
export function writeReadme(): Promise<void> {
  return Promise.resolve();
}
