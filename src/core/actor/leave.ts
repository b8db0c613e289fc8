/** Actors of a partition that another node owns by now: their commands follow it, in their order. */
import type { PartitionId } from "../../data/ids.ts";
import type { Call } from "./activation.ts";
import type { Part } from "../node/requests.ts";
import type { Turn } from "../node/turn.ts";
import { activation, activationsIn, forgetActivation, memoryOf, setActors } from "./actors.ts";
import { callsOf } from "./fail.ts";

/**
 * Those of each actor by themselves. What was decided and not told may be there already: it comes again under its id, and is answered what was answered then.
 */
export function leaveActors(turn: Turn, partitionId: PartitionId): readonly (readonly Part[])[] {
  const parts = activationsIn(turn, partitionId).map((name) => {
    const one = activation(turn, name);
    forgetActivation(turn, name);
    return one ? callsOf(one).map(partOf) : [];
  });
  const paused = new Set(memoryOf(turn).paused);
  if (paused.delete(partitionId)) setActors(turn, { paused });
  return parts;
}

const partOf = ({ id, index, op }: Call): Part => ({
  id,
  indexes: [index],
  ops: [op],
  ack: "backup",
  stamped: new Set(),
});
