/** The nodes that may hold partitions, in one order whatever order they were listed in. */
import { assert } from "../../data/assert.ts";
import type { NodeId } from "../../data/ids.ts";

export interface Candidate {
  readonly nodeId: NodeId;
  /** Finite and more than 0. A node of weight 2 gets twice the partitions of a node of weight 1. */
  readonly weight: number;
  readonly region: string;
}

/** The candidates by ascending node id. */
export type Roster = readonly Candidate[];

export function rosterOf(candidates: readonly Candidate[]): Roster {
  const roster = candidates.toSorted((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  roster.forEach(({ nodeId, weight }, at) => {
    assert(weight > 0 && Number.isFinite(weight), `weight of ${nodeId} is ${weight}`);
    assert(roster[at + 1]?.nodeId !== nodeId, `${nodeId} is a candidate twice`);
  });
  return roster;
}
