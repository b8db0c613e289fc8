/** From a wanted placement to the moves that lead there, and the order in which they start. */
import { assert } from "../../data/assert.ts";
import { PartitionId, type NodeId } from "../../data/ids.ts";
import type { Placement } from "./placement.ts";

/** One partition is to go from its owner to another node. */
export interface MigrationTask {
  readonly partitionId: PartitionId;
  readonly source: NodeId;
  readonly target: NodeId;
}

/** What the order of moves depends on. */
export interface MoveFacts {
  /** The target has a complete copy, so the move copies nothing. */
  readonly targetComplete: boolean;
  /** How many complete copies the partition has now. */
  readonly copies: number;
}

/** Exactly the changes of owner. To assign a partition that nobody owns is no move. */
export function planRebalance(
  current: readonly Placement[],
  target: readonly Placement[],
): readonly MigrationTask[] {
  assert(current.length === target.length, "a plan is between placements of the same partitions");
  return current.flatMap(({ owner: source }, partition) => {
    const owner = target[partition]?.owner ?? null;
    if (source === null || owner === null || source === owner) return [];
    return [{ partitionId: PartitionId(partition), source, target: owner }];
  });
}

/** Those that copy nothing first, then the partitions with the fewest copies, then by id. */
export function orderMigrations<Task extends MigrationTask>(
  tasks: readonly Task[],
  facts: (task: Task) => MoveFacts,
): readonly Task[] {
  return tasks
    .map((task) => ({ task, ...facts(task) }))
    .toSorted(
      (a, b) =>
        Number(b.targetComplete) - Number(a.targetComplete) ||
        a.copies - b.copies ||
        a.task.partitionId - b.task.partitionId,
    )
    .map(({ task }) => task);
}
