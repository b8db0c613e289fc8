/** What operators ask of the coordinator, by way of the front. */
import type {
  ClusterId,
  Epoch,
  MigrationId,
  NodeId,
  PartitionId,
  Term,
  Version,
} from "../data/ids.ts";
import type { MembersView, NodeState } from "../data/members.ts";
import type { ErrorInfo } from "./errors.ts";
import type { MovePurpose } from "./move-messages.ts";

export type OperatorMessage =
  | AddNodes
  | NodesAdded
  | DrainNode
  | MovePartition
  | CancelMove
  | ClaimPartition
  | Rebalance
  | Planned
  | FetchCluster
  | ClusterReport
  | FetchMigrations
  | MigrationsReport
  | FetchNodeStatus
  | NodeStatusReport;

/** Answered by NODES_ADDED. An `id` goes with a `count` of 1. */
export interface AddNodes {
  readonly type: "ADD_NODES";
  readonly count: number;
  readonly nodeId?: NodeId;
  readonly region: string;
  readonly weight: number;
}

export interface PlannedMove {
  readonly partitionId: PartitionId;
  readonly source: NodeId;
  readonly target: NodeId;
}

export interface NodesAdded {
  readonly type: "NODES_ADDED";
  readonly nodes: readonly NodeId[];
  readonly plan: readonly PlannedMove[];
}

/** Hand everything over, stay a member. Answered by PLANNED. */
export interface DrainNode {
  readonly type: "DRAIN_NODE";
  readonly nodeId: NodeId;
}

/** Answered by PLANNED. */
export interface MovePartition {
  readonly type: "MOVE_PARTITION";
  readonly partitionId: PartitionId;
  readonly to: NodeId;
}

/** Answered by PLANNED. */
export interface CancelMove {
  readonly type: "CANCEL_MOVE";
  readonly partitionId: PartitionId;
}

/** This node owns it now, whatever is lost with the owner before; asked at `epoch`. Answered by PLANNED. */
export interface ClaimPartition {
  readonly type: "CLAIM_PARTITION";
  readonly partitionId: PartitionId;
  readonly nodeId: NodeId;
  readonly epoch: Epoch;
}

/** Answered by PLANNED. */
export interface Rebalance {
  readonly type: "REBALANCE";
}

export interface Planned {
  readonly type: "PLANNED";
  readonly plan: readonly PlannedMove[];
}

export interface FetchCluster {
  readonly type: "FETCH_CLUSTER";
}

export interface ClusterReport {
  readonly type: "CLUSTER_REPORT";
  readonly term: Term;
  /** This activation has persisted its own term. */
  readonly leading: boolean;
  /** A majority of the voters has answered it lately, or has not; null where nobody has been asked. */
  readonly quorum: boolean | null;
  readonly view: MembersView;
  readonly tableVersion: Version;
  readonly partitionCount: number;
  readonly masterNodeId: NodeId | null;
  readonly members: readonly MemberReport[];
  readonly migrations: {
    readonly running: number;
    readonly queued: number;
    readonly completed: number;
    readonly failed: number;
  };
  /** With whom it becomes one at this time. */
  readonly merge?: MergeReport;
}

export interface MergeReport {
  readonly winner: ClusterId;
  readonly loser: ClusterId;
  /**
   * `asking`: the loser has asked the winner. `ceding`: rows are offered. `merged`: all are there. `failed`: the loser
   * was refused, or has asked in vain, and goes on as before.
   */
  readonly phase: "asking" | "ceding" | "merged" | "failed";
  /** Partitions of the loser that it still holds rows of; null at the winner, which does not know. */
  readonly left: number | null;
  /** Of what failed. */
  readonly error?: ErrorInfo;
}

export interface MemberReport {
  readonly nodeId: NodeId;
  readonly state: NodeState;
  readonly owned: number;
  readonly backup: number;
  readonly importing: readonly PartitionId[];
  readonly migrating: readonly PartitionId[];
  /** Not heard from for longer than `idleAfterMs`. */
  readonly dormant: boolean;
}

export interface FetchMigrations {
  readonly type: "FETCH_MIGRATIONS";
}

/** `ready` is known to the source alone: the coordinator has either heard so and switched, or not. */
export type MigrationPhase = "replicating" | "ready" | "finalizing" | "failed";

export interface MigrationReport {
  readonly migrationId: MigrationId | null;
  readonly purpose: MovePurpose;
  readonly partitionId: PartitionId;
  readonly source: NodeId;
  readonly target: NodeId;
  readonly epoch: Epoch;
  readonly phase: "queued" | Exclude<MigrationPhase, "ready"> | "completed";
  readonly attempt: number;
  readonly startedAtMs: number | null;
  readonly durationMs: number | null;
  readonly rows: number | null;
  readonly bytes: number | null;
  /** The digest at which source and target were equal: the finished move's certificate. */
  readonly digest: string | null;
  readonly outcome: "completed" | "cancelled" | "failed" | null;
  readonly reason: string | null;
}

export interface MigrationsReport {
  readonly type: "MIGRATIONS_REPORT";
  readonly running: readonly MigrationReport[];
  readonly queued: readonly MigrationReport[];
  readonly finished: readonly MigrationReport[];
}

export interface FetchNodeStatus {
  readonly type: "FETCH_NODE_STATUS";
}

/** Figures of one node, computed when asked. */
export interface NodeStatusReport {
  readonly type: "NODE_STATUS_REPORT";
  readonly nodeId: NodeId;
  readonly rows: number;
  /** Size of the object's database. */
  readonly bytes: number;
  readonly opsPerSecond: number;
  /** Counted since the object was last started, for tests and the bill. */
  readonly rowsWritten: number;
}
