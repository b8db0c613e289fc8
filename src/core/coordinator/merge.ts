/**
 * Two clusters become one, on an operator's word to either. Whoever loses by `winnerOf` saves that it asks the other
 * to take it in; only when that one has saved that it does, the loser's nodes offer their rows. So if both came to
 * believe that they lose, each refuses the other, and nothing has happened.
 */
import { Version, type ClusterId } from "../../data/ids.ts";
import type {
  ClusterMessage,
  MergeCluster,
  MergeReport,
  MergeResponse,
  SplitBrainProbe,
  SplitBrainProbeResponse,
} from "../../protocol/cluster-messages.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import type { CallId } from "../machine/cluster-event.ts";
import { pursueCession, pursueEnd, startCeding } from "./cession.ts";
import { isCeding, isMerged, type MergeMemory } from "./merge-state.ts";
import { poll } from "./quorum.ts";
import type { CoordinatorTurn } from "./turn.ts";
import { sideOf, winnerOf, type Side } from "./winner.ts";

function setMerge(turn: CoordinatorTurn, change: Partial<MergeMemory>): void {
  turn.setMemory({ merge: { ...turn.memory.merge, ...change } });
}

const sideHere = (turn: CoordinatorTurn): Side => sideOf(turn.cluster.clusterId, turn.view);

// ------------------------------------------------------------------ the operator

export function onMergeCluster(
  turn: CoordinatorTurn,
  { clusterId: other }: MergeCluster,
  call: CallId | null,
): void {
  const { clusterId, merge } = turn.cluster;
  const { order } = turn.memory.merge;
  const busyWith = merge?.other ?? order?.other ?? other;
  if (other === clusterId) return refuse(turn, call, makeError("MERGE_WITH_ITSELF", { clusterId }));
  if (busyWith !== other)
    return refuse(turn, call, makeError("MERGE_IN_PROGRESS", { clusterId, other: busyWith }));
  wait(turn, other, call);
  if (merge?.side === "loser" && merge.phase !== "asking") answerOrder(turn, null);
}

function wait(turn: CoordinatorTurn, other: ClusterId, call: CallId | null): void {
  const { calls = [], since = turn.now } = turn.memory.merge.order ?? {};
  const all = call === null ? calls : [...calls, call];
  setMerge(turn, { order: { other, calls: all, since } });
}

function refuse(turn: CoordinatorTurn, call: CallId | null, error: ErrorInfo): void {
  turn.answer(call, { type: "ERROR", error });
}

/** Without an error: it is saved by both. */
function answerOrder(turn: CoordinatorTurn, error: ErrorInfo | null): void {
  const { order } = turn.memory.merge;
  if (!order) return;
  setMerge(turn, { order: null });
  const message: ClusterMessage = error
    ? { type: "ERROR", error }
    : { type: "MERGE_STARTED", ...sidesOf(turn, order.other) };
  for (const call of order.calls) turn.answer(call, message);
}

function sidesOf(turn: CoordinatorTurn, other: ClusterId): Pick<MergeReport, "winner" | "loser"> {
  const { clusterId, merge } = turn.cluster;
  return merge?.side === "loser"
    ? { winner: other, loser: clusterId }
    : { winner: clusterId, loser: other };
}

/** Nobody waits for an answer for ever. */
export function endOrder(turn: CoordinatorTurn): void {
  const { order } = turn.memory.merge;
  if (!order || order.since + 2 * turn.config.maxNoHeartbeatMs > turn.now) return;
  const { answered, needed } = poll(turn.state, turn.now);
  // What the other side answered may wait for a quorum here.
  const error =
    turn.memory.parked.length > 0
      ? makeError("NO_QUORUM", { answered, needed })
      : makeError("CLUSTER_UNREACHABLE", { clusterId: order.other });
  answerOrder(turn, error);
}

/** Neither has begun that it knows of, and the other may never answer: the operator may ask again. */
export function endAsking(turn: CoordinatorTurn): void {
  const { merge } = turn.cluster;
  if (merge?.side !== "loser" || merge.phase !== "asking") return;
  if (merge.askedAtMs + turn.config.migrationTimeoutMs <= turn.now)
    fail(turn, merge.other, makeError("CLUSTER_UNREACHABLE", { clusterId: merge.other }));
}

