/**
 * What becomes of the partitions of a member that is given up. Only a complete copy is promoted; a partition
 * without one belongs to nobody until its owner is back, or an operator gives it away.
 */
import type { Epoch, NodeId, PartitionId } from "../../data/ids.ts";
import type { MemberInfo } from "../../data/members.ts";
import type { Copy } from "../../data/ruling.ts";
import type { ClaimPartition } from "../../protocol/cluster-messages.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import type { CallId } from "../machine/cluster-event.ts";
import { endMove, tellAgain } from "./moves.ts";
import { replan } from "./plan.ts";
import type { Entry, Move } from "./state.ts";
import type { CoordinatorTurn } from "./turn.ts";

/** All at once: of two that are lost together none becomes the other's heir. */
export function markDead(turn: CoordinatorTurn, nodeIds: readonly NodeId[]): void {
  const leaving = nodeIds.filter((id) => turn.member(id)?.state === "leaving");
  if (leaving.length > 0) turn.setCluster({ leaving: [...turn.cluster.leaving, ...leaving] });
  for (const nodeId of nodeIds) turn.setMember(nodeId, { state: "dead" });
  for (const nodeId of nodeIds)
    for (const partitionId of turn.entries.keys()) leaveOut(turn, partitionId, nodeId);
  replan(turn);
}

/** It stays among the holders: what it alone has it offers when it is back. */
function leaveOut(turn: CoordinatorTurn, partitionId: PartitionId, lost: NodeId): void {
  const { move, ruling, holders } = turn.entry(partitionId);
  // Another cluster has all of it: nobody here need take its owner's place.
  if (holders.length === 0) return;
  const isInvolved = move !== null && (move.source === lost || move.target === lost);
  const isListed = ruling.copies.some(({ nodeId }) => nodeId === lost);
  if (!isInvolved && !isListed && ruling.owner !== lost) return;
  if (isInvolved) endLostMove(turn, partitionId, move, lost);
  const others = ruling.copies.filter(({ nodeId }) => nodeId !== lost);
  if (ruling.owner === lost) return succeed(turn, partitionId, others, lost);
  // A copy that its move was to complete has no other purpose.
  const copies = others.filter(({ state }) => !isInvolved || state === "complete");
  turn.rule(partitionId, { owner: ruling.owner, copies });
  // Its owner may wait for just this copy, and has not asked: so it hears the ruling.
  if (move && !isInvolved) tellAgain(turn, move);
}

/** Decided already and without its source: it is where it was to be. */
function endLostMove(
  turn: CoordinatorTurn,
  partitionId: PartitionId,
  { phase, source }: Move,
  lost: NodeId,
): void {
  if (phase === "finalizing" && source === lost)
    return endMove(turn, partitionId, { outcome: "completed", reason: null });
  const reason = source === lost ? "the source is lost" : "the target is lost";
  endMove(turn, partitionId, { outcome: "failed", reason });
}

function succeed(
  turn: CoordinatorTurn,
  partitionId: PartitionId,
  others: readonly Copy[],
  lost: NodeId,
): void {
  const heir = heirOf(turn, others);
  const { epoch: lostAt } = turn.entry(partitionId).ruling;
  const copies = others.filter((c) => c.nodeId !== heir && c.state === "complete");
  const wantedBackups = copies.map(({ nodeId }) => nodeId);
  const plan = { wanted: heir, wantedBackups };
  if (heir) turn.rule(partitionId, { owner: heir, copies }, { ...plan, lost: null });
  else turn.rule(partitionId, { owner: null, copies: [] }, { lost, lostAt, wanted: null });
}

/** A complete copy whose node is there; else one whose node may be. */
function heirOf(turn: CoordinatorTurn, copies: readonly Copy[]): NodeId | null {
  const complete = copies.filter(({ state }) => state === "complete").map(({ nodeId }) => nodeId);
  // Who was lost together with the owner may not be suspect yet.
  const answering = complete.filter((id) => !turn.isSilent(id));
  const inState = (wanted: string) => (id: NodeId) => turn.member(id)?.state === wanted;
  for (const ids of [answering, complete])
    for (const state of ["active", "leaving", "suspect"]) {
      const heir = ids.find(inState(state));
      if (heir) return heir;
    }
  return null;
}

/** It is a member again: what waited for it is its own as before, and what waits for nobody any more. */
export function giveBack(turn: CoordinatorTurn, nodeId: NodeId): boolean {
  const waiting = [...turn.entries].filter(
    ([, { lost }]) => lost === nodeId || (lost && !turn.member(lost)),
  );
  for (const [partitionId] of waiting) giveTo(turn, partitionId, nodeId);
  return waiting.length > 0;
}

