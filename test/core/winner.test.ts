/** Which of two clusters takes the other in. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sideOf, winnerOf, type Side } from "../../src/core/coordinator/winner.ts";
import { ClusterId, Incarnation, NodeId, Version } from "../../src/data/ids.ts";
import type { MemberInfo, NodeState } from "../../src/data/members.ts";

const side = (clusterId: string, active: number, join: number, master: string): Side => ({
  clusterId: ClusterId(clusterId),
  activeMembers: active,
  masterJoinVersion: Version(join),
  masterId: NodeId(master),
});

const nobody = (clusterId: string): Side => ({
  clusterId: ClusterId(clusterId),
  activeMembers: 0,
  masterJoinVersion: null,
  masterId: null,
});

describe("the winner of two clusters", () => {
  it.each<[string, Side, Side]>([
    ["has more active members", side("z", 4, 9, "n9"), side("a", 3, 1, "n1")],
    ["of as many, the older master", side("z", 3, 7, "n9"), side("a", 3, 8, "n1")],
    ["of masters as old, the lower id", side("z", 3, 7, "n1"), side("a", 3, 7, "n2")],
    ["ids by code units, not by number", side("z", 3, 7, "n10"), side("a", 3, 7, "n9")],
    ["of masters of one name, the lower cluster id", side("a", 3, 7, "n1"), side("b", 3, 7, "n1")],
    ["one member beats none", side("z", 1, 9, "n9"), nobody("a")],
    ["of two with nobody, the lower cluster id", nobody("a"), nobody("b")],
  ])("%s", (_, winner, loser) => {
    expect(winnerOf(winner, loser)).toBe(winner.clusterId);
    expect(winnerOf(loser, winner)).toBe(winner.clusterId);
  });

  it("is the same whichever side asks, and one beaten by the other never beats it", () => {
    const sides = fc.record({
      clusterId: fc.constantFrom("a", "b", "c").map(ClusterId),
      activeMembers: fc.nat({ max: 3 }),
      masterJoinVersion: fc.constantFrom(null, Version(1), Version(2)),
      masterId: fc.constantFrom(null, NodeId("n1"), NodeId("n2")),
    });
    fc.assert(
      fc.property(sides, sides, sides, (a, b, c) => {
        fc.pre(new Set([a.clusterId, b.clusterId, c.clusterId]).size === 3);
        expect(winnerOf(a, b)).toBe(winnerOf(b, a));
        const beats = (x: Side, y: Side): boolean => winnerOf(x, y) === x.clusterId;
        if (beats(a, b) && beats(b, c)) expect(beats(a, c)).toBe(true);
      }),
    );
  });

  it("is judged by members that are active, and by the master among them", () => {
    const member = (nodeId: string, state: NodeState, joinVersion: number): MemberInfo => ({
      nodeId: NodeId(nodeId),
      host: nodeId,
      clientPort: 0,
      clusterPort: 0,
      region: "",
      weight: 1,
      state,
      joinVersion: Version(joinVersion),
      incarnation: Incarnation(1),
    });
    const members = [
      member("n1", "dead", 1),
      member("n2", "suspect", 2),
      member("n4", "active", 4),
      member("n3", "active", 4),
      member("n5", "joining", 5),
    ];
    expect(sideOf(ClusterId("a"), { version: Version(9), members })).toEqual(side("a", 2, 4, "n3"));
    expect(sideOf(ClusterId("a"), { version: Version(9), members: [] })).toEqual(nobody("a"));
  });
});
