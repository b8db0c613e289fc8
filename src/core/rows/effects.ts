/**
 * Effects on a node's own rows and the events that answer them, carried out by `RowTables` inside the
 * transaction of the event that asked. `tag` comes back untouched: it is the asker's note to itself.
 */
import type { PartitionId, Seq } from "../../data/ids.ts";
import type { Stamp } from "../../data/hlc.ts";
import type { Identity, Row } from "../../data/row.ts";
import type { FetchEffect, RowsFound } from "./fetch.ts";
import type { JournalRead, ReadJournalEffect } from "./journal.ts";
import type { Look, Seen } from "./looks.ts";

export type RowEffect<Tag> =
  | MergeEffect<Tag>
  | ReadEffect<Tag>
  | ListEffect<Tag>
  | LookEffect<Tag>
  | ScanEffect<Tag>
  | FetchEffect<Tag>
  | ReadJournalEffect<Tag>
  | DigestEffect<Tag>
  | CountEffect<Tag>
  | FindGoneEffect<Tag>
  | CollectEffect<Tag>
  | ForgetEffect
  | DropEffect;

export type RowEvent<Tag> =
  | { readonly type: "merged"; readonly batches: readonly MergedBatch[]; readonly tag: Tag }
  | { readonly type: "rows-read"; readonly batches: readonly ReadBatch[]; readonly tag: Tag }
  | { readonly type: "listed"; readonly lists: readonly Listed[]; readonly tag: Tag }
  | { readonly type: "looked"; readonly batches: readonly SeenBatch[]; readonly tag: Tag }
  | ({ readonly type: "scanned"; readonly tag: Tag } & Scanned)
  | { readonly type: "fetched"; readonly found: readonly RowsFound[]; readonly tag: Tag }
  | ({ readonly type: "journal-read"; readonly tag: Tag } & JournalRead)
  /** 256 bucket digests of all rows of the partition; null: not yet, ask again. */
  | { readonly type: "digested"; readonly buckets: Uint8Array | null; readonly tag: Tag }
  | ({ readonly type: "found-gone"; readonly tag: Tag } & FoundGone)
  /** Of those rows, the ones that stood exactly so and are removed. */
  | { readonly type: "collected"; readonly rows: readonly Row[]; readonly tag: Tag }
  | {
      readonly type: "counted";
      readonly rows: number;
      /** Size of the database, and rows written since the store was opened. */
      readonly bytes: number;
      readonly rowsWritten: number;
      readonly tag: Tag;
    };

/** Merge these rows into the partitions' tables by `mergeRows`; row i of a batch gets seq + i. */
interface MergeEffect<Tag> {
  readonly type: "merge";
  readonly batches: readonly MergeBatch[];
  readonly tag: Tag;
}

export interface MergeBatch {
  readonly partitionId: PartitionId;
  /** An identity may occur more than once; later ones merge onto earlier ones. */
  readonly rows: readonly Row[];
  readonly seq: Seq;
  /** Keep a digest from the start if this is the table's first row: a copy will be asked for it. */
  readonly digest?: boolean;
  /** Nothing is expected to stand under most of them. */
  readonly fresh?: boolean;
}

export interface MergedBatch {
  readonly partitionId: PartitionId;
  /**
   * Per row of the batch: did it change the table, and which stamp stands now? `changed` is false for
   * an equal row, whose stamp then is the standing one, and for a row that lost. `tied`: another row had the very
   * same stamp, whichever of them stands now.
   */
  readonly outcomes: readonly {
    readonly changed: boolean;
    readonly tied: boolean;
    readonly stamp: Stamp;
  }[];
  /** The change counter of its last row. */
  readonly upTo: Seq;
}

export interface ReadEffect<Tag> {
  readonly type: "read-rows";
  readonly batches: readonly {
    readonly partitionId: PartitionId;
    readonly identities: readonly Identity[];
  }[];
  /** Of values, in all: with more than that no further row is read. */
  readonly bytesMax: number;
  readonly tag: Tag;
}

export interface ReadBatch {
  readonly partitionId: PartitionId;
  readonly rows: readonly (Row | "not read" | undefined)[];
}

/** Visible entries of one map in key order, partition after partition, until `limit` in all. */
export interface ListEffect<Tag> {
  readonly type: "list-rows";
  readonly partitionIds: readonly PartitionId[];
  readonly map: string;
  readonly prefix: string;
  /** Only for the first partition. */
  readonly after: string | null;
  readonly limit: number;
  readonly nowMs: number;
  readonly tag: Tag;
}

export interface Listed {
  readonly partitionId: PartitionId;
  readonly rows: readonly Row[];
  readonly done: boolean;
}

/** At what a set or a counter is made of. */
export interface LookEffect<Tag> {
  readonly type: "look";
  readonly batches: readonly {
    readonly partitionId: PartitionId;
    readonly looks: readonly Look[];
  }[];
  /** Of what is seen, in all: with more than that no further look is taken. */
  readonly bytesMax: number;
  readonly nowMs: number;
  readonly tag: Tag;
}

export interface SeenBatch {
  readonly partitionId: PartitionId;
  readonly seen: readonly (Seen | "not read")[];
}

/** Where a copy stands: it has every row with seq <= `cut` whose identity is at or below `after`. */
export interface Resume {
  readonly cut: Seq;
  readonly after: Identity | "end" | null;
}

/**
 * The next rows, in key order above `after`, that have seq <= `cut` and that `known` does not cover.
 * Takes the rows it passes into the partition's digest where that is not complete yet.
 */
export interface ScanEffect<Tag> {
  readonly type: "scan";
  readonly partitionId: PartitionId;
  readonly after: Identity | null;
  readonly cut: Seq;
  readonly known: Resume;
  /** Only rows of these buckets; null: of all. */
  readonly buckets: readonly number[] | null;
  readonly bytesMax: number;
  readonly rowsMax: number;
  readonly tag: Tag;
}

export interface Scanned {
  readonly rows: readonly Row[];
  /** Scan on from here; null: at the end. May be non-null with no rows. */
  readonly after: Identity | null;
}

interface DigestEffect<Tag> {
  readonly type: "digest";
  readonly partitionId: PartitionId;
  /** Rows to take in at most before giving up for now. */
  readonly rowsMax: number;
  readonly tag: Tag;
}

/** Rows of all partitions. */
interface CountEffect<Tag> {
  readonly type: "count-rows";
  readonly tag: Tag;
}

/** The next few rows above `after`: which of them are gone since before that moment? */
export interface FindGoneEffect<Tag> {
  readonly type: "find-gone";
  readonly partitionId: PartitionId;
  readonly after: Identity | null;
  readonly before: number;
  /** Rows to look at. */
  readonly rowsMax: number;
  readonly tag: Tag;
}

export interface FoundGone {
  /** Husks. */
  readonly rows: readonly Row[];
  /** Of those seen that are gone for a shorter time, or will be: since when the first. */
  readonly nextGone: number | null;
  /** Look on from here; null: at the end. */
  readonly after: Identity | null;
}

/** Remove the rows that stand exactly as these husks say. */
export interface CollectEffect<Tag> {
  readonly type: "collect";
  readonly partitionId: PartitionId;
  readonly rows: readonly Row[];
  readonly tag: Tag;
}

/** No copy will be compared: writes need not keep the digest up any more. Answers nothing. */
interface ForgetEffect {
  readonly type: "forget-digest";
  readonly partitionId: PartitionId;
}

/** Drops the table. Answers nothing. */
interface DropEffect {
  readonly type: "drop-rows";
  readonly partitionId: PartitionId;
}
