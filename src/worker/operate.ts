/** The cluster itself: what it looks like, and what operators do to it. */
import type { PartitionId } from "../data/ids.ts";
import type { NodeId } from "../data/ids.ts";
import type { MemberInfo } from "../data/members.ts";
import { toPartitionMap } from "../core/placement/table.ts";
import { malformed } from "../protocol/checks.ts";
import type {
  ClusterReport,
  MemberReport,
  NodeStatusReport,
  PlannedMove,
  RepairProgress,
} from "../protocol/cluster-messages.ts";
import { makeError } from "../protocol/errors.ts";
import { addNodesOf, claimOf, mergeOf, moveOf, readFields, readJson } from "./bodies.ts";
import { Cluster } from "./cluster.ts";
import type { EntryRoute } from "./entries.ts";
import type { Front } from "./front.ts";
import { errorReply, reply } from "./replies.ts";
import type { ActorRoute, Parsed, Route, SetRoute } from "./routes.ts";

/** A report does not wait longer for the figures of one node. */
const STATUS_TIMEOUT_MS = 2_000;

export type OperatorRoute = Exclude<Route, ActorRoute | EntryRoute | SetRoute>;

export async function operate(
  front: Front,
  route: OperatorRoute,
  request: Request,
): Promise<Response> {
  const cluster = new Cluster(front);
  switch (route.type) {
    case "map":
      return mapReply(cluster, route);
    case "cluster":
      return clusterReply(front, cluster);
    case "migrations":
      return migrationsReply(cluster);
    case "add-nodes":
      return addNodes(cluster, request);
    case "remove-node":
      return planned(cluster.leave(route.nodeId));
    case "evict":
      return planned(cluster.evict(route.nodeId));
    case "claim":
      return claim(cluster, route.partitionId, request);
    case "drain":
      return planned(cluster.drain(route.nodeId));
    case "move":
      return move(cluster, request);
    case "cancel":
      return planned(cluster.cancel(route.partitionId));
    case "rebalance":
      return planned(cluster.rebalance());
    case "repair":
      return repairReply(cluster.repair(), 202);
    case "last-repair":
      return repairReply(cluster.lastRepair(), 200);
    case "merge":
      return mergeWith(cluster, request);
    case "socket":
      return openSocket(front, route.nodeId, request);
  }
}

/** 202: what is planned then goes on by itself. */
async function planned(asked: Promise<Parsed<readonly PlannedMove[]>>): Promise<Response> {
  const plan = await asked;
  return plan.ok ? reply({ plan: plan.value }, 202) : errorReply(plan.error);
}

async function claim(
  cluster: Cluster,
  partitionId: PartitionId,
  request: Request,
): Promise<Response> {
  const json = await readJson(request);
  const message = json.ok ? claimOf(json.value, partitionId) : json;
  return message.ok ? planned(cluster.claim(message.value)) : errorReply(message.error);
}

async function move(cluster: Cluster, request: Request): Promise<Response> {
  const json = await readJson(request);
  const order = json.ok ? moveOf(json.value) : json;
  if (!order.ok) return errorReply(order.error);
  return planned(cluster.move(order.value.partitionId, order.value.to));
}

async function mergeWith(cluster: Cluster, request: Request): Promise<Response> {
  const json = await readJson(request);
  const order = json.ok ? mergeOf(json.value) : json;
  if (!order.ok) return errorReply(order.error);
  const answer = await cluster.merge(order.value.clusterId);
  if (!answer.ok) return errorReply(answer.error);
  const { winner, loser } = answer.value;
  return reply({ winner, loser }, 202);
}

/** As far as it has come; it goes on by itself. */
async function repairReply(
  asked: Promise<Parsed<RepairProgress | null>>,
  status: number,
): Promise<Response> {
  const repair = await asked;
  return repair.ok ? reply({ repair: repair.value }, status) : errorReply(repair.error);
}

async function addNodes(cluster: Cluster, request: Request): Promise<Response> {
  const json = await readFields(request);
  const order = json.ok ? addNodesOf(json.value) : json;
  if (!order.ok) return errorReply(order.error);
  const answer = await cluster.join(order.value);
  if (!answer.ok) return errorReply(answer.error);
  const { nodes, plan } = answer.value;
  return reply({ nodes, plan }, 202);
}