/** The operator knows better than any vote; what was lost is lost, and the list of moves says so. */
export function onClaim(
  turn: CoordinatorTurn,
  { partitionId, nodeId, epoch }: ClaimPartition,
  call: CallId | null,
): void {
  const entry = turn.entries.get(partitionId);
  const { partitionCount } = turn.cluster;
  const error = entry
    ? notClaimable(turn, nodeId, { partitionId, epoch, current: entry.ruling.epoch })
    : makeError("PARTITION_NOT_FOUND", { partitionId, partitionCount });
  if (error) return turn.answer(call, { type: "ERROR", error });
  if (!entry) return;
  const source = entry.ruling.owner ?? entry.lost ?? nodeId;
  endMove(turn, partitionId, { outcome: "failed", reason: "claimed by the operator" });
  const copies = entry.ruling.copies.filter((c) => c.nodeId !== nodeId && c.state === "complete");
  // Who is to leave is kept for nobody: where there is one to take its place, that is planned next.
  const staying = copies.filter((copy) => turn.member(copy.nodeId)?.state !== "leaving");
  const holders = [...new Set([...entry.holders, nodeId])];
  const wantedBackups = staying.map((copy) => copy.nodeId);
  const plan = { wanted: nodeId, wantedBackups, lost: null };
  turn.rule(partitionId, { owner: nodeId, copies }, { ...plan, holders });
  turn.answer(call, { type: "PLANNED", plan: [{ partitionId, source, target: nodeId }] });
}

function notClaimable(
  turn: CoordinatorTurn,
  nodeId: NodeId,
  { partitionId, epoch, current }: { partitionId: PartitionId; epoch: Epoch; current: Epoch },
): ErrorInfo | null {
  const state = turn.member(nodeId)?.state;
  if (!state) return makeError("NODE_NOT_FOUND", { nodeId });
  if (state !== "active") return makeError("NODE_NOT_ACTIVE", { nodeId, state });
  return epoch === current ? null : makeError("STALE_EPOCH", { partitionId, epoch: current });
}

/** Lost for good: whatever it alone held is given up, and nobody waits for it any more. */
export function evict(turn: CoordinatorTurn, nodeId: NodeId): void {
  turn.setMembers(turn.view.members.filter((member) => member.nodeId !== nodeId));
  const { unheard, usedIds, leaving } = turn.cluster;
  const isOther = (id: NodeId): boolean => id !== nodeId;
  turn.setCluster({
    usedIds: [...new Set([...usedIds, nodeId])],
    unheard: unheard?.filter(isOther) ?? null,
    leaving: leaving.filter(isOther),
  });
  // What it leaves is ruled on when all that can be heard has been heard.
  if (turn.cluster.unheard !== null) return;
  leaveOutGone(turn);
  // What was planned while they waited may name who is gone, and who took them may have more than its share.
  replan(turn);
}

/**
 * Whoever is dead is no owner and no copy, whoever is no member has nothing. So it is wherever one was given up; a
 * restored coordinator knows such nodes from others, who had not heard what became of their partitions.
 */
export function leaveOutGone(turn: CoordinatorTurn): void {
  const states = new Map(turn.view.members.map(({ nodeId, state }) => [nodeId, state]));
  for (const [partitionId, entry] of turn.entries) {
    for (const nodeId of concerned(entry))
      if ((states.get(nodeId) ?? "dead") === "dead") leaveOut(turn, partitionId, nodeId);
    const holders = entry.holders.filter((id) => states.has(id));
    if (holders.length < entry.holders.length) turn.setEntry(partitionId, { holders });
    if (turn.entry(partitionId).ruling.owner === null) settleLost(turn, partitionId);
  }
}

function concerned({ ruling, move }: Entry): ReadonlySet<NodeId> {
  const { owner, copies } = ruling;
  const moved = move ? [move.source, move.target] : [];
  return new Set([...(owner ? [owner] : []), ...copies.map(({ nodeId }) => nodeId), ...moved]);
}

/** Whom it waits for is there, or nobody knows whom it waited for. */
function settleLost(turn: CoordinatorTurn, partitionId: PartitionId): void {
  const { lost } = turn.entry(partitionId);
  const state = lost ? turn.member(lost)?.state : undefined;
  if (lost && ["active", "suspect", "leaving"].includes(state ?? ""))
    giveTo(turn, partitionId, lost);
  else if (!state) giveAway(turn, partitionId);
}

/** To whoever still holds something of it, or anybody: it begins with what it has. */
function giveAway(turn: CoordinatorTurn, partitionId: PartitionId): void {
  const { holders } = turn.entry(partitionId);
  const there = turn.view.members.filter(({ state }) => state === "active" || state === "suspect");
  const staying = there.filter(({ nodeId }) => !turn.isDraining(nodeId));
  const isHolder = ({ nodeId }: MemberInfo): boolean => holders.includes(nodeId);
  const heir = staying.find(isHolder) ?? there.find(isHolder) ?? staying[0] ?? there[0];
  if (!heir) return;
  giveTo(turn, partitionId, heir.nodeId);
}

/** What stood of the plan stays, but that nobody backs up itself. */
function giveTo(turn: CoordinatorTurn, partitionId: PartitionId, nodeId: NodeId): void {
  const { holders, wantedBackups } = turn.entry(partitionId);
  const plan = { wanted: nodeId, wantedBackups: wantedBackups.filter((id) => id !== nodeId) };
  const change = { ...plan, lost: null, holders: [...new Set([...holders, nodeId])] };
  turn.rule(partitionId, { owner: nodeId, copies: [] }, change);
}
