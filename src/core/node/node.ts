/** A node: its partitions, its clients, its membership. Routes one event to whom it concerns. */
import type { NodeId } from "../../data/ids.ts";
import type { ClusterMessage } from "../../protocol/cluster-messages.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import type { ActorEvent } from "../actor/effects.ts";
import { pursueActors } from "../actor/pursue.ts";
import { onActor } from "../actor/route.ts";
import type { Machine, Next } from "../machine/step.ts";
import { onAdopted, onRowOffer } from "../partition/adopt.ts";
import { onCopyDigested, onCopyMerged, onMigrateData, onPullRows } from "../partition/copy.ts";
import { catchUp, findBehind, noteDrained } from "../partition/catch-up.ts";
import {
  collect,
  compareUnsettled,
  onCollected,
  onConfirmed,
  onFoundGone,
} from "../partition/collect.ts";
import { goOn, onCompare } from "../partition/compare.ts";
import {
  onDigested,
  onMigrateStart,
  onMoveOver,
  onPulledRows,
  onScanned,
  onStreamAck,
  pursueOwner,
  resumeOwner,
} from "../partition/owner.ts";
import {
  offer,
  onOfferScanned,
  onRowOfferAck,
  onStrike,
  pursueOffer,
} from "../partition/struck.ts";
import type { RowEvent } from "../rows/effects.ts";
import { fromWinner, isFromWinner, isWelcome } from "./abroad.ts";
import { beat, beatAt, heartbeat } from "./beat.ts";
import { onCede, pursueCession } from "./cede.ts";
import { onFrames } from "./clients.ts";
import { joins, overloaded, sizeOf } from "./credit.ts";
import type { Incoming, NodeEffect, NodeEvent, NodeTag } from "./events.ts";
import { onForwarded, pursueForwards } from "./forward.ts";
import { onCampaign } from "./grant.ts";
import { hearAll } from "./hear.ts";
import {
  askToJoin,
  askToJoinSoon,
  onInvite,
  onJoinResponse,
  onMembersUpdate,
  onTableUpdate,
} from "./join.ts";
import { noteAudience, pushMap } from "./map-push.ts";
import { answerRequest, opsPerSecond } from "./pending.ts";
import type { Work } from "./requests.ts";
import { onListed, onScan } from "./scan.ts";
import { onAsked, onLooked, onMerged, onRead, serve } from "./serve.ts";
import type { NodeState } from "./state.ts";
import { onFetched } from "../subscriptions/answer.ts";
import { hearOfSubscriptions, pursueSubscriptions } from "../subscriptions/route.ts";
import { onUndelivered } from "../subscriptions/read.ts";
import { forget, tellSubscribers } from "../subscriptions/subscribe.ts";
import { Turn } from "./turn.ts";
import { tickAt, wakeAt } from "./wake-at.ts";

type Message = Extract<Incoming, { type: "message" }>;

export const node: Machine<NodeState, NodeEvent, NodeEffect> = {
  step: stepNode,
  wakeAt,
  tickAt: (state) => earlier(beatAt(state), tickAt(state)),
};

const earlier = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other);

export function stepNode(state: NodeState, event: NodeEvent): Next<NodeState, NodeEffect> {
  const { now, random } = "now" in event ? event : timeOf(event.tag);
  const turn = new Turn(state, now, random);
  if ("tag" in event) {
    onRows(turn, event);
    pursueCession(turn);
  } else {
    onIncoming(turn, event);
    pursueCession(turn);
    catchUp(turn);
    collect(turn);
    goOn(turn);
    pushMap(turn, event.type === "woke");
    beat(turn, event);
  }
  tellSubscribers(turn);
  return [turn.state, turn.effects];
}

/** What rows answer belongs to the moment that asked. */
const timeOf = (tag: NodeTag): { now: number; random: number } => tag;

