/** Who is to own what: computed anew at every change of members, started as far as the limits allow. */
import { Epoch, PartitionId, Version, type NodeId } from "../../data/ids.ts";
import type { NodeState } from "../../data/members.ts";
import type { PlannedMove } from "../../protocol/cluster-messages.ts";
import { computeAssignment, type Candidate, type Placement } from "../placement/assign.ts";
import { orderMigrations, type MigrationTask } from "../placement/plan.ts";
import { giveUpMove, startMove, strays } from "./moves.ts";
import type { Entry } from "./state.ts";
import type { CoordinatorTurn } from "./turn.ts";

/** Is this member one to leave partitions with? */
export const mayOwn = (turn: CoordinatorTurn, nodeId: NodeId): boolean =>
  owners(turn, ["active"]).some((candidate) => candidate.nodeId === nodeId);

/** Without this member nobody could own anything. */
export const lastOwner = (turn: CoordinatorTurn, nodeId: NodeId): boolean =>
  owners(turn, ["active"]).every((candidate) => candidate.nodeId === nodeId);

/** Members in these states that may be given partitions. */
function owners(turn: CoordinatorTurn, states: readonly NodeState[]): Candidate[] {
  const { draining } = turn.cluster;
  return turn.view.members
    .filter(({ nodeId, state }) => states.includes(state) && !draining.includes(nodeId))
    .map(({ nodeId, weight, region }) => ({ nodeId, weight, region }));
}

/**
 * Who is joining counts, too: were each of several planned for when it comes, what the first is given would
 * be taken away again for the second. Its moves wait in the queue until it is there.
 */
function targets(turn: CoordinatorTurn): readonly Placement[] {
  const who = owners(turn, turn.entries.size > 0 ? ["active", "suspect", "joining"] : ["active"]);
  const current: Placement[] = [];
  for (let p = 0; p < turn.cluster.partitionCount; p++) {
    const entry = turn.entries.get(PartitionId(p));
    // A running move counts as done, so that it goes on if the balance allows.
    const target = entry?.move?.target;
    const kept = who.some(({ nodeId }) => nodeId === target) ? target : undefined;
    current.push({ owner: kept ?? entry?.ruling.owner ?? null, backups: [] });
  }
  return computeAssignment(who, current, { backupCount: turn.config.backupCount });
}

/** All nodes of a new cluster are there: every partition gets its first owner. */
export function assignFirst(turn: CoordinatorTurn): void {
  const assigned = targets(turn);
  const entries = new Map<PartitionId, Entry>();
  const version = Version(turn.mint(turn.cluster.tableVersion));
  const epoch = Epoch(turn.mint(0));
  for (const [p, { owner }] of assigned.entries()) {
    const partitionId = PartitionId(p);
    const ruling = { partitionId, epoch, owner, copies: [] };
    const holders = owner ? [owner] : [];
    entries.set(partitionId, {
      ruling,
      version,
      holders,
      wanted: owner,
      lost: null,
      move: null,
      again: null,
    });
  }
  turn.state = { ...turn.state, saved: { ...turn.state.saved, entries } };
  turn.setCluster({ tableVersion: version, ownersVersion: version });
}

/** Running moves that are still wanted go on; the queue is what then differs. */
export function replan(turn: CoordinatorTurn): void {
  for (const [p, { owner }] of targets(turn).entries()) {
    const partitionId = PartitionId(p);
    const { wanted, move, ruling } = turn.entry(partitionId);
    // Nobody is left to take it, or nobody has it to give: it stays where it is.
    if (owner === null || ruling.owner === null) continue;
    if (move && move.target !== owner && move.phase === "replicating")
      giveUpMove(turn, partitionId, { outcome: "cancelled", reason: "not wanted any more" });
    if (owner !== wanted) turn.setEntry(partitionId, { wanted: owner, again: null });
  }
}

/** Queued moves, first the most urgent. */
export function queue(turn: CoordinatorTurn): readonly MigrationTask[] {
  const tasks: MigrationTask[] = [];
  for (const [partitionId, { ruling, wanted, move }] of turn.entries)
    if (!move && wanted && ruling.owner && wanted !== ruling.owner)
      tasks.push({ partitionId, source: ruling.owner, target: wanted });
  return orderMigrations(tasks, (partitionId) => {
    const { ruling, wanted } = turn.entry(partitionId);
    const complete = ruling.copies.filter((copy) => copy.state === "complete");
    return {
      targetComplete: complete.some((copy) => copy.nodeId === wanted),
      copies: complete.length + 1,
    };
  });
}

export function startQueued(turn: CoordinatorTurn): void {
  const busy = new Map<NodeId, number>();
  const count = (nodeId: NodeId): number => busy.get(nodeId) ?? 0;
  for (const { move } of turn.entries.values())
    for (const nodeId of move ? [move.source, move.target] : [])
      busy.set(nodeId, count(nodeId) + 1);
  const { maxParallelMigrations } = turn.config;
  for (const task of queue(turn)) {
    const { source, target } = task;
    if (!mayStart(turn, task)) continue;
    if (count(source) >= maxParallelMigrations || count(target) >= maxParallelMigrations) continue;
    startMove(turn, task);
    busy.set(source, count(source) + 1);
    busy.set(target, count(target) + 1);
  }
}

function mayStart(turn: CoordinatorTurn, { partitionId, source, target }: MigrationTask): boolean {
  const entry = turn.entry(partitionId);
  if (entry.again && entry.again.notBefore > turn.now) return false;
  // It copies only when the owner has all that it still holds, and has heard that it was struck.
  if (strays(entry).includes(target)) return false;
  return turn.member(target)?.state === "active" && isThere(turn, source);
}

const isThere = (turn: CoordinatorTurn, nodeId: NodeId): boolean =>
  ["active", "leaving"].includes(turn.member(nodeId)?.state ?? "");

/** What is to move, as things stand. */
export function plan(turn: CoordinatorTurn): readonly PlannedMove[] {
  if (turn.entries.size === 0) return [];
  return targets(turn).flatMap(({ owner: target }, p) => {
    const source = turn.entry(PartitionId(p)).ruling.owner;
    if (!source || !target || source === target) return [];
    return [{ partitionId: PartitionId(p), source, target }];
  });
}
