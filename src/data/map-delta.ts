/** What has changed between two versions of a partition map, and how a client brings its map up to date. */
import type { NodeId, Version } from "./ids.ts";
import type { PartitionMapPayload } from "./members.ts";
import { err, ok, type Result } from "./result.ts";

/** A map has two halves that change by themselves: its partitions have one version, its nodes another. */
export interface MapVersions {
  readonly version: Version;
  readonly viewVersion: Version;
}

/**
 * Everything that may have changed after `from` and `fromView`, as it is at `to` and `toView`. A partition
 * that changed twice is there once.
 */
export interface MapDelta {
  readonly from: Version;
  readonly to: Version;
  readonly fromView: Version;
  readonly toView: Version;
  readonly partitions: PartitionMapPayload["partitions"];
  readonly nodes: PartitionMapPayload["nodes"];
  readonly removedNodeIds: readonly NodeId[];
  readonly generatedAt: number;
}

/** `old`: there is nothing in it that the map lacks. `gap`: it builds on another version than the map's. */
export type DeltaRefusal = "old" | "gap";

/**
 * The map with what is newer in the delta. Whoever is told of a gap asks for the map, naming what it has.
 *
 * Partitions are brought forward from any version since `from`, for what changed after it is in the delta, too:
 * of nodes that push at different times one is always ahead. The nodes' half is not: the sender may never have
 * seen the view that the map has, and what changed there and back again is not in the delta.
 */
export function applyMapDelta(
  map: PartitionMapPayload,
  delta: MapDelta,
): Result<PartitionMapPayload, DeltaRefusal> {
  const { from, to, fromView, toView } = delta;
  const isNext = from === map.version && fromView === map.viewVersion;
  if (!isNext && to <= map.version && toView <= map.viewVersion) return err("old");
  if (from > map.version) return err("gap");
  if (toView > map.viewVersion && fromView !== map.viewVersion) return err("gap");
  const partitions = new Map(delta.partitions.map((item) => [item.partitionId, item]));
  const nodes = new Map(map.nodes.map((item) => [item.nodeId, item]));
  for (const nodeId of delta.removedNodeIds) nodes.delete(nodeId);
  // Who is known keeps its place, as in the members view.
  for (const node of delta.nodes) nodes.set(node.nodeId, node);
  const brought = {
    version: to,
    viewVersion: toView,
    partitionCount: map.partitionCount,
    nodes: [...nodes.values()],
    partitions: map.partitions.map((item) => partitions.get(item.partitionId) ?? item),
    generatedAt: delta.generatedAt,
  };
  return ok(mergeMaps(map, brought));
}

/** Each half from whichever map has the newer one: maps of several nodes, in any order, give one. */
export function mergeMaps(a: PartitionMapPayload, b: PartitionMapPayload): PartitionMapPayload {
  const { version, partitions, partitionCount } = b.version > a.version ? b : a;
  const { viewVersion, nodes } = b.viewVersion > a.viewVersion ? b : a;
  const generatedAt = Math.max(a.generatedAt, b.generatedAt);
  return { version, viewVersion, partitionCount, nodes, partitions, generatedAt };
}
