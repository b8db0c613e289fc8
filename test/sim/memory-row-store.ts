import { identityKey } from "../../src/core/rows/identity-key.ts";
import type {
  Count,
  ListQuery,
  Page,
  PageBounds,
  RangeQuery,
  RowStore,
  StoredRow,
} from "../../src/core/rows/row-store.ts";
import { compareStamps } from "../../src/data/hlc.ts";
import { PartitionId, type Seq } from "../../src/data/ids.ts";
import { compareIdentity, rowBytes, type Identity, type Row } from "../../src/data/row.ts";
import { compareText } from "../../src/data/text.ts";

/** In key order, never changed in place. */
type Table = readonly StoredRow[];

/** Everything that a store held at one moment. Never changes. */
export interface MemorySnapshot {
  readonly tables: readonly (Table | undefined)[];
}

/**
 * Rows in memory, for simulations of small tables. A write copies the table it changes and no more, so a
 * snapshot costs nothing and any number of them may be kept: `restore` the last saved one, and the disk
 * has lost what was not saved. (Make a new `RowTables` then: its caches knew what is lost.)
 */
export class MemoryRowStore implements RowStore {
  #tables: MemorySnapshot["tables"];
  #rowsWritten = 0;
  /** Whoever wants to know of each row that is removed. */
  removing: (partitionId: PartitionId, row: Row) => void = () => {};

  constructor(snapshot: MemorySnapshot = { tables: [] }) {
    this.#tables = snapshot.tables;
  }

  get tables(): MemorySnapshot["tables"] {
    return this.#tables;
  }

  snapshot(): MemorySnapshot {
    return { tables: this.#tables };
  }

  restore(snapshot: MemorySnapshot): void {
    this.#tables = snapshot.tables;
  }

  clone(): MemoryRowStore {
    return new MemoryRowStore(this.snapshot());
  }

  read(partitionId: PartitionId, identities: readonly Identity[]): (StoredRow | undefined)[] {
    const table = this.#table(partitionId);
    return identities.map((identity) => {
      const at = lowerBound(table, identity);
      const stored = table[at];
      return stored && compareIdentity(stored.row, identity) === 0 ? stored : undefined;
    });
  }

  write(partitionId: PartitionId, rows: readonly StoredRow[]): void {
    if (rows.length === 0) return;
    this.#set(partitionId, replaced(this.#table(partitionId), rows));
    this.#rowsWritten += rows.length;
  }

  writeNewer(partitionId: PartitionId, rows: readonly StoredRow[]): number {
    const standing = this.read(
      partitionId,
      rows.map(({ row }) => row),
    );
    const newer = rows.filter(({ row }, i) => {
      const old = standing[i]?.row;
      return !old || compareStamps(row.stamp, old.stamp) > 0;
    });
    this.write(partitionId, newer);
    return newer.length;
  }

  insert(partitionId: PartitionId, rows: readonly StoredRow[]): number {
    const standing = this.read(
      partitionId,
      rows.map(({ row }) => row),
    );
    const news = rows.filter((_, i) => !standing[i]);
    this.write(partitionId, news);
    return news.length;
  }

  page(partitionId: PartitionId, after: Identity | null, bounds: PageBounds): Page {
    const table = this.#table(partitionId);
    const from = after === null ? 0 : upperBound(table, after);
    return pageOf(table, from, bounds);
  }

  pageSince(partitionId: PartitionId, after: Identity | null, seq: Seq, bounds: PageBounds): Page {
    const changed = this.#table(partitionId).filter((stored) => stored.seq > seq);
    return pageOf(changed, after === null ? 0 : upperBound(changed, after), bounds);
  }

  list(partitionId: PartitionId, query: ListQuery): Page {
    const { map, prefix, after } = query;
    const entries = this.#table(partitionId).filter(
      ({ row }) =>
        row.map === map &&
        row.kind === "lww" &&
        row.key.startsWith(prefix) &&
        (after === null || compareText(row.key, after) > 0),
    );
    return pageOf(entries, 0, query);
  }

