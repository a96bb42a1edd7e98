// SPDX-License-Identifier: GPL-2.0-only
//
// Lint rules for everything that is TypeScript or JavaScript. assembly/ is not: the AssemblyScript compiler checks it.
//
// What the rules are for: promises that nobody awaits, types that lie, timers in the product, and imports that run the
// wrong way. Layout is prettier's business alone.

import js from "@eslint/js";
import globals from "globals";
import tseslint from "typescript-eslint";

// The product has no timers: whatever waits is woken up by what it waits for.
const TIMERS = ["setTimeout", "setInterval", "setImmediate"].map((name) => ({
  name,
  message: "Wait for the event itself; nothing here polls.",
}));

export default tseslint.config(
  { ignores: ["build/", "dist/", "coverage/", "assembly/", "bindings/generated/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  {
    files: ["**/*.{js,mjs}"],
    languageOptions: {
      globals: { ...globals.node, ...globals.browser, ...globals.worker },
    },
  },
  {
    files: ["examples/lab/public/*.js"],
    languageOptions: { globals: globals.serviceworker },
  },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/return-await": ["error", "in-try-catch"],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  {
    rules: {
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["bindings/**/*.ts"],
    rules: {
      "no-console": "error",
      "no-restricted-globals": ["error", ...TIMERS],
      "no-restricted-imports": ["error", { patterns: [{ group: ["**/test/**", "**/bench/**"] }] }],
    },
  },
);
