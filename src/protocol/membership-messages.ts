/** Joining, leaving, and what every member knows. */
import type { DigestKey } from "../data/digest.ts";
import type { ClusterId, Incarnation, NodeId, PartitionId, Version } from "../data/ids.ts";
import type { MembersView } from "../data/members.ts";
import type { Ruling } from "../data/ruling.ts";

export type MembershipMessage =
  Invite | JoinRequest | JoinResponse | MembersUpdate | LeaveRequest | Heartbeat;

/** Coordinator to an object that shall become a node: ask me to join under this id. */
export interface Invite {
  readonly type: "INVITE";
  readonly clusterId: ClusterId;
  readonly nodeId: NodeId;
  readonly region: string;
  readonly weight: number;
}

export interface JoinRequest {
  readonly type: "JOIN_REQUEST";
  readonly nodeId: NodeId;
  /** The object's own unique id: what tells two claimants of one node id apart. */
  readonly host: string;
  /** Always 0: objects have no ports. */
  readonly clientPort: number;
  readonly clusterPort: number;
  readonly clusterId: ClusterId;
  readonly protocolVersion: number;
  readonly authToken?: string;
  readonly incarnation: Incarnation;
}

export type JoinReject =
  | "AUTH_FAILED"
  | "WRONG_CLUSTER_ID"
  | "PROTOCOL_VERSION_MISMATCH"
  | "CLUSTER_FULL"
  | "NODE_ID_USED"
  | "NOT_LEADING";

export interface JoinResponse {
  readonly type: "JOIN_RESPONSE";
  readonly accepted: boolean;
  readonly rejectReason?: JoinReject;
  readonly membersView?: MembersView;
  readonly partitionAssignments?: readonly Ruling[];
  readonly tableVersion?: Version;
  readonly partitionCount?: number;
  readonly digestKey?: DigestKey;
}

/** Answered by the member's HEARTBEAT. */
export interface MembersUpdate {
  readonly type: "MEMBERS_UPDATE";
  readonly view: MembersView;
  readonly clusterTimeMs: number;
}

/** Front to coordinator: this member is to hand everything over and go. */
export interface LeaveRequest {
  readonly type: "LEAVE_REQUEST";
  readonly nodeId: NodeId;
  readonly reason?: string;
  /** It is lost for good: it is left out of everything, and what it alone held is given up. */
  readonly force?: boolean;
}

/** What a member knows, said every `heartbeatMs` while it works; also its answer to PROBE and to updates. */
export interface Heartbeat {
  readonly type: "HEARTBEAT";
  readonly senderId: NodeId;
  readonly timestampMs: number;
  readonly incarnation: Incarnation;
  readonly membersViewVersion: Version;
  readonly tableVersion: Version;
  /** Grows with every heartbeat of this node, over restarts too. */
  readonly beat: number;
  /** It has nothing to do and says no more until it has: its silence means nothing. */
  readonly dormant: boolean;
  readonly suspectedNodes: readonly NodeId[];
  readonly importing: readonly PartitionId[];
  readonly migrating: readonly PartitionId[];
}