const fail = (turn: CoordinatorTurn, other: ClusterId, error: ErrorInfo): void =>
  turn.setCluster({ merge: null, mergeFailed: { other, error } });

/** What is planned for this cluster while all of it goes to another. */
const PLANS: ReadonlySet<ClusterMessage["type"]> = new Set<ClusterMessage["type"]>([
  "ADD_NODES",
  "DRAIN_NODE",
  "MOVE_PARTITION",
  "CANCEL_MOVE",
  "REBALANCE",
]);

/** An order of the front to the loser. An operator may still give a lost node up, so that the rest can go on. */
export function refusedByMerge(turn: CoordinatorTurn, message: ClusterMessage): ErrorInfo | null {
  const { merge, clusterId } = turn.cluster;
  if (merge?.side !== "loser" || !isCeding(merge)) return null;
  const { other } = merge;
  if (isMerged(merge)) return makeError("CLUSTER_MERGED", { clusterId, into: other });
  const leaves = message.type === "LEAVE_REQUEST" && message.force !== true;
  return leaves || PLANS.has(message.type)
    ? makeError("MERGE_IN_PROGRESS", { clusterId, other })
    : null;
}

export function mergeReport(turn: CoordinatorTurn): MergeReport | null {
  const { merge, mergeFailed } = turn.cluster;
  if (!merge && mergeFailed) {
    const { other, error } = mergeFailed;
    return { winner: other, loser: turn.cluster.clusterId, phase: "failed", left: null, error };
  }
  if (!merge) return null;
  const sides = sidesOf(turn, merge.other);
  if (merge.side === "winner") return { ...sides, phase: "ceding", left: null };
  const phase = merge.phase === "over" ? "merged" : merge.phase;
  const left = [...turn.entries.values()].filter(({ holders }) => holders.length > 0).length;
  return { ...sides, phase, left };
}

// ------------------------------------------------------------------ who loses

function probe(turn: CoordinatorTurn, other: ClusterId): SplitBrainProbe {
  const { clusterId, activeMembers, masterId, masterJoinVersion } = sideHere(turn);
  return {
    type: "SPLIT_BRAIN_PROBE",
    receiverClusterId: other,
    senderClusterId: clusterId,
    senderMasterId: masterId,
    senderMemberCount: activeMembers,
    senderViewVersion: turn.view.version,
    senderMasterJoinVersion: masterJoinVersion,
    partitionCount: turn.cluster.partitionCount,
    ...(takesIn(turn, other) && { takesIn: true }),
  };
}

/** That is decided, whatever the two have become since: the other may have forgotten it, or given it up. */
const takesIn = ({ cluster: { merge } }: CoordinatorTurn, other: ClusterId): boolean =>
  merge?.side === "winner" && merge.other === other;

/** The operator asked the sender: whoever loses begins, here or there. */
export function onProbe(
  turn: CoordinatorTurn,
  message: SplitBrainProbe,
  call: CallId | null,
): void {
  const { senderClusterId: other, partitionCount } = message;
  const theirs: Side = {
    clusterId: other,
    activeMembers: message.senderMemberCount,
    masterId: message.senderMasterId,
    masterJoinVersion: message.senderMasterJoinVersion,
  };
  const error = problemOf(turn, other, partitionCount);
  const answer = responseOf(turn, other, error);
  const loses = message.takesIn === true || winnerOf(sideHere(turn), theirs) === other;
  if (!error && !turn.cluster.merge && loses) ask(turn, other);
  turn.answer(call, answer);
}

function responseOf(
  turn: CoordinatorTurn,
  other: ClusterId,
  error: ErrorInfo | null,
): SplitBrainProbeResponse {
  const { clusterId, activeMembers, masterId, masterJoinVersion } = sideHere(turn);
  return {
    type: "SPLIT_BRAIN_PROBE_RESPONSE",
    responderClusterId: clusterId,
    responderMasterId: masterId,
    responderMemberCount: activeMembers,
    responderViewVersion: turn.view.version,
    responderMasterJoinVersion: masterJoinVersion,
    partitionCount: turn.cluster.partitionCount,
    ...(error && { error }),
    ...(takesIn(turn, other) && { takesIn: true }),
  };
}

