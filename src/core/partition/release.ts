import type { PartitionId } from "../../data/ids.ts";
import { Queue } from "../machine/queue.ts";
import { settle } from "../node/pending.ts";
import type { Held } from "../node/requests.ts";
import type { PartitionMemory } from "../node/state.ts";
import type { Turn } from "../node/turn.ts";
import { adopted } from "./adopt.ts";
import { reached } from "./stream.ts";

/** Lets go of everything whose copies have it, or were struck by a ruling. */
export function release(turn: Turn, partitionId: PartitionId): void {
  const going = turn.going(partitionId);
  if (going.held.length === 0) return;
  const [free, held]: [Held[], Held[]] = [[], []];
  for (const one of going.held) (isFree(going, one) ? free : held).push(one);
  if (free.length === 0) return;
  turn.setGoing(partitionId, { held: Queue.of(held) });
  for (const { waiter } of free) {
    if (waiter.type === "request") settle(turn, waiter.id, waiter.indexes, waiter.results);
    else adopted(turn, partitionId, waiter.reply);
  }
}

function isFree(going: PartitionMemory, held: Held): boolean {
  for (const [nodeId, seq] of held.wait) {
    const stream = going.streams.get(nodeId);
    if (stream && !reached(stream, seq)) return false;
  }
  return true;
}
