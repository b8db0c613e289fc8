/** Ops of clients whose owner is elsewhere: passed on to it, and after it, until it has answered. */
import { partitionOf } from "../../data/hash.ts";
import type { NodeId, PartitionId, Seq } from "../../data/ids.ts";
import type { Ruling } from "../../data/ruling.ts";
import type { ClusterMessage } from "../../protocol/cluster-messages.ts";
import { makeError } from "../../protocol/errors.ts";
import type { Op } from "../../protocol/ops.ts";
import { retryAfter } from "../partition/streams.ts";
import { settle } from "./pending.ts";
import type { PendingForward, Result } from "./requests.ts";
import type { Turn } from "./turn.ts";

/** Ops of one request: `ops[i]` is its op number `indexes[i]`. */
type Part = Pick<PendingForward, "id" | "indexes" | "ops">;

export function passOn(turn: Turn, part: Part): void {
  const deadline = turn.now + turn.config.forwardTimeoutMs;
  for (const [to, theirs] of byOwner(turn, part)) {
    const retry = retryAfter(turn, 0);
    begin(turn, { ...theirs, to, lacked: [], deadline, retry });
  }
}

function byOwner(turn: Turn, { id, indexes, ops }: Part): Map<NodeId | null, Part> {
  const groups = Map.groupBy(ops.keys(), (i) => ownerOf(turn, ops[i]));
  const part = (at: readonly number[]): Part => ({
    id,
    indexes: at.flatMap((i) => indexes[i] ?? []),
    ops: at.flatMap((i) => ops[i] ?? []),
  });
  return new Map([...groups].map(([owner, at]) => [owner, part(at)]));
}

const ownerOf = (turn: Turn, op: Op | undefined): NodeId | null =>
  op ? turn.partition(placeOf(turn, op)).ruling.owner : null;

const placeOf = (turn: Turn, op: Op): PartitionId => partitionOf(op.key, turn.self.partitionCount);

function begin(turn: Turn, pending: PendingForward): void {
  const forwardId = turn.takeSeqs(1);
  keep(turn, forwardId, pending);
  send(turn, forwardId, pending);
}

/** That may be this very node by now: it then answers itself like any other. */
function send(turn: Turn, forwardId: Seq, { to, lacked, ops }: PendingForward): void {
  if (!to) return;
  const message = { forwardId, sourceNodeId: turn.me, rulings: lacked, ops };
  turn.send(to, { type: "OP_FORWARD", ...message });
}

export function onForwarded(
  turn: Turn,
  from: NodeId,
  { forwardId, results, notOwned }: Extract<ClusterMessage, { type: "OP_FORWARDED" }>,
): void {
  const pending = turn.memory.forwards.get(forwardId);
  if (!pending || pending.to !== from || results.length !== pending.ops.length) return;
  drop(turn, forwardId);
  const [open, done] = partition(results.keys(), (i) => isElsewhere(results[i]));
  const settled = done.map((i) => results[i]).filter((result) => result !== undefined);
  settle(turn, pending.id, pick(pending.indexes, done), settled);
  if (open.length === 0) return;
  const rest = { indexes: pick(pending.indexes, open), ops: pick(pending.ops, open) };
  follow(turn, from, { ...pending, ...rest }, notOwned);
}

const isElsewhere = (result: Result | undefined): boolean =>
  result?.type === "refused" && result.error.code === "NOT_OWNER";

/**
 * Whoever knows better was heard and is followed at once; whoever knows less is told. One that knows the same
 * and still is not the owner is asked again later.
 */
function follow(
  turn: Turn,
  from: NodeId,
  pending: PendingForward,
  theirs: readonly Ruling[],
): void {
  for (const [to, part] of byOwner(turn, pending)) {
    const lacked = to === from ? newer(turn, part.ops, theirs) : [];
    const next = { ...pending, ...part, to, lacked };
    if (to === from && lacked.length === 0) keep(turn, turn.takeSeqs(1), next);
    else begin(turn, next);
  }
}

/** What this node knows of the partitions of these ops, where that is more than `theirs`. */
function newer(turn: Turn, ops: readonly Op[], theirs: readonly Ruling[]): Ruling[] {
  const rulings = new Set(ops.map((op) => turn.partition(placeOf(turn, op)).ruling));
  const isNewer = ({ partitionId, epoch }: Ruling): boolean =>
    theirs.some((other) => other.partitionId === partitionId && other.epoch < epoch);
  return [...rulings].filter(isNewer);
}

export function pursueForwards(turn: Turn): void {
  const { forwards, forwardsAt } = turn.memory;
  if (forwardsAt > turn.now) return;
  for (const [forwardId, pending] of forwards) {
    if (pending.deadline <= turn.now) {
      drop(turn, forwardId);
      settle(turn, pending.id, pending.indexes, pending.ops.map(unreachable(turn)));
    } else if (pending.retry.at <= turn.now) {
      again(turn, forwardId, pending);
    }
  }
  let next = Infinity;
  for (const [, { retry, deadline }] of turn.memory.forwards)
    next = Math.min(next, retry.at, deadline);
  turn.setMemory({ forwardsAt: next });
}

/** Under its old number while the owner is the same: a slow answer still counts. */
function again(turn: Turn, forwardId: Seq, pending: PendingForward): void {
  const next = { ...pending, retry: retryAfter(turn, pending.retry.attempt + 1) };
  const groups = byOwner(turn, pending);
  if (groups.size === 1 && groups.has(pending.to)) {
    keep(turn, forwardId, next);
    return send(turn, forwardId, next);
  }
  drop(turn, forwardId);
  for (const [to, part] of groups) begin(turn, { ...next, ...part, to, lacked: [] });
}

const unreachable =
  (turn: Turn) =>
  (op: Op): Result => ({
    type: "refused",
    error: makeError("OWNER_UNREACHABLE", { partitionId: placeOf(turn, op) }),
  });

function keep(turn: Turn, forwardId: Seq, pending: PendingForward): void {
  const { forwards, forwardsAt } = turn.memory;
  const dueAt = Math.min(forwardsAt, pending.retry.at, pending.deadline);
  turn.setMemory({ forwards: forwards.with(forwardId, pending), forwardsAt: dueAt });
}

function drop(turn: Turn, forwardId: Seq): void {
  const forwards = turn.memory.forwards.without(forwardId);
  // An earlier moment than that of any left does no harm, and to find theirs takes a look at each.
  const forwardsAt = forwards.size > 0 ? turn.memory.forwardsAt : Infinity;
  turn.setMemory({ forwards, forwardsAt });
}

const pick = <T>(items: readonly T[], at: readonly number[]): T[] =>
  at.flatMap((i) => items[i] ?? []);

function partition(
  indexes: Iterable<number>,
  test: (index: number) => boolean,
): [number[], number[]] {
  const [yes, no]: [number[], number[]] = [[], []];
  for (const index of indexes) (test(index) ? yes : no).push(index);
  return [yes, no];
}
