/** The members of a cluster as the coordinator sees them, and as clients are told. */
import type { ClusterId, Incarnation, NodeId, PartitionId, Version } from "./ids.ts";

/** joining → active → suspect → dead → removed; active → leaving → removed; suspect → active. */
export type NodeState = "joining" | "active" | "suspect" | "leaving" | "dead" | "removed";

/** What a client is told of a node's state. */
export type NodeStatus = "JOINING" | "ACTIVE" | "SUSPECTED" | "LEAVING" | "FAILED";

/** One node as the coordinator sees it. */
export interface MemberInfo {
  readonly nodeId: NodeId;
  /** Id of the node's Durable Object: the address at which it is called. Empty until it has asked to join. */
  readonly host: string;
  /** Always 0: objects have no ports. The field is part of the protocol. */
  readonly clientPort: number;
  /** Always 0, like `clientPort`. */
  readonly clusterPort: number;
  /** Where the object lives; backups are kept in another one when there is one. */
  readonly region: string;
  /** Share of the partitions relative to the other members; more than 0. */
  readonly weight: number;
  readonly state: NodeState;
  /** Version of the members view that first listed this join; the lowest makes the master. */
  readonly joinVersion: Version;
  readonly incarnation: Incarnation;
}

/** All members, as agreed. Only a leading coordinator makes a new version. */
export interface MembersView {
  readonly version: Version;
  readonly members: readonly MemberInfo[];
  /** Clusters that were merged into this one, or are being so: it answers to their names, and takes their rows. */
  readonly taken?: readonly ClusterId[];
  /** Members that hand everything over and stay: nobody makes them a backup. */
  readonly draining?: readonly NodeId[];
}

/** What clients and fronts route by. */
export interface PartitionMapPayload {
  /** Of the partitions. */
  readonly version: Version;
  /** Of the nodes. */
  readonly viewVersion: Version;
  readonly partitionCount: number;
  readonly nodes: readonly {
    readonly nodeId: NodeId;
    /** Relative to the origin that served the map; whoever connects adds the cluster's name. */
    readonly endpoints: { readonly websocket: string };
    readonly status: NodeStatus;
  }[];
  readonly partitions: readonly {
    readonly partitionId: PartitionId;
    /** Null while nobody owns the partition. */
    readonly ownerNodeId: NodeId | null;
    readonly backupNodeIds: readonly NodeId[];
  }[];
  /** Milliseconds since 1970 on the clock of whoever made the map. */
  readonly generatedAt: number;
}

/** The active member with the lowest (join version, node id); null if none is active. */
export function masterOf(view: MembersView): NodeId | null {
  let master: MemberInfo | null = null;
  for (const member of view.members) {
    if (member.state !== "active") continue;
    if (master === null || precedes(member, master)) master = member;
  }
  return master?.nodeId ?? null;
}

export const isMaster = (view: MembersView, nodeId: NodeId): boolean => masterOf(view) === nodeId;

const precedes = (a: MemberInfo, b: MemberInfo): boolean =>
  a.joinVersion < b.joinVersion || (a.joinVersion === b.joinVersion && a.nodeId < b.nodeId);
