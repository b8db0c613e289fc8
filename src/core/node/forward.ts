/** Ops of clients whose owner is elsewhere: passed on to it, and after it, until it has answered. */
import { partitionOf } from "../../data/hash.ts";
import type { Stamp } from "../../data/hlc.ts";
import type { NodeId, PartitionId, Seq } from "../../data/ids.ts";
import type { Ruling } from "../../data/ruling.ts";
import type { ClusterMessage } from "../../protocol/cluster-messages.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import { FRAME_BYTES_MAX, FRAME_OPS_MAX } from "../../protocol/limits.ts";
import { isChange, valueBytesOf, type Op } from "../../protocol/ops.ts";
import { firstStamp } from "./changes.ts";
import { mayBeForgotten } from "../partition/adopt.ts";
import { retryAfter } from "../partition/streams.ts";
import { lacksRoom } from "./credit.ts";
import { settle } from "./pending.ts";
import type { Part, PendingForward, Result } from "./requests.ts";
import type { Turn } from "./turn.ts";
import { isCeded, ownerThere, rulingThere, wantTable } from "./winner.ts";

/**
 * In one message to each owner, or several where there are many. What came in several frames must not wait for what
 * the owner holds for one of them: such ops come back, to be asked for alone.
 */
export function passOn(turn: Turn, parts: readonly Part[]): void {
  const deadline = turn.now + turn.config.forwardTimeoutMs;
  for (const { to, abroad, parts: theirs } of byOwner(turn, parts))
    for (const together of messagesOf(theirs)) {
      const retry = retryAfter(turn, 0);
      begin(turn, { parts: together, to, abroad, lacked: [], deadline, retry, crowded: false });
    }
}

/** In one message, which is sent again as a whole: nothing of it overtakes the rest. No more than a mailbox holds. */
export function passOnInOrder(turn: Turn, parts: readonly Part[]): void {
  const deadline = turn.now + turn.config.forwardTimeoutMs;
  for (const theirs of byOwner(turn, parts)) {
    const retry = retryAfter(turn, 0);
    begin(turn, { ...theirs, lacked: [], deadline, retry, crowded: false });
  }
}

/**
 * What was held for a copy by an owner that is none any more. If that took so long that a deletion after it may be
 * forgotten, its clients are told that nothing is known of it: they would not be let in with it now.
 */
export function passOnHeld(turn: Turn, part: Part): void {
  const isOld = (op: Op | undefined): boolean =>
    op !== undefined && isChange(op) && firstStamp(op, isTooOld, turn) !== null;
  const [old, others] = partition(part.ops.keys(), (i) => isOld(part.ops[i]));
  const { indexes, ops } = pick(part, old);
  settle(turn, part.id, indexes, ops.map(unreachable(turn)));
  passOn(turn, [pick(part, others)]);
}

const isTooOld = (stamp: Stamp, turn: Turn): boolean =>
  mayBeForgotten(turn, { kind: "lww", stamp });

function messagesOf(parts: readonly Part[]): Part[][] {
  const messages: Part[][] = [];
  let [ops, bytes] = [0, 0];
  for (const part of parts) {
    const last = messages.at(-1);
    const size = part.ops.reduce((sum, op) => sum + valueBytesOf(op), 0);
    [ops, bytes] = [ops + part.ops.length, bytes + size];
    const fits = ops <= FRAME_OPS_MAX && bytes <= FRAME_BYTES_MAX;
    // What is to wait for backups waits alone.
    const alike = part.ack === "owner" && last?.[0]?.ack === "owner";
    if (last && fits && alike) last.push(part);
    else {
      messages.push([part]);
      [ops, bytes] = [part.ops.length, size];
    }
  }
  return messages;
}

interface Destination {
  readonly abroad: boolean;
  readonly ownerOf: (op: Op | undefined) => NodeId | null;
}

/** Parts that go to the same node. */
interface Bundle extends Pick<PendingForward, "to" | "abroad"> {
  readonly parts: Part[];
}

function byOwner(turn: Turn, parts: readonly Part[]): readonly Bundle[] {
  const [here, there] = [new Map<NodeId | null, Bundle>(), new Map<NodeId | null, Bundle>()];
  const ours: Destination = { abroad: false, ownerOf: (op) => ownerOf(turn, op) };
  const winners: Destination = { abroad: true, ownerOf: (op) => ownerAbroad(turn, op) };
  for (const part of parts) {
    if (!turn.self.ceding) {
      bundle(here, part, ours);
      continue;
    }
    const [ceded, others] = partition(part.ops.keys(), (i) => isAbroad(turn, part.ops[i]));
    bundle(here, pick(part, others), ours);
    bundle(there, pick(part, ceded), winners);
  }
  return [...here.values(), ...there.values()];
}

