/** What operators ask for, and what they are shown. */
import type { NodeId, PartitionId } from "../../data/ids.ts";
import { masterOf } from "../../data/members.ts";
import type {
  ClusterReport,
  DrainNode,
  MemberReport,
  MigrationReport,
  MigrationsReport,
  MovePartition,
} from "../../protocol/cluster-messages.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import type { CallId } from "../machine/cluster-event.ts";
import { mergeReport } from "./merge.ts";
import { giveUpMove } from "./moves.ts";
import { lastOwner, mayOwn, plan, queue, replan } from "./plan.ts";
import { hasQuorum } from "./quorum.ts";
import { isPolling } from "./reign.ts";
import type { CoordinatorTurn } from "./turn.ts";
import { withOwner } from "./wanted.ts";

export function onDrainNode(
  turn: CoordinatorTurn,
  { nodeId }: DrainNode,
  call: CallId | null,
): void {
  const last = lastOwner(turn, nodeId) ? makeError("LAST_NODE", { nodeId }) : null;
  const problem = notActive(turn, nodeId) ?? last;
  if (problem) return turn.answer(call, { type: "ERROR", error: problem });
  if (!turn.isDraining(nodeId)) {
    turn.setView({ draining: [...(turn.view.draining ?? []), nodeId] });
    replan(turn);
  }
  turn.answer(call, { type: "PLANNED", plan: plan(turn) });
}

function notActive(turn: CoordinatorTurn, nodeId: NodeId): ErrorInfo | null {
  const member = turn.member(nodeId);
  if (!member) return makeError("NODE_NOT_FOUND", { nodeId });
  const { state } = member;
  return state === "active" ? null : makeError("NODE_NOT_ACTIVE", { nodeId, state });
}

export function onMovePartition(
  turn: CoordinatorTurn,
  { partitionId, to }: MovePartition,
  call: CallId | null,
): void {
  const source = turn.entries.get(partitionId)?.ruling.owner;
  const error =
    unknownPartition(turn, partitionId) ??
    notActive(turn, to) ??
    notTaking(turn, to) ??
    notMovable(turn, partitionId) ??
    (source === to ? makeError("ALREADY_OWNER", { partitionId, nodeId: to }) : null);
  if (error) return turn.answer(call, { type: "ERROR", error });
  turn.setEntry(partitionId, { ...withOwner(turn.entry(partitionId), to), again: null });
  turn.answer(call, {
    type: "PLANNED",
    plan: source ? [{ partitionId, source, target: to }] : [],
  });
}

function notTaking(turn: CoordinatorTurn, nodeId: NodeId): ErrorInfo | null {
  return turn.isDraining(nodeId)
    ? makeError("NODE_NOT_ACTIVE", { nodeId, state: "draining" })
    : null;
}

function unknownPartition(turn: CoordinatorTurn, partitionId: PartitionId): ErrorInfo | null {
  const { partitionCount } = turn.cluster;
  if (turn.entries.has(partitionId)) return null;
  return makeError("PARTITION_NOT_FOUND", { partitionId, partitionCount });
}

/** Nobody has all of it to give, or it is on its way already. */
function notMovable(turn: CoordinatorTurn, partitionId: PartitionId): ErrorInfo | null {
  const { ruling, move } = turn.entry(partitionId);
  if (!ruling.owner) return makeError("PARTITION_LOST", { partitionId });
  return move ? makeError("MIGRATION_IN_PROGRESS", { partitionId }) : null;
}

/** Running or queued, it ends here, and is not tried again by itself unless the owner must go. */
export function onCancelMove(
  turn: CoordinatorTurn,
  { partitionId }: { readonly partitionId: PartitionId },
  call: CallId | null,
): void {
  const error = unknownPartition(turn, partitionId) ?? notCancellable(turn, partitionId);
  if (error) return turn.answer(call, { type: "ERROR", error });
  unplan(turn, partitionId);
  giveUpMove(turn, partitionId, { outcome: "cancelled", reason: "by the operator" });
  turn.answer(call, { type: "PLANNED", plan: plan(turn) });
}

