/** What became of a cluster between two versions of what is known of it. */
import type { NodeId, PartitionId } from "../../data/ids.ts";
import type { MemberInfo, MembersView } from "../../data/members.ts";
import type { ClusterPartitionTable } from "./table.ts";

/** Who the members are, and who of them owns what. */
export interface ClusterState {
  readonly view: MembersView;
  readonly table: ClusterPartitionTable;
}

export type ClusterChange =
  | { readonly type: "member-added" | "member-updated"; readonly member: MemberInfo }
  | { readonly type: "member-removed"; readonly nodeId: NodeId }
  | {
      readonly type: "owner-changed";
      readonly partitionId: PartitionId;
      readonly from: NodeId | null;
      readonly to: NodeId | null;
    };

/** Members first, in the order of the views; then partitions by id. Two equal versions have none. */
export function changesBetween(
  before: ClusterState,
  after: ClusterState,
): readonly ClusterChange[] {
  return [...memberChanges(before.view, after.view), ...ownerChanges(before.table, after.table)];
}

function memberChanges(before: MembersView, after: MembersView): ClusterChange[] {
  const known = new Map(before.members.map((member) => [member.nodeId, member]));
  const changes: ClusterChange[] = [];
  for (const member of after.members) {
    const was = known.get(member.nodeId);
    known.delete(member.nodeId);
    if (!was) changes.push({ type: "member-added", member });
    else if (differ(was, member)) changes.push({ type: "member-updated", member });
  }
  const gone = [...known.keys()].map((nodeId) => ({ type: "member-removed", nodeId }) as const);
  return [...changes, ...gone];
}

const differ = (a: MemberInfo, b: MemberInfo): boolean =>
  a.state !== b.state ||
  a.incarnation !== b.incarnation ||
  a.joinVersion !== b.joinVersion ||
  a.host !== b.host ||
  a.region !== b.region ||
  a.weight !== b.weight;

function ownerChanges(before: ClusterPartitionTable, after: ClusterPartitionTable) {
  return after.rulings().flatMap(({ partitionId, owner: to }): ClusterChange[] => {
    const from = partitionId < before.partitionCount ? before.get(partitionId).owner : null;
    return from === to ? [] : [{ type: "owner-changed", partitionId, from, to }];
  });
}