function bundle(
  bundles: Map<NodeId | null, Bundle>,
  part: Part,
  { abroad, ownerOf: owner }: Destination,
): void {
  for (const [to, at] of Map.groupBy(part.ops.keys(), (i) => owner(part.ops[i]))) {
    const known = bundles.get(to);
    if (known) known.parts.push(pick(part, at));
    else bundles.set(to, { to, abroad, parts: [pick(part, at)] });
  }
}

const isAbroad = (turn: Turn, op: Op | undefined): boolean =>
  op !== undefined && isCeded(turn, placeOf(turn, op));

const ownerOf = (turn: Turn, op: Op | undefined): NodeId | null =>
  op ? turn.partition(placeOf(turn, op)).ruling.owner : null;

/** As long as rows of it are offered nobody there has all of it: whoever reads there might miss one. */
function ownerAbroad(turn: Turn, op: Op | undefined): NodeId | null {
  if (!op) return null;
  const partitionId = placeOf(turn, op);
  const isWhole = turn.partition(partitionId).role.type === "none";
  return isWhole ? ownerThere(turn, partitionId) : null;
}

const placeOf = (turn: Turn, op: Op): PartitionId => partitionOf(op.key, turn.self.partitionCount);

function begin(turn: Turn, pending: PendingForward): void {
  const forwardId = turn.takeSeqs(1);
  keep(turn, forwardId, pending);
  send(turn, forwardId, pending);
}

/** That may be this very node by now: it then answers itself like any other. */
function send(turn: Turn, forwardId: Seq, { to, abroad, lacked, parts }: PendingForward): void {
  if (!to) return;
  const ops = opsOf(parts);
  const message: ClusterMessage = {
    type: "OP_FORWARD",
    forwardId,
    sourceNodeId: turn.me,
    ...(ops[0] && { targetPartitionId: placeOf(turn, ops[0]) }),
    rulings: lacked,
    ops,
    ...(parts[0]?.ack === "backup" && { ack: "backup" }),
    ...(parts.length > 1 && { together: true }),
  };
  turn.send(to, message, abroad ? turn.self.ceding?.into : undefined);
}

const opsOf = (parts: readonly Part[]): readonly Op[] => parts.flatMap(({ ops }) => ops);

export function onForwarded(
  turn: Turn,
  from: NodeId,
  { forwardId, results, notOwned }: Extract<ClusterMessage, { type: "OP_FORWARDED" }>,
  abroad = false,
): void {
  const pending = turn.memory.forwards.get(forwardId);
  if (pending?.to !== from || !isAnswer(pending, results, abroad)) return;
  drop(turn, forwardId);
  const together = pending.parts.length > 1;
  const open: Part[] = [];
  const full: Part[] = [];
  let before = 0;
  for (const part of pending.parts) {
    const its = results.slice(before, (before += part.ops.length));
    const [elsewhere, here] = partition(its.keys(), (i) => isRefused(its[i], "NOT_OWNER"));
    const [refused, done] = partition(here, (i) => together && isRefused(its[i], "OVERLOADED"));
    const [crowded, alone] = partition(refused, (i) => isCrowded(its[i]));
    const [lost, over] = partition(done, (i) => hasLost(part, i, its));
    settle(turn, part.id, pick(part, over).indexes, at(its, over));
    if (lost.length > 0) stampAgain(turn, pick(part, lost), at(its, lost));
    if (elsewhere.length > 0) open.push(pick(part, elsewhere));
    // Alone it may wait, and there may be room for it.
    if (alone.length > 0) begin(turn, { ...pending, parts: [pick(part, alone)], lacked: [] });
    if (crowded.length === 0) continue;
    if (pending.crowded) settle(turn, part.id, pick(part, crowded).indexes, at(its, crowded));
    else full.push(pick(part, crowded));
  }
  if (full.length > 0) later(turn, { ...pending, parts: full });
  follow(turn, from, { ...pending, parts: open }, notOwned);
}

const isAnswer = (
  { parts, abroad }: PendingForward,
  results: readonly Result[],
  fromAbroad: boolean,
): boolean => abroad === fromAbroad && results.length === opsOf(parts).length;

