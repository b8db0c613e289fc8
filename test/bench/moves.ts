/** Moving one large partition beside writers: how fast it goes, and what they notice of it. */
import { fill, puts } from "./frames.ts";
import type { Pipe, Run } from "./pipe.ts";
import { move } from "./migrations.ts";
import { median, quantile } from "./stats.ts";
import { gridPipe, keysWhere, ownersOf, type Grid } from "./worlds.ts";

/** Few partitions, so that one of them is large. */
export const PARTITIONS = 8;
const FRAME_OPS = 16;
const FILL_BYTES_PER_FRAME = 512 * 1024;
const FILL_OPS_MAX = 500;
const WRITTEN_KEYS = 2_000;

export interface Load {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
}

const LOADS: readonly Load[] = [
  { name: "100,000 rows of 100 B", rows: 100_000, bytes: 100 },
  { name: "10,000 rows of 16 KB", rows: 10_000, bytes: 16_384 },
];

/** `steady`: 200 frames of 16 puts a second; `closed loop`: as many as are acknowledged. */
type Writer = "steady" | "closed loop";
const WRITERS: readonly Writer[] = ["steady", "closed loop"];

export interface MoveFigures {
  readonly load: string;
  readonly writer: Writer;
  /** Of the load alone: what is written meanwhile travels along, and is no merit of the move. */
  readonly rowsPerSecond: number;
  /** Of its values. */
  readonly megabytesPerSecond: number;
  /** Of acknowledgements, ms: before the move, and while it ran. */
  readonly before: Acks;
  readonly during: Acks;
}

interface Acks {
  readonly longestGap: number;
  readonly p50: number;
  readonly p99: number;
  readonly opsPerSecond: number;
}

/** The medians of `rounds`, each of one move a load and a writer; one more before, to warm up. */
export async function movingRounds(grid: Grid, rounds: number): Promise<MoveFigures[]> {
  const cases: { partitionId: number; load: Load; keys: readonly string[]; writer: Writer }[] = [];
  for (const [partitionId, load] of LOADS.entries()) {
    const keys = await filled(grid, partitionId, load);
    for (const writer of WRITERS) cases.push({ partitionId, load, keys, writer });
  }
  const found = new Map(cases.map((each): [object, MoveFigures[]] => [each, []]));
  for (let round = 0; round <= rounds; round++)
    for (const each of cases) {
      const figures = await moving(grid, each.partitionId, each);
      if (round > 0) found.get(each)?.push(figures);
    }
  return cases.flatMap((each) => medianOf(found.get(each) ?? []) ?? []);
}

function medianOf(all: readonly MoveFigures[]): MoveFigures | undefined {
  const [first] = all;
  const of = (figure: (figures: MoveFigures) => number): number => median(all.map(figure));
  const acks = (when: "before" | "during"): Acks => ({
    longestGap: of((figures) => figures[when].longestGap),
    p50: of((figures) => figures[when].p50),
    p99: of((figures) => figures[when].p99),
    opsPerSecond: of((figures) => figures[when].opsPerSecond),
  });
  return (
    first && {
      ...first,
      rowsPerSecond: of((figures) => figures.rowsPerSecond),
      megabytesPerSecond: of((figures) => figures.megabytesPerSecond),
      before: acks("before"),
      during: acks("during"),
    }
  );
}

/** Fills the partition that is to move. Returns other keys of it: what is written there is no load. */
export async function filled(grid: Grid, partitionId: number, load: Load): Promise<string[]> {
  const all = keysWhere(load.rows + WRITTEN_KEYS, PARTITIONS, (id) => id === partitionId);
  const keys = all.slice(0, load.rows);
  const pipe = await gridPipe(grid, grid.owners.get(partitionId) ?? "n1");
  const size = Math.max(1, Math.min(FILL_OPS_MAX, Math.floor(FILL_BYTES_PER_FRAME / load.bytes)));
  let frames = Math.ceil(keys.length / size);
  const make = fill(keys, { size, bytes: load.bytes, node: "bench" });
  await pipe.run(make, { more: () => frames-- > 0, window: 4 });
  pipe.close();
  return all.slice(load.rows);
}

async function moving(
  grid: Grid,
  partitionId: number,
  { load, keys, writer }: { load: Load; keys: readonly string[]; writer: Writer },
): Promise<MoveFigures> {
  const source = (await ownersOf(grid)).get(partitionId) ?? "n1";
  const to = ["n1", "n2", "n3"].find((id) => id !== source) ?? "n2";
  const pipe = await gridPipe(grid, source);
  const before = acksOf(await write(pipe, keys, writer, within(1_500)));
  let done = false;
  const began = performance.now();
  const moved = move(grid, partitionId, to).finally(() => (done = true));
  const during = acksOf(await write(pipe, keys, writer, () => !done));
  const finished = await moved;
  pipe.close();
  const seconds = (finished.durationMs || performance.now() - began) / 1_000;
  return {
    load: load.name,
    writer,
    rowsPerSecond: load.rows / seconds,
    megabytesPerSecond: (load.rows * load.bytes) / seconds / 1e6,
    before,
    during,
  };
}

/** Small values to keys of the moving partition. */
function write(
  pipe: Pipe,
  keys: readonly string[],
  writer: Writer,
  more: () => boolean,
): Promise<Run> {
  const make = puts(keys, { size: FRAME_OPS, bytes: 100, node: "bench" });
  const pace = writer === "steady" ? { window: 64, everyMs: 5 } : { window: 32 };
  return pipe.run(make, { more, ...pace });
}

function within(ms: number): () => boolean {
  const end = performance.now() + ms;
  return () => performance.now() < end;
}

const acksOf = ({ ms, latencies, gaps }: Run): Acks => ({
  longestGap: Math.max(0, ...gaps),
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99),
  opsPerSecond: (latencies.length * FRAME_OPS * 1_000) / ms,
});
