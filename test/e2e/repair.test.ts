/** Disks that have lost rows behind everybody's back, and an operator who has all copies compared. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { partitionOf } from "../../src/data/hash.ts";
import type { PartitionMapPayload } from "../../src/data/members.ts";
import type { RepairProgress } from "../../src/protocol/cluster-messages.ts";
import { Grid } from "./grid.ts";
import { pause } from "./writer.ts";

const PARTITIONS = 8;
const KEYS = Array.from({ length: 200 }, (_, i) => `k${i}`);

interface Reply {
  readonly repair: RepairProgress | null;
}

let grid: Grid;

beforeAll(async () => {
  grid = await Grid.start({ nodes: 3, partitions: PARTITIONS, backups: 1 });
}, 60_000);
afterAll(() => grid.stop());

async function repaired(): Promise<RepairProgress> {
  const asked = await grid.api.json<Reply>("POST", "/v1/cluster/repair");
  expect(asked.status).toBe(202);
  expect(asked.body.repair).toMatchObject({ nodesAsked: 3, finishedAtMs: null });
  for (let i = 0; i < 300; i++) {
    const { status, body } = await grid.api.json<Reply>("GET", "/v1/cluster/repair");
    expect(status).toBe(200);
    if (body.repair && body.repair.finishedAtMs !== null) return body.repair;
    await pause(100);
  }
  throw new Error("the repair does not end");
}

it("rows that disks have lost are back, at backups and owners alike", async () => {
  expect((await grid.api.json<Reply>("GET", "/v1/cluster/repair")).body).toEqual({ repair: null });
  const put = Object.fromEntries(KEYS.map((key) => [key, key]));
  expect((await grid.api.json("POST", "/v1/maps/m?ack=backup", { put })).status).toBe(200);
  const { partitions } = (await grid.api.json<PartitionMapPayload>("GET", "/v1/map")).body;
  // Once all sleep, each with a note that its copies have everything, nothing is sent again at a start.
  await pause(13_000);
  await grid.restart();
  const lost = KEYS.slice(0, 12).map((key, i) => {
    const id = partitionOf(key, PARTITIONS);
    const { ownerNodeId, backupNodeIds: [backup = ""] = [] } = partitions[id] ?? {};
    const node = i % 2 === 0 ? backup : (ownerNodeId ?? "");
    expect(grid.disk.hasRow(node, id, key), key).toBe(true);
    grid.disk.loseRow(node, id, key);
    expect(grid.disk.hasRow(node, id, key), key).toBe(false);
    return { id, key, node };
  });
  const { figures, nodesDone } = await repaired();
  expect(nodesDone).toBe(3);
  const differing = new Set(lost.map(({ id }) => id)).size;
  expect(figures).toMatchObject({ toCompare: PARTITIONS, compared: PARTITIONS, differing });
  expect(figures.rowsTaken).toBe(6);
  expect(figures.rowsSent).toBeLessThan(KEYS.length / 4);
  for (const { id, key, node } of lost) expect(grid.disk.hasRow(node, id, key), key).toBe(true);
  for (const key of KEYS)
    expect((await grid.api.json("GET", `/v1/maps/m/${key}`)).body, key).toBe(key);
  expect((await repaired()).figures).toMatchObject({ compared: PARTITIONS, differing: 0 });
}, 120_000);
