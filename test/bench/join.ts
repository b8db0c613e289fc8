/** A fourth node joins three that hold many rows. */
import { fill } from "./frames.ts";
import { migrations, settled } from "./migrations.ts";
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
  const { finished } = await settled(grid, JOIN_MS_MAX);
  const done = finished.slice(before.finished.length);
  if (done.length < plan.length) throw new Error(`${done.length} of ${plan.length} moves are done`);
  const seconds = (performance.now() - began) / 1_000;
  const rowsMoved = done.reduce((sum, { rows: moved }) => sum + moved, 0);
  return { rows, rowsMoved, seconds, rowsPerSecond: rowsMoved / seconds };
}

async function fillNode(grid: Grid, node: string, rows: number, part: number): Promise<void> {
  const keys = keysWhere(rows, grid.owners.size, (id) => grid.owners.get(id) === node);
  const pipe = await gridPipe(grid, node);
  const make = fill(keys, { size: FRAME_OPS, bytes: ROW_BYTES, node: `bench${part}` });
  let frames = Math.ceil(keys.length / FRAME_OPS);
  await pipe.run(make, { more: () => frames-- > 0, window: 8 });
  pipe.close();
}
