/** What this isolate knows of each cluster: who owns what, and who the members are. */
import type { ClusterId } from "../data/ids.ts";
import type { Ruling } from "../data/ruling.ts";
import type { ClusterState } from "../core/placement/changes.ts";
import { ClusterPartitionTable } from "../core/placement/table.ts";
import type { PartitionTableUpdate } from "../protocol/cluster-messages.ts";

export type Known = ClusterState;

/** Clusters remembered; the one not used for longest is forgotten. */
const CLUSTERS_MAX = 64;

const clusters = new Map<ClusterId, Known>();

export function recall(clusterId: ClusterId): Known | null {
  const known = clusters.get(clusterId);
  if (!known) return null;
  remember(clusterId, known);
  return known;
}

/** The coordinator's whole table: what is known already and newer stays. */
export function learnTable(clusterId: ClusterId, update: PartitionTableUpdate): Known | null {
  const { view, assignments, version, partitionCount } = update;
  if (!view) return null;
  const before = clusters.get(clusterId);
  // Another number of partitions is another cluster under the same name.
  const same = before?.table.partitionCount === partitionCount ? before : null;
  const table = same?.table ?? ClusterPartitionTable.empty(partitionCount);
  return remember(clusterId, {
    table: table.applyAssignments(assignments, version),
    view: same && same.view.version > view.version ? same.view : view,
  });
}

/** False if it was known already. */
export function learnRuling(clusterId: ClusterId, ruling: Ruling): boolean {
  const known = clusters.get(clusterId);
  if (!known) return false;
  const table = known.table.applyAssignments([ruling], known.table.version);
  if (table === known.table) return false;
  remember(clusterId, { ...known, table });
  return true;
}

/** What has become of clusters that were merged: they answer to those names for ever. */
const merged = new Map<ClusterId, ClusterId>();

export const learnMerged = (clusterId: ClusterId, into: ClusterId): void => {
  merged.set(clusterId, into);
  clusters.delete(clusterId);
};

/** Itself, or what it is a part of by now. */
export function presentName(clusterId: ClusterId): ClusterId {
  const seen = new Set<ClusterId>();
  let name = clusterId;
  for (
    let into = merged.get(name);
    into !== undefined && !seen.has(into);
    into = merged.get(name)
  ) {
    seen.add(name);
    name = into;
  }
  return name;
}

function remember(clusterId: ClusterId, known: Known): Known {
  clusters.delete(clusterId);
  clusters.set(clusterId, known);
  const [oldest] = clusters.keys();
  if (clusters.size > CLUSTERS_MAX && oldest !== undefined) clusters.delete(oldest);
  return known;
}
