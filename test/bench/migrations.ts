/** Ordering moves, and waiting for them. */
import { json, type Grid } from "./worlds.ts";

const SETTLE_MS_MAX = 120_000;
const ASK_EVERY_MS = 20;

export interface Finished {
  readonly partitionId: number;
  readonly durationMs: number;
  readonly rows: number;
  readonly outcome: string;
}

interface Migrations {
  readonly running: readonly unknown[];
  readonly queued: readonly unknown[];
  readonly finished: readonly Finished[];
}

export const migrations = (grid: Grid): Promise<Migrations> =>
  json<Migrations>(new URL("/v1/cluster/migrations", grid.url));

/** Returns when it is done; fails if it does not get there. */
export async function move(grid: Grid, partition: number, to: string): Promise<Finished> {
  await json(new URL("/v1/cluster/migrations", grid.url), "POST", { partition, to });
  const { finished } = await settled(grid, SETTLE_MS_MAX);
  const last = finished.findLast(({ partitionId }) => partitionId === partition);
  if (last?.outcome !== "completed") throw new Error(`not moved: ${JSON.stringify(last)}`);
  return last;
}

export async function settled(grid: Grid, msMax: number): Promise<Migrations> {
  for (const began = performance.now(); performance.now() - began < msMax;) {
    await new Promise((resume) => setTimeout(resume, ASK_EVERY_MS));
    const now = await migrations(grid);
    if (now.running.length + now.queued.length === 0) return now;
  }
  throw new Error("the moves do not end");
}
