/** The invariants of the simulation, asked of the states of a model. */
import type { CoordinatorSaved } from "../../src/core/coordinator/state.ts";
import type { NodeSaved } from "../../src/core/node/state.ts";
import type { NodeId, PartitionId } from "../../src/data/ids.ts";
import type { Row } from "../../src/data/row.ts";
import { INVARIANTS, type Invariant } from "../sim/checkers.ts";
import {
  activeKnowsItsView,
  coordinatorMonotone,
  joiningOwnsNothing,
  monotone,
  moveAtomicity,
  nodeMonotone,
  noLostAck,
  noResurrection,
  notTooManyMoves,
  oneOwner,
  sameTable,
  sameView,
  servesItsOwn,
  settled,
  type Cluster,
  type Judge,
} from "../sim/predicates.ts";

export class Objection extends Error {
  readonly invariant: Invariant;
  constructor(invariant: Invariant, message: string) {
    super(message);
    this.invariant = invariant;
  }
}

/** Partition and new owner: at that moment it must have everything. */
export interface Switch {
  readonly partitionId: PartitionId;
  readonly owner: NodeId;
}

export class ModelJudge implements Judge {
  readonly judged = new Map<Invariant, number>(INVARIANTS.map((id) => [id, 0]));
  readonly #movesMax: number;

  constructor(movesMax: number) {
    this.#movesMax = movesMax;
  }

  count(id: Invariant): void {
    this.judged.set(id, (this.judged.get(id) ?? 0) + 1);
  }

  fail(id: Invariant, message: string): never {
    throw new Objection(id, message);
  }

  /** Returns whose ruling names another owner than before. */
  coordinatorCommitted(before: CoordinatorSaved, after: CoordinatorSaved): Switch[] {
    coordinatorMonotone(this, before, after);
    sameView(this, before.view, after.view);
    sameTable(this, before, after);
    notTooManyMoves(this, after, this.#movesMax);
    const switches: Switch[] = [];
    for (const [partitionId, entry] of after.entries) {
      const old = before.entries.get(partitionId);
      const { owner, epoch } = entry.ruling;
      monotone(this, `epoch of ${partitionId}`, old?.ruling.epoch, epoch);
      if (old) oneOwner(this, old.ruling, entry.ruling);
      joiningOwnsNothing(this, after, entry);
      if (old?.ruling.owner && owner && owner !== old.ruling.owner)
        switches.push({ partitionId, owner });
    }
    return switches;
  }

  nodeCommitted(id: NodeId, before: NodeSaved, after: NodeSaved): void {
    nodeMonotone(this, id, before, after);
    sameView(this, before.view, after.view);
    for (const [partitionId, now] of after.partitions) {
      const old = before.partitions.get(partitionId)?.ruling;
      monotone(this, `epoch of ${partitionId} at ${id}`, old?.epoch, now.ruling.epoch);
      if (old) oneOwner(this, old, now.ruling);
      servesItsOwn(this, id, now);
    }
  }

  /** Of what everybody has on disk, and the greatest row of each key that was acknowledged. */
  moment(cluster: Cluster, acked: readonly Row[]): void {
    for (const row of acked) {
      noLostAck(this, cluster, row);
      noResurrection(this, cluster, row);
    }
    activeKnowsItsView(this, cluster);
    this.#allAgree(cluster);
  }

  switched(cluster: Cluster, change: Switch, acked: readonly Row[]): void {
    moveAtomicity(this, cluster, change, acked);
  }

  #allAgree({ coordinator, nodes }: Cluster): void {
    const { entries, view } = coordinator.disk;
    const all = [...nodes.values()].map(({ disk }) => disk);
    for (const [i, disk] of all.entries()) {
      sameView(this, disk.view, view);
      for (const [partitionId, { ruling }] of disk.partitions) {
        const entry = entries.get(partitionId);
        if (entry) oneOwner(this, entry.ruling, ruling);
        for (const other of all.slice(i + 1)) {
          const theirs = other.partitions.get(partitionId)?.ruling;
          if (theirs) oneOwner(this, theirs, ruling);
        }
      }
    }
  }

  end(cluster: Cluster): void {
    settled(this, cluster);
  }
}