function onIncoming(turn: Turn, event: Incoming): void {
  switch (event.type) {
    case "started":
      turn.setMemory({ host: event.host });
      noteAudience(turn, event.hasClients);
      turn.startClock();
      if (event.hasClients) turn.do({ type: "resync", only: null });
      return resume(turn);
    case "woke":
      return pursue(turn);
    case "message":
      return onMessage(turn, event);
    case "undelivered":
      if (event.message.type === "FETCH_ROWS") onUndelivered(turn, event.message.fetchId);
      return; // whoever waits for an answer asks again when its time comes
    case "frames":
      return onFrames(turn, event.frames);
    case "alone":
      return noteAudience(turn, false);
    case "lost":
      return forget(turn, event.socket);
  }
}

/** After a start: everything unfinished begins anew from what was saved. */
function resume(turn: Turn): void {
  compareUnsettled(turn);
  findBehind(turn);
  if (turn.self.membership === "joining") askToJoin(turn, 0);
  for (const [partitionId, { role }] of turn.state.saved.partitions) {
    if (role.type === "owner" && role.copies.length > 0) resumeOwner(turn, partitionId);
    if (role.type === "struck") offer(turn, partitionId);
  }
}

function pursue(turn: Turn): void {
  const { joinRetry } = turn.memory;
  if (joinRetry && joinRetry.at <= turn.now) askToJoin(turn, joinRetry.attempt + 1);
  for (const partitionId of turn.memory.partitions.keys()) {
    pursueOwner(turn, partitionId);
    pursueOffer(turn, partitionId);
  }
  pursueForwards(turn);
  pursueActors(turn);
  pursueSubscriptions(turn);
  noteDrained(turn);
}

function onMessage(turn: Turn, event: Message): void {
  const { from, term, message, call } = event;
  if (isFromWinner(turn, event)) return fromWinner(turn, event);
  const error = notForUs(turn, event);
  if (error) {
    if (from === "coordinator" && error.code === "NOT_A_MEMBER") askToJoinSoon(turn);
    return turn.answer(call, { type: "ERROR", error });
  }
  const news = from === "coordinator" && term > turn.self.term;
  if (news && turn.self.membership !== "stranger") turn.setSelf({ term });
  hearAll(turn, message);
  if (from === "coordinator" || from === "front") fromAbove(turn, event);
  else if (event.clusterId !== turn.self.clusterId) fromLoser(turn, event);
  else fromPeer(turn, event);
}

/** Another cluster's, an older reign's, or nothing that a node outside a cluster can handle. */
function notForUs(turn: Turn, event: Message): ErrorInfo | null {
  const { self } = turn;
  const { from, term, clusterId, message } = event;
  const isForeign = self.membership !== "stranger" && clusterId !== self.clusterId;
  if (isForeign && !isWelcome(turn, event))
    return makeError("WRONG_CLUSTER_ID", { expected: self.clusterId, got: clusterId });
  if (from === "coordinator" && term < self.term)
    return makeError("STALE_TERM", { term: self.term });
  if (self.membership === "member" || isForStrangers(turn, message)) return null;
  return makeError("NOT_A_MEMBER", { nodeId: self.nodeId });
}

function isForStrangers(turn: Turn, message: ClusterMessage): boolean {
  const { membership } = turn.self;
  if (message.type === "INVITE" || message.type === "JOIN_RESPONSE") return true;
  // Who has left still waits for what it had passed on, or was evicted and offers what it has.
  if (message.type === "OP_FORWARDED" || message.type === "ROW_OFFER_ACK")
    return membership === "removed";
  // Who was given up and joins again still votes: without it nobody might be left to admit it.
  if (message.type === "CAMPAIGN") return membership === "joining";
  return message.type === "MEMBERS_UPDATE" && isFarewell(turn, message);
}

/**
 * A node that has left must still hear so, even one that was sent away before it had joined. One that is
 * listed and joining has its view from the answer only: else it would confirm a view without its table.
 */
