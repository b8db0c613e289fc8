/** Clusters to place partitions on, and what to measure about a placement. */
import fc from "fast-check";
import { computeAssignment } from "../../../src/core/placement/assign.ts";
import type { Candidate, Placement } from "../../../src/core/placement/assign.ts";
import { NodeId } from "../../../src/data/ids.ts";

export const node = (name: string, weight = 1, region = "weur"): Candidate => ({
  nodeId: NodeId(name),
  weight,
  region,
});

export const nodes = (count: number, from = 0): Candidate[] =>
  Array.from({ length: count }, (_, i) => node(`n${from + i}`));

/** Partitions that nobody owns. */
export const unplaced = (count: number): Placement[] =>
  Array.from({ length: count }, () => ({ owner: null, backups: [] }));

/** Place from nothing. */
export const placed = (on: readonly Candidate[], partitions: number, backupCount = 0) =>
  computeAssignment(on, unplaced(partitions), { backupCount });

/** Partitions per candidate, in the order of the candidates. */
export const ownerLoads = (on: readonly Candidate[], placements: readonly Placement[]): number[] =>
  on.map(({ nodeId }) => placements.filter(({ owner }) => owner === nodeId).length);

export const backupLoads = (on: readonly Candidate[], placements: readonly Placement[]): number[] =>
  on.map(({ nodeId }) => placements.filter(({ backups }) => backups.includes(nodeId)).length);

export const spreadOf = (loads: readonly number[]): number =>
  Math.max(...loads) - Math.min(...loads);

/** Ids of the partitions whose owner differs. */
export const moved = (before: readonly Placement[], after: readonly Placement[]): number[] =>
  before.flatMap(({ owner }, partition) => (owner === after[partition]?.owner ? [] : [partition]));

/** How many backups have to be copied: nodes that back up what they had no rows of. */
export const copied = (before: readonly Placement[], after: readonly Placement[]): number =>
  after.reduce((sum, { backups }, partition) => {
    const { owner, backups: old } = before[partition] ?? { owner: null, backups: [] };
    return sum + backups.filter((nodeId) => nodeId !== owner && !old.includes(nodeId)).length;
  }, 0);

const names = Array.from({ length: 12 }, (_, i) => `n${i}`);

const weightArb = fc.oneof(
  fc.constant(1),
  fc.integer({ min: 1, max: 5 }),
  fc.double({ min: 0.01, max: 100, noNaN: true }),
);

/** Distinct nodes, of any weight, in one to four regions. */
export const candidatesArb = (min = 1): fc.Arbitrary<Candidate[]> =>
  fc.uniqueArray(
    fc.record({
      nodeId: fc.constantFrom(...names).map(NodeId),
      weight: weightArb,
      region: fc.constantFrom("weur", "enam", "apac", "oc"),
    }),
    { minLength: min, maxLength: 10, selector: ({ nodeId }) => nodeId },
  );

/** Distinct nodes of one weight in one region. */
export const equalsArb = (min = 1, max = 10): fc.Arbitrary<Candidate[]> =>
  fc
    .uniqueArray(fc.constantFrom(...names), { minLength: min, maxLength: max })
    .map((picked) => picked.map((name) => node(name)));

/** Any placement at all: unbalanced, with strangers, with backups twice and owners among them. */
export const placementsArb = (max = 60): fc.Arbitrary<Placement[]> => {
  const nodeId = fc.constantFrom(...names, "stranger").map(NodeId);
  return fc.array(
    fc.record({ owner: fc.option(nodeId), backups: fc.array(nodeId, { maxLength: 4 }) }),
    { minLength: 1, maxLength: max },
  );
};