/** To a probe of a cluster that nobody has ever asked for: it must not come into being by that. */
export function answerOfNobody({
  receiverClusterId: clusterId,
  partitionCount,
}: SplitBrainProbe): SplitBrainProbeResponse {
  return {
    type: "SPLIT_BRAIN_PROBE_RESPONSE",
    responderClusterId: clusterId,
    responderMasterId: null,
    responderMemberCount: 0,
    responderViewVersion: Version(0),
    responderMasterJoinVersion: null,
    partitionCount,
    error: makeError("CLUSTER_NOT_FOUND", { clusterId }),
  };
}

/** Why this cluster cannot become one with that one, or not now. */
export function problemOf(
  turn: CoordinatorTurn,
  other: ClusterId,
  theirs: number,
): ErrorInfo | null {
  const { clusterId, partitionCount, merge } = turn.cluster;
  if (partitionCount !== theirs)
    return makeError("PARTITION_COUNTS_DIFFER", { clusterId, partitionCount, other: theirs });
  if (turn.entries.size === 0) {
    const active = sideHere(turn).activeMembers;
    return makeError("CLUSTER_FORMING", { active, wanted: turn.config.initialNodes });
  }
  if (merge?.side === "loser" && isMerged(merge))
    return makeError("CLUSTER_MERGED", { clusterId, into: merge.other });
  if (merge && merge.other !== other)
    return makeError("MERGE_IN_PROGRESS", { clusterId, other: merge.other });
  return null;
}

export function onProbeResponse(turn: CoordinatorTurn, message: SplitBrainProbeResponse): void {
  const { responderClusterId: other, error } = message;
  const { merge } = turn.cluster;
  if (turn.memory.merge.order?.other !== other || merge?.side === "loser") return;
  // What it was to begin by the probe, it has begun or is through with.
  if (merge) return answerOrder(turn, null);
  if (error) return answerOrder(turn, error);
  const theirs: Side = {
    clusterId: other,
    activeMembers: message.responderMemberCount,
    masterId: message.responderMasterId,
    masterJoinVersion: message.responderMasterJoinVersion,
  };
  // If not, the probe has told it to begin.
  if (message.takesIn === true || winnerOf(sideHere(turn), theirs) === other) ask(turn, other);
}

/** The view is made anew, so that its version names the request. */
function ask(turn: CoordinatorTurn, other: ClusterId): void {
  turn.setMembers(turn.view.members);
  const viewVersion = turn.view.version;
  const asking = { side: "loser", other, phase: "asking", viewVersion } as const;
  turn.setCluster({ merge: { ...asking, askedAtMs: turn.now }, mergeFailed: null });
}

// ------------------------------------------------------------------ the loser and the winner

export function onMergeResponse(turn: CoordinatorTurn, message: MergeResponse): void {
  const { responderClusterId, sourceViewVersion, accepted, error } = message;
  const { merge } = turn.cluster;
  if (merge?.side !== "loser" || merge.phase !== "asking") return;
  if (merge.other !== responderClusterId || merge.viewVersion !== sourceViewVersion) return;
  if (accepted) startCeding(turn, merge);
  else
    fail(turn, merge.other, error ?? makeError("CLUSTER_UNREACHABLE", { clusterId: merge.other }));
  answerOrder(turn, accepted ? null : (error ?? null));
}

export function onAccepted(turn: CoordinatorTurn, other: ClusterId): void {
  if (turn.memory.merge.order?.other === other) answerOrder(turn, null);
}

/** Everything of it that is unfinished is asked again. */
export function pursueMerge(turn: CoordinatorTurn): void {
  const { merge, clusterId, partitionCount } = turn.cluster;
  const { order } = turn.memory.merge;
  if (order && merge?.side !== "loser")
    turn.pursueAbroad(`probe of ${order.other}`, order.other, probe(turn, order.other));
  if (merge?.side !== "loser") return;
  const { other, phase, viewVersion } = merge;
  if (phase === "asking")
    turn.pursueAbroad(`merge ${viewVersion}`, other, {
      type: "MERGE_REQUEST",
      sourceClusterId: clusterId,
      sourceMembers: turn.view.members,
      sourceViewVersion: viewVersion,
      partitionCount,
      taken: turn.view.taken ?? [],
    });
  if (phase === "ceding") pursueCession(turn, other);
  if (phase === "merged") pursueEnd(turn, other);
}
