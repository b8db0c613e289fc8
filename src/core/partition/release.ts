import type { NodeId, PartitionId, Seq } from "../../data/ids.ts";
import { makeError } from "../../protocol/errors.ts";
import { acknowledged } from "../actor/acknowledge.ts";
import { Queue } from "../machine/queue.ts";
import { settle } from "../node/pending.ts";
import type { Held, Waiter } from "../node/requests.ts";
import type { Turn } from "../node/turn.ts";
import { adopted } from "./adopt.ts";
import { hasBackup } from "./backup.ts";
import { reached } from "./stream.ts";

/** Lets go of everything whose copies have it, or were struck by a ruling. */
export function release(turn: Turn, partitionId: PartitionId): void {
  const going = turn.going(partitionId);
  if (going.held.length === 0) return;
  const [free, held]: [Held[], Held[]] = [[], []];
  for (const one of going.held) {
    const isFree = awaited(turn, partitionId, one).next().done;
    (isFree ? free : held).push(one);
  }
  if (free.length === 0) return;
  turn.setGoing(partitionId, { held: Queue.of(held) });
  for (const { waiter } of free) {
    if (waiter.type === "request") answer(turn, partitionId, waiter);
    else if (waiter.type === "entries") acknowledged(turn, waiter);
    else adopted(turn, partitionId, waiter.reply);
  }
}

/** The copies that it still waits for. */
export function* awaited(
  turn: Turn,
  partitionId: PartitionId,
  { wait }: Held,
): Generator<NodeId, void> {
  const { streams } = turn.going(partitionId);
  const lacks = ([nodeId, seq]: readonly [NodeId, Seq]): boolean => {
    const stream = streams.get(nodeId);
    return stream !== undefined && !reached(stream, seq);
  };
  for (const one of wait.all) if (lacks(one)) yield one[0];
  for (const one of wait.ifCounting)
    if (counts(turn, partitionId, one[0]) && lacks(one)) yield one[0];
}

const counts = (turn: Turn, partitionId: PartitionId, nodeId: NodeId): boolean => {
  const { role } = turn.partition(partitionId);
  if (role.type !== "owner") return false;
  return role.copies.some((copy) => copy.nodeId === nodeId && copy.state !== "copying");
};

/** If the last copy was struck while this waited, the write stands at the owner and nobody may be told so. */
function answer(
  turn: Turn,
  partitionId: PartitionId,
  { id, indexes, results, ack }: Extract<Waiter, { type: "request" }>,
): void {
  const lost = ack === "backup" && !hasBackup(turn, partitionId);
  const error = makeError("NO_BACKUP", { partitionId });
  const told = lost ? results.map(() => ({ type: "refused", error }) as const) : results;
  settle(turn, id, indexes, told);
}
