/** One move of a partition of each kind, written to meanwhile; a second process reads every row. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { fill, Grid } from "./grid.ts";
import { keysIn, PartitionWriter, type Pace } from "./partition-writer.ts";

const PARTITIONS = 8;
/** The writer's map is that of the rows that are there already. */
const MAP = "load";

let grid: Grid;

beforeAll(async () => {
  grid = await Grid.start({ nodes: 3, partitions: PARTITIONS, backups: 0 });
}, 60_000);
afterAll(() => grid.stop());

interface Load {
  readonly partition: number;
  readonly rows: number;
  readonly value: string;
  readonly written: number;
  readonly pace?: Pace;
}

/** As msgpack exactly the largest there may be. */
const LARGEST = "x".repeat(256 * 1024 - 5);
const SMALL = "x".repeat(29);

const loads: readonly [what: string, load: Load][] = [
  ["no rows", { partition: 0, rows: 0, value: SMALL, written: 200 }],
  ["one value of 256 KiB", { partition: 1, rows: 1, value: LARGEST, written: 200 }],
  ["100,000 small rows", { partition: 2, rows: 100_000, value: SMALL, written: 500 }],
];

it.each(loads)("%s", async (_, load) => {
  const { rows } = await moveOnce(load);
  expect(rows).toBeGreaterThanOrEqual(load.rows);
});

it("writes that come faster than rows are copied: the move ends all the same", async () => {
  const pace = { frames: 24, ops: 100 };
  const load = { partition: 3, rows: 5_000, value: "x".repeat(2_000), written: 10_000, pace };
  const { acked } = await moveOnce(load);
  expect(acked, "writes while its rows were copied").toBeGreaterThan(2 * load.rows);
});

interface Moved {
  readonly rows: number;
  /** Writes until it was over. */
  readonly acked: number;
}

async function moveOnce({ partition, rows, value, written, pace }: Load): Promise<Moved> {
  const keys = keysIn(partition, PARTITIONS, { prefix: `${partition}-`, count: rows + written });
  const filled = keys.slice(0, rows);
  await fill(grid.api, MAP, { keys: filled, value });
  const source = await grid.ownerOf(partition);
  const target = grid.nodes.find((node) => node !== source) ?? "";
  // Half of what it writes is there already, where there is more than one row.
  const overwritten = keys.slice(rows - Math.floor(Math.min(rows, written) / 2));
  const writer = new PartitionWriter(grid.api.base, source, overwritten, pace);
  expect(grid.disk.hasTable(source, partition)).toBe(rows > 0);
  const order = { partition, to: target };
  const ordered = grid.api.json("POST", "/v1/cluster/migrations", order);
  await writer.start();
  expect((await ordered).status).toBe(202);
  await grid.api.settled(grid.nodes);
  const acked = writer.ackedOps;
  await writer.hears(10);
  await writer.stop();

  expect(writer).toMatchObject({ refused: [], unanswered: 0 });
  expect(await grid.ownerOf(partition)).toBe(target);
  const stored = await grid.readElsewhere(MAP);
  const wanted = new Map<string, unknown>(filled.map((key) => [key, value]));
  for (const [key, n] of writer.acked) wanted.set(key, n);
  expect([...wanted].filter(([key, content]) => stored.get(key) !== content)).toEqual([]);
  await grid.dropped(source, partition);
  const { finished } = await grid.migrations();
  const report = finished.findLast(({ partitionId }) => partitionId === partition);
  expect(report).toMatchObject({ outcome: "completed", attempt: 1 });
  return { rows: report?.rows ?? 0, acked };
}
