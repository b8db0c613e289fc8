/** Actors of a partition that another node owns by now: their commands follow it, in their order. */
import type { PartitionId } from "../../data/ids.ts";
import type { Part } from "../node/requests.ts";
import type { Turn } from "../node/turn.ts";
import { activation, activationsIn, forgetActivation, memoryOf, setActors } from "./actors.ts";
import { callsOf } from "./fail.ts";

/**
 * What was decided and not told may be there already: it comes again under its id, and is answered what was answered then.
 */
export function leaveActors(turn: Turn, partitionId: PartitionId): readonly Part[] {
  const parts: Part[] = [];
  for (const name of activationsIn(turn, partitionId)) {
    const one = activation(turn, name);
    for (const { id, index, op } of one ? callsOf(one) : [])
      parts.push({ id, indexes: [index], ops: [op], ack: "backup", stamped: new Set() });
    forgetActivation(turn, name);
  }
  const paused = new Set(memoryOf(turn).paused);
  if (paused.delete(partitionId)) setActors(turn, { paused });
  return parts;
}
