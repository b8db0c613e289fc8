/** Decisions that take time, beside a move: none is begun before those that run are at an end, and then the owner is ready. */
import type { PartitionId } from "../../data/ids.ts";
import type { Turn } from "../node/turn.ts";

/** No decision of this partition is being made. */
export function isResting(turn: Turn, partitionId: PartitionId): boolean {
  for (const { running } of turn.memory.actors.partitions.get(partitionId)?.values() ?? [])
    if (running) return false;
  return true;
}

/** The move closes, and waits for a decision: what comes now waits for that. */
export function isPaused(turn: Turn, partitionId: PartitionId): boolean {
  const { role } = turn.partition(partitionId);
  const isClosing = role.type === "owner" && role.move?.phase === "closing";
  return isClosing && !isResting(turn, partitionId);
}
