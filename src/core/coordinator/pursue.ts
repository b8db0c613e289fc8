/** Everything unfinished, asked (again) when it is due: no message is trusted to arrive. */
import { Version, type NodeId, type PartitionId } from "../../data/ids.ts";
import type { PartitionTableUpdate } from "../../protocol/cluster-messages.ts";
import { pursueMerge } from "./merge.ts";
import { giveUpMove, hasStrays, release, strays } from "./moves.ts";
import { pursueRepair } from "./repair.ts";
import { parkedUntil, pursueQuorum } from "./reign.ts";
import type { CoordinatorState, Entry } from "./state.ts";
import { tableSince } from "./table.ts";
import { invitation, type CoordinatorTurn } from "./turn.ts";
import { askSilent, judgeAt } from "./watch.ts";
import { tasksOf } from "./wanted.ts";

/** `polls`: something is to be decided that takes a quorum. */
export function pursueAll(turn: CoordinatorTurn, polls: boolean): void {
  if (polls) pursueQuorum(turn);
  askSilent(turn);
  for (const [partitionId, entry] of turn.entries)
    if (entry.move || hasStrays(entry)) pursueEntry(turn, partitionId, entry);
  pursueMembers(turn);
  pursueMerge(turn);
  pursueRepair(turn);
  turn.forgetOthers();
}

/** What has run out of time, or is over. */
export function settleEntries(turn: CoordinatorTurn): void {
  for (const [partitionId, entry] of turn.entries) {
    const { move } = entry;
    if (move?.phase === "replicating" && move.deadlineMs <= turn.now)
      giveUpMove(turn, partitionId, { outcome: "failed", reason: "out of time" });
    else if (hasStrays(entry))
      for (const nodeId of strays(entry)) release(turn, partitionId, nodeId);
  }
}

function pursueEntry(turn: CoordinatorTurn, partitionId: PartitionId, entry: Entry): void {
  const { move, ruling } = entry;
  if (move?.phase === "replicating" && !turn.memory.started.has(move.migrationId))
    turn.pursue(`start ${move.migrationId}`, move.source, {
      type: "MIGRATE_START",
      migrationId: move.migrationId,
      partitionId,
      destinationNodeId: move.target,
      purpose: move.purpose,
      ruling,
    });
  if (move?.phase === "finalizing") {
    const { migrationId, source, target: newOwner } = move;
    const message = {
      type: "MIGRATE_FINALIZE",
      migrationId,
      partitionId,
      newOwner,
      ruling,
    } as const;
    turn.pursue(`finalize ${migrationId}`, newOwner, message);
    turn.pursue(`finalize ${migrationId} source`, source, message);
  }
  pursueStrays(turn, partitionId, entry);
}

function pursueStrays(turn: CoordinatorTurn, partitionId: PartitionId, entry: Entry): void {
  const { ruling } = entry;
  // Who is given up hears of it when it is back; and without an owner there is nobody to offer anything to.
  if (!ruling.owner) return;
  for (const nodeId of strays(entry).filter((id) => isThere(turn, id))) {
    const about = `${partitionId} ${nodeId} ${ruling.epoch}`;
    turn.pursue(`strike ${about}`, nodeId, { type: "STRIKE", ruling });
    if ((turn.memory.ownersHeard.get(partitionId) ?? 0) < ruling.epoch)
      turn.pursue(`tell ${about}`, ruling.owner, { type: "RULING", ruling });
  }
}

function pursueMembers(turn: CoordinatorTurn): void {
  const { view, cluster } = turn;
  const due = tableDue(turn);
  const updateSince = tableUpdates(turn);
  for (const { nodeId, state, region, weight, host } of view.members) {
    if (state === "joining")
      turn.pursueVoter(invitation(nodeId), nodeId, {
        type: "INVITE",
        clusterId: cluster.clusterId,
        nodeId,
        region,
        weight,
      });
    if (host !== "" && state !== "dead") pushNews(turn, nodeId, { due, updateSince });
  }
  for (const nodeId of cluster.departed)
    turn.pursueVoter(`farewell ${nodeId}`, nodeId, {
      type: "MEMBERS_UPDATE",
      view,
      clusterTimeMs: turn.now,
    });
}

const isThere = (turn: CoordinatorTurn, nodeId: NodeId): boolean =>
  (turn.member(nodeId)?.state ?? "dead") !== "dead";

/**
 * Owners are news at once. What else was ruled goes along with them, and when nothing moves and nobody is left
 * to be struck: then all nodes and their clients have one table.
 */
function tableDue(turn: CoordinatorTurn): Version {
  const { entries, cluster } = turn;
  for (const entry of entries.values())
    if (entry.move || (hasStrays(entry) && strays(entry).some((id) => isThere(turn, id))))
      return cluster.ownersVersion;
  return cluster.tableVersion;
}

interface News {
  /** Who has less of the table is told. */
  readonly due: Version;
  readonly updateSince: (baseVersion: Version) => PartitionTableUpdate;
}

/** Each made once, for all who have heard as much: a thousand members look at a table of thousands. */
function tableUpdates(turn: CoordinatorTurn): News["updateSince"] {
  const made = new Map<Version, PartitionTableUpdate>();
  return (baseVersion) => {
    const known = made.get(baseVersion);
    if (known) return known;
    const update = tableSince(turn, baseVersion);
    made.set(baseVersion, update);
    return update;
  };
}

/** At most one update of each kind is under way to a node; what changes meanwhile goes with the next. */
function pushNews(turn: CoordinatorTurn, nodeId: NodeId, { due, updateSince }: News): void {
  const { view, cluster } = turn;
  const heard = turn.memory.heard.get(nodeId) ?? cluster.pushed;
  if (heard.view < view.version) {
    const message = { type: "MEMBERS_UPDATE", view, clusterTimeMs: turn.now } as const;
    turn.pursueNews(`view ${nodeId}`, nodeId, message, view.version);
  }
  if (heard.table < due)
    turn.pursueNews(`table ${nodeId}`, nodeId, updateSince(heard.table), cluster.tableVersion);
}

/** Once all have heard, saves that they have: a restarted coordinator need not wake them to find out. */
export function notePushed(turn: CoordinatorTurn): void {
  const { view, cluster, memory } = turn;
  const due = tableDue(turn);
  const { pushed } = cluster;
  if (pushed.view >= view.version && pushed.table >= due) return;
  const behind = view.members.some(({ nodeId, state }) => {
    if (state === "dead") return false; // it learns all of it when it joins again
    const heard = memory.heard.get(nodeId);
    return !heard || heard.view < view.version || heard.table < due;
  });
  if (behind || view.members.length === 0) return;
  // Less is due while something moves than when nothing did.
  const table = Version(Math.max(pushed.table, due));
  turn.setCluster({ pushed: { view: view.version, table } });
}

/** The earliest moment at which something is due; null: nothing is unfinished. What was due before waits. */
export function coordinatorWakeAt(state: CoordinatorState): number | null {
  const { saved, memory } = state;
  let earliest = Math.min(parkedUntil(state), judgeAt(state));
  for (const { at } of memory.retries.values()) earliest = Math.min(earliest, at);
  const later = (at: number): void => {
    if (at > memory.now) earliest = Math.min(earliest, at);
  };
  for (const entry of saved.entries.values()) {
    const { move, again } = entry;
    if (move?.phase === "replicating") later(move.deadlineMs);
    if (!move && again && tasksOf(entry).length > 0) later(again.notBefore);
  }
  return earliest === Infinity ? null : earliest;
}
