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
import { assert } from "../data/assert.ts";
import type { Identity } from "../data/row.ts";
import { packRun, runsOf } from "./row-packing.ts";
import {
  createTable,
  insertRows,
  rangeAfter,
  rangeOf,
  rangeSince,
  READ_SIZES,
  replaceRows,
  selectRange,
  selectRows,
  upsertNewer,
  type Range,
} from "./sql-row-statements.ts";
import { foundRows, withContent, type Content, type Found, type SqlBinding } from "./sql-row.ts";

/** Rows that one statement answers: their heads are one text, which ends at 2 MB. */
const FOUND_MAX = 256;

/** What a row is taken to have in a table that was not read yet. */
const USUAL_ROW_BYTES = 1_024;

export class SqlRowStore implements RowStore {
  readonly #sql: SqlStorage;
  readonly #tables: Set<PartitionId>;
  /** Of a row, as pages showed lately. */
  readonly #usualBytes = new Map<PartitionId, number>();
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
    const table = tableOf(partitionId);
    return this.#page(partitionId, bounds, (last) => rangeAfter(table, last ?? after));
  }

  pageSince(partitionId: PartitionId, after: Identity | null, seq: Seq, bounds: PageBounds): Page {
    const table = tableOf(partitionId);
    return this.#page(partitionId, bounds, (last) => rangeSince(table, last ?? after, seq));
  }

  list(partitionId: PartitionId, query: ListQuery): Page {
    const table = tableOf(partitionId);
    return this.#page(partitionId, query, (last) => rangeOf(table, query, last));
  }

  count(partitionId: PartitionId): number {
    if (!this.#tables.has(partitionId)) return 0;
    const [row] = this.#all<[rows: number]>(`SELECT count(*) FROM ${tableOf(partitionId)}`);
    return row?.[0] ?? 0;
  }

  drop(partitionId: PartitionId): void {
    if (!this.#tables.delete(partitionId)) return;
    this.#usualBytes.delete(partitionId);
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
    statementOf: (table: string) => string,
  ): number {
    if (rows.length === 0) return 0;
    const table = tableOf(partitionId);
    if (!this.#tables.has(partitionId)) {
      this.#run(createTable(table), []);
      this.#tables.add(partitionId);
    }
    const statement = statementOf(table);
    let written = 0;
    for (const run of runsOf(rows)) {
      const [first] = run;
      if (!first) continue;
      const { heads, blob } = packRun(run);
      const { map, kind } = first.row;
      written += this.#run(statement, [map, kind, first.seq, heads, blob]);
    }
    return written;
  }

  /** As many rows at a time as are likely to fit, so that few are read in vain. */
  #page(
    partitionId: PartitionId,
    { rowsMax, bytesMax }: PageBounds,
    rangeFrom: (last: Identity | null) => Range,
  ): Page {
    const rows: StoredRow[] = [];
    if (!this.#tables.has(partitionId)) return { rows, done: true };
    for (let bytes = 0; ;) {
      let usual = this.#usualBytes.get(partitionId) ?? USUAL_ROW_BYTES;
      const fitting = Math.min(rowsMax - rows.length, (bytesMax - bytes) / usual);
      // One more than fits shows whether any follows.
      const limit = Math.min(Math.max(1, Math.ceil(fitting)) + 1, FOUND_MAX);
      const range = rangeFrom(rows.at(-1)?.row ?? null);
      const found = this.#find(range, limit);
      for (const { row, isCut, bytes: size } of found) {
        usual += (size - usual) / 8;
        this.#usualBytes.set(partitionId, usual);
        if (rows.length > 0 && (rows.length >= rowsMax || bytes + size > bytesMax))
          return { rows, done: false };
        rows.push(isCut ? this.#whole(partitionId, row) : row);
        bytes += size;
      }
      if (found.length < limit) return { rows, done: true };
    }
  }

  #find(range: Range, limit: number): Found[] {
    type Result = [heads: string, blob: ArrayBuffer | null];
    const [found] = this.#all<Result>(selectRange(range), [...range.bindings, limit]);
    return found ? foundRows(...found) : [];
  }

  /** With its value, which is long. */
  #whole(partitionId: PartitionId, { row }: StoredRow): StoredRow {
    const [stored] = this.read(partitionId, [row]);
    assert(stored !== undefined, "it was read a moment ago");
    return stored;
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
