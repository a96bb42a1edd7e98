// SPDX-License-Identifier: GPL-2.0-only
export function drawCharts(): Promise<void> {
  return Promise.resolve();
}
