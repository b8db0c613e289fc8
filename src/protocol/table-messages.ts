/** Who owns what: the partition table and single rulings. */
import type { Epoch, MigrationId, PartitionId, Version } from "../data/ids.ts";
import type { MembersView } from "../data/members.ts";
import type { Ruling } from "../data/ruling.ts";

export type TableMessage =
  PartitionTableUpdate | FetchPartitionTable | AskRuling | RulingMessage | Confirm | Confirmed;

/** All rulings that changed since `baseVersion`; 0 means the whole table. */
export interface PartitionTableUpdate {
  readonly type: "PARTITION_TABLE_UPDATE";
  readonly assignments: readonly Ruling[];
  readonly version: Version;
  readonly baseVersion: Version;
  readonly partitionCount: number;
  readonly completedMigrations: readonly MigrationId[];
  /** Only in an answer to FETCH_PARTITION_TABLE: who the owners are. */
  readonly view?: MembersView;
}

/** Answered by PARTITION_TABLE_UPDATE. */
export interface FetchPartitionTable {
  readonly type: "FETCH_PARTITION_TABLE";
}

/** What stands for this partition? Answered by RULING. */
export interface AskRuling {
  readonly type: "ASK_RULING";
  readonly partitionId: PartitionId;
}

export interface RulingMessage {
  readonly type: "RULING";
  readonly ruling: Ruling;
}

/** An owner: is this the ruling that stands? Answered by CONFIRMED, or by the RULING that stands instead. */
export interface Confirm {
  readonly type: "CONFIRM";
  readonly partitionId: PartitionId;
  readonly epoch: Epoch;
}

export interface Confirmed {
  readonly type: "CONFIRMED";
  readonly partitionId: PartitionId;
  readonly epoch: Epoch;
  /** Nobody but the owner and its complete copies holds any of it. */
  readonly sole: boolean;
}
