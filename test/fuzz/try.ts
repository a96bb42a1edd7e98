import { runBatch, shrink } from "./oracle.ts";
const n = Number(process.argv[2] ?? 20);
const first = Number(process.argv[3] ?? 1);
let calls = 0;
const t0 = performance.now();
(Error as { stackTraceLimit?: number }).stackTraceLimit = 0;
const tally = new Map<string, number>();
let bad = 0;
for (let seed = first; seed < first + n; seed++) {
  for (const abi of ["rfc", "mainline"] as const) {
    const batch = await runBatch(seed, abi, 2000);
    calls += batch.calls;
    for (const [k, v] of batch.tally) tally.set(k, (tally.get(k) ?? 0) + v);
    if (batch.mismatch) {
      console.log(seed, batch.setting, JSON.stringify(batch.mismatch).slice(0, 1500));
      const s = await shrink(batch.setting, batch.operations, 15000);
      for (const o of s.operations) console.log("   ", JSON.stringify(o));
      console.log("   ->", JSON.stringify(s.mismatch).slice(0, 600));
      if (++bad >= 3) process.exit(1);
    }
  }
}
console.log(calls, (performance.now() - t0) / 1000, "s");
console.log(
  [...tally]
    .sort()
    .map(([k, v]) => `${k}: ${v}`)
    .join("\n"),
);
