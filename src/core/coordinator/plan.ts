/** Who is to own what: computed anew at every change of members, started as far as the limits allow. */
import { Epoch, PartitionId, Version, type NodeId } from "../../data/ids.ts";
import type { NodeState } from "../../data/members.ts";
import type { Copy } from "../../data/ruling.ts";
import type { PlannedMove } from "../../protocol/cluster-messages.ts";
import { INVITATIONS_AWAITED } from "../config.ts";
import { computeAssignment, type Candidate, type Placement } from "../placement/assign.ts";
import { orderMigrations } from "../placement/plan.ts";
import { isCeding } from "./merge-state.ts";
import { giveUpMove, startMove, strays } from "./moves.ts";
import type { Entry, Move } from "./state.ts";
import { invitation, type CoordinatorTurn } from "./turn.ts";
import { completeAt, tasksOf, type Task } from "./wanted.ts";

/** Is this member one to leave partitions with? */
export const mayOwn = (turn: CoordinatorTurn, nodeId: NodeId): boolean =>
  owners(turn, ["active"]).some((candidate) => candidate.nodeId === nodeId);

/** Without this member nobody could own anything. */
export const lastOwner = (turn: CoordinatorTurn, nodeId: NodeId): boolean =>
  owners(turn, ["active"]).every((candidate) => candidate.nodeId === nodeId);

/** Members in these states that may be given partitions. */
function owners(turn: CoordinatorTurn, states: readonly NodeState[]): Candidate[] {
  return turn.view.members
    .filter(({ nodeId, state }) => states.includes(state) && !turn.isDraining(nodeId))
    .map(({ nodeId, weight, region }) => ({ nodeId, weight, region }));
}

/**
 * Who is joining counts, too: were each of several planned for when it comes, what the first is given would
 * be taken away again for the second. Its moves wait in the queue until it is there, but not for ever.
 */
function candidates(turn: CoordinatorTurn): readonly Candidate[] {
  if (turn.entries.size === 0) return owners(turn, ["active"]);
  const { retries } = turn.memory;
  return owners(turn, ["active", "suspect", "joining"]).filter(
    ({ nodeId }) => (retries.get(invitation(nodeId))?.attempt ?? 0) < INVITATIONS_AWAITED,
  );
}

function targets(turn: CoordinatorTurn): readonly Placement[] {
  const who = candidates(turn);
  const current: Placement[] = [];
  for (let p = 0; p < turn.cluster.partitionCount; p++) {
    const entry = turn.entries.get(PartitionId(p));
    current.push(entry ? standing(entry, who) : { owner: null, backups: [] });
  }
  return computeAssignment(who, current, { backupCount: turn.config.backupCount });
}

function standing({ ruling, wantedBackups, move }: Entry, who: readonly Candidate[]): Placement {
  // A running move counts as done, so that it goes on if the balance allows.
  const target = move?.purpose === "move" ? move.target : null;
  const owner = who.some(({ nodeId }) => nodeId === target) ? target : ruling.owner;
  // What is planned comes before what there is: else each new plan would begin other copies.
  const backups = [...wantedBackups, ...ruling.copies.map(({ nodeId }) => nodeId)];
  return { owner, backups };
}

/** All nodes of a new cluster are there. Copies of partitions without any row are complete as they are. */
export function assignFirst(turn: CoordinatorTurn): void {
  const assigned = targets(turn);
  const entries = new Map<PartitionId, Entry>();
  const version = Version(turn.mint(turn.cluster.tableVersion));
  const epoch = Epoch(turn.mint(0));
  for (const [p, { owner, backups }] of assigned.entries()) {
    const partitionId = PartitionId(p);
    const copies = backups.map((nodeId): Copy => ({ nodeId, state: "complete" }));
    entries.set(partitionId, {
      ruling: { partitionId, epoch, owner, since: epoch, copies, fresh: true },
      version,
      holders: owner ? [owner, ...backups] : [],
      wanted: owner,
      wantedBackups: backups,
      lost: null,
      move: null,
      again: null,
    });
  }
  turn.state = { ...turn.state, saved: { ...turn.state.saved, entries } };
  turn.setCluster({ tableVersion: version, ownersVersion: version });
}