function isFarewell(
  turn: Turn,
  { view }: Extract<ClusterMessage, { type: "MEMBERS_UPDATE" }>,
): boolean {
  const { membership, nodeId } = turn.self;
  const listed = view.members.some((member) => member.nodeId === nodeId);
  return !listed && (membership === "removed" || membership === "joining");
}

/** From the coordinator or the front. */
function fromAbove(turn: Turn, { from, message, call, term }: Message): void {
  const { ceding, clusterId } = turn.self;
  if (from === "front" && ceding?.over && message.type !== "FETCH_NODE_STATUS") {
    const error = makeError("CLUSTER_MERGED", { clusterId, into: ceding.into });
    return turn.answer(call, { type: "ERROR", error });
  }
  switch (message.type) {
    case "INVITE":
      return onInvite(turn, message, { term, call });
    case "JOIN_RESPONSE":
      return onJoinResponse(turn, message);
    case "CAMPAIGN":
      return onCampaign(turn, message, call);
    case "PROBE":
      return turn.answer(call, heartbeat(turn));
    case "MEMBERS_UPDATE":
      return onMembersUpdate(turn, message, call);
    case "PARTITION_TABLE_UPDATE":
      return onTableUpdate(turn, message, call);
    case "MIGRATE_START":
      return onMigrateStart(turn, message, call);
    case "STRIKE":
      return onStrike(turn, message, call);
    case "CEDE":
      return onCede(turn, message, call);
    case "RULING":
    case "MIGRATE_FINALIZE":
    case "MIGRATE_CANCEL":
      return onRuling(turn, message, call);
    case "COMPARE":
      return onCompare(turn, message, call);
    case "CONFIRMED":
      return onConfirmed(turn, message);
    case "OP_FORWARD":
      return onOpForward(turn, null, message, call);
    case "SCAN":
      return onScan(turn, message, call);
    case "FETCH_NODE_STATUS":
      if (call !== null)
        turn.do({
          type: "count-rows",
          tag: { for: "status", call, now: turn.now, random: turn.random },
        });
      return;
    default:
      return refuse(turn, message, call);
  }
}

/** Its nodes may have the names of ours, and their numbers: whatever they ask twice is done twice. */
function fromLoser(turn: Turn, { message, call }: Message): void {
  if (message.type === "OP_FORWARD") return onOpForward(turn, null, message, call);
  if (message.type === "ROW_OFFER") return onRowOffer(turn, null, message, call);
  refuse(turn, message, call);
}

function fromPeer(turn: Turn, event: Message): void {
  const { message, call, from } = event;
  if (from === "coordinator" || from === "front") return;
  switch (message.type) {
    case "MIGRATE_DATA":
      return onMigrateData(turn, from, message, call);
    case "STREAM_ACK":
      return onStreamAck(turn, from, message);
    case "PULL_ROWS":
      return onPullRows(turn, from, message, call);
    case "PULLED_ROWS":
      return onPulledRows(turn, from, message);
    case "ROW_OFFER":
      return onRowOffer(turn, from, message, call);
    case "ROW_OFFER_ACK":
      return onRowOfferAck(turn, message);
    case "OP_FORWARD":
      return onOpForward(turn, from, message, call);
    case "OP_FORWARDED":
      return onForwarded(turn, from, message);
    default:
      if (hearOfSubscriptions(turn, from, message, call)) return;
      return refuse(turn, message, call);
  }
}

function onRuling(
  turn: Turn,
  message: Extract<ClusterMessage, { type: "RULING" | "MIGRATE_FINALIZE" | "MIGRATE_CANCEL" }>,
  call: number | null,
): void {
  const { ruling } = message;
  if (!ruling) return refuse(turn, message, call);
  if (message.type === "MIGRATE_CANCEL") onMoveOver(turn, message);
  const { partitionId } = ruling;
  const { epoch } = turn.partition(partitionId).ruling;
  turn.answer(call, { type: "HEARD", partitionId, nodeId: turn.me, epoch });
}

