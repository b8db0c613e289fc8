import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { computeAssignment } from "../../../src/core/placement/assign.ts";
import type { Candidate, Placement } from "../../../src/core/placement/assign.ts";
import { NodeId } from "../../../src/data/ids.ts";
import {
  candidatesArb,
  equalsArb,
  moved,
  node,
  nodes,
  ownerLoads,
  placed,
  placementsArb,
  spreadOf,
  unplaced,
} from "./clusters.ts";

const alone = { backupCount: 0 };
const three = [node("a"), node("b"), node("c")];
const four = [...three, node("d")];

describe("271 partitions", () => {
  it("over 3 nodes is 90/90/91, nothing unassigned", () => {
    expect(ownerLoads(three, placed(three, 271))).toEqual([91, 90, 90]);
  });

  it("one member owns 271, with no backup", () => {
    const placements = placed([node("a")], 271, 2);
    expect(placements).toHaveLength(271);
    expect(new Set(placements.map(({ owner }) => owner))).toEqual(new Set(["a"]));
    expect(placements.every(({ backups }) => backups.length === 0)).toBe(true);
  });

  it("from three nodes to four: exactly 67 move, all to the new node", () => {
    const before = placed(three, 271, 1);
    const after = computeAssignment(four, before, { backupCount: 1 });
    expect(moved(before, after)).toHaveLength(67);
    expect(moved(before, after).every((p) => after[p]?.owner === "d")).toBe(true);
    expect(spreadOf(ownerLoads(four, after))).toBe(1);
  });

  it("from four nodes to three: only what the leaving node held moves", () => {
    const before = placed(four, 271, 1);
    const after = computeAssignment(three, before, { backupCount: 1 });
    expect(moved(before, after).every((p) => before[p]?.owner === "d")).toBe(true);
    expect(moved(before, after)).toHaveLength(68 - 1);
    expect(spreadOf(ownerLoads(three, after))).toBe(1);
  });

  it.each([1, 2, 3, 5, 16, 90, 135, 136, 200, 270, 271, 272, 300])(
    "from %i nodes to one more: floor(271 / (n + 1)) move, all to the new node",
    (count) => {
      const before = placed(nodes(count), 271);
      const after = computeAssignment(nodes(count + 1), before, alone);
      expect(moved(before, after)).toHaveLength(Math.floor(271 / (count + 1)));
      expect(moved(before, after).every((p) => after[p]?.owner === `n${count}`)).toBe(true);
    },
  );
});

describe("the wanted owners", () => {
  it("are nobody when there is no candidate", () => {
    expect(computeAssignment([], placed(three, 5, 1), { backupCount: 1 })).toEqual(unplaced(5));
  });

  it("are deterministic: the order of the candidates does not matter", () => {
    const shuffled = candidatesArb().chain((on) =>
      fc.tuple(fc.constant(on), fc.shuffledSubarray(on, { minLength: on.length })),
    );
    fc.assert(
      fc.property(shuffled, placementsArb(), fc.nat(4), ([on, other], current, backupCount) => {
        const config = { backupCount };
        expect(computeAssignment(other, current, config)).toEqual(
          computeAssignment(on, current, config),
        );
      }),
    );
  });

  it("are candidates, each within one of its share by weight", () => {
    fc.assert(
      fc.property(candidatesArb(), placementsArb(), (on, current) => {
        const after = computeAssignment(on, current, alone);
        const total = on.reduce((sum, { weight }) => sum + weight, 0);
        const loads = ownerLoads(on, after);
        expect(loads.reduce((sum, load) => sum + load, 0)).toBe(current.length);
        on.forEach(({ weight }, i) => {
          const share = (current.length * weight) / total;
          expect(Math.abs((loads[i] ?? 0) - share)).toBeLessThan(1 + 1e-6);
        });
      }),
    );
  });

  it("stay when they are already balanced", () => {
    fc.assert(
      fc.property(candidatesArb(), placementsArb(), fc.nat(3), (on, current, backupCount) => {
        const once = computeAssignment(on, current, { backupCount });
        expect(computeAssignment(on, once, { backupCount })).toEqual(once);
      }),
    );
  });

  it("stay when weights change in scale only", () => {
    const half = four.map((one, i) => node(one.nodeId, 0.1 * (i + 1)));
    const before = placed(half, 10);
    expect(ownerLoads(half, before)).toEqual([1, 2, 3, 4]);
    const twice = half.map((one) => node(one.nodeId, one.weight * 1e300));
    expect(computeAssignment(twice, before, alone)).toEqual(before);
  });

  it("differ in load by at most 1, and change as little as any balanced placement could", () => {
    const small = fc.tuple(equalsArb(1, 3), placementsArb(6));
    fc.assert(
      fc.property(small, ([on, current]) => {
        const after = computeAssignment(on, current, alone);
        expect(spreadOf(ownerLoads(on, after))).toBeLessThanOrEqual(1);
        expect(moved(current, after)).toHaveLength(fewestChanges(on, current));
      }),
    );
  });
});

