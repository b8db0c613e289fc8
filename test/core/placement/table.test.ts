import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClusterPartitionTable, toPartitionMap } from "../../../src/core/placement/table.ts";
import { partitionOf } from "../../../src/data/hash.ts";
import { Epoch, Incarnation, NodeId, PartitionId, Version } from "../../../src/data/ids.ts";
import type { MemberInfo, NodeState, NodeStatus } from "../../../src/data/members.ts";
import type { Copy, Ruling } from "../../../src/data/ruling.ts";

const PARTITIONS = 5;
const empty = ClusterPartitionTable.empty(PARTITIONS);

/** `copies`: `b` is a complete copy on b, `c?` one that is being made on c. */
const ruling = (id: number, epoch: number, owner: string | null, ...copies: string[]): Ruling => ({
  partitionId: PartitionId(id),
  epoch: Epoch(epoch),
  owner: owner === null ? null : NodeId(owner),
  since: Epoch(epoch),
  copies: copies.map((text): Copy => {
    const state = text.endsWith("?") ? "copying" : "complete";
    return { nodeId: NodeId(text.replace("?", "")), state };
  }),
});

/** One partition and epoch never has two rulings, so the owner follows from them. */
const rulingsArb = fc.array(
  fc
    .tuple(fc.nat(PARTITIONS - 1), fc.integer({ min: 1, max: 9 }))
    .map(([id, epoch]) => ruling(id, epoch, `n${(id + epoch) % 3}`, `n${(id + epoch + 1) % 3}`)),
  { maxLength: 12 },
);
const versionArb = fc.nat(20).map(Version);

const contentOf = (table: ClusterPartitionTable) => ({
  version: table.version,
  rulings: table.rulings(),
});

describe("a new table", () => {
  it("has no owner and no version", () => {
    expect(empty.version).toBe(0);
    expect(empty.partitionCount).toBe(PARTITIONS);
    expect(empty.get(PartitionId(4))).toEqual(ruling(4, 0, null));
    expect(empty.ownerOf("hello")).toBeNull();
    expect(empty.placements()).toEqual(
      Array.from({ length: PARTITIONS }, () => ({ owner: null, backups: [] })),
    );
  });
});

describe("applyAssignments", () => {
  it("raises the version and leaves the old table as it was", () => {
    const table = empty.applyAssignments([ruling(1, 1, "a", "b")], Version(7));
    expect(table.version).toBe(7);
    expect(table.get(PartitionId(1)).owner).toBe("a");
    expect(empty.version).toBe(0);
    expect(empty.get(PartitionId(1)).owner).toBeNull();
  });

  it("never lowers the version, though a higher epoch still counts", () => {
    const table = empty
      .applyAssignments([], Version(7))
      .applyAssignments([ruling(1, 1, "a")], Version(3));
    expect(table.version).toBe(7);
    expect(table.get(PartitionId(1)).owner).toBe("a");
  });

  it("ignores an older epoch and an equal one, whatever the version", () => {
    const table = empty.applyAssignments([ruling(1, 5, "a")], Version(7));
    const after = table.applyAssignments([ruling(1, 4, "b"), ruling(1, 5, "c")], Version(8));
    expect(after.get(PartitionId(1)).owner).toBe("a");
    expect(after.version).toBe(8);
  });

  it("ignores partitions that the table does not have", () => {
    const strange = [ruling(PARTITIONS, 1, "a"), ruling(-1, 1, "a"), ruling(0.5, 1, "a")];
    expect(empty.applyAssignments(strange, Version(0))).toBe(empty);
  });

  it("is idempotent", () => {
    fc.assert(
      fc.property(rulingsArb, versionArb, (rulings, version) => {
        const once = empty.applyAssignments(rulings, version);
        expect(once.applyAssignments(rulings, version)).toBe(once);
      }),
    );
  });

  it("is commutative and associative: the same rulings in any order and grouping", () => {
    fc.assert(
      fc.property(rulingsArb, versionArb, rulingsArb, versionArb, (one, v1, other, v2) => {
        const forth = empty.applyAssignments(one, v1).applyAssignments(other, v2);
        const back = empty.applyAssignments(other, v2).applyAssignments(one, v1);
        const all = empty.applyAssignments([...other, ...one], Version(Math.max(v1, v2)));
        expect(contentOf(forth)).toEqual(contentOf(back));
        expect(contentOf(forth)).toEqual(contentOf(all));
      }),
    );
  });

  it("lets the highest epoch of each partition win, and neither epoch nor version go back", () => {
    fc.assert(
      fc.property(rulingsArb, rulingsArb, versionArb, (before, rulings, version) => {
        const table = empty.applyAssignments(before, Version(10));
        const after = table.applyAssignments(rulings, version);
        expect(after.version).toBe(Math.max(10, version));
        for (const { partitionId, epoch } of after.rulings()) {
          const heard = [...before, ...rulings].filter((one) => one.partitionId === partitionId);
          expect(epoch).toBe(Math.max(0, ...heard.map((one) => one.epoch)));
        }
      }),
    );
  });
});

