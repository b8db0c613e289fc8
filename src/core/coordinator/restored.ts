/**
 * Whoever knows more than this storage proves that it was restored from a copy of earlier. Whatever is
 * higher is adopted, and nothing is ruled until every member has told what it knows.
 */
import { Version, type ClusterId, type NodeId } from "../../data/ids.ts";
import type { Copy, Ruling } from "../../data/ruling.ts";
import type { ClusterMessage, Grant } from "../../protocol/cluster-messages.ts";
import { leaveOutGone } from "./failover.ts";
import { replan } from "./plan.ts";
import { voters } from "./quorum.ts";
import type { Entry } from "./state.ts";
import type { CoordinatorTurn } from "./turn.ts";

export function onGrant(turn: CoordinatorTurn, grant: Grant): void {
  const { nodeId, term } = grant;
  if (!turn.memory.leading || term !== turn.cluster.term) return;
  const { unheard } = turn.cluster;
  const ahead = isAhead(turn, grant);
  if (ahead) adopt(turn, grant);
  if (ahead || unheard) addHoldings(turn, grant);
  // Who had granted before it was known that everybody must tell tells it again.
  const granted = ahead && !unheard ? [] : turn.memory.granted;
  turn.setMemory({ granted: new Set([...granted, nodeId]) });
  if (ahead) recount(turn, [...turn.memory.granted]);
  else if (unheard) turn.setCluster({ unheard: unheard.filter((id) => id !== nodeId) });
}

const isAhead = (turn: CoordinatorTurn, grant: Grant): boolean =>
  grant.viewVersion > turn.view.version ||
  grant.tableVersion > turn.cluster.tableVersion ||
  isCededTo(turn, grant.into) ||
  grant.partitions.some(({ ruling }) => isNewer(turn, ruling));

const isCededTo = ({ cluster: { merge } }: CoordinatorTurn, into?: ClusterId): into is ClusterId =>
  into !== undefined && merge?.other !== into;

/** Nobody knows what they were told since. */
const NOTHING = { view: Version(0), table: Version(0) };

/** Heartbeats say it, and whoever names the epoch that it knows. Then everybody is asked, that one included. */
export function onNews(turn: CoordinatorTurn, from: NodeId, message: ClusterMessage): void {
  const { unheard } = turn.cluster;
  if (unheard?.includes(from) || !mayGrant(turn, from, message)) return;
  if (!knowsMore(turn, message)) return;
  const all = unheard ?? voters(turn.state).map(({ nodeId }) => nodeId);
  turn.setCluster({ unheard: [...new Set([...all, from])], pushed: NOTHING });
  if (!unheard) turn.setMemory({ granted: new Set() });
}

/** Who is no member any more never does, and nothing would be ruled; one that this storage does not know beats. */
function mayGrant(turn: CoordinatorTurn, nodeId: NodeId, { type }: ClusterMessage): boolean {
  if (turn.member(nodeId)) return true;
  return type === "HEARTBEAT" && !turn.cluster.usedIds.includes(nodeId);
}

function knowsMore(turn: CoordinatorTurn, message: ClusterMessage): boolean {
  if (message.type === "HEARTBEAT") {
    const { membersViewVersion, tableVersion } = message;
    return membersViewVersion > turn.view.version || tableVersion > turn.cluster.tableVersion;
  }
  return "partitionId" in message && "epoch" in message && isNewer(turn, message);
}

const isNewer = (
  turn: CoordinatorTurn,
  { partitionId, epoch }: Pick<Ruling, "partitionId" | "epoch">,
): boolean => epoch > (turn.entries.get(partitionId)?.ruling.epoch ?? 0);

const isComplete = ({ state }: Copy): boolean => state === "complete";

