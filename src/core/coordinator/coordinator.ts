/** The coordinator: members, table, rulings. Routes one event to whom it concerns. */
import type { PartitionId } from "../../data/ids.ts";
import type { ClusterMessage } from "../../protocol/cluster-messages.ts";
import { makeError } from "../../protocol/errors.ts";
import type { Machine, Next } from "../machine/step.ts";
import type { CallId } from "../machine/cluster-event.ts";
import {
  assignOnce,
  form,
  inviteAnother,
  onAddNodes,
  onHeartbeat,
  onJoinRequest,
  onLeaveRequest,
  removeEmpty,
} from "./members.ts";
import { fromAbroad } from "./abroad.ts";
import { onCeded, settleCession } from "./cession.ts";
import { onClaim } from "./failover.ts";
import { onConfirm } from "./confirm.ts";
import { endAsking, endOrder, onMergeCluster, refusedByMerge } from "./merge.ts";
import { onComplete, onDropped, onHeard, onReady, onStrikeCopy } from "./moves.ts";
import {
  clusterReport,
  migrationsReport,
  onCancelMove,
  onDrainNode,
  onMovePartition,
  onRebalance,
} from "./operator.ts";
import { planBackups, startQueued, strikeSpares } from "./plan.ts";
import { coordinatorWakeAt, notePushed, pursueAll, settleEntries } from "./pursue.ts";
import { doubtAnswers, hearTerm, isBehind, isForced, mayForce, park, unpark } from "./reign.ts";
import { onCompared, onRepair, repairReport } from "./repair.ts";
import { endRecount } from "./restored.ts";
import type { CoordinatorEffect, CoordinatorEvent, CoordinatorState, Parked } from "./state.ts";
import { spoken } from "./spoken.ts";
import { wholeTable } from "./table.ts";
import { CoordinatorTurn } from "./turn.ts";
import { judge, onComplaint, onProbeFailed, silenceAt } from "./watch.ts";

export const coordinator: Machine<CoordinatorState, CoordinatorEvent, CoordinatorEffect> = {
  step: stepCoordinator,
  wakeAt: coordinatorWakeAt,
  tickAt: silenceAt,
};

type Message = Extract<CoordinatorEvent, { type: "message" }>;

function stepCoordinator(
  state: CoordinatorState,
  event: CoordinatorEvent,
): Next<CoordinatorState, CoordinatorEffect> {
  const turn = new CoordinatorTurn(state, event.now, event.random);
  doubtAnswers(turn, event.now);
  turn.setMemory({ now: event.now });
  if (event.type === "message" && isOurs(turn, event)) hearTerm(turn, event);
  const isLost = event.type === "undelivered" && event.message.type === "PROBE";
  if (isLost && event.to !== "coordinator" && event.to !== "front") onProbeFailed(turn, event.to);
  unpark(turn, (one) => handle(turn, one));
  if (event.type === "message") receive(turn, event);
  if (turn.state.saved.cluster) {
    const done = turn.attempt(() => ownWork(turn));
    pursueAll(turn, !done || turn.memory.parked.length > 0);
  }
  return [turn.state, spoken(turn)];
}

function receive(turn: CoordinatorTurn, message: Message): void {
  const { parked } = turn.memory;
  if (isBehind(parked, message) || !handle(turn, newly(turn, message))) park(turn, message);
}

const newly = ({ now }: CoordinatorTurn, message: Message): Parked => ({ message, since: now });

/** False: it must wait. */
function handle(turn: CoordinatorTurn, one: Parked): boolean {
  const { message } = one;
  if (!isForced(message.message)) return turn.attempt(() => onMessage(turn, message));
  if (!mayForce(turn, one)) return false;
  onMessage(turn, message);
  return true;
}

/** What nobody asks for. It is asked for again with every event, until it may happen. */
function ownWork(turn: CoordinatorTurn): void {
  endRecount(turn);
  endOrder(turn);
  endAsking(turn);
  judge(turn);
  assignOnce(turn);
  settleEntries(turn);
  planBackups(turn);
  strikeSpares(turn);
  startQueued(turn);
  removeEmpty(turn);
  settleCession(turn);
  notePushed(turn);
}

const isOurs = (turn: CoordinatorTurn, { clusterId }: Message): boolean =>
  clusterId === turn.state.saved.cluster?.clusterId;

function onMessage(turn: CoordinatorTurn, event: Message): void {
  const { clusterId, from, message, call } = event;
  if (fromAbroad(turn, event)) return;
  if (from === "front") form(turn, clusterId);
  const expected = turn.state.saved.cluster?.clusterId;
  if (isOfTaken(turn, event)) return fetchTable(turn, call);
  if (expected === undefined || clusterId !== expected) {
    const error = makeError("WRONG_CLUSTER_ID", { expected: expected ?? "", got: clusterId });
    return turn.answer(call, { type: "ERROR", error });
  }
  if (from === "front") fromFront(turn, message, call);
  else fromNode(turn, event);
}

