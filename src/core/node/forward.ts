/** Ops of clients whose owner is elsewhere: passed on, with the ruling, until the owner has answered. */
import type { NodeId, Seq } from "../../data/ids.ts";
import type { ClusterMessage } from "../../protocol/cluster-messages.ts";
import { makeError } from "../../protocol/errors.ts";
import type { Op } from "../../protocol/ops.ts";
import { retryAfter } from "../partition/streams.ts";
import { settle } from "./pending.ts";
import type { PassedOn, PendingForward } from "./requests.ts";
import type { Turn } from "./turn.ts";

export function passOn(
  turn: Turn,
  id: number,
  places: readonly PassedOn[],
  ops: readonly Op[],
): void {
  for (const [partitionId, group] of Map.groupBy(places, (place) => place.partitionId)) {
    const indexes = group.map((place) => place.index);
    const theirs = indexes.flatMap((index) => ops[index] ?? []);
    forward(turn, { id, partitionId, indexes, ops: theirs });
  }
}

export function forward(
  turn: Turn,
  what: Pick<PendingForward, "id" | "partitionId" | "indexes" | "ops">,
): void {
  const forwardId = turn.takeSeqs(1);
  const deadline = turn.now + turn.config.forwardTimeoutMs;
  keep(turn, forwardId, { ...what, deadline, retry: retryAfter(turn, 0) });
  send(turn, forwardId);
}

function send(turn: Turn, forwardId: Seq): void {
  const pending = turn.memory.forwards.get(forwardId);
  if (!pending) return;
  const { partitionId: targetPartitionId, ops } = pending;
  const { ruling } = turn.partition(targetPartitionId);
  // That may be this very node by now: it then answers itself like any other.
  if (ruling.owner)
    turn.send(ruling.owner, {
      type: "OP_FORWARD",
      sourceNodeId: turn.me,
      targetPartitionId,
      forwardId,
      ruling,
      ops,
    });
}

export function onForwarded(
  turn: Turn,
  { forwardId, results }: Extract<ClusterMessage, { type: "OP_FORWARDED" }>,
): void {
  const pending = turn.memory.forwards.get(forwardId);
  if (!pending || results.length !== pending.ops.length) return;
  drop(turn, forwardId);
  settle(turn, pending.id, pending.indexes, results);
}

/** Whoever knows better was heard and is followed at once; two who know the same wait for news. */
export function onNotOwner(
  turn: Turn,
  from: NodeId,
  { forwardId, ruling }: Extract<ClusterMessage, { type: "NOT_OWNER" }>,
): void {
  if (turn.partition(ruling.partitionId).ruling.owner !== from) send(turn, forwardId);
}

export function pursueForwards(turn: Turn): void {
  for (const [forwardId, pending] of turn.memory.forwards) {
    if (pending.deadline <= turn.now) {
      drop(turn, forwardId);
      settle(turn, pending.id, pending.indexes, unreachable(pending));
    } else if (pending.retry.at <= turn.now) {
      keep(turn, forwardId, { ...pending, retry: retryAfter(turn, pending.retry.attempt + 1) });
      send(turn, forwardId);
    }
  }
}

const unreachable = ({
  ops,
  partitionId,
}: PendingForward): { type: "refused"; error: ReturnType<typeof makeError> }[] =>
  ops.map(() => ({ type: "refused", error: makeError("OWNER_UNREACHABLE", { partitionId }) }));

function keep(turn: Turn, forwardId: Seq, pending: PendingForward): void {
  turn.setMemory({ forwards: new Map(turn.memory.forwards).set(forwardId, pending) });
}

function drop(turn: Turn, forwardId: Seq): void {
  const forwards = new Map(turn.memory.forwards);
  forwards.delete(forwardId);
  turn.setMemory({ forwards });
}
