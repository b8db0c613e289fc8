/**
 * A node's rows in the SQLite of its Durable Object: one table per partition, made by its first row.
 *
 * `WITHOUT ROWID` and no index: a new or replaced row bills one row written, dropping a table none.
 * `STRICT`: a stamp that is no BLOB would sort below all that are. Text is stored as UTF-8 and compares
 * by bytes, as `compareText` does. Cursors are always drained: an open one would lock its table.
 *
 * Which tables exist is remembered: after a transaction that was undone, make a new store.
 */
import type {
  Count,
  ListQuery,
  Page,
  PageBounds,
  RangeQuery,
  RowStore,
  StoredRow,
} from "../core/rows/row-store.ts";
import { PartitionId, type Seq } from "../data/ids.ts";
import { rowBytes, type Identity, type RowKind } from "../data/row.ts";
import {
  bindRow,
  packIdentities,
  packRows,
  runsOf,
  runsOfRows,
  type SqlBinding,
} from "./row-packing.ts";
import { isCut, readAnswer, rowOf, type Answer, type Found, type RowColumns } from "./sql-row.ts";
import {
  countRange,
  createTable,
  deleteRow,
  rangeAfter,
  rangeOf,
  rangeOfKey,
  rangeSince,
  selectLongValues,
  selectOneOf,
  selectRange,
  selectRow,
  selectRows,
  writeRow,
  writeRows,
  type Range,
  type Write,
} from "./sql-row-statements.ts";

type IdentityColumns = [map: string, key: string, kind: RowKind, sub: string];

/** Rows that one statement answers: their heads are one text, which ends at 2 MB. */
const FOUND_MAX = 256;