describe("over any sequence of joins and leaves of equal nodes", () => {
  const steps = fc.tuple(
    fc.integer({ min: 1, max: 300 }),
    fc.nat(2),
    fc.array(fc.nat(11), { minLength: 1, maxLength: 12 }),
  );

  it("a join moves floor(P / n) to the new node, a leave moves only what the node held", () => {
    fc.assert(
      fc.property(steps, ([partitions, backupCount, toggles]) => {
        let on = [node("n99")];
        let current = placed(on, partitions, backupCount);
        for (const name of toggles.map((i) => `n${i}`)) {
          const leaves = on.some(({ nodeId }) => nodeId === name);
          on = leaves ? on.filter(({ nodeId }) => nodeId !== name) : [...on, node(name)];
          const after = computeAssignment(on, current, { backupCount });
          const changed = moved(current, after);
          expect(spreadOf(ownerLoads(on, after))).toBeLessThanOrEqual(1);
          if (leaves) {
            expect(changed.every((p) => current[p]?.owner === name)).toBe(true);
          } else {
            expect(changed.every((p) => after[p]?.owner === name)).toBe(true);
            expect(changed).toHaveLength(Math.floor(partitions / on.length));
          }
          current = after;
        }
      }),
    );
  });
});

describe("when an owner is gone", () => {
  it("each partition goes to one of its backups", () => {
    const before = placed(four, 271, 1);
    const after = computeAssignment(three, before, { backupCount: 1 });
    for (const p of moved(before, after)) expect(before[p]?.backups).toContain(after[p]?.owner);
  });

  it("the first backup is preferred to the second", () => {
    const before: Placement[] = [{ owner: NodeId("gone"), backups: [NodeId("c"), NodeId("b")] }];
    expect(computeAssignment(three, before, alone)).toEqual([{ owner: "c", backups: [] }]);
  });

  it("a partition passes its backups by only if they have no room", () => {
    fc.assert(
      fc.property(equalsArb(), placementsArb(), (on, current) => {
        const after = computeAssignment(on, current, alone);
        const loads = new Map(ownerLoads(on, after).map((load, i) => [on[i]?.nodeId, load]));
        current.forEach(({ owner, backups }, p) => {
          const to = after[p]?.owner;
          if (on.some(({ nodeId }) => nodeId === owner)) return;
          if (backups.some((backup) => backup === to)) return;
          const passedBy = backups.filter((backup) => loads.has(backup));
          const least = Math.floor(current.length / on.length);
          for (const backup of passedBy) expect(loads.get(backup)).toBeGreaterThanOrEqual(least);
        });
      }),
    );
  });
});

it("a surplus goes to nodes that already hold a copy, where they have room", () => {
  const before = placed(three, 12, 1).map(({ backups }) => ({ owner: NodeId("a"), backups }));
  const after = computeAssignment(three, before, alone);
  const promoted = moved(before, after).filter((p) =>
    before[p]?.backups.includes(after[p]?.owner ?? NodeId("")),
  );
  expect(ownerLoads(three, after)).toEqual([4, 4, 4]);
  expect(promoted).toEqual(moved(before, after));
});

/** By trying them all. */
function fewestChanges(on: readonly Candidate[], current: readonly Placement[]): number {
  const most = Math.ceil(current.length / on.length);
  const least = Math.floor(current.length / on.length);
  const loads = new Map(on.map(({ nodeId }) => [nodeId, 0]));
  const from = (partition: number): number => {
    const placement = current[partition];
    if (!placement) return [...loads.values()].every((load) => load >= least) ? 0 : Infinity;
    let fewest = Infinity;
    for (const { nodeId } of on) {
      const load = loads.get(nodeId) ?? 0;
      if (load === most) continue;
      loads.set(nodeId, load + 1);
      fewest = Math.min(fewest, (nodeId === placement.owner ? 0 : 1) + from(partition + 1));
      loads.set(nodeId, load);
    }
    return fewest;
  };
  return from(0);
}
