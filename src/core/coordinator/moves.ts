/**
 * Rulings on moves. Each is saved before it is spoken, names the epoch it was asked at, and is refused
 * unless that is current; the answer to a refusal is the ruling that stands.
 *
 *   replicating ──READY──► finalizing ──target has heard──► (source struck) done
 *        └──cancel, deadline, unequal──► (target struck) failed, tried again later
 */
import { MigrationId, type NodeId, type PartitionId } from "../../data/ids.ts";
import type { Copy } from "../../data/ruling.ts";
import type {
  Complete,
  Dropped,
  Heard,
  MigrateCancel,
  MigrateReady,
  MigrationReport,
} from "../../protocol/cluster-messages.ts";
import { backoffMs } from "../config.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { MigrationTask } from "../placement/plan.ts";
import type { Entry, Move } from "./state.ts";
import type { CoordinatorTurn } from "./turn.ts";

export function startMove(turn: CoordinatorTurn, task: MigrationTask): void {
  const { partitionId, source, target } = task;
  const { ruling, holders, again } = turn.entry(partitionId);
  const { term, nextMove } = turn.cluster;
  turn.setCluster({ nextMove: nextMove + 1 });
  const move: Move = {
    migrationId: MigrationId(`m${term}-${nextMove}`),
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
    const complete = turn.rule(partitionId, { owner: ruling.owner, copies }, { move: next });
    turn.send(nodeId, { type: "RULING", ruling: complete });
  }
  answerRuling(turn, partitionId, call);
}

export function onReady(turn: CoordinatorTurn, message: MigrateReady, call: CallId | null): void {
  const { partitionId, migrationId, epoch, digest, sourceNodeId } = message;
  const { ruling, move } = turn.entry(partitionId);
  const current = ruling.epoch === epoch && ruling.owner === sourceNodeId;
  const complete = ruling.copies.some((c) => c.nodeId === move?.target && c.state === "complete");
  if (current && complete && move?.migrationId === migrationId && move.phase === "replicating") {
    const { target, source } = move;
    const others = ruling.copies.filter((copy) => copy.nodeId !== target);
    const copies: Copy[] = [...others, { nodeId: source, state: "complete" }];
    const next: Move = { ...move, phase: "finalizing", digest };
    turn.rule(partitionId, { owner: target, copies }, { move: next });
    turn.setMemory({ started: without(turn.memory.started, migrationId) });
  }
  answerRuling(turn, partitionId, call);
}

/** An owner asks to be freed from a copy that is silent or cannot be made equal. */
export function onCancelAsked(
  turn: CoordinatorTurn,
  message: MigrateCancel,
  call: CallId | null,
): void {
  const { partitionId, migrationId, epoch, reason } = message;
  const { ruling, move } = turn.entry(partitionId);
  if (ruling.epoch === epoch && move?.migrationId === migrationId && move.phase === "replicating")
    giveUpMove(turn, partitionId, { outcome: "failed", reason });
  answerRuling(turn, partitionId, call);
}

function answerRuling(turn: CoordinatorTurn, partitionId: PartitionId, call: CallId | null): void {
  turn.answer(call, { type: "RULING", ruling: turn.entry(partitionId).ruling });
}

/** Strikes the target; the owner opens again with everything. Impossible once the switch is ruled. */
export function giveUpMove(
  turn: CoordinatorTurn,
  partitionId: PartitionId,
  why: { readonly outcome: "cancelled" | "failed"; readonly reason: string },
): void {
  const entry = turn.entry(partitionId);
  const { move, ruling } = entry;
  if (move?.phase !== "replicating") return;
  const copies = ruling.copies.filter((copy) => copy.nodeId !== move.target);
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
    reason: why.reason,
    epoch: turn.entry(partitionId).ruling.epoch,
    ruling: turn.entry(partitionId).ruling,
  });
}

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
  // The new owner serves: the old one may go.
  const copies = ruling.copies.filter((copy) => copy.nodeId !== move.source);
  finish(turn, entry, move, { outcome: "completed", reason: null });
  turn.rule(partitionId, { owner: ruling.owner, copies }, { move: null, again: null });
}

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
  holders.filter((id) => id !== ruling.owner && !ruling.copies.some((copy) => copy.nodeId === id));

function finish(
  turn: CoordinatorTurn,
  { ruling }: Entry,
  move: Move,
  { outcome, reason }: Pick<MigrationReport, "outcome" | "reason">,
): void {
  const { completed, failed } = turn.cluster;
  const done = outcome === "completed";
  const { migrationId, source, target, attempt, startedAtMs, rows, bytes, digest } = move;
  const report: MigrationReport = {
    migrationId,
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

function without<T>(set: ReadonlySet<T>, value: T): ReadonlySet<T> {
  const rest = new Set(set);
  rest.delete(value);
  return rest;
}