/**
 * This node had stamped it while the owner that has followed it was stamping already, by another clock. Over a stamp of
 * its own, or over what its own request wrote after it, it must not come.
 */
function hasLost({ stamped, indexes, ops }: Part, i: number, results: readonly Result[]): boolean {
  const op = ops[i];
  const result = results[i];
  if (result?.type !== "superseded" || op?.type !== "write") return false;
  if (!stamped.has(indexes[i] ?? -1) || op.stamp?.node === result.stamp.node) return false;
  const isLater = (other: Op, j: number): boolean =>
    j > i && other.map === op.map && other.key === op.key && results[j]?.type === "stored";
  return !ops.some(isLater);
}

/** Whoever wrote it may have been told of what stands, so it stands over that. */
function stampAgain(turn: Turn, part: Part, results: readonly Result[]): void {
  turn.hearStamps(results.flatMap((result) => (result.type === "superseded" ? [result] : [])));
  const ops = part.ops.map((op) => (op.type === "write" ? { ...op, stamp: turn.stamp() } : op));
  passOn(turn, [{ ...part, ops }]);
}

/**
 * An owner that has no room must not be asked at once for each request by itself: once more together, after a pause, and
 * then its clients are told.
 */
function later(turn: Turn, pending: PendingForward): void {
  const retry = retryAfter(turn, 0);
  keep(turn, turn.takeSeqs(1), { ...pending, lacked: [], retry, crowded: true });
}

const isCrowded = (result: Result | undefined): boolean =>
  result?.type === "refused" && lacksRoom(result.error);

const isRefused = (result: Result | undefined, code: ErrorInfo["code"]): boolean =>
  result?.type === "refused" && result.error.code === code;

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
  for (const { to, abroad, parts } of byOwner(turn, pending.parts)) {
    const same = to === from && abroad === pending.abroad;
    const lacked = same ? newer(turn, opsOf(parts), { theirs, abroad }) : [];
    const next = { ...pending, parts, to, abroad, lacked };
    if (same && lacked.length === 0) keep(turn, turn.takeSeqs(1), next);
    else begin(turn, next);
  }
}

/** What this node knows of the partitions of these ops, where that is more than `theirs`. */
function newer(
  turn: Turn,
  ops: readonly Op[],
  { theirs, abroad }: { readonly theirs: readonly Ruling[]; readonly abroad: boolean },
): Ruling[] {
  const known = (id: PartitionId): Ruling =>
    abroad ? rulingThere(turn, id) : turn.partition(id).ruling;
  const rulings = new Set(ops.map((op) => known(placeOf(turn, op))));
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
      for (const { id, indexes, ops } of pending.parts)
        settle(turn, id, indexes, ops.map(unreachable(turn)));
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
  const bundles = byOwner(turn, pending.parts);
  // Whoever does not answer may own it no more.
  if (pending.abroad) wantTable(turn);
  const { to, abroad } = bundles[0] ?? pending;
  if (bundles.length === 1 && to === pending.to && abroad === pending.abroad) {
    keep(turn, forwardId, next);
    return send(turn, forwardId, next);
  }
  drop(turn, forwardId);
  for (const bundled of bundles) begin(turn, { ...next, ...bundled, lacked: [] });
}

/** Nobody owns it although it has been ruled on: its owner is lost, and nobody has all of it. */
function unreachableError(turn: Turn, partitionId: PartitionId): ErrorInfo {
  const known = isCeded(turn, partitionId) ? rulingThere(turn, partitionId) : undefined;
  const { owner, epoch } = known ?? turn.partition(partitionId).ruling;
  const isLost = owner === null && epoch > 0;
  return makeError(isLost ? "PARTITION_LOST" : "OWNER_UNREACHABLE", { partitionId });
}

const unreachable =
  (turn: Turn) =>
  (op: Op): Result => ({
    type: "refused",
    error: unreachableError(turn, placeOf(turn, op)),
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

const pick = ({ indexes, ops, ...rest }: Part, which: readonly number[]): Part => ({
  ...rest,
  indexes: at(indexes, which),
  ops: at(ops, which),
});

const at = <T>(items: readonly T[], which: readonly number[]): T[] =>
  which.flatMap((i) => items[i] ?? []);

function partition(
  indexes: Iterable<number>,
  test: (index: number) => boolean,
): [number[], number[]] {
  const [yes, no]: [number[], number[]] = [[], []];
  for (const index of indexes) (test(index) ? yes : no).push(index);
  return [yes, no];
}
