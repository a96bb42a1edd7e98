// SPDX-License-Identifier: GPL-2.0-only
//
// One bench in a Node process of its own: `node build/bench/harness/node-process.js NAME [--smoke]`. Sends its result to the process
// that forked it, or prints it: by hand it takes all of Node's options, e.g. --cpu-prof.

import type { Bench } from "./bench.ts";
import { nodeHost } from "./host-node.ts";

// In two steps: bundlers would rewrite `new URL("…", import.meta.url)`.
const here = import.meta.url;
const built = new URL("../", here);
const root = new URL("../../", built);

const [name = "", ...flags] = process.argv.slice(2);
const { default: bench } = (await import(new URL(`${name}.bench.js`, built).href)) as { default: Bench };
const result = await bench.run(nodeHost({ root, built, smoke: flags.includes("--smoke") }));
const answer = result ? { title: bench.title, ...result } : null;
if (process.send) process.send(answer, () => process.exit(0));
else console.log(JSON.stringify(answer, undefined, 2));
