/** `npm start`: a local cluster that keeps its state. `-- --fresh` forgets it first. */
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { buildExamples } from "./examples.ts";
import { startLocal } from "./local.ts";

const STATE = fileURLToPath(new URL("../../.wrangler/state", import.meta.url));
const PORT_MAX = 65_535;
const NODES_MAX = 100;

const setting = (name: string, fallback: number, max: number): number => {
  const text = process.env[name] ?? String(fallback);
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= max) return value;
  console.error(`${name} is ${JSON.stringify(text)}, must be a whole number up to ${max}`);
  return process.exit(2);
};

const port = setting("PORT", 8787, PORT_MAX);
const nodes = setting("GODWIT_NODES", 3, NODES_MAX);
if (process.argv.includes("--fresh")) await rm(STATE, { recursive: true, force: true });

const examples = await buildExamples();
const local = await startLocal({ port, nodes, persist: STATE, assets: examples.directory });
let stopping: Promise<void> | undefined;
const stop = (): void => {
  stopping ??= Promise.all([local.dispose(), examples.dispose()]).then(() => process.exit(0));
};
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.removeAllListeners(signal); // Miniflare's own leaves at once, with the signal's exit code
  process.on(signal, stop);
}

const formed = await fetch(new URL("/v1/map", local.url));
if (!formed.ok) console.error(`the cluster does not form: ${await formed.text()}`);
console.log(`Godwit is at ${local.url.origin}, examples at ${local.url.origin}/examples/`);
