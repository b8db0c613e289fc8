/** Two grids of one Worker become one, on workerd, while both are written. */
import { afterEach, describe, expect, it } from "vitest";
import { Grid } from "./grid.ts";
import { PartitionWriter } from "./partition-writer.ts";
import { Cluster, HttpWriter } from "./two-grids.ts";
import { pause } from "./writer.ts";

const PARTITIONS = 32;
let grid: Grid | null = null;
afterEach(async () => {
  await grid?.stop();
  grid = null;
});

/** `main` has two nodes; the other one so many. */
async function two(nodes: number, name = "west"): Promise<readonly [Grid, Cluster, Cluster]> {
  const started = await Grid.start({ nodes: 2, partitions: PARTITIONS });
  grid = started;
  const [main, other] = [new Cluster(started, "main"), new Cluster(started, name)];
  await other.settled(2);
  if (nodes > 2) {
    const more = await other.ask("POST", "/v1/cluster/nodes", { count: nodes - 2 });
    expect(more.status).toBe(202);
    await other.settled(nodes);
  }
  return [started, main, other];
}

const numbered = (prefix: string, count: number, value: unknown): Record<string, unknown> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, value]));

/** Keys of one, of the other, and of both; some deleted here and there, some only here. */
async function fillBoth(main: Cluster, other: Cluster, value = "x"): Promise<void> {
  await main.fill("kept", { ...numbered("m", 300, `m${value}`), ...numbered("both", 300, "old") });
  await other.fill("kept", { ...numbered("o", 300, `o${value}`), ...numbered("both", 300, value) });
  await pause(5);
  for (let i = 0; i < 20; i++) {
    await main.delete("kept", `both${i}`);
    await other.delete("kept", `o${i}`);
    await main.delete("kept", `m${i}`);
  }
}

async function everythingIsThere(cluster: Cluster, value = "x"): Promise<void> {
  const stored = await cluster.entries("kept");
  const wanted = { ...numbered("m", 300, `m${value}`), ...numbered("o", 300, `o${value}`) };
  for (const [key, of] of Object.entries({ ...wanted, ...numbered("both", 300, value) })) {
    const n = Number(/\d+$/.exec(key)?.[0]);
    expect(stored.get(key), key).toBe(n < 20 ? undefined : of);
  }
  expect(stored.size).toBe(3 * 280);
}

describe("two grids become one, on workerd", () => {
  it.each([
    ["the loser", "main"],
    ["the winner", "west"],
  ])(
    "asked at %s, with writers on both: nothing refused, nothing acknowledged lost",
    { timeout: 180_000 },
    async (_, at) => {
      const [started, main, west] = await two(3);
      await fillBoth(main, west);
      const writers = [new HttpWriter(main), new HttpWriter(west)];
      const keys = Array.from({ length: 40 }, (_unused, i) => `socket${i}`);
      const socket = new PartitionWriter(started.api.base, "n1", keys);
      await socket.start();
      let during = false;
      for (const writer of writers) writer.start(() => during);
      await pause(300);
      during = true;
      const [asked, other] = at === "main" ? [main, west] : [west, main];
      const { status, body } = await asked.merge(other.name);
      expect([status, body]).toEqual([202, { winner: "west", loser: "main" }]);
      for (const began = Date.now(); (await main.report()).clusterId !== "west"; await pause(20))
        if (Date.now() - began > 60_000) throw new Error(JSON.stringify(await main.report()));
      during = false;
      await pause(500);
      for (const writer of writers) await writer.stop();
      await socket.stop();
      // As many more nodes as the loser had.
      await west.settled(5);
      for (const cluster of [west, main]) await everythingIsThere(cluster);
      const live = await west.entries("live");
      for (const { acked, failed, misread, during: count } of writers) {
        expect(failed).toEqual([]);
        expect(misread).toEqual([]);
        expect(count).toBeGreaterThan(0);
        for (const [key, n] of acked) expect(live.get(key), key).toBe(n);
      }
      const load = await west.entries("load");
      expect([socket.refused, socket.unanswered]).toEqual([[], 0]);
      expect(socket.acked.size).toBeGreaterThan(0);
      for (const [key, n] of socket.acked) expect(load.get(key), key).toBe(n);
      // Its clients were sent away, and came in under the old name.
      expect(socket.lost).toBeGreaterThan(0);
      const nodes = (await main.report()).members.length;
      expect(nodes).toBe(5);
      expect(started.disk.tables("main")).toBe(0);
      expect(started.disk.tables("west")).toBeGreaterThan(0);
    },
  );

  it("with as many nodes the one with the older master wins", { timeout: 120_000 }, async () => {
    const [, main, alpha] = await two(2, "alpha");
    await fillBoth(main, alpha);
    const [mine, theirs] = [await main.report(), await alpha.report()];
    const masterJoined = ({ members }: typeof mine): number =>
      Math.min(...members.map(({ joinVersion }) => joinVersion));
    const { winner } = await mergeNow(main, alpha);
    // Versions follow the clock.
    expect(masterJoined(mine)).toBeLessThan(masterJoined(theirs));
    expect(winner).toBe("main");
    await main.settled(4);
    await everythingIsThere(alpha);
    await everythingIsThere(main);
  });

  it("killed in the middle, and again: it goes on to the end", { timeout: 180_000 }, async () => {
    const [started, main, west] = await two(3);
    const value = "x".repeat(20_000);
    await fillBoth(main, west, value);
    expect((await main.merge("west")).status).toBe(202);
    expect(await main.phase()).toBe("ceding");
    started.kill();
    await started.answering();
    if ((await main.report()).clusterId === "main") await started.restart();
    await west.settled(5);
    await everythingIsThere(west, value);
    await everythingIsThere(main, value);
  });

  it("refused: itself, nobody, another partition count", { timeout: 120_000 }, async () => {
    const [started, main, west] = await two(2);
    const refused = async (cluster: Cluster, other: string): Promise<readonly unknown[]> => {
      const { status, body } = await cluster.merge(other);
      return [status, body.error.code];
    };
    expect(await refused(main, "main")).toEqual([409, "MERGE_WITH_ITSELF"]);
    expect(await refused(main, "nobody")).toEqual([404, "CLUSTER_NOT_FOUND"]);
    expect(await refused(main, "NOBODY")).toEqual([400, "MALFORMED"]);
    await started.restart({ partitions: 2 * PARTITIONS });
    const larger = new Cluster(started, "larger");
    await larger.settled(2);
    expect(await refused(main, "larger")).toEqual([409, "PARTITION_COUNTS_DIFFER"]);
    expect(await refused(larger, "west")).toEqual([409, "PARTITION_COUNTS_DIFFER"]);
    expect([await main.phase(), await larger.phase(), await west.phase()]).toEqual(
      Array(3).fill("none"),
    );
  });
});

async function mergeNow(one: Cluster, other: Cluster): Promise<{ winner: string }> {
  const { status, body } = await one.merge(other.name);
  expect(status).toBe(202);
  const { winner } = body as unknown as { winner: string };
  for (const began = Date.now(); ; await pause(50)) {
    const ids = [(await one.report()).clusterId, (await other.report()).clusterId];
    if (ids.every((id) => id === winner)) return { winner };
    if (Date.now() - began > 60_000) throw new Error(ids.join());
  }
}
