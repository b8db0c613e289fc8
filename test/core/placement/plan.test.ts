import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { computeAssignment, type Placement } from "../../../src/core/placement/assign.ts";
import {
  orderMigrations,
  planRebalance,
  type MigrationTask,
  type MoveFacts,
} from "../../../src/core/placement/plan.ts";
import { NodeId, PartitionId } from "../../../src/data/ids.ts";
import { candidatesArb, node, placed, placementsArb, unplaced } from "./clusters.ts";

const three = [node("a"), node("b"), node("c")];
const at = (owner: string | null, ...backups: string[]): Placement => ({
  owner: owner === null ? null : NodeId(owner),
  backups: backups.map(NodeId),
});

describe("planRebalance", () => {
  it("is exactly the moves needed: the changes of owner", () => {
    const before = [at("a"), at("a", "b"), at("b"), at(null), at("c"), at("c")];
    const after = [at("a"), at("b", "a"), at("b", "c"), at("a"), at(null), at("a")];
    expect(planRebalance(before, after)).toEqual([
      { partitionId: 1, source: "a", target: "b" },
      { partitionId: 5, source: "c", target: "a" },
    ]);
  });

  it("is empty when nothing changes, and when only backups do", () => {
    const before = placed(three, 271, 1);
    expect(planRebalance(before, before)).toEqual([]);
    expect(planRebalance(before, computeAssignment(three, before, { backupCount: 2 }))).toEqual([]);
  });

  it("is empty for partitions that nobody owned", () => {
    expect(planRebalance(unplaced(271), placed(three, 271))).toEqual([]);
  });

  it("carried out, leads to the wanted owners", () => {
    fc.assert(
      fc.property(candidatesArb(), placementsArb(), (on, current) => {
        const target = computeAssignment(on, current, { backupCount: 1 });
        const owners = current.map(({ owner }) => owner);
        for (const { partitionId, source, target: to } of planRebalance(current, target)) {
          expect(owners[partitionId]).toBe(source);
          owners[partitionId] = to;
        }
        current.forEach(({ owner }, p) => {
          if (owner !== null) expect(owners[p]).toBe(target[p]?.owner);
        });
        expect(planRebalance(target, target)).toEqual([]);
      }),
    );
  });
});

const task = (id: number): MigrationTask => ({
  partitionId: PartitionId(id),
  source: NodeId("a"),
  target: NodeId("b"),
});

const factsOf = ({ partitionId: id }: MigrationTask): MoveFacts => ({
  targetComplete: id % 3 === 0,
  copies: id % 4,
});

describe("orderMigrations", () => {
  it("puts complete targets first, then the fewest copies, then the lowest id", () => {
    const facts: Record<number, MoveFacts> = {
      1: { targetComplete: false, copies: 1 },
      2: { targetComplete: false, copies: 0 },
      3: { targetComplete: true, copies: 2 },
      4: { targetComplete: true, copies: 1 },
      5: { targetComplete: false, copies: 0 },
    };
    const none = { targetComplete: false, copies: 9 };
    const ordered = orderMigrations(
      [1, 5, 3, 2, 4].map(task),
      ({ partitionId }) => facts[partitionId] ?? none,
    );
    expect(ordered.map(({ partitionId }) => partitionId)).toEqual([4, 3, 2, 5, 1]);
  });

  it("keeps every task and does not depend on their order", () => {
    const ids = fc.uniqueArray(fc.nat(50));
    const both = ids.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(both, ([one, other]) => {
        const ordered = orderMigrations(one.map(task), factsOf);
        expect(orderMigrations(other.map(task), factsOf)).toEqual(ordered);
        expect(new Set(ordered.map(({ partitionId }) => Number(partitionId)))).toEqual(
          new Set(one),
        );
      }),
    );
  });
});
