/** Which deltas a map takes, and what it has then. */
import { describe, expect, it } from "vitest";
import { applyMapDelta, type MapDelta } from "../../src/data/map-delta.ts";
import { NodeId, PartitionId, Version } from "../../src/data/ids.ts";
import type { PartitionMapPayload } from "../../src/data/members.ts";

const endpoints = { websocket: "" };
const node = (id: string): PartitionMapPayload["nodes"][number] => ({
  nodeId: NodeId(id),
  endpoints,
  status: "ACTIVE",
});
const owned = (partition: number, owner: string): PartitionMapPayload["partitions"][number] => ({
  partitionId: PartitionId(partition),
  ownerNodeId: NodeId(owner),
  backupNodeIds: [],
});

const MAP: PartitionMapPayload = {
  version: Version(10),
  viewVersion: Version(20),
  partitionCount: 2,
  nodes: [node("a"), node("b")],
  partitions: [owned(0, "a"), owned(1, "a")],
  generatedAt: 0,
};

/** Partition 1 goes to c, which is new, and b has left. */
const between = (from: number, to: number, fromView: number, toView: number): MapDelta => ({
  from: Version(from),
  to: Version(to),
  fromView: Version(fromView),
  toView: Version(toView),
  partitions: [owned(1, "c")],
  nodes: [node("c")],
  removedNodeIds: [NodeId("b")],
  generatedAt: 5,
});

const neither = { owner: "a", nodes: ["a", "b"], version: 10, viewVersion: 20 };
const partitions = { ...neither, owner: "c", version: 12 };
const nodes = { ...neither, nodes: ["a", "c"], viewVersion: 22 };

describe("a map of versions 10 and 20", () => {
  it.each([
    [
      "just from there",
      between(10, 12, 20, 22),
      { ...partitions, nodes: nodes.nodes, viewVersion: 22 },
    ],
    ["from before, of partitions", between(8, 12, 20, 20), partitions],
    ["from before, with a view that is old", between(8, 12, 18, 19), partitions],
    ["of nodes, with a table that is old", between(8, 9, 20, 22), nodes],
    ["from there to there", between(10, 10, 20, 20), neither],
  ])("takes what is newer in a delta %s", (_, delta, wanted) => {
    const applied = applyMapDelta(MAP, delta);
    if (!applied.ok) throw new Error(applied.error);
    const { version, viewVersion, nodes: listed, partitions: all, generatedAt } = applied.value;
    const owner = all[1]?.ownerNodeId;
    expect({ owner, nodes: listed.map(({ nodeId }) => nodeId), version, viewVersion }).toEqual(
      wanted,
    );
    expect(all[0]).toEqual(owned(0, "a"));
    expect(generatedAt).toBe(5);
  });

  it.each([
    ["from later on", between(11, 12, 20, 22), "gap"],
    ["from a later view", between(10, 12, 21, 22), "gap"],
    ["from an earlier view, which may have been passed by", between(10, 12, 19, 22), "gap"],
    ["of what it has", between(8, 10, 19, 20), "old"],
    ["of less than it has", between(8, 9, 20, 20), "old"],
  ])("refuses a delta %s", (_, delta, error) => {
    expect(applyMapDelta(MAP, delta)).toEqual({ ok: false, error });
  });
});
