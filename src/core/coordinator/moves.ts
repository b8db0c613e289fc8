/**
 * Rulings on moves and copies. Each is saved before it is spoken, names the epoch it was asked at, and is
 * refused unless that is current; the answer to a refusal is the ruling that stands.
 *
 *   replicating ──READY──► finalizing ──target has heard──► (source struck unless it is to stay) done
 *        │├──COMPLETE, of a backup──► done
 *        └──cancel, deadline, unequal──► (target struck unless it is to stay) failed, tried again later
 */
import { MigrationId, type NodeId, type PartitionId } from "../../data/ids.ts";
import type { Copy, Ruling } from "../../data/ruling.ts";
import type {
  Complete,
  Dropped,
  Heard,
  MigrateReady,
  MigrationReport,
  StrikeCopy,
} from "../../protocol/cluster-messages.ts";
import { backoffMs } from "../config.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { Entry, Move } from "./state.ts";
import type { CoordinatorTurn } from "./turn.ts";
import { canSpare, type Task } from "./wanted.ts";

export function startMove(turn: CoordinatorTurn, task: Task): void {
  const { partitionId, source, target, purpose } = task;
  const { ruling, holders, again } = turn.entry(partitionId);
  const { term, nextMove } = turn.cluster;
  turn.setCluster({ nextMove: nextMove + 1 });
  const move: Move = {
    migrationId: MigrationId(`m${term}-${nextMove}`),
    purpose,
    source,
    target,
    phase: "replicating",
    attempt: (again?.attempt ?? 0) + 1,
    startedAtMs: turn.now,
    deadlineMs: turn.now + turn.config.migrationTimeoutMs,
    rows: 0,
    bytes: 0,
    digest: "",
  };
  const listed = ruling.copies.some((copy) => copy.nodeId === target);
  const copying: Copy = { nodeId: target, state: "copying" };
  turn.setEntry(partitionId, {
    move,
    // Listing a copy that does not count yet changes no role, so it needs no higher epoch.
    ruling: listed ? ruling : { ...ruling, copies: [...ruling.copies, copying] },
    holders: [...new Set([...holders, target])],
  });
}

/** A copy's digest was equal at a marker. */
export function onComplete(turn: CoordinatorTurn, message: Complete, call: CallId | null): void {
  const { partitionId, nodeId, migrationId, epoch, rows, bytes, digest } = message;
  const { ruling, move } = turn.entry(partitionId);
  const copying = ruling.copies.some((c) => c.nodeId === nodeId && c.state === "copying");
  if (ruling.epoch === epoch && copying && move?.migrationId === migrationId) {
    const copies = ruling.copies.map((copy): Copy =>
      copy.nodeId === nodeId ? { nodeId, state: "complete" } : copy,
    );
    const next = { ...move, rows, bytes, digest };
    const isBackup = move.purpose === "backup";
    if (isBackup) finish(turn, turn.entry(partitionId), next, COMPLETED);
    const change = isBackup ? { move: null, again: null } : { move: next };
    const complete = turn.rule(partitionId, { owner: ruling.owner, copies }, change);
    turn.send(nodeId, { type: "RULING", ruling: complete });
  } else if (ruling.epoch === epoch && !isListed(ruling, nodeId))
    leaveOutForgotten(turn, partitionId, nodeId);
  answerAsked(turn, message, call);
}

export function onReady(turn: CoordinatorTurn, message: MigrateReady, call: CallId | null): void {
  const { partitionId, migrationId, epoch, digest, sourceNodeId } = message;
  const { ruling, move } = turn.entry(partitionId);
  const current = ruling.epoch === epoch && ruling.owner === sourceNodeId;
  const complete = ruling.copies.some((c) => c.nodeId === move?.target && c.state === "complete");
  const asked = move?.migrationId === migrationId && move.purpose === "move";
  if (current && complete && asked && move.phase === "replicating") {
    const { target, source } = move;
    const others = ruling.copies.filter((copy) => copy.nodeId !== target);
    const copies: Copy[] = [...others, { nodeId: source, state: "complete" }];
    const next: Move = { ...move, phase: "finalizing", digest };
    turn.rule(partitionId, { owner: target, copies }, { move: next });
    turn.setMemory({ started: without(turn.memory.started, migrationId) });
  }
  answerAsked(turn, message, call);
}

/**
 * An owner asks to be freed from a copy that is silent, or that cannot be made equal: a move to it is given up. Copied
 * anew it will be, after a pause, if it is still wanted.
 */
