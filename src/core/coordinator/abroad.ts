/** What objects of another cluster say to this coordinator. Each message names by itself who is meant. */
import type { ClusterId } from "../../data/ids.ts";
import type { MergeRequest, MergeResponse } from "../../protocol/cluster-messages.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import { CLUSTERS_TAKEN_MAX, NODES_MAX } from "../../protocol/limits.ts";
import type { CallId } from "../machine/cluster-event.ts";
import { onWinnerHeard } from "./cession.ts";
import { invite } from "./members.ts";
import {
  answerOfNobody,
  onAccepted,
  onMergeResponse,
  onProbe,
  onProbeResponse,
  problemOf,
} from "./merge.ts";
import type { CoordinatorMessage } from "./state.ts";
import type { CoordinatorTurn } from "./turn.ts";

/** False: it is nothing that one cluster says to another. */
export function fromAbroad(turn: CoordinatorTurn, event: CoordinatorMessage): boolean {
  const { clusterId, from, message, call } = event;
  const { cluster } = turn.state.saved;
  if (from !== "coordinator" || clusterId === cluster?.clusterId) return false;
  if (!cluster) {
    if (message.type !== "SPLIT_BRAIN_PROBE") return false;
    turn.answer(call, answerOfNobody(message));
    return true;
  }
  switch (message.type) {
    case "SPLIT_BRAIN_PROBE":
      onProbe(turn, message, call);
      return true;
    case "SPLIT_BRAIN_PROBE_RESPONSE":
      onProbeResponse(turn, message);
      return true;
    case "MERGE_REQUEST":
      onMergeRequest(turn, message, call);
      return true;
    case "MERGE_RESPONSE":
      onMergeResponse(turn, message);
      return true;
    case "MERGED":
      if (call === null) onWinnerHeard(turn, clusterId);
      else if (message.sourceClusterId === clusterId) onMerged(turn, clusterId, call);
      else return false;
      return true;
    default:
      return false;
  }
}

/**
 * Said again, it is answered again: the loser may not have heard that it was accepted. Or it has, and is here by now:
 * then that is late, and nothing begins.
 */
function onMergeRequest(turn: CoordinatorTurn, request: MergeRequest, call: CallId | null): void {
  const { sourceClusterId: source, sourceViewVersion } = request;
  const { clusterId, merge } = turn.cluster;
  const error = problemOf(turn, source, request.partitionCount) ?? refusal(turn, request);
  if (!error && !merge && !isTaken(turn, source)) takeIn(turn, request);
  const response: MergeResponse = {
    type: "MERGE_RESPONSE",
    responderClusterId: clusterId,
    sourceViewVersion,
    accepted: !error,
    ...(error && { error }),
  };
  turn.answer(call, response);
  if (!error) onAccepted(turn, source);
}

const isTaken = (turn: CoordinatorTurn, other: ClusterId): boolean =>
  (turn.view.taken ?? []).includes(other);

function refusal(turn: CoordinatorTurn, request: MergeRequest): ErrorInfo | null {
  const { clusterId, merge } = turn.cluster;
  if (merge?.side === "winner" || (!merge && isTaken(turn, request.sourceClusterId))) return null;
  // Each believes that it loses: neither has begun, and both give it up.
  if (merge) return makeError("MERGE_IN_PROGRESS", { clusterId, other: merge.other });
  if (turn.view.members.length + serving(request).length > NODES_MAX)
    return makeError("CLUSTER_FULL", { nodesMax: NODES_MAX });
  const value = takenWith(turn, request).length;
  if (value <= CLUSTERS_TAKEN_MAX) return null;
  const field = "clusters taken in";
  return makeError("OUT_OF_BOUNDS", { field, value, min: 0, max: CLUSTERS_TAKEN_MAX });
}

const takenWith = (turn: CoordinatorTurn, request: MergeRequest): readonly ClusterId[] => [
  ...new Set([...(turn.view.taken ?? []), request.sourceClusterId, ...request.taken]),
];

const serving = ({ sourceMembers }: MergeRequest): MergeRequest["sourceMembers"] =>
  sourceMembers.filter(({ state }) => state === "active" || state === "suspect");

/**
 * New nodes for as many as the loser had, where those were: the old ones are objects of that cluster for ever. The
 * view names the loser, and every member that has heard it takes its rows.
 */
function takeIn(turn: CoordinatorTurn, request: MergeRequest): void {
  turn.setCluster({ merge: { side: "winner", other: request.sourceClusterId }, mergeFailed: null });
  turn.setView({ taken: takenWith(turn, request) });
  for (const { region, weight } of serving(request))
    invite(turn, { count: 1, region, weight: Math.max(1, weight) });
}

function onMerged(turn: CoordinatorTurn, source: ClusterId, call: CallId | null): void {
  const { merge } = turn.cluster;
  if (merge?.side === "winner" && merge.other === source) turn.setCluster({ merge: null });
  turn.answer(call, { type: "MERGED", sourceClusterId: source });
}
