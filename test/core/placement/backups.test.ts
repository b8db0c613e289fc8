import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { computeAssignment } from "../../../src/core/placement/assign.ts";
import type { Candidate, Placement } from "../../../src/core/placement/assign.ts";
import { NodeId } from "../../../src/data/ids.ts";
import {
  backupLoads,
  candidatesArb,
  copied,
  equalsArb,
  node,
  nodes,
  placed,
  placementsArb,
  spreadOf,
} from "./clusters.ts";

const regionOf = (on: readonly Candidate[], id: NodeId | null | undefined): string | undefined =>
  on.find(({ nodeId }) => nodeId === id)?.region;

describe("the wanted backups", () => {
  it("are min(backupCount, n - 1): a backup differs from its owner, in region as far as it goes", () => {
    fc.assert(
      fc.property(candidatesArb(), placementsArb(), fc.nat(4), (on, current, backupCount) => {
        const wanted = Math.min(backupCount, on.length - 1);
        for (const { owner, backups } of computeAssignment(on, current, { backupCount })) {
          expect(new Set(backups).size).toBe(backups.length);
          expect(backups).toHaveLength(wanted);
          expect(backups).not.toContain(owner);
          const home = regionOf(on, owner);
          const outside = backups.filter((id) => regionOf(on, id) !== home).length;
          const available = on.filter(({ region }) => region !== home).length;
          expect(outside).toBe(Math.min(wanted, available));
        }
      }),
    );
  });

  it("are spread evenly over equal nodes, from nothing and from anything", () => {
    fc.assert(
      fc.property(equalsArb(2), placementsArb(), fc.integer({ min: 1, max: 4 }), (on, now, k) => {
        const after = computeAssignment(on, now, { backupCount: k });
        expect(spreadOf(backupLoads(on, after))).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("are spread as evenly as regions and weights allow", () => {
    fc.assert(
      fc.property(smallArb, ([on, current, backupCount]) => {
        const after = computeAssignment(on, current, { backupCount });
        const owners = after.map(({ owner }) => owner);
        const best = leastUneven(on, owners, Math.min(backupCount, on.length - 1));
        expect(unevenness(on, backupLoads(on, after))).toBeCloseTo(best, 6);
      }),
      { numRuns: 300 },
    );
  });

  it("of one owner are spread over the others, so that all of them take over a little", () => {
    const on = nodes(10);
    const placements = placed(on, 1000, 1);
    for (const { nodeId } of on) {
      const own = placements.filter(({ owner }) => owner === nodeId);
      const loads = backupLoads(on, own).filter((load) => load > 0);
      expect(loads).toHaveLength(9);
      expect(spreadOf(loads)).toBeLessThanOrEqual(4);
    }
  });

  it("are none when none are wanted", () => {
    const before = placed(nodes(4), 271, 2);
    const after = computeAssignment(nodes(4), before, { backupCount: 0 });
    expect(after).toEqual(before.map(({ owner }) => ({ owner, backups: [] })));
  });

  it("stay, when fewer are wanted, among those there were", () => {
    const before = placed(nodes(5), 271, 2);
    const after = computeAssignment(nodes(5), before, { backupCount: 1 });
    expect(copied(before, after)).toBe(0);
    expect(spreadOf(backupLoads(nodes(5), after))).toBeLessThanOrEqual(1);
  });

  it("that are gone are replaced; the others keep their rank", () => {
    const on = nodes(5);
    const before = placed(on, 100, 2);
    const after = computeAssignment(on.slice(0, 4), before, { backupCount: 2 });
    const kept = after.filter(({ backups }, p) => {
      const stayed = before[p]?.backups.filter((id) => id !== "n4") ?? [];
      return stayed.every((id) => backups.includes(id) || after[p]?.owner === id);
    });
    expect(kept.length).toBeGreaterThan(90);
  });
});

describe("few backups are copied", () => {
  it("when a node joins: as many as the new node is to hold", () => {
    for (const [count, k] of [
      [3, 1],
      [3, 2],
      [4, 1],
      [7, 2],
      [20, 1],
      [20, 3],
    ] as const) {
      const before = placed(nodes(count), 271, k);
      const after = computeAssignment(nodes(count + 1), before, { backupCount: k });
      const [held] = backupLoads(nodes(1, count), after);
      expect(held).toBeGreaterThanOrEqual(Math.floor((271 * k) / (count + 1)));
      expect(copied(before, after)).toBe(held);
    }
  });

  it("when owner and backup change places: none", () => {
    const on = nodes(2);
    const before: Placement[] = [0, 1].map(() => ({
      owner: NodeId("n0"),
      backups: [NodeId("n1")],
    }));
    const after = computeAssignment(on, before, { backupCount: 1 });
    expect(after.filter(({ owner }) => owner === "n1")).toHaveLength(1);
    expect(copied(before, after)).toBe(0);
  });

  it("when an owner comes to share the region of the backup: the former owner stands in", () => {
    const on = [node("a", 1, "weur"), node("b", 1, "enam"), node("c", 1, "enam")];
    const before: Placement[] = [0, 1, 2].map(() => ({
      owner: NodeId("a"),
      backups: [NodeId("b")],
    }));
    const after = computeAssignment(on, before, { backupCount: 1 });
    const { backups } = after.find(({ owner }) => owner === "c") ?? { backups: [] };
    expect(backups).toEqual(["a"]);
  });
});

const smallArb = fc.tuple(
  candidatesArb(2).map((on) => on.slice(0, 4)),
  placementsArb(5),
  fc.integer({ min: 1, max: 3 }),
);

const unevenness = (on: readonly Candidate[], loads: readonly number[]): number =>
  on.reduce((sum, { weight }, i) => sum + (loads[i] ?? 0) ** 2 / weight, 0);

/** By trying them all. */
function leastUneven(
  on: readonly Candidate[],
  owners: readonly (NodeId | null)[],
  perPartition: number,
): number {
  const loads = on.map(() => 0);
  const from = (partition: number): number => {
    const owner = owners[partition];
    if (owner === undefined) return unevenness(on, loads);
    let least = Infinity;
    for (const chosen of choices(on, owner, perPartition)) {
      for (const i of chosen) loads[i] = (loads[i] ?? 0) + 1;
      least = Math.min(least, from(partition + 1));
      for (const i of chosen) loads[i] = (loads[i] ?? 0) - 1;
    }
    return least;
  };
  return from(0);
}

/** Every set of backups that the rules allow, as indices of nodes. */
function choices(on: readonly Candidate[], owner: NodeId | null, perPartition: number): number[][] {
  const home = regionOf(on, owner);
  const isAway = (i: number): boolean => on[i]?.region !== home;
  const away = Math.min(perPartition, on.filter((_, i) => isAway(i)).length);
  let sets: number[][] = [[]];
  on.forEach(({ nodeId }, i) => {
    if (nodeId !== owner) sets = sets.flatMap((set) => [set, [...set, i]]);
  });
  return sets.filter((set) => set.length === perPartition && set.filter(isAway).length === away);
}
