import type { PartitionId, Seq } from "../../data/ids.ts";
import type { Identity, Of, Row, RowKind } from "../../data/row.ts";

/** A row as one node holds it: `seq` is that node's change counter when it last changed here. */
export interface StoredRow {
  readonly row: Row;
  readonly seq: Seq;
}

/** Part of a partition in key order (`compareIdentity`). */
export interface Page {
  readonly rows: readonly StoredRow[];
  /** No row follows. */
  readonly done: boolean;
}

export interface Count {
  readonly rows: number;
  /** The last one that was counted; "end": no row follows. */
  readonly upTo: Identity | "end";
}

/**
 * A node's rows, one table per partition, without any rule of their own: all calls are synchronous and
 * belong to the running transaction. A partition without a table reads as empty.
 */
export interface RowStore {
  /** In the order of `identities`. */
  read(partitionId: PartitionId, identities: readonly Identity[]): (StoredRow | undefined)[];

  /** Replaces or inserts; creates the table. No identity twice. One billed row each. */
  write(partitionId: PartitionId, rows: readonly StoredRow[]): void;

  /**
   * As `write`, but only where nothing stands under the identity, or what stands has an older stamp. Returns
   * how many were written; the others bill nothing.
   */
  writeNewer(partitionId: PartitionId, rows: readonly StoredRow[]): number;

  /** As `write`, but only where nothing stands under the identity. Returns how many were written. */
  insert(partitionId: PartitionId, rows: readonly StoredRow[]): number;

  /** Rows above `after`, at least one if there is one, then while both bounds hold. */
  page(partitionId: PartitionId, after: Identity | null, bounds: PageBounds): Page;

  /** The same, of those rows only that changed here after `seq`. Looks at all, without taking them up. */
  pageSince(partitionId: PartitionId, after: Identity | null, seq: Seq, bounds: PageBounds): Page;

  /**
   * Entries (`lww` rows) of one map whose key starts with `prefix` and lies above `after`, in key order:
   * at least one if there is one, then while both bounds hold.
   */
  list(partitionId: PartitionId, query: ListQuery): Page;

  /** Rows of one key and kind, in the order of `sub`: at least one if there is one, then while both bounds hold. */
  range(partitionId: PartitionId, query: RangeQuery): Page;

  /** Rows above `after`, at most `rowsMax` of them. */
  countFrom(partitionId: PartitionId, after: Identity | null, rowsMax: number): Count;

  /** Those that stand; the table stays, even if it is empty then. One billed row each. */
  remove(partitionId: PartitionId, identities: readonly Identity[]): void;

  drop(partitionId: PartitionId): void;

  /** Size of the database in bytes, and rows written (as billed) since the store was opened. */
  usage(): { readonly bytes: number; readonly rowsWritten: number };

  /** Partitions that have a table. */
  partitions(): readonly PartitionId[];
}

export interface PageBounds {
  readonly rowsMax: number;
  /** Of `rowBytes`. */
  readonly bytesMax: number;
}

export interface RangeQuery extends PageBounds, Of {
  readonly kind: RowKind;
  /** With which their `sub` starts. */
  readonly prefix: string;
  /** Above this `sub`; null: from the first. */
  readonly after: string | null;
}

export interface ListQuery extends PageBounds {
  readonly map: string;
  readonly prefix: string;
  readonly after: string | null;
}
