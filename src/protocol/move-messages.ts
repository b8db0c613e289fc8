/** The steps of a move, as the coordinator and its two nodes speak of them. */
import type { Epoch, MigrationId, NodeId, PartitionId } from "../data/ids.ts";
import type { Ruling } from "../data/ruling.ts";

export type MoveMessage =
  | MigrateStart
  | Complete
  | MigrateReady
  | MigrateFinalize
  | MigrateCancel
  | StrikeCopy
  | Strike
  | Heard
  | Dropped;

/** To be owner, or to stay a copy. */
export type MovePurpose = "move" | "backup";

/**
 * Coordinator to owner, under this ruling: make that node a complete copy; for a move, then close. Answered by
 * HEARD.
 */
export interface MigrateStart {
  readonly type: "MIGRATE_START";
  readonly migrationId: MigrationId;
  readonly partitionId: PartitionId;
  readonly destinationNodeId: NodeId;
  readonly purpose: MovePurpose;
  readonly ruling: Ruling;
}

/** Owner to coordinator, asked at `epoch`: this copy's digest was equal to mine. Answered by RULING. */
export interface Complete {
  readonly type: "COMPLETE";
  readonly migrationId: MigrationId;
  readonly partitionId: PartitionId;
  readonly nodeId: NodeId;
  readonly epoch: Epoch;
  readonly digest: string;
  readonly rows: number;
  readonly bytes: number;
}

/** Owner to coordinator, asked at `epoch`: every copy that stays is equal; writes wait for them. */
export interface MigrateReady {
  readonly type: "MIGRATE_READY";
  readonly migrationId: MigrationId;
  readonly partitionId: PartitionId;
  readonly sourceNodeId: NodeId;
  readonly epoch: Epoch;
  readonly digest: string;
}

/** Coordinator to source and target: the owner has changed. Answered by HEARD. */
export interface MigrateFinalize {
  readonly type: "MIGRATE_FINALIZE";
  readonly migrationId: MigrationId;
  readonly partitionId: PartitionId;
  readonly newOwner: NodeId;
  readonly ruling: Ruling;
}

/** From the coordinator, unasked or to whoever asks about it: it is over, by the ruling or before. Answered by HEARD. */
export interface MigrateCancel {
  readonly type: "MIGRATE_CANCEL";
  readonly migrationId: MigrationId;
  readonly partitionId: PartitionId;
  readonly reason: string;
  readonly epoch: Epoch;
  readonly ruling?: Ruling;
}

/** Owner to coordinator, asked at `epoch`: free me from this copy, and from the move to it. Answered by RULING. */
export interface StrikeCopy {
  readonly type: "STRIKE_COPY";
  readonly partitionId: PartitionId;
  readonly nodeId: NodeId;
  readonly epoch: Epoch;
  readonly reason: string;
}

/** Coordinator to a node that is no copy any more: offer what the owner lacks, drop, say DROPPED. */
export interface Strike {
  readonly type: "STRIKE";
  readonly ruling: Ruling;
}

/** The highest epoch that `nodeId` has stored for the partition. */
export interface Heard {
  readonly type: "HEARD";
  readonly partitionId: PartitionId;
  readonly nodeId: NodeId;
  readonly epoch: Epoch;
  /** Of the MIGRATE_START that this answers, if what it asks for is under way. */
  readonly migrationId?: MigrationId;
}

/** Also the answer to a STRIKE of what is already gone. Answered by DONE. */
export interface Dropped {
  readonly type: "DROPPED";
  readonly partitionId: PartitionId;
  readonly nodeId: NodeId;
  readonly epoch: Epoch;
}
