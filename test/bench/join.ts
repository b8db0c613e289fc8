/** A fourth node joins three that hold many rows. */
import { fill } from "./frames.ts";
import { gridPipe, json, keysWhere, type Grid } from "./worlds.ts";

const ROW_BYTES = 100;
const FRAME_OPS = 500;
const JOIN_MS_MAX = 600_000;

export interface JoinFigures {
  readonly rows: number;
  readonly rowsMoved: number;
  readonly seconds: number;
  readonly rowsPerSecond: number;
}

interface Migrations {
  readonly running: readonly unknown[];
  readonly queued: readonly unknown[];
  readonly finished: readonly { readonly rows: number; readonly outcome: string }[];
}

export async function joining(grid: Grid, rows: number): Promise<JoinFigures> {
  const nodes = [...new Set(grid.owners.values())];
  await Promise.all(nodes.map((node, i) => fillNode(grid, node, rows / nodes.length, i)));
  const before = await migrations(grid);
  const began = performance.now();
  const { plan } = await json<{ plan: readonly unknown[] }>(
    new URL("/v1/cluster/nodes", grid.url),
    "POST",
    { count: 1 },
  );
  for (;;) {
    await new Promise((resume) => setTimeout(resume, 50));
    const { running, queued, finished } = await migrations(grid);
    const done = finished.length - before.finished.length;
    if (running.length + queued.length === 0 && done >= plan.length) {
      const seconds = (performance.now() - began) / 1_000;
      const rowsMoved = finished.reduce((sum, move) => sum + move.rows, 0);
      return { rows, rowsMoved, seconds, rowsPerSecond: rowsMoved / seconds };
    }
    if (performance.now() - began > JOIN_MS_MAX) throw new Error("the node does not settle");
  }
}

const migrations = (grid: Grid): Promise<Migrations> =>
  json<Migrations>(new URL("/v1/cluster/migrations", grid.url));

async function fillNode(grid: Grid, node: string, rows: number, part: number): Promise<void> {
  const keys = keysWhere(rows, grid.owners.size, (id) => grid.owners.get(id) === node);
  const pipe = await gridPipe(grid, node);
  const make = fill(keys, { size: FRAME_OPS, bytes: ROW_BYTES, node: `bench${part}` });
  let frames = Math.ceil(keys.length / FRAME_OPS);
  await pipe.run(make, { more: () => frames-- > 0, window: 8 });
  pipe.close();
}
