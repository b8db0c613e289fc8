/** Puts at a node that gives a partition away, against the same puts when it does not. */
import { puts } from "./frames.ts";
import { move } from "./migrations.ts";
import { filled, PARTITIONS, type Load } from "./moves.ts";
import type { Pipe, Run } from "./pipe.ts";
import { median } from "./stats.ts";
import { gridPipe, keysWhere, ownersOf, type Grid } from "./worlds.ts";

const FRAME_OPS = 16;
const SPAN_MS = 1_000;
const LOAD: Load = { name: "50,000 rows of 100 B", rows: 50_000, bytes: 100 };

export interface BesideFigures {
  readonly without: number;
  readonly during: number;
}

/** Operations per second. The keys written stay where they are. */
export async function besideMoves(grid: Grid, rounds: number): Promise<BesideFigures> {
  const moving = [...grid.owners].find(([, owner]) => owner === "n1")?.[0] ?? 0;
  await filled(grid, moving, LOAD);
  const keys = keysWhere(5_000, PARTITIONS, (id) => id !== moving && grid.owners.get(id) === "n1");
  const pipe = await gridPipe(grid, "n1");
  const without: number[] = [];
  const during: number[] = [];
  for (let round = 0; round < rounds; round++) {
    without.push(rateOf(await write(pipe, keys, until(SPAN_MS))));
    const source = (await ownersOf(grid)).get(moving);
    const moved = move(grid, moving, source === "n1" ? "n2" : "n1");
    let done = false;
    void moved.finally(() => (done = true));
    during.push(rateOf(await write(pipe, keys, () => !done)));
    await moved;
  }
  pipe.close();
  return { without: median(without), during: median(during) };
}

function write(pipe: Pipe, keys: readonly string[], more: () => boolean): Promise<Run> {
  return pipe.run(puts(keys, { size: FRAME_OPS, bytes: 100, node: "bench" }), { more, window: 32 });
}

const rateOf = ({ latencies, ms }: Run): number => (latencies.length * FRAME_OPS * 1_000) / ms;

function until(ms: number): () => boolean {
  const end = performance.now() + ms;
  return () => performance.now() < end;
}