/** From a node that is leaving it must go all the same, and a backup be made: later, as after any that failed. */
function unplan(turn: CoordinatorTurn, partitionId: PartitionId): void {
  const entry = turn.entry(partitionId);
  const { owner } = entry.ruling;
  if (entry.move?.purpose !== "backup" && owner && mayOwn(turn, owner))
    turn.setEntry(partitionId, { ...withOwner(entry, owner), again: null });
}

function notCancellable(turn: CoordinatorTurn, partitionId: PartitionId): ErrorInfo | null {
  const { move, wanted, ruling } = turn.entry(partitionId);
  if (move?.phase === "finalizing") return makeError("MIGRATION_DECIDED", { partitionId });
  return move || wanted !== ruling.owner ? null : makeError("MIGRATION_NOT_FOUND", { partitionId });
}

export function onRebalance(turn: CoordinatorTurn, call: CallId | null): void {
  replan(turn);
  turn.answer(call, { type: "PLANNED", plan: plan(turn) });
}

export function clusterReport(turn: CoordinatorTurn): ClusterReport {
  const { cluster, view, memory } = turn;
  const merge = mergeReport(turn);
  return {
    type: "CLUSTER_REPORT",
    term: cluster.term,
    leading: memory.leading,
    quorum: hasQuorum(turn.state, turn.now) || (isPolling(turn) ? false : null),
    view,
    tableVersion: cluster.tableVersion,
    partitionCount: cluster.partitionCount,
    masterNodeId: masterOf(view),
    members: memberReports(turn),
    migrations: {
      running: [...turn.entries.values()].filter((entry) => entry.move).length,
      queued: queue(turn).length,
      completed: cluster.completed,
      failed: cluster.failed,
    },
    ...(merge && { merge }),
  };
}

const addTo = (counts: Map<NodeId, number>, id: NodeId): unknown =>
  counts.set(id, (counts.get(id) ?? 0) + 1);

function memberReports(turn: CoordinatorTurn): MemberReport[] {
  const owned = new Map<NodeId, number>();
  const backup = new Map<NodeId, number>();
  for (const { ruling } of turn.entries.values()) {
    if (ruling.owner) addTo(owned, ruling.owner);
    for (const copy of ruling.copies) if (copy.state === "complete") addTo(backup, copy.nodeId);
  }
  return turn.view.members.map(({ nodeId, state }) => {
    const heard = turn.memory.heard.get(nodeId);
    return {
      nodeId,
      state,
      owned: owned.get(nodeId) ?? 0,
      backup: backup.get(nodeId) ?? 0,
      importing: heard?.importing ?? [],
      migrating: heard?.migrating ?? [],
      dormant: turn.now - (heard?.at ?? 0) > turn.config.idleAfterMs,
    };
  });
}

export function migrationsReport(turn: CoordinatorTurn): MigrationsReport {
  const running: MigrationReport[] = [];
  for (const [partitionId, { move, ruling }] of turn.entries) {
    if (!move) continue;
    const { deadlineMs: _, ...facts } = move;
    const durationMs = turn.now - move.startedAtMs;
    running.push({
      ...facts,
      partitionId,
      epoch: ruling.epoch,
      durationMs,
      outcome: null,
      reason: null,
    });
  }
  const queued = queue(turn).map((task): MigrationReport => {
    const { ruling, again } = turn.entry(task.partitionId);
    return {
      ...task,
      migrationId: null,
      epoch: ruling.epoch,
      phase: "queued",
      attempt: (again?.attempt ?? 0) + 1,
      startedAtMs: null,
      durationMs: null,
      rows: null,
      bytes: null,
      digest: null,
      outcome: null,
      reason: null,
    };
  });
  return {
    type: "MIGRATIONS_REPORT",
    running,
    queued,
    finished: [...turn.state.saved.finished.values()],
  };
}
