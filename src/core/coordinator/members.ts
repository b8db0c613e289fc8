/** Who is in the cluster: forming, joining, leaving. */
import { Incarnation, NodeId, Term, Version, type ClusterId } from "../../data/ids.ts";
import type { MemberInfo } from "../../data/members.ts";
import type {
  AddNodes,
  ClusterMessage,
  Heartbeat,
  JoinReject,
  JoinRequest,
  LeaveRequest,
  MembersUpdate,
} from "../../protocol/cluster-messages.ts";
import { makeError } from "../../protocol/errors.ts";
import { NODES_MAX } from "../../protocol/limits.ts";
import { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from "../../protocol/version.ts";
import type { CallId } from "../machine/cluster-event.ts";
import { evict, giveBack } from "./failover.ts";
import { assignFirst, lastOwner, plan, replan } from "./plan.ts";
import { forMember, rulingsOf, wholeTable } from "./table.ts";
import type { CoordinatorTurn } from "./turn.ts";
import { onBeat, onComplaint, onReturn } from "./watch.ts";

/** The first request that names a cluster creates it, with its first nodes invited. */
export function form(turn: CoordinatorTurn, clusterId: ClusterId): void {
  if (turn.state.saved.cluster) return;
  const { partitionCount, initialNodes } = turn.config;
  const cluster = {
    clusterId,
    term: Term(0),
    partitionCount,
    digestKey: { a: Math.floor(turn.random * 2 ** 32), b: (turn.random * 2 ** 53) % 2 ** 32 },
    tableVersion: Version(0),
    ownersVersion: Version(0),
    pushed: { view: Version(0), table: Version(0) },
    nextNode: 1,
    usedIds: [],
    leaving: [],
    departed: [],
    nextMove: 1,
    completed: 0,
    failed: 0,
    unheard: null,
    merge: null,
    mergeFailed: null,
  };
  turn.state = { ...turn.state, saved: { ...turn.state.saved, cluster } };
  invite(turn, { count: initialNodes, region: "", weight: 1 });
}

export function invite(
  turn: CoordinatorTurn,
  { count, nodeId, region, weight }: Pick<AddNodes, "count" | "nodeId" | "region" | "weight">,
): readonly NodeId[] {
  const { usedIds } = turn.cluster;
  let { nextNode } = turn.cluster;
  const ids: NodeId[] = nodeId ? [nodeId] : [];
  for (; ids.length < count; nextNode++) {
    const next = NodeId(`n${nextNode}`);
    if (!usedIds.includes(next)) ids.push(next);
  }
  turn.setCluster({ nextNode, usedIds: [...usedIds, ...ids] });
  const members = ids.map((id): MemberInfo => ({
    nodeId: id,
    host: "",
    clientPort: 0,
    clusterPort: 0,
    region,
    weight,
    state: "joining",
    joinVersion: Version(0),
    incarnation: Incarnation(0),
  }));
  turn.setMembers([...turn.view.members, ...members]);
  return ids;
}

/** A restored coordinator may have forgotten a node of that name that came and went. */
export function inviteAnother(turn: CoordinatorTurn, nodeId: string): void {
  const used = turn.view.members.find((member) => member.nodeId === nodeId);
  if (used?.state !== "joining") return;
  turn.setMembers(turn.view.members.filter((member) => member !== used));
  const { region, weight } = used;
  invite(turn, { count: 1, region, weight });
  replan(turn);
}

export function onAddNodes(turn: CoordinatorTurn, message: AddNodes, call: CallId | null): void {
  const { nodeId, count } = message;
  if (nodeId && turn.cluster.usedIds.includes(nodeId))
    return turn.answer(call, { type: "ERROR", error: makeError("NODE_ID_USED", { nodeId }) });
  if (turn.view.members.length + count > NODES_MAX) {
    const error = makeError("CLUSTER_FULL", { nodesMax: NODES_MAX });
    return turn.answer(call, { type: "ERROR", error });
  }
  const nodes = invite(turn, message);
  turn.answer(call, { type: "NODES_ADDED", nodes, plan: plan(turn) });
}

export function onJoinRequest(
  turn: CoordinatorTurn,
  request: JoinRequest,
  call: CallId | null,
): void {
  const { nodeId, host, incarnation } = request;
  const rejectReason = rejectOf(turn, request);
  if (rejectReason) return rejectJoin(turn, nodeId, rejectReason, call);
  const member = turn.member(nodeId);
  // The same node asking again is the same join: it gets the same answer.
  if (member && (member.host !== host || member.incarnation !== incarnation)) {
    const joinVersion = Version(turn.mint(turn.view.version));
    turn.setMember(nodeId, { host, incarnation, joinVersion, state: "joining" });
  }
  onReturn(turn, nodeId);
  turn.answer(call, {
    type: "JOIN_RESPONSE",
    accepted: true,
    ...forMember(turn),
    partitionCount: turn.cluster.partitionCount,
    digestKey: turn.cluster.digestKey,
  });
}

/** Evicted while it was on its way back: it hears for whom its rows are, as it would from a heartbeat. */
function rejectJoin(
  turn: CoordinatorTurn,
  nodeId: NodeId,
  rejectReason: JoinReject,
  call: CallId | null,
): void {
  const news = isEvicted(turn, nodeId) && { partitionAssignments: rulingsOf(turn) };
  turn.answer(call, { type: "JOIN_RESPONSE", accepted: false, rejectReason, ...news });
}

function rejectOf(turn: CoordinatorTurn, request: JoinRequest): JoinReject | null {
  const { nodeId, host, clusterId, protocolVersion } = request;
  if (clusterId !== turn.cluster.clusterId) return "WRONG_CLUSTER_ID";
  if (protocolVersion < PROTOCOL_VERSION_MIN || protocolVersion > PROTOCOL_VERSION)
    return "PROTOCOL_VERSION_MISMATCH";
  if (isEvicted(turn, nodeId) && turn.cluster.unheard !== null) return "NOT_LEADING";
  const member = turn.member(nodeId);
  // Only who was invited may join: an id that was given away, or never given, is somebody else's.
  if (!member || (member.host !== "" && member.host !== host)) return "NODE_ID_USED";
  // What was said before it was given up: it will hear so, and ask anew.
  return request.incarnation < member.incarnation ? "NOT_LEADING" : null;
}

export function onHeartbeat(
  turn: CoordinatorTurn,
  heartbeat: Heartbeat,
  call: CallId | null,
): void {
  const member = turn.member(heartbeat.senderId);
  if (member?.state === "dead") return tell(turn, heartbeat.senderId, call, viewOf(turn));
  if (isEvicted(turn, heartbeat.senderId)) return tellEvicted(turn, heartbeat, call);
  heardOf(turn, heartbeat);
  turn.answer(call, { type: "DONE" });
}

const viewOf = (turn: CoordinatorTurn): MembersUpdate => ({
  type: "MEMBERS_UPDATE",
  view: turn.view,
  clusterTimeMs: turn.now,
});

/** It has been given up, and has something to do: it must hear so before it does much of it. */
function tell(
  turn: CoordinatorTurn,
  nodeId: NodeId,
  call: CallId | null,
  news: ClusterMessage,
): void {
  if (call === null) turn.send(nodeId, news);
  else turn.answer(call, news);
}

/** Or it came and went without a trace in this storage, which was restored since. */
const isEvicted = ({ view, cluster }: CoordinatorTurn, nodeId: NodeId): boolean =>
  !cluster.departed.includes(nodeId) && !view.members.some((member) => member.nodeId === nodeId);

/** Not lost after all. First whom its rows and its clients' writes are for, then that it is no member any more. */
function tellEvicted(turn: CoordinatorTurn, heartbeat: Heartbeat, call: CallId | null): void {
  const { senderId, tableVersion, membersViewVersion } = heartbeat;
  // Nothing is ruled of its partitions yet: once it is no member it would not hear of it.
  if (turn.cluster.unheard !== null) return turn.answer(call, { type: "DONE" });
  if (tableVersion < turn.cluster.tableVersion) tell(turn, senderId, call, wholeTable(turn));
  else if (membersViewVersion < turn.view.version) tell(turn, senderId, call, viewOf(turn));
  else turn.answer(call, { type: "DONE" });
}

function heardOf(turn: CoordinatorTurn, heartbeat: Heartbeat): void {
  const { senderId, membersViewVersion: view, tableVersion: table, incarnation } = heartbeat;
  const member = turn.member(senderId);
  if (!member) return onFarewell(turn, senderId, view);
  if (member.host === "") return inviteAnother(turn, senderId); // of that name, which joined and was forgotten
  if (member.incarnation !== incarnation) return; // of an earlier life
  if (!onBeat(turn, heartbeat)) return;
  // Two that do not hear each other would be asked about each other without end, by the answers of both.
  for (const suspectId of heartbeat.suspectedNodes)
    if (!isFresh(turn, suspectId)) onComplaint(turn, suspectId, senderId);
  const { importing, migrating } = heartbeat;
  const heard = { view, table, at: turn.now, importing, migrating };
  turn.setMemory({ heard: new Map(turn.memory.heard).set(senderId, heard) });
  // The answer to the one says nothing of the other, which may be on its way: were it sent again at
  // once, two answers would follow, and each would have both sent again.
  turn.reached(`view ${senderId}`, view);
  turn.reached(`table ${senderId}`, table);
  if (member.state === "suspect") return turn.setMember(senderId, { state: "active" });
  // Active implies that it has view and table, so it says so first.
  if (view >= member.joinVersion) settle(turn, member);
}

/** It has all that a member must have. */
function settle(turn: CoordinatorTurn, { nodeId, state }: MemberInfo): void {
  // Sent away while it came back: it cannot hand over what it has not been given back.
  if (state === "leaving" && giveBack(turn, nodeId)) return replan(turn);
  if (state !== "joining") return;
  const { leaving } = turn.cluster;
  const leaves = leaving.includes(nodeId);
  turn.setMember(nodeId, { state: leaves ? "leaving" : "active" });
  if (leaves) turn.setCluster({ leaving: leaving.filter((id) => id !== nodeId) });
  giveBack(turn, nodeId);
  replan(turn);
}

/** Its own word counts for more than what others say of it. */
const isFresh = (turn: CoordinatorTurn, nodeId: NodeId): boolean =>
  turn.now - (turn.memory.heard.get(nodeId)?.at ?? -Infinity) < turn.config.heartbeatMs;

/** All nodes that a new cluster waits for are there, at the same time. */
export function assignOnce(turn: CoordinatorTurn): void {
  if (turn.entries.size > 0) return;
  const active = turn.view.members.filter((m) => m.state === "active");
  if (active.length >= turn.config.initialNodes) assignFirst(turn);
}

function onFarewell(turn: CoordinatorTurn, nodeId: NodeId, view: Version): void {
  const { departed } = turn.cluster;
  if (!departed.includes(nodeId) || view < turn.view.version) return;
  turn.setCluster({ departed: departed.filter((id) => id !== nodeId) });
}

/** It has left, or a restored coordinator waits for it and knows no more than that it is there. */
const isHeardOf = ({ cluster }: CoordinatorTurn, nodeId: NodeId): boolean =>
  cluster.departed.includes(nodeId) || cluster.unheard?.includes(nodeId) === true;

function onForce(turn: CoordinatorTurn, nodeId: NodeId, call: CallId | null): void {
  const { departed, unheard } = turn.cluster;
  if (turn.member(nodeId) || unheard?.includes(nodeId)) {
    evict(turn, nodeId);
    turn.send(nodeId, wholeTable(turn));
  }
  // It has left and will never hear so: nobody tells it any more.
  else turn.setCluster({ departed: departed.filter((id) => id !== nodeId) });
  turn.answer(call, { type: "PLANNED", plan: plan(turn) });
}

export function onLeaveRequest(
  turn: CoordinatorTurn,
  { nodeId, force = false }: LeaveRequest,
  call: CallId | null,
): void {
  const member = turn.member(nodeId);
  if (!member && !(force && isHeardOf(turn, nodeId)))
    return turn.answer(call, { type: "ERROR", error: makeError("NODE_NOT_FOUND", { nodeId }) });
  if (!member || force) return onForce(turn, nodeId, call);
  const { state } = member;
  // What it alone may have it cannot hand over: it comes back first, or is evicted.
  if (state === "dead")
    return turn.answer(call, {
      type: "ERROR",
      error: makeError("NODE_NOT_ACTIVE", { nodeId, state }),
    });
  if (state !== "leaving") {
    if (lastOwner(turn, nodeId))
      return turn.answer(call, { type: "ERROR", error: makeError("LAST_NODE", { nodeId }) });
    turn.setMember(nodeId, { state: "leaving" });
    replan(turn);
  }
  turn.answer(call, { type: "PLANNED", plan: plan(turn) });
}

/** A leaving member that holds nothing any more is gone. */
export function removeEmpty(turn: CoordinatorTurn): void {
  const leaving = turn.view.members.filter((member) => member.state === "leaving");
  if (leaving.length === 0) return;
  const holding = new Set([...turn.entries.values()].flatMap((entry) => entry.holders));
  const gone = leaving.map((member) => member.nodeId).filter((id) => !holding.has(id));
  if (gone.length === 0) return;
  const { departed } = turn.cluster;
  // Who never asked to join has nothing to hear.
  const known = gone.filter((id) => turn.member(id)?.host !== "");
  turn.setMembers(turn.view.members.filter((member) => !gone.includes(member.nodeId)));
  turn.setCluster({ departed: [...departed, ...known] });
}