/** A node of a cluster that is being taken in must know whom to offer its rows to. */
const isOfTaken = (turn: CoordinatorTurn, { clusterId, message }: Message): boolean =>
  message.type === "FETCH_PARTITION_TABLE" && (turn.view.taken ?? []).includes(clusterId);

function fromNode(turn: CoordinatorTurn, { from, message, call }: Message): void {
  switch (message.type) {
    case "JOIN_REQUEST":
      return onJoinRequest(turn, message, call);
    case "HEARTBEAT":
      return onHeartbeat(turn, message, call);
    case "HEARTBEAT_COMPLAINT":
      onComplaint(turn, message.suspectId, message.complainerId);
      return turn.answer(call, { type: "DONE" });
    case "COMPLETE":
    case "MIGRATE_READY":
    case "STRIKE_COPY":
    case "ASK_RULING":
      return onAsked(turn, message, call);
    case "HEARD":
      onHeard(turn, message);
      return turn.answer(call, { type: "DONE" });
    case "DROPPED":
      onDropped(turn, message);
      return turn.answer(call, { type: "DONE" });
    case "CEDED":
      onCeded(turn, message);
      return turn.answer(call, { type: "DONE" });
    case "CONFIRM":
      return onConfirm(turn, from, message, call);
    case "FETCH_PARTITION_TABLE":
      return fetchTable(turn, call);
    case "COMPARED":
      return onCompared(turn, message);
    case "ERROR":
      if (message.error.code === "NODE_ID_USED") inviteAnother(turn, from);
      return;
    case "GRANT":
    case "DONE":
      return;
    default:
      return refuse(turn, message, call);
  }
}

type Asked = Extract<
  ClusterMessage,
  { type: "COMPLETE" | "MIGRATE_READY" | "STRIKE_COPY" | "ASK_RULING" }
>;

function onAsked(turn: CoordinatorTurn, message: Asked, call: CallId | null): void {
  const entry = turn.entries.get(message.partitionId);
  if (!entry) return notFound(turn, message.partitionId, call);
  switch (message.type) {
    case "COMPLETE":
      return onComplete(turn, message, call);
    case "MIGRATE_READY":
      return onReady(turn, message, call);
    case "STRIKE_COPY":
      return onStrikeCopy(turn, message, call);
    case "ASK_RULING":
      return turn.answer(call, { type: "RULING", ruling: entry.ruling });
  }
}

function notFound(turn: CoordinatorTurn, partitionId: PartitionId, call: CallId | null): void {
  const { partitionCount } = turn.cluster;
  const error = makeError("PARTITION_NOT_FOUND", { partitionId, partitionCount });
  turn.answer(call, { type: "ERROR", error });
}

function fromFront(turn: CoordinatorTurn, message: ClusterMessage, call: CallId | null): void {
  if (turn.entries.size === 0 && message.type !== "FETCH_CLUSTER") return stillForming(turn, call);
  const error = refusedByMerge(turn, message);
  if (error) return turn.answer(call, { type: "ERROR", error });
  switch (message.type) {
    case "FETCH_PARTITION_TABLE":
      return fetchTable(turn, call);
    case "FETCH_CLUSTER":
      return turn.answer(call, clusterReport(turn));
    case "FETCH_MIGRATIONS":
      return turn.answer(call, migrationsReport(turn));
    case "FETCH_REPAIR":
      return turn.answer(call, repairReport(turn));
    case "REPAIR":
      return onRepair(turn, call);
    case "ADD_NODES":
      return onAddNodes(turn, message, call);
    case "LEAVE_REQUEST":
      return onLeaveRequest(turn, message, call);
    case "DRAIN_NODE":
      return onDrainNode(turn, message, call);
    case "MOVE_PARTITION":
      return onMovePartition(turn, message, call);
    case "CANCEL_MOVE":
      return onCancelMove(turn, message, call);
    case "CLAIM_PARTITION":
      return onClaim(turn, message, call);
    case "ASK_RULING":
      return onAsked(turn, message, call);
    case "EXPLICIT_SUSPICION":
      onComplaint(turn, message.suspectId, "front");
      return turn.answer(call, { type: "DONE" });
    case "REBALANCE":
      return onRebalance(turn, call);
    case "MERGE_CLUSTER":
      return onMergeCluster(turn, message, call);
    default:
      return refuse(turn, message, call);
  }
}

function stillForming(turn: CoordinatorTurn, call: CallId | null): void {
  const active = turn.view.members.filter((member) => member.state === "active").length;
  const error = makeError("CLUSTER_FORMING", { active, wanted: turn.config.initialNodes });
  turn.answer(call, { type: "ERROR", error });
}

function fetchTable(turn: CoordinatorTurn, call: CallId | null): void {
  turn.answer(call, { ...wholeTable(turn), view: turn.view });
}

function refuse(turn: CoordinatorTurn, { type }: ClusterMessage, call: CallId | null): void {
  turn.answer(call, { type: "ERROR", error: makeError("UNKNOWN_MESSAGE", { type }) });
}