  range(partitionId: PartitionId, query: RangeQuery): Page {
    const { map, key, kind, prefix, after } = query;
    const table = this.#table(partitionId);
    const first = lowerBound(table, { map, key, kind, sub: prefix });
    const above = after === null ? 0 : upperBound(table, { map, key, kind, sub: after });
    const from = Math.max(first, above);
    let until = from;
    for (let row = table[from]?.row; row; row = table[++until]?.row)
      if (row.map !== map || row.key !== key || row.kind !== kind || !row.sub.startsWith(prefix))
        break;
    return pageOf(table.slice(from, until), 0, query);
  }

  count(partitionId: PartitionId): number {
    return this.#table(partitionId).length;
  }

  countFrom(partitionId: PartitionId, after: Identity | null, rowsMax: number): Count {
    const table = this.#table(partitionId);
    const from = after === null ? 0 : upperBound(table, after);
    const rows = Math.min(table.length - from, rowsMax);
    return { rows, upTo: table[from + rowsMax - 1]?.row ?? "end" };
  }

  remove(partitionId: PartitionId, identities: readonly Identity[]): void {
    for (const stored of this.read(partitionId, identities))
      if (stored) this.removing(partitionId, stored.row);
    this.#rowsWritten += this.lose(partitionId, identities);
  }

  /** Unseen and unpaid. Returns how many stood. */
  lose(partitionId: PartitionId, identities: readonly Identity[]): number {
    const gone = new Set(identities.map(identityKey));
    const table = this.#table(partitionId);
    const kept = table.filter(({ row }) => !gone.has(identityKey(row)));
    if (kept.length < table.length) this.#set(partitionId, kept);
    return table.length - kept.length;
  }

  drop(partitionId: PartitionId): void {
    this.#set(partitionId, undefined);
  }

  usage(): { bytes: number; rowsWritten: number } {
    let bytes = 0;
    for (const table of this.#tables) for (const { row } of table ?? []) bytes += rowBytes(row);
    return { bytes, rowsWritten: this.#rowsWritten };
  }

  partitions(): readonly PartitionId[] {
    return this.#tables.flatMap((table, id) => (table ? [PartitionId(id)] : []));
  }

  #table(partitionId: PartitionId): Table {
    return this.#tables[partitionId] ?? [];
  }

  #set(partitionId: PartitionId, table: Table | undefined): void {
    const tables = this.#tables.slice();
    tables[partitionId] = table;
    this.#tables = tables;
  }
}

function replaced(table: Table, rows: readonly StoredRow[]): Table {
  const [only] = rows;
  if (rows.length === 1 && only) return withRow(table, only);
  const news = rows.toSorted((a, b) => compareIdentity(a.row, b.row));
  const merged: StoredRow[] = [];
  let at = 0;
  for (const stored of news) {
    const to = lowerBound(table, stored.row, at);
    for (; at < to; at++) {
      const kept = table[at];
      if (kept) merged.push(kept);
    }
    merged.push(stored);
    at = upperBound(table, stored.row, at);
  }
  return merged.concat(table.slice(at));
}

function withRow(table: Table, stored: StoredRow): Table {
  const copy = table.slice();
  const at = lowerBound(table, stored.row);
  const there = table[at];
  const replaces = there && compareIdentity(there.row, stored.row) === 0;
  copy.splice(at, replaces ? 1 : 0, stored);
  return copy;
}

function pageOf(table: Table, from: number, { rowsMax, bytesMax }: PageBounds): Page {
  let to = from;
  let bytes = 0;
  for (; to < table.length; to++) {
    const stored = table[to];
    if (stored) bytes += rowBytes(stored.row);
    if (to > from && (to - from >= rowsMax || bytes > bytesMax)) break;
  }
  return { rows: table.slice(from, to), done: to === table.length };
}

/** Index of the first row at or above `identity`. */
function lowerBound(table: Table, identity: Identity, from = 0): number {
  let low = from;
  let high = table.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const stored = table[middle];
    if (stored && compareIdentity(stored.row, identity) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first row above `identity`. */
function upperBound(table: Table, identity: Identity, from = 0): number {
  const at = lowerBound(table, identity, from);
  const stored = table[at];
  return stored && compareIdentity(stored.row, identity) === 0 ? at + 1 : at;
}
