/**
 * `npm run demo`: a cluster of 3 nodes grows to 5 and shrinks to 2 while it is written without a
 * pause, over WebSockets to each of its nodes and over HTTP. A second process reads all back.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startLocal, type Local } from "../cli/local.ts";
import { Cluster } from "./cluster.ts";
import { Crew } from "./crew.ts";
import { Screen, whole, type Rebalance } from "./progress.ts";
import { leastToAdd, rebalance, type Order } from "./rebalance.ts";
import { failures, table } from "./report.ts";
import { settingsOf, type Settings } from "./settings.ts";
import type { Verdict } from "./verify.ts";

const NODES = ["n1", "n2", "n3"];
const ADDED = 2;
/** Old and new ones, to each of which clients are connected. */
const LEAVING = ["n2", "n4", "n1"];

const screen = new Screen(process.stdout);
const settings = settingsOf(process.env);
if (Array.isArray(settings)) {
  console.error(settings.join("\n"));
  process.exit(2);
}
const began = performance.now();
const folder = await mkdtemp(join(tmpdir(), "godwit-demo-"));
try {
  process.exitCode = (await run(settings)) ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function run(wanted: Settings): Promise<boolean> {
  const { partitions, backups } = wanted;
  const persist = join(folder, "state");
  const local = await startLocal({ port: 0, nodes: NODES.length, partitions, backups, persist });
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.removeAllListeners(signal); // Miniflare's own leaves at once, and the folder behind
    process.on(signal, () => void leave(local));
  }
  try {
    return await play(local.url, wanted);
  } finally {
    await local.dispose();
  }
}

async function leave(local: Local): Promise<never> {
  await local.dispose();
  await rm(folder, { recursive: true, force: true });
  process.exit(130);
}

/** False where something failed; it is said why. */
async function play(url: URL, wanted: Settings): Promise<boolean> {
  const { partitions, pauseMs } = wanted;
  const cluster = new Cluster(url);
  await cluster.owners(); // the first request forms it
  screen.line(`${NODES.length} nodes with ${partitions} partitions at ${url.origin}`);

  const crew = new Crew(url, wanted, NODES.length);
  await crew.connect(NODES);
  screen.line(
    `${whole(await crew.load())} entries of 100 bytes loaded; now writing without a pause`,
  );
  crew.start();
  await pause(pauseMs);

  const rebalances: Rebalance[] = [];
  const change = async (order: Order): Promise<void> => {
    rebalances.push(await rebalance({ cluster, crew, screen }, order));
  };
  let members = NODES;
  await change({
    title: `${members.length} → ${members.length + ADDED} nodes`,
    least: leastToAdd(partitions, members.length, ADDED),
    give: async () => {
      const { nodes, plan } = await cluster.add(ADDED);
      members = [...members, ...nodes];
      return { planned: plan.length, members };
    },
  });
  await crew.startOn(members.slice(NODES.length));
  await pause(pauseMs);
  for (const nodeId of LEAVING) {
    const owners = await cluster.owners();
    members = members.filter((id) => id !== nodeId);
    await change({
      title: `${members.length + 1} → ${members.length} nodes, ${nodeId} goes`,
      least: owners.filter((owner) => owner === nodeId).length,
      give: async () => ({ planned: (await cluster.remove(nodeId)).plan.length, members }),
    });
  }
  await pause(pauseMs);

  const unanswered = await crew.finish();
  const { overSockets, overHttp } = crew;
  const verdict = await verify(url, crew);
  const report = { overSockets, overHttp, unanswered, rebalances, verdict };
  for (const line of ["", ...table(report), ""]) screen.line(line);
  const problems = failures(report);
  for (const problem of problems) screen.line(`FAILED: ${problem}`);
  screen.line(`took ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  return problems.length === 0;
}

/** In a process of its own, which knows nothing but what was acknowledged. */
async function verify(url: URL, { ledger }: Crew): Promise<Verdict> {
  const claims = join(folder, "acknowledged.json");
  await ledger.save(claims);
  const script = fileURLToPath(new URL("verify.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, url.href, claims]);
  return JSON.parse(stdout);
}

async function pause(ms: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, ms));
}
