/** The cluster itself: what it looks like, and what operators do to it. */
import type { NodeId } from "../data/ids.ts";
import type { MemberInfo } from "../data/members.ts";
import { toPartitionMap } from "../core/placement/table.ts";
import { malformed } from "../protocol/checks.ts";
import type {
  ClusterMessage,
  ClusterReport,
  MemberReport,
  NodeStatusReport,
} from "../protocol/cluster-messages.ts";
import { makeError } from "../protocol/errors.ts";
import { addNodesOf, moveOf, readFields, readJson } from "./bodies.ts";
import type { EntryRoute } from "./entries.ts";
import type { Front } from "./front.ts";
import { errorReply, reply } from "./replies.ts";
import type { Route } from "./routes.ts";

/** A report does not wait longer for the figures of one node. */
const STATUS_TIMEOUT_MS = 2_000;

export type OperatorRoute = Exclude<Route, EntryRoute>;

export async function operate(
  front: Front,
  route: OperatorRoute,
  request: Request,
): Promise<Response> {
  switch (route.type) {
    case "map":
      return mapReply(front, route);
    case "cluster":
      return clusterReply(front);
    case "migrations":
      return migrationsReply(front);
    case "add-nodes":
      return addNodes(front, request);
    case "remove-node":
      return planned(front, { type: "LEAVE_REQUEST", nodeId: route.nodeId });
    case "drain":
      return planned(front, { type: "DRAIN_NODE", nodeId: route.nodeId });
    case "move": {
      const json = await readJson(request);
      const message = json.ok ? moveOf(json.value) : json;
      return message.ok ? planned(front, message.value) : errorReply(message.error);
    }
    case "cancel":
      return planned(front, { type: "CANCEL_MOVE", partitionId: route.partitionId });
    case "rebalance":
      return planned(front, { type: "REBALANCE" });
    case "socket":
      return openSocket(front, route.nodeId, request);
  }
}

/** 202: what is planned then goes on by itself. */
async function planned(front: Front, message: ClusterMessage): Promise<Response> {
  const answer = await front.ask(message, "PLANNED");
  return answer.ok ? reply({ plan: answer.value.plan }, 202) : errorReply(answer.error);
}

async function addNodes(front: Front, request: Request): Promise<Response> {
  const json = await readFields(request);
  const message = json.ok ? addNodesOf(json.value) : json;
  if (!message.ok) return errorReply(message.error);
  // The cluster may still be forming; said twice, an order to add nodes would add twice as many.
  const known = await front.known();
  if (!known.ok) return errorReply(known.error);
  const answer = await front.ask(message.value, "NODES_ADDED", { repeatable: false });
  if (!answer.ok) return errorReply(answer.error);
  const { nodes, plan } = answer.value;
  return reply({ nodes, plan }, 202);
}

/** 304 to a caller that has this version, and this view if it names one. */
async function mapReply(
  front: Front,
  { version, viewVersion }: Extract<Route, { type: "map" }>,
): Promise<Response> {
  const known = await front.refetch();
  if (!known.ok) return errorReply(known.error);
  const { table, view } = known.value;
  const knowsNodes = viewVersion === null || viewVersion === view.version;
  if (version === table.version && knowsNodes) return new Response(null, { status: 304 });
  return reply(toPartitionMap(table, view, Date.now()));
}

async function migrationsReply(front: Front): Promise<Response> {
  const answer = await front.ask({ type: "FETCH_MIGRATIONS" }, "MIGRATIONS_REPORT");
  if (!answer.ok) return errorReply(answer.error);
  const { running, queued, finished } = answer.value;
  return reply({ running, queued, finished });
}

async function clusterReply(front: Front): Promise<Response> {
  const answer = await front.ask({ type: "FETCH_CLUSTER" }, "CLUSTER_REPORT");
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
  const { term, leading, view, tableVersion, partitionCount, masterNodeId, migrations } = report;
  const reports = new Map(report.members.map((member) => [member.nodeId, member]));
  return {
    clusterId: front.clusterId,
    term,
    leading,
    viewVersion: view.version,
    tableVersion,
    partitionCount,
    masterNodeId,
    members: view.members.map((member) =>
      memberJson(member, reports.get(member.nodeId), statuses.get(member.nodeId)),
    ),
    migrations,
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
  const any = active[Math.floor(Math.random() * active.length)];
  const member = wanted === null ? any : members.find(({ nodeId }) => nodeId === wanted);
  if (!member && wanted !== null)
    return errorReply(makeError("NODE_NOT_FOUND", { nodeId: wanted }));
  if (!member) return errorReply(makeError("CLUSTER_FORMING", { active: 0, wanted: 1 }));
  return front.hand(member.nodeId, request);
}
