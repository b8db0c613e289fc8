/**
 * What the parts of a cluster promise to whoever uses them, in the words of the protocol. The parts are
 * named where they say `implements`; `FailureDetector` stands beside its two in `core/detector`.
 *
 * Nothing here is a channel or a listener. Changes are data: a machine returns them as effects, and
 * whoever wants to know compares two versions (`changesBetween`).
 */
import type { NodeId, PartitionId, Version } from "../data/ids.ts";
import type { MembersView, PartitionMapPayload } from "../data/members.ts";
import type { Result } from "../data/result.ts";
import type { Ruling } from "../data/ruling.ts";
import type { ErrorInfo } from "./errors.ts";
import type {
  AddNodes,
  ClusterReport,
  MigrationsReport,
  NodesAdded,
  PlannedMove,
} from "./operator-messages.ts";

/** From another object: it may fail, and says with which error and whether to ask again. */
type Answered<T> = Promise<Result<T, ErrorInfo>>;

/** The coordinator's view of itself, its members and its moves. */
export type ClusterHealth = Omit<ClusterReport, "type">;

/** What then moves, by itself. */
type Plan = readonly PlannedMove[];

/** One cluster as a whole. */
export interface ClusterService extends MembershipService, MigrationService {
  health(): Answered<ClusterHealth>;
  /** Who owns what, for clients. */
  partitionMap(): Answered<PartitionMapPayload>;
}

/** Who belongs to it. */
export interface MembershipService {
  members(): Answered<MembersView>;
  /** The active member that joined first; null while none is active. */
  master(): Answered<NodeId | null>;
  isMaster(nodeId: NodeId): Answered<boolean>;
  join(nodes: Omit<AddNodes, "type">): Answered<Omit<NodesAdded, "type">>;
  /** Hands everything over, then goes. */
  leave(nodeId: NodeId): Answered<Plan>;
  /** Hands everything over and stays. */
  drain(nodeId: NodeId): Answered<Plan>;
}

/** Which node has what, as far as it was heard: a value, which newer rulings make another of. */
export interface ClusterPartitionService {
  readonly version: Version;
  readonly partitionCount: number;
  get(partitionId: PartitionId): Ruling;
  ownerOf(key: string): NodeId | null;
  /** `backup`: complete copies. */
  partitionsForNode(nodeId: NodeId): {
    readonly owned: readonly PartitionId[];
    readonly backup: readonly PartitionId[];
  };
  applyAssignments(rulings: readonly Ruling[], version: Version): ClusterPartitionService;
}

/** What moves. */
export interface MigrationService {
  migrations(): Answered<Omit<MigrationsReport, "type">>;
  move(partitionId: PartitionId, to: NodeId): Answered<Plan>;
  /** Running or queued; not once it is decided. */
  cancel(partitionId: PartitionId): Answered<Plan>;
  rebalance(): Answered<Plan>;
}
