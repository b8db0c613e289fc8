import { describe, expect, it } from "vitest";
import { changesBetween, type ClusterState } from "../../../src/core/placement/changes.ts";
import { ClusterPartitionTable } from "../../../src/core/placement/table.ts";
import { Epoch, Incarnation, NodeId, PartitionId, Version } from "../../../src/data/ids.ts";
import type { MemberInfo, NodeState } from "../../../src/data/members.ts";

const member = (name: string, state: NodeState = "active"): MemberInfo => ({
  nodeId: NodeId(name),
  host: `object of ${name}`,
  clientPort: 0,
  clusterPort: 0,
  region: "",
  weight: 1,
  state,
  joinVersion: Version(1),
  incarnation: Incarnation(1),
});

function stateOf(
  members: readonly MemberInfo[],
  owners: readonly (string | null)[],
  epoch = 1,
): ClusterState {
  const rulings = owners.map((owner, p) => ({
    partitionId: PartitionId(p),
    epoch: Epoch(epoch),
    owner: owner === null ? null : NodeId(owner),
    since: Epoch(epoch),
    copies: [],
  }));
  const table = ClusterPartitionTable.empty(3).applyAssignments(rulings, Version(epoch));
  return { view: { version: Version(epoch), members }, table };
}

const before = stateOf([member("a"), member("b")], ["a", "b", null]);

describe("what changed between two states of a cluster", () => {
  it("is nothing between equal ones", () => {
    expect(
      changesBetween(before, stateOf([member("a"), member("b")], ["a", "b", null], 2)),
    ).toEqual([]);
  });

  it("is each member that came, changed or went, and each new owner, once", () => {
    const joined = { ...member("c"), incarnation: Incarnation(2) };
    const after = stateOf([member("a", "leaving"), joined], ["a", "c", "c"], 2);
    expect(changesBetween(before, after)).toEqual([
      { type: "member-updated", member: member("a", "leaving") },
      { type: "member-added", member: joined },
      { type: "member-removed", nodeId: "b" },
      { type: "owner-changed", partitionId: 1, from: "b", to: "c" },
      { type: "owner-changed", partitionId: 2, from: null, to: "c" },
    ]);
  });

  it("is every owner for whoever knew nothing", () => {
    const nothing = {
      view: { version: Version(0), members: [] },
      table: ClusterPartitionTable.empty(1),
    };
    const types = changesBetween(nothing, before).map(({ type }) => type);
    expect(types).toEqual(["member-added", "member-added", "owner-changed", "owner-changed"]);
  });
});
