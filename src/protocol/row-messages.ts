/** Rows on their way between nodes. */
import type { Epoch, PartitionId, Seq } from "../data/ids.ts";
import type { Identity, Row } from "../data/row.ts";
import type { Ruling } from "../data/ruling.ts";

export type StreamMessage =
  MigrateData | StreamAck | PullRows | PulledRows | RowOffer | RowOfferAck;

/**
 * Item `n` of an owner's stream to one copy: scanned rows, then or instead changed rows, rows to
 * collect, or a marker. Items are taken in order of `n`; item 0 opens the stream and carries the owner's ruling.
 */
export interface MigrateData {
  readonly type: "MIGRATE_DATA";
  readonly partitionId: PartitionId;
  /** Grows from stream to stream of one owner. */
  readonly streamId: Seq;
  readonly n: number;
  readonly epoch: Epoch;
  /** Scanned rows; `mapStates` on the wire. */
  readonly chunk: readonly Row[];
  /** Changed rows; `deltaOps` on the wire. */
  readonly deltas: readonly Row[];
  /** Rows that nothing is left of: whoever holds one exactly so removes it. Husks, without their values. */
  readonly collect?: readonly Row[];
  /** The owner's change counter after these rows. */
  readonly sourceVersion: Seq;
  /** Asks for the copy's digest at this position. */
  readonly marker: boolean;
  readonly ruling?: Ruling;
}

/** Every item below `next` is durable at the copy. */
export interface StreamAck {
  readonly type: "STREAM_ACK";
  readonly partitionId: PartitionId;
  readonly streamId: Seq;
  /** `opened`: as said. `unknown`: open a new stream. `busy`: I still offer older rows, come again. */
  readonly status: "opened" | "unknown" | "busy";
  readonly next: number;
  /** The copy's change counter when it opened the stream: above an earlier one it has forgotten what it had. */
  readonly openedSeq?: Seq;
  /** The copy's ruling, where the item was refused for its epoch. */
  readonly ruling?: Ruling;
  /** Answer to a marker: 256 bucket digests, or null while the copy still computes them. */
  readonly buckets?: Uint8Array | null;
  /** The marker that `buckets` answers. */
  readonly markerN?: number;
}

/** Owner to a copy whose digest differs: what do you hold in these buckets? Answered by PULLED_ROWS. */
export interface PullRows {
  readonly type: "PULL_ROWS";
  readonly partitionId: PartitionId;
  readonly streamId: Seq;
  readonly buckets: readonly number[];
  readonly after: Identity | null;
}

export interface PulledRows {
  readonly type: "PULLED_ROWS";
  readonly partitionId: PartitionId;
  readonly streamId: Seq;
  readonly rows: readonly Row[];
  /** Where to go on; null at the end. */
  readonly after: Identity | null;
}

/** A struck node to the present owner: rows that it may lack. Answered by ROW_OFFER_ACK. */
export interface RowOffer {
  readonly type: "ROW_OFFER";
  readonly partitionId: PartitionId;
  readonly offerId: Seq;
  readonly ruling: Ruling;
  readonly rows: readonly Row[];
  /** Not all that it has: the rest it was told to be at the owner when that was its copy, and it owner since this. */
  readonly tail?: Epoch;
}

/**
 * `accepted`: the rows are as durable as any acknowledged write. `whole`: the owner was not its copy all the time, and
 * must be offered all. Else: ask the owner of `ruling`.
 */
export interface RowOfferAck {
  readonly type: "ROW_OFFER_ACK";
  readonly partitionId: PartitionId;
  readonly offerId: Seq;
  readonly accepted: boolean;
  readonly whole?: boolean;
  readonly ruling: Ruling;
}
