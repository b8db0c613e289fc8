/**
 * `npm run bench [-- --only puts,moves --rounds 5 --rows 1000000 --joins 50 --kills 200 --preset default
 * --profile]`: ratios against a bare object in the same run, since machines differ and are noisy. Writes `.wrangler/bench.json`, too.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benchActors, type ActorFigures } from "./actors.ts";
import { besideMoves, type BesideFigures } from "./beside.ts";
import { churning, type ChurnFigures } from "./churn.ts";
import { failingOver, type FailoverFigures } from "./failover.ts";
import { joining, type JoinFigures } from "./join.ts";
import { calls, planning, type CallFigures } from "./limits.ts";
import { movingRounds, PARTITIONS, type MoveFigures } from "./moves.ts";
import { profile } from "./profile.ts";
import { rates, type Rate } from "./rates.ts";
import {
  showBeside,
  showCalls,
  showChurn,
  showFailover,
  showJoin,
  showMoves,
  showProfile,
  showRates,
} from "./report.ts";
import { showActors } from "./report-actors.ts";
import { showSdk } from "./report-sdk.ts";
import { measureSdk, type SdkFigures } from "./sdk.ts";
import { startBare, startGrid } from "./worlds.ts";

const PARTS = [
  "rates",
  "beside",
  "moves",
  "join",
  "churn",
  "failover",
  "limits",
  "actors",
  "sdk",
] as const;
const JOIN_PARTITIONS = 271;
const CHURN_PARTITIONS = 32;
const FAILOVER_PARTITIONS = 32;

export interface Figures {
  rates?: readonly Rate[];
  beside?: BesideFigures;
  moves?: readonly MoveFigures[];
  join?: JoinFigures;
  churn?: ChurnFigures;
  failover?: FailoverFigures;
  calls?: readonly CallFigures[];
  planningMs?: number;
  actors?: ActorFigures;
  sdk?: SdkFigures;
}

const { values } = parseArgs({
  options: {
    only: { type: "string", default: PARTS.join() },
    rounds: { type: "string", default: "5" },
    rows: { type: "string", default: "1000000" },
    joins: { type: "string", default: "50" },
    kills: { type: "string", default: "10" },
    preset: { type: "string", default: "fast" },
    profile: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const wanted = new Set(values.only.split(","));
const unknown = [...wanted].filter((name) => !PARTS.some((part) => part === name));
const isPreset = values.preset === "fast" || values.preset === "default";
if (unknown.length > 0 || !(rounds >= 1) || !isPreset) {
  console.error(`--only is a list of ${PARTS.join()}, --rounds a number from 1 on`);
  console.error("--preset is fast or default");
  process.exit(2);
}

const figures: Figures = {};
if (wanted.has("rates")) await benchRates();
if (wanted.has("beside")) await benchBeside();
if (wanted.has("moves")) await benchMoves();
if (wanted.has("join")) await benchJoin();
if (wanted.has("churn")) await benchChurn();
if (wanted.has("failover")) await benchFailover();
if (wanted.has("limits")) await benchLimits();
if (wanted.has("actors")) await benchCalls();
if (wanted.has("sdk")) await benchSdk();
const folder = fileURLToPath(new URL("../../.wrangler", import.meta.url));
await mkdir(folder, { recursive: true });
await writeFile(`${folder}/bench.json`, JSON.stringify(figures, null, 2));

async function benchRates(): Promise<void> {
  const grid = await startGrid({ inspect: values.profile });
  const backed = await startGrid({ backups: 1 });
  const bare = await startBare();
  const run = async (): Promise<void> => {
    figures.rates = await rates({ grid, backed, bare }, rounds);
  };
  if (values.profile) showProfile(await profile(grid.miniflare, run));
  else await run();
  showRates(figures.rates ?? []);
  await grid.dispose();
  await backed.dispose();
  await bare.dispose();
}

async function benchBeside(): Promise<void> {
  const grid = await startGrid({ partitions: PARTITIONS });
  figures.beside = await besideMoves(grid, rounds);
  showBeside(figures.beside);
  await grid.dispose();
}

async function benchMoves(): Promise<void> {
  const grid = await startGrid({ partitions: PARTITIONS });
  figures.moves = await movingRounds(grid, rounds);
  showMoves(figures.moves);
  await grid.dispose();
}

async function benchJoin(): Promise<void> {
  const grid = await startGrid({ partitions: JOIN_PARTITIONS });
  figures.join = await joining(grid, Number(values.rows));
  showJoin(figures.join);
  await grid.dispose();
}

async function benchChurn(): Promise<void> {
  const grid = await startGrid({ partitions: CHURN_PARTITIONS });
  const nodes = [...new Set(grid.owners.values())].toSorted();
  figures.churn = await churning(grid, nodes, Number(values.joins));
  showChurn(figures.churn);
  await grid.dispose();
}

async function benchFailover(): Promise<void> {
  const options = { nodes: 4, partitions: FAILOVER_PARTITIONS, faults: true, backups: 1 };
  const grid = await startGrid(values.preset === "fast" ? { ...options, preset: "fast" } : options);
  figures.failover = await failingOver(grid, Number(values.kills));
  showFailover(figures.failover);
  await grid.dispose();
}

async function benchLimits(): Promise<void> {
  const bare = await startBare();
  figures.calls = await calls(bare, rounds);
  figures.planningMs = planning(rounds);
  showCalls(figures.calls, figures.planningMs);
  await bare.dispose();
}

async function benchCalls(): Promise<void> {
  const worlds = {
    grid: await startGrid(),
    backed: await startGrid({ backups: 1 }),
    bare: await startBare(),
  };
  figures.actors = await benchActors(worlds, rounds);
  showActors(figures.actors);
  for (const world of Object.values(worlds)) await world.dispose();
}

async function benchSdk(): Promise<void> {
  figures.sdk = await measureSdk(rounds);
  showSdk(figures.sdk);
}
