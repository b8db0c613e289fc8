/** An owner that is none any more. */
import type { PartitionId } from "../../data/ids.ts";
import { leaveActors } from "../actor/leave.ts";
import { Queue } from "../machine/queue.ts";
import { passOnHeld, passOnInOrder } from "../node/forward.ts";
import type { Turn } from "../node/turn.ts";
import { setCession } from "../node/winner.ts";
import { adopted } from "./adopt.ts";
import { caughtUp } from "./streams.ts";

/** Writes that nobody was told of yet go to the new owner; streams end, what they lacked is offered later. */
export function stepDown(turn: Turn, partitionId: PartitionId): void {
  const { held } = turn.going(partitionId);
  for (const nodeId of turn.memory.behind.get(partitionId) ?? [])
    caughtUp(turn, partitionId, nodeId);
  // What it offered to another cluster may have to be offered anew, if it is owner once more.
  const passes = new Map(turn.memory.cession.passes);
  if (passes.delete(partitionId)) setCession(turn, { passes });
  const nothing = { streams: new Map(), held: Queue.of([]), retry: null, giveUp: new Map() };
  turn.setGoing(partitionId, nothing);
  for (const { waiter } of held) {
    if (waiter.type === "adopted") adopted(turn, partitionId, waiter.reply);
    if (waiter.type === "request") passOnHeld(turn, waiter);
  }
  for (const parts of leaveActors(turn, partitionId)) passOnInOrder(turn, parts);
}