/** What runs and is still wanted goes on; the queue is what then differs. */
export function replan(turn: CoordinatorTurn): void {
  if (turn.entries.size === 0 || isCeding(turn.cluster.merge)) return;
  for (const [p, target] of targets(turn).entries()) {
    const partitionId = PartitionId(p);
    const entry = turn.entry(partitionId);
    const { wanted, wantedBackups, move, ruling } = entry;
    // Nobody has it to give, or nobody is left to take it: it stays where it is.
    if (ruling.owner === null) continue;
    const placement = target.owner === null ? asItIs(entry) : target;
    const { owner, backups } = placement;
    const same = sameNodes(wantedBackups, backups);
    if (owner === wanted && same) continue;
    turn.setEntry(partitionId, { wanted: owner, wantedBackups: same ? wantedBackups : backups });
    if (move?.phase === "replicating" && !isFor(move, placement))
      giveUpMove(turn, partitionId, { outcome: "cancelled", reason: "not wanted any more" });
    turn.setEntry(partitionId, { again: null });
  }
}

function asItIs(entry: Entry): Placement {
  const [owner = null, ...backups] = completeAt(entry);
  return { owner, backups };
}

/** After a failover, a claim or a restore a partition may have a new owner without a plan for its backups. */
export function planBackups(turn: CoordinatorTurn): void {
  const there = new Set(candidates(turn).map(({ nodeId }) => nodeId));
  const wanted = Math.min(turn.config.backupCount, there.size - 1);
  if (wanted <= 0) return;
  for (const { ruling, wantedBackups } of turn.entries.values())
    if (ruling.owner && wantedBackups.filter((id) => there.has(id)).length < wanted)
      return replan(turn);
}

const sameNodes = (some: readonly NodeId[], others: readonly NodeId[]): boolean =>
  some.length === others.length && some.every((id) => others.includes(id));

/** A copy on its way is of use to whoever is to be owner, too. */
const isFor = ({ purpose, target }: Move, { owner, backups }: Placement): boolean =>
  target === owner || (purpose === "backup" && backups.includes(target));

/** Queued moves and copies, first the most urgent. */
export function queue(turn: CoordinatorTurn): readonly Task[] {
  const tasks: Task[] = [];
  for (const entry of turn.entries.values()) if (!entry.move) tasks.push(...tasksOf(entry));
  return orderMigrations(tasks, ({ partitionId, target }) => {
    const complete = completeAt(turn.entry(partitionId));
    return { targetComplete: complete.includes(target), copies: complete.length };
  });
}

export function startQueued(turn: CoordinatorTurn): void {
  if (isCeding(turn.cluster.merge)) return;
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

function mayStart(turn: CoordinatorTurn, { partitionId, source, target }: Task): boolean {
  const entry = turn.entry(partitionId);
  if (entry.move || (entry.again && entry.again.notBefore > turn.now)) return false;
  // It copies only when the owner has all that it still holds, and has heard that it was struck.
  if (strays(entry).includes(target)) return false;
  return turn.member(target)?.state === "active" && isThere(turn, source);
}

const isThere = (turn: CoordinatorTurn, nodeId: NodeId): boolean =>
  ["active", "leaving"].includes(turn.member(nodeId)?.state ?? "");

/** The plan has changed, or what was under way has ended without a ruling. */
export function strikeSpares(turn: CoordinatorTurn): void {
  for (const [partitionId, entry] of turn.entries) {
    if (turn.isInDoubt(entry.ruling)) continue;
    const { owner, copies } = turn.withoutSpares(entry);
    if (copies !== entry.ruling.copies) turn.rule(partitionId, { owner, copies });
  }
}

/** What is to move, as things stand. */
export function plan(turn: CoordinatorTurn): readonly PlannedMove[] {
  if (turn.entries.size === 0) return [];
  return targets(turn).flatMap(({ owner: target }, p) => {
    const source = turn.entry(PartitionId(p)).ruling.owner;
    if (!source || !target || source === target) return [];
    return [{ partitionId: PartitionId(p), source, target }];
  });
}
