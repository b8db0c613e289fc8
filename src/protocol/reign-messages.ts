/** Who may rule: a coordinator asks for its term, and whether a majority still hears it. */
import type { ClusterId, NodeId, Term, Version } from "../data/ids.ts";
import type { MembersView } from "../data/members.ts";
import type { Ruling } from "../data/ruling.ts";

export type ReignMessage = Campaign | Grant | Probe | HeartbeatComplaint | ExplicitSuspicion;

/** Coordinator to every voter: from now on I speak in this term. Answered by GRANT, or refused with STALE_TERM. */
export interface Campaign {
  readonly type: "CAMPAIGN";
  readonly term: Term;
  /** What the coordinator has, so that a node need not send a view that is no news. */
  readonly viewVersion: Version;
}

/**
 * The node has saved the term, and refuses lower ones. What it knows above the coordinator's storage proves
 * that the coordinator was restored from a copy of earlier.
 */
export interface Grant {
  readonly type: "GRANT";
  readonly nodeId: NodeId;
  readonly term: Term;
  readonly viewVersion: Version;
  readonly tableVersion: Version;
  readonly partitions: readonly GrantedPartition[];
  /** Only where it is newer than the coordinator's. */
  readonly view?: MembersView;
  /** Where the node hands all it has over to another cluster: to which. */
  readonly into?: ClusterId;
}

/** The newest ruling that the node has heard, and what it is to that partition. */
export interface GrantedPartition {
  readonly ruling: Ruling;
  readonly role: "none" | "owner" | "copy" | "struck";
}

/** Coordinator to a member: are you there? Answered by HEARTBEAT. */
export interface Probe {
  readonly type: "PROBE";
}

/** A node to the coordinator: that member leaves me without an answer. Answered by DONE. */
export interface HeartbeatComplaint {
  readonly type: "HEARTBEAT_COMPLAINT";
  readonly complainerId: NodeId;
  readonly complainerViewVersion: Version;
  readonly suspectId: NodeId;
  /** Of the view in which the complainer knows the suspect. */
  readonly suspectViewVersion: Version;
}

/** The front to the coordinator: a call to that member failed. Answered by DONE. */
export interface ExplicitSuspicion {
  readonly type: "EXPLICIT_SUSPICION";
  readonly suspectId: NodeId;
  readonly reason: string;
  readonly masterViewVersion: Version;
}