describe("lookups", () => {
  const table = empty.applyAssignments(
    [
      ruling(0, 1, "a", "b"),
      ruling(1, 1, "b", "a", "c?"),
      ruling(2, 1, "a", "c?", "b"),
      ruling(3, 1, null, "a"),
    ],
    Version(1),
  );

  it("partitionsForNode: owned, and complete copies", () => {
    expect(table.partitionsForNode(NodeId("a"))).toEqual({ owned: [0, 2], backup: [1, 3] });
    expect(table.partitionsForNode(NodeId("b"))).toEqual({ owned: [1], backup: [0, 2] });
    expect(table.partitionsForNode(NodeId("c"))).toEqual({ owned: [], backup: [] });
    expect(table.partitionsForNode(NodeId("nobody"))).toEqual({ owned: [], backup: [] });
  });

  it("ownerOf: the owner of the partition in which the key lives", () => {
    const keys = ["", "hello", "key1", "user:alice", "é", "日本", "😀"];
    for (const key of keys) {
      expect(table.ownerOf(key)).toBe(table.get(partitionOf(key, PARTITIONS)).owner);
    }
    expect(new Set(keys.map((key) => table.ownerOf(key))).size).toBeGreaterThan(1);
  });

  it("placements: copies that are being made count as backups, after the complete ones", () => {
    expect(table.placements()[2]).toEqual({ owner: "a", backups: ["b", "c"] });
  });

  it("of a partition that does not exist are bugs", () => {
    expect(() => table.get(PartitionId(PARTITIONS))).toThrow("BUG");
  });
});

const member = (state: string): MemberInfo => ({
  nodeId: NodeId(state),
  host: `object of ${state}`,
  clientPort: 0,
  clusterPort: 0,
  region: "weur",
  weight: 1,
  state: state as NodeState,
  joinVersion: Version(1),
  incarnation: Incarnation(1),
});

describe("toPartitionMap", () => {
  const statuses: Record<NodeState, NodeStatus> = {
    joining: "JOINING",
    active: "ACTIVE",
    suspect: "SUSPECTED",
    leaving: "LEAVING",
    dead: "FAILED",
    removed: "FAILED",
  };
  const view = { version: Version(9), members: Object.keys(statuses).map(member) };

  it("maps states: each has its status", () => {
    const { nodes } = toPartitionMap(empty, view, 0);
    expect(Object.fromEntries(nodes.map(({ nodeId, status }) => [nodeId, status]))).toEqual(
      statuses,
    );
    expect(nodes[0]?.endpoints).toEqual({ websocket: "/v1/ws?node=joining" });
  });

  it("lists every partition with its owner and its complete copies", () => {
    const table = empty.applyAssignments(
      [ruling(0, 1, "active", "leaving", "joining?")],
      Version(4),
    );
    const map = toPartitionMap(table, view, 1234);
    expect(map).toMatchObject({ version: 4, partitionCount: PARTITIONS, generatedAt: 1234 });
    expect(map.partitions).toHaveLength(PARTITIONS);
    expect(map.partitions.slice(0, 2)).toEqual([
      { partitionId: 0, ownerNodeId: "active", backupNodeIds: ["leaving"] },
      { partitionId: 1, ownerNodeId: null, backupNodeIds: [] },
    ]);
  });
});
