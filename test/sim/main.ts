/** `npm run sim -- --seeds N [--seed S]`: runs N seeds from S on, and says what they did. */
import { parseArgs } from "node:util";
import { runSeeds } from "./run-seeds.ts";

const { values } = parseArgs({
  options: { seeds: { type: "string", default: "1000" }, seed: { type: "string" } },
});
const first = Number(values.seed ?? 1);
const seeds = values.seed !== undefined && values.seeds === "1000" ? 1 : Number(values.seeds);
const began = performance.now();
const { summary, failure } = runSeeds(first, seeds);
const seconds = (performance.now() - began) / 1_000;
for (const [name, value] of Object.entries(summary)) console.log(`${name.padEnd(24)} ${value}`);
console.log(
  `${"messages per second".padEnd(24)} ${Math.round((summary["messages"] ?? 0) / seconds)}`,
);
if (failure) {
  console.log(`\nseed ${failure.seed}: ${failure.message}\n${failure.trace.join("\n")}`);
  process.exit(1);
}
