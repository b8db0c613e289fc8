/**
 * The loser's coordinator: until no node of it holds a row any more. Copies stay until the owner has handed all of
 * the partition over, so that a lost owner is replaced as ever; then they are struck.
 */
import type { ClusterId, NodeId, PartitionId } from "../../data/ids.ts";
import type { Ceded } from "../../protocol/cluster-messages.ts";
import { isMerged, type Merge, type MergeMemory } from "./merge-state.ts";
import { giveUpMove } from "./moves.ts";
import type { CoordinatorTurn } from "./turn.ts";

type Loser = Extract<Merge, { side: "loser" }>;

function setMerge(turn: CoordinatorTurn, change: Partial<MergeMemory>): void {
  turn.setMemory({ merge: { ...turn.memory.merge, ...change } });
}

const setPhase = (turn: CoordinatorTurn, merge: Loser, phase: Loser["phase"]): void =>
  turn.setCluster({ merge: { ...merge, phase } });

/** The winner has saved that it takes this cluster in. */
export function startCeding(turn: CoordinatorTurn, merge: Loser): void {
  setPhase(turn, merge, "ceding");
  const why = { outcome: "cancelled", reason: `all goes to ${merge.other}` } as const;
  for (const [partitionId, { move }] of turn.entries) {
    if (move?.phase === "replicating") giveUpMove(turn, partitionId, why);
    const { ruling, wanted } = turn.entry(partitionId);
    if (wanted !== ruling.owner) turn.setEntry(partitionId, { wanted: ruling.owner, again: null });
  }
}

/** What a node says of partitions that are not its own is no news: whoever is struck says DROPPED. */
export function onCeded(turn: CoordinatorTurn, { nodeId, over, partitions }: Ceded): void {
  const { merge } = turn.cluster;
  if (merge?.side !== "loser" || !turn.member(nodeId)) return;
  if (over) setMerge(turn, { over: new Set(turn.memory.merge.over).add(nodeId) });
  const ceded = new Map(turn.memory.merge.ceded);
  for (const { partitionId, epoch } of partitions) {
    const entry = turn.entries.get(partitionId);
    if (!entry?.holders.includes(nodeId) || entry.ruling.owner !== nodeId) continue;
    if (epoch >= entry.ruling.epoch) ceded.set(partitionId, { owner: nodeId, epoch });
  }
  setMerge(turn, { ceded });
}

/** Strikes copies whose owner has nothing left, and notes what nobody holds any more. */
export function settleCession(turn: CoordinatorTurn): void {
  const { merge } = turn.cluster;
  if (merge?.side !== "loser") return;
  if (merge.phase === "ceding") {
    for (const partitionId of turn.memory.merge.ceded.keys()) settleCeded(turn, partitionId);
    if ([...turn.entries.values()].every(({ holders, move }) => holders.length === 0 && !move))
      setPhase(turn, merge, "merged");
  }
  settleEnd(turn);
}

function settleCeded(turn: CoordinatorTurn, partitionId: PartitionId): void {
  const { ruling, holders, move } = turn.entry(partitionId);
  const { ceded } = turn.memory.merge;
  const known = ceded.get(partitionId);
  if (!known || known.owner !== ruling.owner || known.epoch < ruling.epoch || move) return;
  if (ruling.copies.length > 0) {
    const { epoch } = turn.rule(
      partitionId,
      { owner: ruling.owner, copies: [] },
      { wantedBackups: [] },
    );
    // The same owner under another epoch has as little as before.
    setMerge(turn, { ceded: new Map(ceded).set(partitionId, { owner: known.owner, epoch }) });
  } else if (holders.every((nodeId) => nodeId === ruling.owner)) {
    turn.setEntry(partitionId, { holders: [] });
    setMerge(turn, { ceded: new Map([...ceded].filter(([other]) => other !== partitionId)) });
  }
}

/** Members that can hear it; who is lost hears it when it is back. */
const present = (turn: CoordinatorTurn): readonly NodeId[] =>
  turn.view.members
    .filter(({ host, state }) => host !== "" && state !== "dead")
    .map(({ nodeId }) => nodeId);

function settleEnd(turn: CoordinatorTurn): void {
  const { merge } = turn.cluster;
  if (merge?.side !== "loser" || !isMerged(merge)) return;
  const { winnerHeard, over } = turn.memory.merge;
  const returning = turn.view.members.some(({ state }) => state === "joining");
  if (merge.phase === "over" && returning) {
    setMerge(turn, { over: new Set() });
    setPhase(turn, merge, "merged");
  }
  const all = present(turn).every((nodeId) => over.has(nodeId));
  if (merge.phase === "merged" && winnerHeard && all && !returning) setPhase(turn, merge, "over");
}

export function pursueCession(turn: CoordinatorTurn, into: ClusterId): void {
  const holding = new Set([...turn.entries.values()].flatMap(({ holders }) => holders));
  for (const nodeId of present(turn))
    if (holding.has(nodeId))
      turn.pursue(`cede ${nodeId}`, nodeId, { type: "CEDE", into, over: false });
}

export function pursueEnd(turn: CoordinatorTurn, into: ClusterId): void {
  const { winnerHeard, over } = turn.memory.merge;
  const { clusterId } = turn.cluster;
  if (!winnerHeard)
    turn.pursueAbroad("merged", into, { type: "MERGED", sourceClusterId: clusterId });
  for (const nodeId of present(turn))
    if (!over.has(nodeId))
      turn.pursue(`over ${nodeId}`, nodeId, { type: "CEDE", into, over: true });
}

/** The winner's answer to MERGED. */
export function onWinnerHeard(turn: CoordinatorTurn, from: ClusterId): void {
  const { merge } = turn.cluster;
  if (merge?.side === "loser" && merge.other === from && isMerged(merge))
    setMerge(turn, { winnerHeard: true });
}