function adopt(turn: CoordinatorTurn, grant: Grant): void {
  const { view, partitions, tableVersion: theirs, into } = grant;
  if (view && view.version > turn.view.version)
    turn.state = { ...turn.state, saved: { ...turn.state.saved, view } };
  const { usedIds, tableVersion } = turn.cluster;
  const members = turn.view.members.map(({ nodeId }) => nodeId);
  const version = Version(turn.mint(Math.max(tableVersion, theirs)));
  const entries = new Map(turn.entries);
  for (const { ruling } of partitions) {
    if (!isNewer(turn, ruling)) continue;
    const { owner, partitionId, copies } = ruling;
    const named = [...(owner ? [owner] : []), ...copies.map(({ nodeId }) => nodeId)];
    const holders = [...new Set([...(entries.get(partitionId)?.holders ?? []), ...named])];
    const complete = copies.filter(isComplete).map(({ nodeId }) => nodeId);
    // Others were to be struck, or are struck now that nobody wants them.
    const wantedBackups = complete.slice(0, turn.config.backupCount);
    const last = owner ? { lost: null } : lastOwnerOf(entries.get(partitionId));
    const plan = { wanted: owner, wantedBackups, ...last };
    const entry: Entry = { ruling, version, holders, ...plan, move: null, again: null };
    entries.set(partitionId, entry);
  }
  turn.state = { ...turn.state, saved: { ...turn.state.saved, entries } };
  if (isCededTo(turn, into)) askAnew(turn, into);
  turn.setCluster({
    usedIds: [...new Set([...usedIds, ...members])],
    tableVersion: version,
    ownersVersion: version,
    pushed: NOTHING,
  });
}

/** Its members hand everything over and will never go back: whoever takes it may have been restored, too, and is asked once more. */
function askAnew(turn: CoordinatorTurn, other: ClusterId): void {
  // Nothing of it is told to members, so the view stays as it is.
  const viewVersion = Version(turn.mint(turn.view.version));
  const asking = { side: "loser", other, phase: "asking", viewVersion } as const;
  turn.setCluster({ merge: { ...asking, askedAtMs: turn.now }, mergeFailed: null });
}

/** Whom a partition waits for is in no ruling: whoever owned it last, as far as is known. */
const lastOwnerOf = (entry: Entry | undefined): Pick<Entry, "lost" | "lostAt"> => {
  if (!entry) return { lost: null };
  const { ruling, lost, lostAt = ruling.epoch } = entry;
  return { lost: ruling.owner ?? lost, lostAt: ruling.owner ? ruling.epoch : lostAt };
};

/** Rows and owners that this storage knows nothing of. */
function addHoldings(turn: CoordinatorTurn, { nodeId, partitions }: Grant): void {
  for (const { ruling, role } of partitions) {
    const entry = turn.entries.get(ruling.partitionId);
    if (!entry) continue;
    const { holders } = entry;
    if (role !== "none" && !holders.includes(nodeId))
      turn.setEntry(ruling.partitionId, { holders: [...holders, nodeId] });
    // Several may take themselves for its owner: all but the last have a successor.
    const { lostAt = 0 } = lastOwnerOf(entry);
    if (!entry.ruling.owner && ruling.owner && ruling.epoch > lostAt)
      turn.setEntry(ruling.partitionId, { lost: ruling.owner, lostAt: ruling.epoch });
  }
}

/** A newer view may name members that nobody has waited for, and none of those who are gone; others say more themselves. */
function recount(turn: CoordinatorTurn, told: readonly NodeId[]): void {
  const members = voters(turn.state).map(({ nodeId }) => nodeId);
  turn.setCluster({ unheard: members.filter((nodeId) => !told.includes(nodeId)) });
}

/** All that is left to hear has been heard: moves that this storage never knew, or knew too long, are void. */
export function endRecount(turn: CoordinatorTurn): void {
  if (!turn.cluster.unheard) return;
  turn.setCluster({ unheard: null });
  for (const [partitionId, { ruling }] of turn.entries) {
    const { owner, copies } = ruling;
    if (!owner) continue;
    const kept = turn.config.backupCount > 0 ? copies.filter((c) => c.state === "complete") : [];
    if (copies.length > 0 || turn.entry(partitionId).move)
      turn.rule(partitionId, { owner, copies: kept }, { move: null, again: null });
  }
  leaveOutGone(turn);
  // The view is a newer one, too: what was planned for who has left since is void.
  const states = new Map(turn.view.members.map(({ nodeId, state }) => [nodeId, state]));
  const planned = new Set([...turn.entries.values()].flatMap(plannedFor));
  if ([...planned].some((id) => (states.get(id) ?? "dead") === "dead")) replan(turn);
}

const plannedFor = ({ wanted, wantedBackups }: Entry): readonly NodeId[] =>
  wanted ? [wanted, ...wantedBackups] : wantedBackups;
