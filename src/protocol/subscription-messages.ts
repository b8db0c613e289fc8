/** Live subscriptions: what clients ask of a node, and how the nodes between them hear of changed rows. */
import type { DigestKey } from "../data/digest.ts";
import type { Epoch, PartitionId, Seq } from "../data/ids.ts";
import type { Identity, Row } from "../data/row.ts";
import type { Ruling } from "../data/ruling.ts";
import type { Filter } from "./filter.ts";

/** Which rows of a map. */
export interface Query {
  readonly map: string;
  /** Keys that start with this; left out: all. */
  readonly prefix?: string;
  /** These keys only. */
  readonly keys?: readonly string[];
  /** Entries whose value fits. */
  readonly filter?: Filter;
}

/** Everything of one owner's stream up to here. Positions of different owners (`since`) are never compared. */
export interface Position {
  readonly since: Epoch;
  readonly seq: Seq;
}

export interface PartPosition extends Position {
  readonly partitionId: PartitionId;
}

/** Of `count` equal slices of the identities of a map in a partition (a power of two up to 1,024), these. */
export interface Buckets {
  readonly count: number;
  readonly which: readonly number[];
}

// ------------------------------------------------------------------ from a client

/** Answered by CHANGES until it is complete, then SYNCED, then CHANGES for as long as the socket is open. */
export interface Subscribe extends Query {
  readonly type: "SUBSCRIBE";
  readonly seq: number;
  /** The client's own number for it. */
  readonly id: number;
  /** What the client has; of a partition that is not listed: nothing. */
  readonly positions: readonly PartPosition[];
  readonly received?: number;
}

export interface Unsubscribe {
  readonly type: "UNSUBSCRIBE";
  readonly id: number;
  readonly received?: number;
}

/** Answers WANT_DIGESTS, in one frame or several. */
export interface Digests {
  readonly type: "DIGESTS";
  readonly seq: number;
  readonly id: number;
  readonly parts: readonly PartDigest[];
  readonly received?: number;
}

export interface PartDigest {
  readonly partitionId: PartitionId;
  /** 6 bytes for each bucket; their number is a power of two up to 1,024. */
  readonly buckets: Uint8Array;
}

// ------------------------------------------------------------------ to a client

export interface Changes {
  readonly type: "CHANGES";
  readonly id: number;
  readonly parts: readonly ChangedPart[];
}

export interface ChangedPart {
  readonly partitionId: PartitionId;
  /** What the client has when it has taken this; null: more is to come before it has all up to a position. */
  readonly position: Position | null;
  /** What it has in these buckets it forgets, before it takes the rows. */
  readonly replaces: Buckets | null;
  /** A value of null: deleted, or not in the subscription any more. */
  readonly rows: readonly ChangedRow[];
}

/** Of the map that was subscribed to. */
export type ChangedRow = Omit<Row, "map">;

/** All partitions are up to date. */
export interface Synced {
  readonly type: "SYNCED";
  readonly id: number;
}

/** These partitions have had another owner: what of them does the client have? */
export interface WantDigests {
  readonly type: "WANT_DIGESTS";
  readonly id: number;
  /** The digests are to be made with this. */
  readonly salt: DigestKey;
  readonly partitionIds: readonly PartitionId[];
}

/** The node knows nothing of this socket's subscriptions any more: SUBSCRIBE again, with the positions. */
export interface Resync {
  readonly type: "RESYNC";
}

// ------------------------------------------------------------------ between nodes

export type SubscriptionMessage =
  Interest | Interested | RowsChanged | RowsHeard | FetchRows | FetchedRows;

/** To the owner of these partitions: tell me of every change of this map. Answered by INTERESTED. */
export interface Interest {
  readonly type: "INTEREST";
  /** The asker's own number for the question. */
  readonly n: Seq;
  readonly map: string;
  readonly partitionIds: readonly PartitionId[];
}

export interface Interested {
  readonly type: "INTERESTED";
  /** Of the question that this answers. */
  readonly n: Seq;
  readonly map: string;
  /** From where on it is told. */
  readonly positions: readonly PartPosition[];
  readonly notOwned: readonly Ruling[];
}

/** One at a time to each node. Answered by ROWS_HEARD. */
export interface RowsChanged {
  readonly type: "ROWS_CHANGED";
  readonly n: Seq;
  /** The owner has forgotten who is interested in what. */
  readonly again: boolean;
  readonly parts: readonly FeedPart[];
}

/** All that has changed above `from` up to `to`. */
export interface FeedPart {
  readonly map: string;
  readonly partitionId: PartitionId;
  readonly since: Epoch;
  readonly from: Seq;
  readonly to: Seq;
  readonly rows: readonly Row[];
}

export interface RowsHeard {
  readonly type: "ROWS_HEARD";
  readonly n: Seq;
  /** To anything at all. */
  readonly listens: boolean;
  /** Nobody there is interested. */
  readonly unwanted: readonly { readonly map: string; readonly partitionId: PartitionId }[];
}

/** Rows for one subscription, from the owner of these partitions. Answered by FETCHED_ROWS. */
export interface FetchRows {
  readonly type: "FETCH_ROWS";
  readonly fetchId: Seq;
  readonly query: Query;
  readonly reads: readonly PartRead[];
}

export interface PartRead {
  readonly partitionId: PartitionId;
  /** Go on behind this row. */
  readonly after: Identity | null;
  readonly want: Want;
}

export type Want =
  /** What has changed since. */
  | ({ readonly type: "changes" } & Position)
  /** What there is in these buckets. */
  | ({ readonly type: "rows" } & Buckets)
  /** The sum of it in each of so many. */
  | { readonly type: "digest"; readonly count: number; readonly salt: DigestKey };

export interface FetchedRows {
  readonly type: "FETCHED_ROWS";
  readonly fetchId: Seq;
  /** In order; ends early where there is much. */
  readonly pages: readonly FetchedPage[];
  readonly notOwned: readonly Ruling[];
}

export interface FetchedPage extends PartPosition {
  /** Ask on from here; null: that was all. */
  readonly after: Identity | null;
  readonly rows: readonly Row[];
  readonly digest?: Uint8Array;
  /** That position is not known here, or what was deleted since may be forgotten. */
  readonly stale?: boolean;
}
