// SPDX-License-Identifier: GPL-2.0-only
//
// The assertion of what runs outside of the test runner too.

/** Throws unless both are the same JSON. */
export function mustEqual(actual: unknown, expected: unknown, what: string): void {
  const [is, shouldBe] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== shouldBe) throw new Error(`${what}: ${is}, not ${shouldBe}`);
}
