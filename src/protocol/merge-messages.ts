/**
 * Two clusters become one. Coordinators speak to each other, each under its own cluster's name; the loser's
 * nodes then speak to the winner's owners with ROW_OFFER, OP_FORWARD and FETCH_PARTITION_TABLE, in rulings of the winner.
 */
import type { ClusterId, Epoch, NodeId, PartitionId, Version } from "../data/ids.ts";
import type { MemberInfo } from "../data/members.ts";
import type { ErrorInfo } from "./errors.ts";

export type MergeMessage =
  | MergeCluster
  | MergeStarted
  | SplitBrainProbe
  | SplitBrainProbeResponse
  | MergeRequest
  | MergeResponse
  | Merged
  | Cede
  | Ceded;

/** Front to coordinator: that cluster and this one are to be one. Answered by MERGE_STARTED. */
export interface MergeCluster {
  readonly type: "MERGE_CLUSTER";
  readonly clusterId: ClusterId;
}

/** Both coordinators have saved it. */
export interface MergeStarted {
  readonly type: "MERGE_STARTED";
  readonly winner: ClusterId;
  readonly loser: ClusterId;
}

/** The operator's word, and by what the sender is judged. Whoever loses begins. */
export interface SplitBrainProbe {
  readonly type: "SPLIT_BRAIN_PROBE";
  /** Who is meant: a coordinator of which nobody has asked for a cluster yet has no name. */
  readonly receiverClusterId: ClusterId;
  readonly senderClusterId: ClusterId;
  readonly senderMasterId: NodeId | null;
  /** Active ones. */
  readonly senderMemberCount: number;
  readonly senderViewVersion: Version;
  readonly senderMasterJoinVersion: Version | null;
  readonly partitionCount: number;
  /** It has saved that it takes the other in. */
  readonly takesIn?: true;
}

/** `error`: the two cannot be merged, or not now. */
export interface SplitBrainProbeResponse {
  readonly type: "SPLIT_BRAIN_PROBE_RESPONSE";
  readonly responderClusterId: ClusterId;
  readonly responderMasterId: NodeId | null;
  readonly responderMemberCount: number;
  readonly responderViewVersion: Version;
  readonly responderMasterJoinVersion: Version | null;
  readonly partitionCount: number;
  readonly error?: ErrorInfo;
  /** It has saved that it takes the other in. */
  readonly takesIn?: true;
}

/** Loser to winner, repeated until it is answered: take me in. Answered by MERGE_RESPONSE. */
export interface MergeRequest {
  readonly type: "MERGE_REQUEST";
  readonly sourceClusterId: ClusterId;
  readonly sourceMembers: readonly MemberInfo[];
  /** Made for this request: names it. */
  readonly sourceViewVersion: Version;
  readonly partitionCount: number;
  /** Clusters that the loser has taken in itself. */
  readonly taken: readonly ClusterId[];
}

/** Accepted: saved by the winner, which takes the loser's rows and operations from now on. */
export interface MergeResponse {
  readonly type: "MERGE_RESPONSE";
  readonly responderClusterId: ClusterId;
  /** Of the request. */
  readonly sourceViewVersion: Version;
  readonly accepted: boolean;
  readonly error?: ErrorInfo;
}

/** Loser to winner: you have every row of mine. Answered by the same. */
export interface Merged {
  readonly type: "MERGED";
  readonly sourceClusterId: ClusterId;
}

/** The loser's coordinator to its nodes: offer all rows to that cluster's owners. Answered by CEDED. */
export interface Cede {
  readonly type: "CEDE";
  readonly into: ClusterId;
  /** Nobody holds any row any more: clients must go there. */
  readonly over: boolean;
}

/** Nothing is held here any more of these partitions. Also said unasked, when it is the last of them. */
export interface Ceded {
  readonly type: "CEDED";
  readonly nodeId: NodeId;
  /** This node sends its clients away. */
  readonly over: boolean;
  /** With the highest epoch that the node has stored for each. */
  readonly partitions: readonly { readonly partitionId: PartitionId; readonly epoch: Epoch }[];
}