export function onStrikeCopy(
  turn: CoordinatorTurn,
  message: StrikeCopy,
  call: CallId | null,
): void {
  const { partitionId, nodeId, epoch, reason } = message;
  const { ruling, move, again } = turn.entry(partitionId);
  if (ruling.epoch !== epoch) return answerRuling(turn, partitionId, call);
  if (!isListed(ruling, nodeId)) leaveOutForgotten(turn, partitionId, nodeId);
  else if (move?.target === nodeId)
    giveUpMove(turn, partitionId, { outcome: "failed", reason, strikes: true });
  else if (!turn.isInDoubt(ruling)) {
    strike(turn, partitionId, nodeId);
    const attempt = (again?.attempt ?? 0) + 1;
    const notBefore = turn.now + backoffMs(turn.config, attempt, turn.random);
    turn.setEntry(partitionId, { again: { attempt, notBefore } });
  }
  answerRuling(turn, partitionId, call);
}

const isListed = ({ copies }: Ruling, nodeId: NodeId): boolean =>
  copies.some((copy) => copy.nodeId === nodeId);

/**
 * Its owner has it by this very ruling: it was begun, which no epoch tells, and forgotten, since this storage was restored
 * from a copy of earlier. A higher one leaves it out for the owner, too; and it holds rows.
 */
function leaveOutForgotten(turn: CoordinatorTurn, partitionId: PartitionId, nodeId: NodeId): void {
  const { ruling, holders, move } = turn.entry(partitionId);
  const { owner, copies } = ruling;
  // Who is no member has nothing, and would never say that it has dropped it.
  const added = turn.member(nodeId) ? [nodeId] : [];
  turn.rule(partitionId, { owner, copies }, { holders: [...new Set([...holders, ...added])] });
  if (move) tellAgain(turn, move);
}

function strike(turn: CoordinatorTurn, partitionId: PartitionId, nodeId: NodeId): void {
  const { ruling } = turn.entry(partitionId);
  const copies = ruling.copies.filter((copy) => copy.nodeId !== nodeId);
  turn.rule(partitionId, { owner: ruling.owner, copies });
}

function answerRuling(turn: CoordinatorTurn, partitionId: PartitionId, call: CallId | null): void {
  turn.answer(call, { type: "RULING", ruling: turn.entry(partitionId).ruling });
}

/** That a move is over its owner cannot tell from a ruling that leaves the target complete. */
function answerAsked(
  turn: CoordinatorTurn,
  { partitionId, migrationId }: Complete | MigrateReady,
  call: CallId | null,
): void {
  const { ruling, move } = turn.entry(partitionId);
  if (move?.migrationId === migrationId) return answerRuling(turn, partitionId, call);
  const { epoch } = ruling;
  const over = { migrationId, partitionId, reason: "it is over", epoch, ruling };
  turn.answer(call, { type: "MIGRATE_CANCEL", ...over });
}

/**
 * The owner opens again with everything. The target is struck, unless it had all rows and is one of the copies
 * that there must be. Impossible once the switch is ruled.
 */
export function giveUpMove(
  turn: CoordinatorTurn,
  partitionId: PartitionId,
  why: Pick<MigrationReport, "reason"> & {
    readonly outcome: "cancelled" | "failed";
    /** Whatever it is wanted for. */
    readonly strikes?: boolean;
  },
): void {
  const entry = turn.entry(partitionId);
  const { move, ruling } = entry;
  if (move?.phase !== "replicating") return;
  const isFreed = why.strikes === true || !mustStay(turn, entry, move.target);
  const stays = isComplete(ruling, move.target) && (!isFreed || turn.isInDoubt(ruling));
  const copies = ruling.copies.filter((copy) => stays || copy.nodeId !== move.target);
  const notBefore = turn.now + backoffMs(turn.config, move.attempt, turn.random);
  finish(turn, entry, move, why);
  turn.rule(
    partitionId,
    { owner: ruling.owner, copies },
    { move: null, again: { attempt: move.attempt, notBefore } },
  );
  turn.send(move.source, {
    type: "MIGRATE_CANCEL",
    migrationId: move.migrationId,
    partitionId,
    reason: why.reason ?? "",
    epoch: turn.entry(partitionId).ruling.epoch,
    ruling: turn.entry(partitionId).ruling,
  });
}

const isComplete = ({ copies }: Ruling, nodeId: NodeId): boolean =>
  copies.some((copy) => copy.nodeId === nodeId && copy.state === "complete");

const mustStay = (turn: CoordinatorTurn, entry: Entry, nodeId: NodeId): boolean =>
  entry.wantedBackups.includes(nodeId) || !canSpare(entry, nodeId, (id) => turn.isSilent(id));

