import { describe, expect, it } from "vitest";
import { Incarnation, NodeId, Version } from "../../../src/data/ids.ts";
import { isMaster, masterOf, type MembersView, type NodeState } from "../../../src/data/members.ts";

const view = (...members: readonly [string, NodeState, number][]): MembersView => ({
  version: Version(9),
  members: members.map(([name, state, joinVersion]) => ({
    nodeId: NodeId(name),
    host: `object of ${name}`,
    clientPort: 0,
    clusterPort: 0,
    region: "weur",
    weight: 1,
    state,
    joinVersion: Version(joinVersion),
    incarnation: Incarnation(1),
  })),
});

describe("the master", () => {
  it("is the active member with the lowest join version", () => {
    expect(masterOf(view(["a", "active", 3], ["b", "active", 1], ["c", "active", 2]))).toBe("b");
  });

  it.each(["joining", "suspect", "leaving", "dead", "removed"] as const)(
    "is not a member that is %s",
    (state) => {
      expect(masterOf(view(["a", state, 1], ["b", "active", 2]))).toBe("b");
      expect(masterOf(view(["a", state, 1]))).toBeNull();
    },
  );

  it("is nobody in an empty view", () => {
    expect(masterOf(view())).toBeNull();
  });

  it("is the only one that isMaster is true for", () => {
    const members = view(["a", "active", 3], ["b", "active", 1], ["c", "suspect", 0]);
    const names = ["a", "b", "c", "nobody"].map((name) => NodeId(name));
    expect(names.filter((name) => isMaster(members, name))).toEqual(["b"]);
    expect(names.filter((name) => isMaster(view(), name))).toEqual([]);
  });

  it("is the lower node id if two joined with the same version", () => {
    expect(masterOf(view(["b", "active", 1], ["a", "active", 1], ["c", "active", 1]))).toBe("a");
  });
});
