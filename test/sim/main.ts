/**
 * `npm run sim -- --seeds N [--seed S]`: runs N seeds from S on, and says what they did; without S, storms. A seed
 * alone runs alone.
 */
import { parseArgs } from "node:util";
import { FIRST_WILD } from "./options.ts";
import { runSeeds } from "./run-seeds.ts";

const { values } = parseArgs({
  options: { seeds: { type: "string" }, seed: { type: "string" } },
});
const first = Number(values.seed ?? FIRST_WILD);
const seeds = Number(values.seeds ?? (values.seed === undefined ? 1_000 : 1));
const began = performance.now();
const { summary, failure } = runSeeds(first, seeds);
const seconds = (performance.now() - began) / 1_000;
for (const [name, value] of Object.entries(summary)) console.log(`${name.padEnd(36)} ${value}`);
console.log(
  `${"messages per second".padEnd(36)} ${Math.round((summary["messages"] ?? 0) / seconds)}`,
);
if (failure) {
  console.log(`\nseed ${failure.seed}: ${failure.message}\n${failure.trace.join("\n")}`);
  process.exit(1);
}