/** For a reason of which the ruling that follows says the rest. */
export function endMove(
  turn: CoordinatorTurn,
  partitionId: PartitionId,
  why: Pick<MigrationReport, "outcome" | "reason">,
): void {
  const entry = turn.entry(partitionId);
  if (!entry.move) return;
  finish(turn, entry, entry.move, why);
  turn.setEntry(partitionId, { move: null, again: null });
}

export function onHeard(turn: CoordinatorTurn, heard: Heard): void {
  const { partitionId, nodeId, epoch, migrationId } = heard;
  const entry = turn.entries.get(partitionId);
  if (!entry) return;
  const { ruling, move } = entry;
  if (nodeId === ruling.owner) {
    const ownersHeard = new Map(turn.memory.ownersHeard).set(partitionId, epoch);
    turn.setMemory({ ownersHeard });
  }
  const isStart = move?.phase === "replicating" && nodeId === move.source;
  if (isStart && migrationId === move.migrationId && epoch >= ruling.epoch)
    turn.setMemory({ started: new Set(turn.memory.started).add(migrationId) });
  if (move?.phase !== "finalizing" || nodeId !== move.target || epoch < ruling.epoch) return;
  // The new owner serves: the old one may go, unless it is to stay.
  finish(turn, entry, move, COMPLETED);
  turn.setEntry(partitionId, { move: null, again: null });
}

const COMPLETED = { outcome: "completed", reason: null } as const;

export function onDropped(turn: CoordinatorTurn, message: Dropped): void {
  const { partitionId, nodeId, epoch } = message;
  const entry = turn.entries.get(partitionId);
  if (!entry || !strays(entry).includes(nodeId) || epoch < entry.ruling.epoch) return;
  const dropped = new Map(turn.memory.dropped).set(strayName(partitionId, nodeId), epoch);
  turn.setMemory({ dropped });
}

/**
 * A struck node leaves the list when it has dropped its rows and the owner has heard that it is struck:
 * as long as it is listed both are asked again, also by a coordinator that has forgotten their answers.
 */
export function release(turn: CoordinatorTurn, partitionId: PartitionId, nodeId: NodeId): void {
  const { ruling, holders } = turn.entry(partitionId);
  const { ownersHeard, dropped } = turn.memory;
  const name = strayName(partitionId, nodeId);
  const heard = (ownersHeard.get(partitionId) ?? 0) >= ruling.epoch;
  if (!heard || (dropped.get(name) ?? 0) < ruling.epoch) return;
  turn.setMemory({ dropped: new Map([...dropped].filter(([other]) => other !== name)) });
  turn.setEntry(partitionId, { holders: holders.filter((id) => id !== nodeId) });
}

const strayName = (partitionId: PartitionId, nodeId: NodeId): string => `${partitionId} ${nodeId}`;

/** Nodes that hold rows of a partition without being owner or copy: struck, not dropped yet. */
export const strays = ({ holders, ruling }: Entry): readonly NodeId[] =>
  holders.filter((id) => isStray(ruling, id));

export const hasStrays = ({ holders, ruling }: Entry): boolean =>
  holders.some((id) => isStray(ruling, id));

const isStray = ({ owner, copies }: Ruling, nodeId: NodeId): boolean =>
  nodeId !== owner && !copies.some((copy) => copy.nodeId === nodeId);

function finish(
  turn: CoordinatorTurn,
  { ruling }: Entry,
  move: Move,
  { outcome, reason }: Pick<MigrationReport, "outcome" | "reason">,
): void {
  const { completed, failed } = turn.cluster;
  const done = outcome === "completed";
  const { migrationId, purpose, source, target, attempt, startedAtMs, rows, bytes, digest } = move;
  const report: MigrationReport = {
    migrationId,
    purpose,
    partitionId: ruling.partitionId,
    source,
    target,
    epoch: ruling.epoch,
    phase: done ? "completed" : "failed",
    attempt,
    startedAtMs,
    durationMs: turn.now - startedAtMs,
    rows,
    bytes,
    digest,
    outcome,
    reason,
  };
  const slot = (completed + failed) % turn.config.finishedMovesMax;
  const finished = new Map(turn.state.saved.finished).set(slot, report);
  turn.state = { ...turn.state, saved: { ...turn.state.saved, finished } };
  turn.setCluster(done ? { completed: completed + 1 } : { failed: failed + 1 });
  turn.setMemory({ started: without(turn.memory.started, migrationId) });
}

/** With the ruling of now. */
export function tellAgain(turn: CoordinatorTurn, { migrationId }: Move): void {
  turn.setMemory({ started: without(turn.memory.started, migrationId) });
}

function without<T>(set: ReadonlySet<T>, value: T): ReadonlySet<T> {
  const rest = new Set(set);
  rest.delete(value);
  return rest;
}
