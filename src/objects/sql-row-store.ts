/**
 * A node's rows in the SQLite of its Durable Object: one table per partition, made by its first row.
 *
 * `WITHOUT ROWID` and no index: a new or replaced row bills one row written, dropping a table none.
 * `STRICT`: a stamp that is no BLOB would sort below all that are. Text is stored as UTF-8 and compares
 * by bytes, as `compareText` does. Cursors are always drained: an open one would lock its table.
 *
 * Which tables exist is remembered: after a transaction that was undone, make a new store.
 */
import type { ListQuery, Page, PageBounds, RowStore, StoredRow } from "../core/rows/row-store.ts";
import { PartitionId, type Seq } from "../data/ids.ts";
import { ROW_OVERHEAD_BYTES } from "../data/limits.ts";
import type { Identity } from "../data/row.ts";
import {
  createTable,
  insertRows,
  rangeAfter,
  rangeOf,
  rangeSince,
  READ_SIZES,
  replaceRows,
  selectBytes,
  selectRange,
  selectRows,
  upsertNewer,
  WRITE_SIZES,
  type Range,
} from "./sql-row-statements.ts";
import {
  bindingsOf,
  storedRow,
  withContent,
  type Columns,
  type Content,
  type SqlBinding,
} from "./sql-row.ts";

export class SqlRowStore implements RowStore {
  readonly #sql: SqlStorage;
  readonly #tables: Set<PartitionId>;
  #rowsWritten = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    const names = this.#all<[name: string]>("SELECT name FROM sqlite_master WHERE type = 'table'");
    this.#tables = new Set(names.flatMap(([name]) => partitionOfTable(name)));
  }

  read(partitionId: PartitionId, identities: readonly Identity[]): (StoredRow | undefined)[] {
    const found: (StoredRow | undefined)[] = identities.map(() => undefined);
    if (!this.#tables.has(partitionId)) return found;
    for (const [from, to] of slices(identities.length, READ_SIZES)) {
      const parameters: string[] = [];
      for (const { map, key, kind, sub } of identities.slice(from, to))
        parameters.push(map, key, kind, sub);
      const statement = selectRows(tableOf(partitionId), to - from);
      for (const [n, ...content] of this.#all<[n: number, ...Content]>(statement, parameters)) {
        const identity = identities[from + n];
        if (identity) found[from + n] = withContent(identity, content);
      }
    }
    return found;
  }

  write(partitionId: PartitionId, rows: readonly StoredRow[]): void {
    this.#write(partitionId, rows, replaceRows);
  }

  writeNewer(partitionId: PartitionId, rows: readonly StoredRow[]): number {
    return this.#write(partitionId, rows, upsertNewer);
  }

  insert(partitionId: PartitionId, rows: readonly StoredRow[]): number {
    return this.#write(partitionId, rows, insertRows);
  }

  page(partitionId: PartitionId, after: Identity | null, bounds: PageBounds): Page {
    if (!this.#tables.has(partitionId)) return { rows: [], done: true };
    return this.#page(rangeAfter(tableOf(partitionId), after), bounds);
  }

  pageSince(partitionId: PartitionId, after: Identity | null, seq: Seq, bounds: PageBounds): Page {
    if (!this.#tables.has(partitionId)) return { rows: [], done: true };
    return this.#page(rangeSince(tableOf(partitionId), after, seq), bounds);
  }

  list(partitionId: PartitionId, query: ListQuery): Page {
    if (!this.#tables.has(partitionId)) return { rows: [], done: true };
    return this.#page(rangeOf(tableOf(partitionId), query), query);
  }

  count(partitionId: PartitionId): number {
    if (!this.#tables.has(partitionId)) return 0;
    const [row] = this.#all<[rows: number]>(`SELECT count(*) FROM ${tableOf(partitionId)}`);
    return row?.[0] ?? 0;
  }

  drop(partitionId: PartitionId): void {
    if (!this.#tables.delete(partitionId)) return;
    this.#run(`DROP TABLE ${tableOf(partitionId)}`, []);
  }

  usage(): { bytes: number; rowsWritten: number } {
    return { bytes: this.#sql.databaseSize, rowsWritten: this.#rowsWritten };
  }

  partitions(): readonly PartitionId[] {
    return [...this.#tables];
  }

  #write(
    partitionId: PartitionId,
    rows: readonly StoredRow[],
    statement: (table: string, count: number) => string,
  ): number {
    if (rows.length === 0) return 0;
    const table = tableOf(partitionId);
    if (!this.#tables.has(partitionId)) {
      this.#run(createTable(table), []);
      this.#tables.add(partitionId);
    }
    let written = 0;
    for (const [from, to] of slices(rows.length, WRITE_SIZES)) {
      const parameters: SqlBinding[] = [];
      for (const row of rows.slice(from, to)) parameters.push(...bindingsOf(row));
      written += this.#run(statement(table, to - from), parameters);
    }
    return written;
  }

  /** Sizes first: values that are beyond the bound are never in memory. */
  #page(range: Range, { rowsMax, bytesMax }: PageBounds): Page {
    // One more than can fit shows whether any follows.
    const limit = Math.min(Math.max(rowsMax, 1), Math.floor(bytesMax / ROW_OVERHEAD_BYTES) + 1) + 1;
    const sizes = this.#all<[bytes: number]>(selectBytes(range), [...range.bindings, limit]);
    const count = fitting(sizes, rowsMax, bytesMax);
    const done = count === sizes.length;
    if (count === 0) return { rows: [], done };
    const rows = this.#all<Columns>(selectRange(range), [...range.bindings, count]);
    return { rows: rows.map(storedRow), done };
  }

  #all<Row extends SqlStorageValue[]>(statement: string, parameters: SqlBinding[] = []): Row[] {
    return [...this.#sql.exec(statement, ...parameters).raw<Row>()];
  }

  #run(statement: string, parameters: readonly SqlBinding[]): number {
    const { rowsWritten } = this.#sql.exec(statement, ...parameters);
    this.#rowsWritten += rowsWritten;
    return rowsWritten;
  }
}

/** The first of `sizes`, then while both bounds hold. */
function fitting(sizes: readonly [bytes: number][], rowsMax: number, bytesMax: number): number {
  let bytes = 0;
  let count = 0;
  for (const [size] of sizes) {
    bytes += size;
    if (count > 0 && (count >= rowsMax || bytes > bytesMax)) break;
    count += 1;
  }
  return count;
}

/** 0 .. `length` cut into slices of these sizes, the largest that fit first. */
function slices(length: number, sizes: readonly number[]): [from: number, to: number][] {
  const cut: [number, number][] = [];
  let from = 0;
  for (const size of sizes)
    for (; length - from >= size; from += size) cut.push([from, from + size]);
  return cut;
}

const tableOf = (partitionId: PartitionId): string => `p${partitionId}`;

function partitionOfTable(name: string): PartitionId[] {
  const digits = /^p(\d+)$/.exec(name)?.[1];
  return digits === undefined ? [] : [PartitionId(Number(digits))];
}
