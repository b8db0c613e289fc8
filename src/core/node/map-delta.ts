/**
 * What a client lacks of this node's map, from the versions that it knows.
 *
 * The coordinator's updates list every ruling since a version that the node has, so whatever was ruled after a
 * version is in an update to a later one, also if the node had heard it before, from somebody else. Hence a
 * delta has all that the node itself need not tell apart. Views come whole and may skip versions: only between
 * two that this node has had does it know what changed.
 */
import type { NodeId, PartitionId } from "../../data/ids.ts";
import type { MapDelta, MapVersions } from "../../data/map-delta.ts";
import type { MembersView } from "../../data/members.ts";
import type { MapDeltaMessage, MapMessage } from "../../protocol/client-messages.ts";
import { nodeInMap, partitionInMap, toPartitionMap } from "../placement/table.ts";
import { changedSince, wasAt, type MapHistory } from "./map-history.ts";
import { unruled, type NodeSaved } from "./state.ts";
import { tableOf } from "./table.ts";

/** The map and how it came to be, at one moment. */
export interface MapNews {
  readonly saved: NodeSaved;
  readonly partitions: MapHistory<PartitionId>;
  readonly nodes: MapHistory<NodeId>;
  readonly now: number;
}

/** The way from what a client knows to what this node knows, where that is more. */
export function newsFor(news: MapNews, known: MapVersions): MapMessage | MapDeltaMessage {
  const { saved, now } = news;
  const partitions = partitionsSince(news, known);
  const nodes = nodesSince(news, known);
  if (partitions && nodes) return { type: "MAP_DELTA", ...partitions, ...nodes, generatedAt: now };
  return { type: "MAP", map: toPartitionMap(tableOf(saved), saved.view, now) };
}

function partitionsSince(
  { saved, partitions: history }: MapNews,
  { version: from }: MapVersions,
): Pick<MapDelta, "from" | "to" | "partitions"> | null {
  const { tableVersion: to } = saved.self;
  // It has heard more, from another node.
  if (from >= to) return { from, to: from, partitions: [] };
  const changed = changedSince(history, from);
  if (!changed) return null;
  const rulings = [...changed].map((id) => (saved.partitions.get(id) ?? unruled(id)).ruling);
  return { from, to, partitions: rulings.map(partitionInMap) };
}

function nodesSince(
  { saved, nodes: history }: MapNews,
  { viewVersion: fromView }: MapVersions,
): Pick<MapDelta, "fromView" | "toView" | "nodes" | "removedNodeIds"> | null {
  const { version: toView, members } = saved.view;
  if (fromView >= toView) return { fromView, toView: fromView, nodes: [], removedNodeIds: [] };
  const changed = wasAt(history, fromView) ? changedSince(history, fromView) : null;
  if (!changed) return null;
  const nodes = members.filter(({ nodeId }) => changed.has(nodeId));
  const listed = new Set(nodes.map(({ nodeId }) => nodeId));
  return {
    fromView,
    toView,
    nodes: nodes.map(nodeInMap),
    removedNodeIds: [...changed].filter((nodeId) => !listed.has(nodeId)),
  };
}

/** Nodes that clients see differently in these two views, or in only one of them. */
export function differingNodes(before: MembersView, after: MembersView): NodeId[] {
  const states = new Map(before.members.map(({ nodeId, state }) => [nodeId, state]));
  const changed: NodeId[] = [];
  for (const { nodeId, state } of after.members) {
    if (states.get(nodeId) !== state) changed.push(nodeId);
    states.delete(nodeId);
  }
  return [...changed, ...states.keys()];
}

/** The versions that a client has when it has taken this. */
export const versionsIn = (message: MapMessage | MapDeltaMessage): MapVersions =>
  message.type === "MAP"
    ? { version: message.map.version, viewVersion: message.map.viewVersion }
    : { version: message.to, viewVersion: message.toView };

/** What one group of clients is pushed, all of which know the same. */
export interface Push<T> {
  readonly frame: T;
  readonly versions: MapVersions;
}

/** The push for each client by what it knows, null if it lacks nothing; each is encoded once. */
export function pushesOf<T>(
  news: MapNews,
  encode: (message: MapMessage | MapDeltaMessage) => T,
): (known: MapVersions) => Push<T> | null {
  const groups = new Map<string, Push<T> | null>();
  return (known) => {
    const name = `${known.version} ${known.viewVersion}`;
    const made = groups.get(name);
    if (made !== undefined) return made;
    const push = lacksNothing(news, known) ? null : makePush(newsFor(news, known), encode);
    groups.set(name, push);
    return push;
  };
}

const lacksNothing = ({ saved }: MapNews, known: MapVersions): boolean =>
  known.version >= saved.self.tableVersion && known.viewVersion >= saved.view.version;

function makePush<T>(
  message: MapMessage | MapDeltaMessage,
  encode: (message: MapMessage | MapDeltaMessage) => T,
): Push<T> {
  return { frame: encode(message), versions: versionsIn(message) };
}