const ONE_ANSWER = { sizeOf: () => 1, sizeMax: FOUND_MAX };

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
    return runsOf(identities, follows, ONE_ANSWER).flatMap(({ items }) =>
      this.#read(partitionId, items),
    );
  }

  write(partitionId: PartitionId, rows: readonly StoredRow[]): void {
    this.#write(partitionId, rows, "replace");
  }

  writeNewer(partitionId: PartitionId, rows: readonly StoredRow[]): number {
    return this.#write(partitionId, rows, "upsertNewer");
  }

  insert(partitionId: PartitionId, rows: readonly StoredRow[]): number {
    return this.#write(partitionId, rows, "insert");
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

  range(partitionId: PartitionId, query: RangeQuery): Page {
    return this.#page(partitionId, query, (last) => rangeOfKey(query, last));
  }

  countFrom(partitionId: PartitionId, after: Identity | null, rowsMax: number): Count {
    if (!this.#tables.has(partitionId)) return { rows: 0, upTo: "end" };
    const range = rangeAfter(after);
    const table = tableOf(partitionId);
    const [counted] = this.#all<[rows: number]>(countRange(table, range), [
      ...range.bindings,
      rowsMax,
    ]);
    const rows = counted?.[0] ?? 0;
    if (rows < rowsMax) return { rows, upTo: "end" };
    const bindings = [...range.bindings, rowsMax - 1];
    const [last] = this.#all<IdentityColumns>(selectOneOf(table, range), bindings);
    if (!last) return { rows, upTo: "end" };
    const [map, key, kind, sub] = last;
    return { rows, upTo: { map, key, kind, sub } };
  }

  remove(partitionId: PartitionId, identities: readonly Identity[]): void {
    if (!this.#tables.has(partitionId)) return;
    const statement = deleteRow(tableOf(partitionId));
    for (const { map, key, kind, sub } of identities) this.#run(statement, [map, key, kind, sub]);
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

  #write(partitionId: PartitionId, rows: readonly StoredRow[], write: Write): number {
    if (rows.length === 0) return 0;
    const table = tableOf(partitionId);
    if (!this.#tables.has(partitionId)) {
      this.#run(createTable(table), []);
      this.#tables.add(partitionId);
    }
    let written = 0;
    for (const run of runsOfRows(rows)) {
      const [first] = run.items;
      if (!first) continue;
      if (run.items.length === 1) {
        written += this.#run(writeRow(table, write), bindRow(first));
        continue;
      }
      const { heads, blob } = packRows(run);
      const { map, kind } = first.row;
      written += this.#run(writeRows(table, write), [map, kind, first.seq, heads, blob]);
    }
    return written;
  }

  #read(partitionId: PartitionId, run: readonly Identity[]): (StoredRow | undefined)[] {
    const [first] = run;
    if (!first) return [];
    if (run.length === 1) return [this.#readOne(partitionId, first)];
    const rows: (StoredRow | undefined)[] = run.map(() => undefined);
    const { heads, blob } = packIdentities(run);
    const bindings = [first.map, first.kind, heads, blob];
    for (const found of this.#find<[number: number]>(selectRows(tableOf(partitionId)), bindings)) {
      const [number] = found.which;
      const identity = run[number];
      if (!identity) continue;
      rows[number] = isCut(found)
        ? this.#readOne(partitionId, identity)
        : whole(identity, found, found.value);
    }
    return rows;
  }

  #readOne(partitionId: PartitionId, identity: Identity): StoredRow | undefined {
    const { map, key, kind, sub } = identity;
    const [row] = this.#all<RowColumns>(selectRow(tableOf(partitionId)), [map, key, kind, sub]);
    return row && rowOf(identity, row);
  }

  #page(
    partitionId: PartitionId,
    bounds: PageBounds,
    rangeFrom: (last: Identity | null) => Range,
  ): Page {
    const rows: StoredRow[] = [];
    if (!this.#tables.has(partitionId)) return { rows, done: true };
    for (const room = { ...bounds }; ;) {
      const range = rangeFrom(rows.at(-1)?.row ?? null);
      const { found, limit } = this.#stretch(partitionId, range, room);
      const count = this.#fitting(partitionId, found, { room, isFirst: rows.length === 0 });
      for (const row of this.#rowsOf(partitionId, range, found.slice(0, count))) rows.push(row);
      if (count < found.length) return { rows, done: false };
      if (found.length < limit) return { rows, done: true };
    }
  }

  /** As many rows as are likely to fit, so that few are read in vain, and one more: does any follow? */
  #stretch(
    partitionId: PartitionId,
    range: Range,
    { rowsMax, bytesMax }: PageBounds,
  ): { found: Found<IdentityColumns>[]; limit: number } {
    const usual = this.#usualBytes.get(partitionId) ?? USUAL_ROW_BYTES;
    const fitting = Math.max(1, Math.ceil(Math.min(rowsMax, bytesMax / usual)));
    const limit = Math.min(fitting + 1, FOUND_MAX);
    const statement = selectRange(tableOf(partitionId), range);
    return { found: this.#find<IdentityColumns>(statement, [...range.bindings, limit]), limit };
  }

  /** How many of these rows `room` takes, from which they are taken; the first of a page always. */
  #fitting(
    partitionId: PartitionId,
    found: readonly Found<IdentityColumns>[],
    { room, isFirst }: { room: { rowsMax: number; bytesMax: number }; isFirst: boolean },
  ): number {
    let usual = this.#usualBytes.get(partitionId) ?? USUAL_ROW_BYTES;
    let count = 0;
    for (const row of found) {
      const size = rowBytes(whole(identityIn(row), row, null).row) + (row.length ?? 0);
      usual += (size - usual) / 8;
      if (!(isFirst && count === 0) && (room.rowsMax < 1 || size > room.bytesMax)) break;
      room.rowsMax -= 1;
      room.bytesMax -= size;
      count += 1;
    }
    this.#usualBytes.set(partitionId, usual);
    return count;
  }

  #rowsOf(
    partitionId: PartitionId,
    range: Range,
    found: readonly Found<IdentityColumns>[],
  ): StoredRow[] {
    const statement = selectLongValues(tableOf(partitionId), range);
    const long = found.some(isCut)
      ? this.#all<[value: ArrayBuffer | null]>(statement, [...range.bindings, found.length])
      : [];
    return found.map((row, i) => {
      const value = long[i]?.[0];
      return whole(identityIn(row), row, value ? new Uint8Array(value) : row.value);
    });
  }

  #find<Which extends readonly unknown[]>(
    statement: string,
    bindings: SqlBinding[],
  ): Found<Which>[] {
    const [answer] = this.#all<Answer>(statement, bindings);
    return answer ? readAnswer<Which>(answer) : [];
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

const identityIn = ({ which: [map, key, kind, sub] }: Found<IdentityColumns>): Identity => ({
  map,
  key,
  kind,
  sub,
});

function whole(identity: Identity, found: Found<unknown>, value: Uint8Array | null): StoredRow {
  const { map, key, kind, sub } = identity;
  const { stamp, expiresAt, seq } = found;
  return { row: { map, key, kind, sub, stamp, value, expiresAt }, seq };
}

const follows = (last: Identity, next: Identity): boolean =>
  next.map === last.map && next.kind === last.kind;

const tableOf = (partitionId: PartitionId): string => `p${partitionId}`;

function partitionOfTable(name: string): PartitionId[] {
  const digits = /^p(\d+)$/.exec(name)?.[1];
  return digits === undefined ? [] : [PartitionId(Number(digits))];
}
