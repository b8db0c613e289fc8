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
import { rowBytes, type Identity, type RowKind } from "../data/row.ts";
import { packIdentities, packRows, runsOf } from "./row-packing.ts";
import { readAnswer, type Answer, type Found, type SqlBinding } from "./sql-row.ts";
import {
  createTable,
  insertRows,
  rangeAfter,
  rangeOf,
  rangeSince,
  replaceRows,
  selectRange,
  selectRows,
  selectValue,
  upsertNewer,
  type Range,
} from "./sql-row-statements.ts";

type IdentityColumns = [map: string, key: string, kind: RowKind, sub: string];

/** Rows that one statement answers: their heads are one text, which ends at 2 MB. */
const FOUND_MAX = 256;

const ONE_ANSWER = { sizeOf: () => 1, sizeMax: FOUND_MAX };

/** Of values that one statement answers. */
const INLINE_BYTES_MAX = 1024 * 1024;

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
    if (!this.#tables.has(partitionId)) return identities.map(() => undefined);
    return runsOf(identities, follows, ONE_ANSWER).flatMap((run) => this.#read(partitionId, run));
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
    return this.#page(partitionId, bounds, (last) => rangeAfter(last ?? after));
  }

  pageSince(partitionId: PartitionId, after: Identity | null, seq: Seq, bounds: PageBounds): Page {
    return this.#page(partitionId, bounds, (last) => rangeSince(last ?? after, seq));
  }

  list(partitionId: PartitionId, query: ListQuery): Page {
    return this.#page(partitionId, query, (last) => rangeOf(query, last));
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
    for (const { map, kind, seq, heads, blob } of packRows(rows))
      written += this.#run(statement, [map, kind, seq, heads, blob]);
    return written;
  }

  #read(partitionId: PartitionId, run: readonly Identity[]): (StoredRow | undefined)[] {
    const rows: (StoredRow | undefined)[] = run.map(() => undefined);
    const [first] = run;
    if (!first) return rows;
    const { heads, blob } = packIdentities(run);
    const found = this.#find<[number: number]>(selectRows(tableOf(partitionId)), [
      inlineMax(run.length),
      first.map,
      first.kind,
      heads,
      blob,
    ]);
    for (const { rest, ...row } of found) {
      const identity = run[rest[0]];
      if (identity) rows[rest[0]] = this.#whole(partitionId, identity, row);
    }
    return rows;
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
      const bindings = [inlineMax(limit), ...range.bindings, limit];
      const statement = selectRange(tableOf(partitionId), range);
      const found = this.#find<IdentityColumns>(statement, bindings);
      for (const row of found) {
        const [map, key, kind, sub] = row.rest;
        const identity = { map, key, kind, sub };
        const size = rowBytes({ ...identity, ...row.content }) + row.cutBytes;
        usual += (size - usual) / 8;
        this.#usualBytes.set(partitionId, usual);
        if (rows.length > 0 && (rows.length >= rowsMax || bytes + size > bytesMax))
          return { rows, done: false };
        rows.push(this.#whole(partitionId, identity, row));
        bytes += size;
      }
      if (found.length < limit) return { rows, done: true };
    }
  }

  /** With its value, should that have been too long to come along. */
  #whole(
    partitionId: PartitionId,
    { map, key, kind, sub }: Identity,
    { content, seq, cutBytes }: Omit<Found<unknown>, "rest">,
  ): StoredRow {
    const { stamp, expiresAt } = content;
    let { value } = content;
    if (cutBytes > 0) {
      const statement = selectValue(tableOf(partitionId));
      const [row] = this.#all<[value: ArrayBuffer | null]>(statement, [map, key, kind, sub]);
      value = row?.[0] ? new Uint8Array(row[0]) : null;
    }
    return { row: { map, key, kind, sub, stamp, value, expiresAt }, seq };
  }

  #find<Rest extends readonly unknown[]>(statement: string, bindings: SqlBinding[]): Found<Rest>[] {
    const [answer] = this.#all<Answer>(statement, bindings);
    return answer ? readAnswer<Rest>(answer) : [];
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

/** Together they end well below 2 MB, which is as long as a value in SQLite may be here. */
const inlineMax = (rows: number): number => Math.floor(INLINE_BYTES_MAX / rows);

const follows = (last: Identity, next: Identity): boolean =>
  next.map === last.map && next.kind === last.kind;

const tableOf = (partitionId: PartitionId): string => `p${partitionId}`;

function partitionOfTable(name: string): PartitionId[] {
  const digits = /^p(\d+)$/.exec(name)?.[1];
  return digits === undefined ? [] : [PartitionId(Number(digits))];
}
