/** What is acknowledged by backups is on their disks, not only on the owner's. */
import { encode } from "@msgpack/msgpack";
import { afterAll, beforeAll, expect, it } from "vitest";
import { partitionOf } from "../../src/data/hash.ts";
import type { PartitionMapPayload } from "../../src/data/members.ts";
import { Client, opOf } from "./client.ts";
import { Grid } from "./grid.ts";
import { pause } from "./writer.ts";

const PARTITIONS = 16;

let grid: Grid;

beforeAll(async () => {
  grid = await Grid.start({ nodes: 3, partitions: PARTITIONS, backups: 1, faults: true });
}, 60_000);
afterAll(() => grid.stop());

type Placed = PartitionMapPayload["partitions"];

async function placed(): Promise<Placed> {
  return (await grid.api.json<PartitionMapPayload>("GET", "/v1/map")).body.partitions;
}

/** The nodes with that row on disk, owner first. */
function holdersOf(key: string, partitions: Placed, nodes: readonly string[]): string[] {
  const id = partitionOf(key, PARTITIONS);
  const owner = partitions[id]?.ownerNodeId ?? "";
  return [owner, ...nodes.filter((node) => node !== owner)].filter((node) =>
    grid.disk.hasRow(node, id, key),
  );
}

function atOwnerAndBackup(key: string, partitions: Placed, nodes: readonly string[]): void {
  const { ownerNodeId, backupNodeIds = [] } = partitions[partitionOf(key, PARTITIONS)] ?? {};
  expect(backupNodeIds, key).toHaveLength(1);
  expect(holdersOf(key, partitions, nodes), key).toEqual([ownerNodeId, ...backupNodeIds]);
}

it("an acknowledged write is on the disk of its owner and of its backup", async () => {
  const client = await Client.open(grid.api.base, "?node=n1");
  await client.hello(true, "backed");
  const partitions = await placed();
  for (let i = 0; i < 60; i++) {
    const ops = [opOf(`s${i}`, encode(i), "backed", i)];
    client.send({ type: "OPS", seq: i + 1, ops, ack: "backup" });
    expect((await client.next("ACK")).exceptions).toEqual([]);
    atOwnerAndBackup(`s${i}`, partitions, grid.nodes);
  }
  for (let i = 0; i < 20; i++) {
    const { status } = await grid.api.json("PUT", `/v1/maps/ws/h${i}?ack=backup`, i);
    expect(status).toBe(200);
    atOwnerAndBackup(`h${i}`, partitions, grid.nodes);
  }
  client.socket.close();
}, 60_000);

it("is not acknowledged as backed up as long as the backup is silent", async () => {
  const key = "silent";
  const [place] = (await placed()).slice(partitionOf(key, PARTITIONS));
  const { ownerNodeId, backupNodeIds: [backup = ""] = [] } = place ?? {};
  const client = await Client.open(grid.api.base, `?node=${ownerNodeId}`);
  await client.hello(true, "patient");
  await grid.order(backup, { paused: true });
  client.send({ type: "OPS", seq: 1, ops: [opOf(key, encode(1), "patient")], ack: "backup" });
  client.send({ type: "OPS", seq: 2, ops: [opOf(key, encode(2), "patient", 1)] });
  const path = `/v1/maps/ws/${key}?ack=backup`;
  const put = grid.api.json("PUT", path, 3).then(({ status }) => status);
  expect(await client.next("ACK")).toMatchObject({ seq: 2, exceptions: [] });
  expect(await Promise.race([put, pause(1_000)])).toBeUndefined();
  expect(holdersOf(key, await placed(), grid.nodes)).toEqual([ownerNodeId]);
  await grid.order(backup);
  expect(await client.next("ACK")).toMatchObject({ seq: 1, exceptions: [] });
  expect(await put).toBe(200);
  atOwnerAndBackup(key, await placed(), grid.nodes);
  client.socket.close();
}, 60_000);

it("after SIGKILL, and with one more node, each partition is backed up as before", async () => {
  const put = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`b${i}`, i]));
  const { status } = await grid.api.json("POST", "/v1/maps/ws", { put });
  expect(status).toBe(200);
  grid.kill();
  await grid.answering();
  expect((await grid.readElsewhere("ws")).size).toBe(381);
  await grid.api.json("POST", "/v1/cluster/nodes", { count: 1 });
  const nodes = [...grid.nodes, "n4"];
  const { members } = await grid.api.settled(nodes);
  expect(members.map(({ partitions }) => partitions.owned)).toEqual([4, 4, 4, 4]);
  const partitions = await placed();
  const written = [...(await grid.readElsewhere("ws"))];
  expect(written).toHaveLength(381);
  for (const [key, value] of written) {
    const { status: stored } = await grid.api.json("PUT", `/v1/maps/ws/${key}?ack=backup`, value);
    expect(stored).toBe(200);
    atOwnerAndBackup(key, partitions, nodes);
  }
}, 120_000);
