/** Which of two clusters takes the other in. Each side may ask, and both must come to the same answer. */
import type { ClusterId, NodeId, Version } from "../../data/ids.ts";
import { masterOf, type MembersView } from "../../data/members.ts";

/** What counts of a cluster. */
export interface Side {
  readonly clusterId: ClusterId;
  readonly activeMembers: number;
  /** Null where nobody is active. */
  readonly masterId: NodeId | null;
  readonly masterJoinVersion: Version | null;
}

export function sideOf(clusterId: ClusterId, view: MembersView): Side {
  const masterId = masterOf(view);
  const master = view.members.find(({ nodeId }) => nodeId === masterId);
  const activeMembers = view.members.filter(({ state }) => state === "active").length;
  return { clusterId, activeMembers, masterId, masterJoinVersion: master?.joinVersion ?? null };
}

/**
 * More active members, then the lower join version of the master, then its lower id. Ids of nodes are unique
 * only within a cluster, so all of that may be equal: then the lower cluster id, which never is.
 */
export function winnerOf(a: Side, b: Side): ClusterId {
  const order =
    b.activeMembers - a.activeMembers ||
    compare(a.masterJoinVersion ?? 0, b.masterJoinVersion ?? 0) ||
    compare(a.masterId ?? "", b.masterId ?? "") ||
    compare(a.clusterId, b.clusterId);
  return order < 0 ? a.clusterId : b.clusterId;
}

/** By code units: what a locale makes of two names would not be the same everywhere. */
function compare<T extends string | number>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