/** `from`: of the nodes; null for the front, which does not ask again. */
function onOpForward(
  turn: Turn,
  from: NodeId | null,
  message: Extract<ClusterMessage, { type: "OP_FORWARD" }>,
  call: number | null,
): void {
  const { forwardId, ops, ack = "owner", together = false } = message;
  if (call === null) return;
  // Else what waits for a slow copy would be held once more each time that it is asked for.
  if (from !== null && joins(turn, from, forwardId, call)) return;
  const origin = { type: "peer", from, forwardId, calls: [call], together } as const;
  const error = overloaded(turn, sizeOf(ops));
  if (!error) return serve(turn, [{ origin, ops, ack }]);
  const refused = ops.map(() => ({ type: "refused", error }) as const);
  answerRequest(turn, origin, refused, []);
}

/** An answer that nobody waits for is over; a question that nobody handles is the sender's mistake. */
function refuse(turn: Turn, { type }: ClusterMessage, call: number | null): void {
  turn.answer(call, { type: "ERROR", error: makeError("UNKNOWN_MESSAGE", { type }) });
}

function onRows(turn: Turn, event: RowEvent<NodeTag> | ActorEvent<NodeTag>): void {
  const { tag } = event;
  if (tag.for === "actor") return onActor(turn, tag, event);
  if (tag.for === "serve" || tag.for === "decide") return onServed(turn, tag, event);
  switch (event.type) {
    case "merged":
      if (tag.for === "copy") onCopyMerged(turn, tag);
      if (tag.for === "adopt") onAdopted(turn, tag.partitionId, tag, event.batches[0]);
      return;
    case "scanned":
      return onScannedRows(turn, event);
    case "digested":
      if (tag.for === "stream") onDigested(turn, tag, event.buckets);
      if (tag.for === "copy") onCopyDigested(turn, tag, event.buckets);
      return;
    case "found-gone":
      if (tag.for === "collect") onFoundGone(turn, tag, event);
      return;
    case "collected":
      if (tag.for === "collect") onCollected(turn, tag, event.rows);
      if (tag.for === "copy") onCopyMerged(turn, tag);
      return;
    case "listed":
    case "fetched":
      return onFound(turn, event);
    case "counted":
      return onCounted(turn, event);
    default:
  }
}

function onServed(
  turn: Turn,
  tag: Extract<NodeTag, { work: Work }>,
  event: Parameters<typeof onRows>[1],
): void {
  const { work } = tag;
  if (event.type === "merged") onMerged(turn, work, event.batches);
  if (event.type === "rows-read") onRead(turn, work, event.batches);
  if (event.type !== "looked") return;
  if (tag.for === "decide") onLooked(turn, work, event.batches);
  else onAsked(turn, work, event.batches);
}

function onScannedRows(turn: Turn, event: Extract<RowEvent<NodeTag>, { type: "scanned" }>): void {
  const { tag, rows, after } = event;
  if (tag.for === "stream") onScanned(turn, tag, event);
  if (tag.for === "offer") onOfferScanned(turn, tag, event);
  if (tag.for !== "pull") return;
  const { call, partitionId, streamId } = tag;
  turn.answer(call, { type: "PULLED_ROWS", partitionId, streamId, rows, after });
}

function onFound(
  turn: Turn,
  event: Extract<RowEvent<NodeTag>, { type: "listed" | "fetched" }>,
): void {
  const { tag } = event;
  if (event.type === "listed" && tag.for === "list") onListed(turn, tag, event.lists);
  if (event.type === "fetched" && tag.for === "fetch") onFetched(turn, tag, event.found);
}

function onCounted(turn: Turn, event: Extract<RowEvent<NodeTag>, { type: "counted" }>): void {
  const { tag, rows, bytes, rowsWritten } = event;
  if (tag.for !== "status") return;
  const figures = { nodeId: turn.me, rows, bytes, rowsWritten, opsPerSecond: opsPerSecond(turn) };
  turn.answer(tag.call, { type: "NODE_STATUS_REPORT", ...figures });
}
