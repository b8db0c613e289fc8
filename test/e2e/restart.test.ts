/** What a process leaves behind when it dies: everything acknowledged, and a move that goes on. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PartitionMapPayload } from "../../src/data/members.ts";
import { Client, opOf } from "./client.ts";
import { fill, Grid } from "./grid.ts";
import { pause } from "./writer.ts";

describe("a cluster at rest", () => {
  let grid: Grid;
  beforeAll(async () => {
    grid = await Grid.start({ nodes: 3, partitions: 64 });
  }, 60_000);
  afterAll(() => grid.stop());

  it("after SIGKILL and after a restart every acknowledged entry is read back", async () => {
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}`);
    await fill(grid.api, "kept", { keys, value: "kept" });
    const client = await Client.open(grid.api.base);
    await client.hello(true, "kept");
    client.send({ type: "OPS", seq: 1, ops: [opOf("by-socket", new Uint8Array([7]), "kept")] });
    expect((await client.next("ACK")).exceptions).toEqual([]);
    const before = await version(grid);

    grid.kill();
    await grid.answering();
    expect([...(await grid.readElsewhere("kept")).keys()].toSorted()).toEqual(keys.toSorted());
    expect(await grid.readElsewhere("ws")).toEqual(new Map([["by-socket", 7]]));
    expect((await grid.api.json("PUT", "/v1/maps/kept/after", "kept")).status).toBe(200);

    await grid.restart();
    const stored = await grid.readElsewhere("kept");
    expect([...stored.keys()].toSorted()).toEqual([...keys, "after"].toSorted());
    expect(new Set(stored.values())).toEqual(new Set(["kept"]));
    expect(await version(grid)).toBeGreaterThanOrEqual(before);
    await grid.api.settled(grid.nodes);
  });

  it("a SIGKILL while a node joins: its moves go on to the end", async () => {
    const keys = Array.from({ length: 4_000 }, (_, i) => `j${i}`);
    const value = "x".repeat(2_000);
    await fill(grid.api, "joined", { keys, value });
    // The answer may die with the process.
    const order = grid.api.json("POST", "/v1/cluster/nodes", { id: "n4" }).catch(() => null);
    for (const began = Date.now(); Date.now() - began < 10_000; await pause(1))
      if (grid.disk.moves() > 0) break;
    grid.kill();
    expect(grid.disk.moves(), "moves under way when it died").toBeGreaterThan(0);
    await order;
    await grid.answering();
    const { members } = await grid.api.settled([...grid.nodes, "n4"]);
    expect(members.map(({ partitions }) => partitions.owned)).toEqual([16, 16, 16, 16]);
    const stored = await grid.readElsewhere("joined");
    expect(stored.size).toBe(keys.length);
    expect(new Set(stored.values())).toEqual(new Set([value]));
  });
});

async function version(grid: Grid): Promise<number> {
  return (await grid.api.json<PartitionMapPayload>("GET", "/v1/map")).body.version;
}
