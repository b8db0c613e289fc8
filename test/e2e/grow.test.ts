import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLocal, type Local } from "../../src/cli/local.ts";
import { Api } from "./api.ts";
import { Writer } from "./writer.ts";

/** Two writers that never pause take what other tests leave of the processors. */
const SETTLED_MS_MAX = 180_000;

let local: Local;
let api: Api;

beforeAll(async () => {
  local = await startLocal({ port: 0, nodes: 3 });
  api = new Api(local.url);
  await api.settled(["n1", "n2", "n3"]);
}, 60_000);
afterAll(() => local.dispose());

const owners = async (): Promise<Map<number, string>> => {
  interface PartitionMap {
    readonly partitions: readonly { partitionId: number; ownerNodeId: string }[];
  }
  const { body } = await api.json<PartitionMap>("GET", "/v1/map");
  return new Map(body.partitions.map(({ partitionId, ownerNodeId }) => [partitionId, ownerNodeId]));
};

describe("a grid that grows and shrinks while it is written, on workerd", () => {
  it(
    "3 → 4 → 3 nodes: nothing refused, nothing acknowledged lost",
    { timeout: 420_000 },
    async () => {
      let stop = false;
      const writers = [new Writer(local.url, "w1"), new Writer(local.url, "w2")];
      await Promise.all(writers.map((writer) => writer.connect()));
      const running = Promise.all(writers.map((writer) => writer.run(() => stop)));

      const before = await owners();
      expect((await api.json("POST", "/v1/cluster/nodes", { count: 1 })).status).toBe(202);
      const four = await api.settled(["n1", "n2", "n3", "n4"], SETTLED_MS_MAX);
      expect(
        four.members.map(({ partitions }) => partitions.owned).toSorted((a, b) => a - b),
      ).toEqual([67, 68, 68, 68]);
      const after = await owners();
      const moved = [...after].filter(([partitionId, owner]) => before.get(partitionId) !== owner);
      expect(moved).toHaveLength(67);
      expect(new Set(moved.map(([, owner]) => owner))).toEqual(new Set(["n4"]));

      expect((await api.json("DELETE", "/v1/cluster/nodes/n2")).status).toBe(202);
      const three = await api.settled(["n1", "n3", "n4"], SETTLED_MS_MAX);
      expect(
        three.members.map(({ partitions }) => partitions.owned).toSorted((a, b) => a - b),
      ).toEqual([90, 90, 91]);

      stop = true;
      await running;
      const stored = await api.entries("load");
      for (const writer of writers) {
        expect(writer.refused).toEqual([]);
        expect(writer.unanswered).toBe(0);
        expect(writer.acked.size).toBeGreaterThan(1_000);
        for (const [key, value] of writer.acked) expect(stored.get(key), key).toBe(value);
      }
      expect(three.migrations.completed).toBeGreaterThanOrEqual(67 + 67);
    },
  );
});