/** 304 to a caller that has this version, and this view if it names one. */
async function mapReply(
  cluster: Cluster,
  { version, viewVersion }: Extract<Route, { type: "map" }>,
): Promise<Response> {
  const known = await cluster.state();
  if (!known.ok) return errorReply(known.error);
  const { table, view } = known.value;
  const knowsNodes = viewVersion === null || viewVersion === view.version;
  if (version === table.version && knowsNodes) return new Response(null, { status: 304 });
  return reply(toPartitionMap(table, view, Date.now()));
}

async function migrationsReply(cluster: Cluster): Promise<Response> {
  const answer = await cluster.migrations();
  if (!answer.ok) return errorReply(answer.error);
  const { running, queued, finished } = answer.value;
  return reply({ running, queued, finished });
}

async function clusterReply(front: Front, cluster: Cluster): Promise<Response> {
  const answer = await cluster.health();
  if (!answer.ok) return errorReply(answer.error);
  const report = answer.value;
  const statuses = new Map<NodeId, NodeStatusReport>();
  await Promise.all(
    report.view.members.map(async ({ nodeId }) => {
      const status = await front.call(nodeId, { type: "FETCH_NODE_STATUS" }, STATUS_TIMEOUT_MS);
      if (status.type === "answered" && status.message.type === "NODE_STATUS_REPORT")
        statuses.set(nodeId, status.message);
    }),
  );
  return reply(clusterJson(front, report, statuses));
}

/** Figures are null of a node that does not answer. */
function clusterJson(
  front: Front,
  report: ClusterReport,
  statuses: ReadonlyMap<NodeId, NodeStatusReport>,
): object {
  const { term, leading, quorum, view, tableVersion, partitionCount, masterNodeId } = report;
  const { migrations, merge = null } = report;
  const reports = new Map(report.members.map((member) => [member.nodeId, member]));
  return {
    clusterId: front.clusterId,
    term,
    leading,
    quorum,
    viewVersion: view.version,
    tableVersion,
    partitionCount,
    masterNodeId,
    members: view.members.map((member) =>
      memberJson(member, reports.get(member.nodeId), statuses.get(member.nodeId)),
    ),
    migrations,
    merge,
  };
}

/** null where the node did not answer in time. */
function memberJson(
  { nodeId, state, region, joinVersion, weight }: MemberInfo,
  report: MemberReport | undefined,
  status: NodeStatusReport | undefined,
): object {
  const { owned = 0, backup = 0, importing = [], migrating = [], dormant = true } = report ?? {};
  const { rows = null, bytes = null, opsPerSecond = null } = status ?? {};
  const partitions = { owned, backup };
  const figures = { importing, migrating, rows, bytes, opsPerSecond, dormant };
  return { nodeId, state, region, joinVersion, weight, partitions, ...figures };
}

/** By the members as they are now: whoever was removed would still accept the socket. */
async function openSocket(
  front: Front,
  wanted: NodeId | null,
  request: Request,
): Promise<Response> {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
    return errorReply(malformed("websocket")("upgrade"));
  const known = await front.refetch();
  if (!known.ok) return errorReply(known.error);
  const { members } = known.value.view;
  const active = members.filter((member) => member.state === "active");
  const first = Math.floor(Math.random() * active.length);
  const inTurn = [...active.slice(first), ...active.slice(0, first)];
  const asked = wanted === null ? inTurn : members.filter(({ nodeId }) => nodeId === wanted);
  if (asked.length === 0 && wanted !== null)
    return errorReply(makeError("NODE_NOT_FOUND", { nodeId: wanted }));
  if (asked.length === 0) return errorReply(makeError("CLUSTER_FORMING", { active: 0, wanted: 1 }));
  return handToOne(front, asked, request);
}

/** To the first that takes it: who was lost a moment ago is still listed. */
async function handToOne(
  front: Front,
  members: readonly MemberInfo[],
  request: Request,
): Promise<Response> {
  for (const { nodeId } of members) {
    const response = await front.hand(nodeId, request);
    if (response) return response;
  }
  const nodeId = members.map((member) => member.nodeId).join(", ");
  return errorReply(makeError("NODE_NOT_ACTIVE", { nodeId, state: "unreachable" }));
}
