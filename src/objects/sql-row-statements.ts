/**
 * The statements of `SqlRowStore`. Few different ones, since the runtime caches them by their text; a
 * statement takes at most 100 bound parameters.
 */
import type { ListQuery } from "../core/rows/row-store.ts";
import { ROW_OVERHEAD_BYTES, STAMP_HEAD_BYTES } from "../data/limits.ts";
import type { Seq } from "../data/ids.ts";
import type { Identity } from "../data/row.ts";
import { compareText } from "../data/text.ts";
import type { SqlBinding } from "./sql-row.ts";

/** Rows per statement, largest first; 8 parameters each. */
export const WRITE_SIZES = [12, 8, 4, 2, 1] as const;
/** Identities per statement, largest first; 4 parameters each. */
export const READ_SIZES = [24, 8, 4, 2, 1] as const;

const IDENTITY = "map, key, kind, sub";
const CONTENT = "stamp, value, expires_at, seq";
const COLUMNS = `${IDENTITY}, ${CONTENT}`;

/** `rowBytes`. For its `octet_length` SQLite does not read a value. */
const ROW_BYTES = `octet_length(map) + octet_length(key) + octet_length(sub) + octet_length(stamp) +
  ifnull(octet_length(value), 0) + ${ROW_OVERHEAD_BYTES - STAMP_HEAD_BYTES}`;

/** The value last: what stands behind a large one is slow to reach. */
export const createTable = (table: string): string =>
  `CREATE TABLE ${table} (
    map TEXT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    sub TEXT NOT NULL,
    stamp BLOB NOT NULL,
    expires_at INTEGER,
    seq INTEGER NOT NULL,
    value BLOB,
    PRIMARY KEY (${IDENTITY})
  ) STRICT, WITHOUT ROWID`;

export const replaceRows = (table: string, count: number): string =>
  `INSERT OR REPLACE INTO ${table} (${COLUMNS}) VALUES ${times(count, () => "(?, ?, ?, ?, ?, ?, ?, ?)")}`;

export const insertRows = (table: string, count: number): string =>
  `INSERT INTO ${table} (${COLUMNS}) VALUES ${times(count, () => "(?, ?, ?, ?, ?, ?, ?, ?)")}
  ON CONFLICT (${IDENTITY}) DO NOTHING`;

/** Stamps are encoded so that they compare by their bytes. */
export const upsertNewer = (table: string, count: number): string =>
  `INSERT INTO ${table} (${COLUMNS}) VALUES ${times(count, () => "(?, ?, ?, ?, ?, ?, ?, ?)")}
  ON CONFLICT (${IDENTITY}) DO UPDATE SET
    stamp = excluded.stamp, value = excluded.value, expires_at = excluded.expires_at, seq = excluded.seq
  WHERE excluded.stamp > stamp`;

/** A join, so that a row says by a number which identity it is of. */
export const selectRows = (table: string, count: number): string =>
  `WITH wanted (n, m, k, d, s) AS (VALUES ${times(count, (n) => `(${n}, ?, ?, ?, ?)`)})
  SELECT n, ${CONTENT} FROM wanted CROSS JOIN ${table} ON map = m AND key = k AND kind = d AND sub = s`;

/** Rows in key order: what stands behind FROM, and what it binds. */
export interface Range {
  readonly from: string;
  readonly bindings: readonly SqlBinding[];
}

export function rangeAfter(table: string, after: Identity | null): Range {
  if (after === null) return { from: `${table} ORDER BY ${IDENTITY}`, bindings: [] };
  return {
    from: `${table} WHERE ${ABOVE} ORDER BY ${IDENTITY}`,
    bindings: identityBindings(after),
  };
}

export function rangeSince(table: string, after: Identity | null, seq: Seq): Range {
  if (after === null)
    return { from: `${table} WHERE seq > ? ORDER BY ${IDENTITY}`, bindings: [seq] };
  return {
    from: `${table} WHERE seq > ? AND ${ABOVE} ORDER BY ${IDENTITY}`,
    bindings: [seq, ...identityBindings(after)],
  };
}

const ABOVE = `(${IDENTITY}) > (?, ?, ?, ?)`;

const identityBindings = ({ map, key, kind, sub }: Identity): SqlBinding[] => [map, key, kind, sub];

export function rangeOf(table: string, { map, prefix, after }: ListQuery): Range {
  const above = after !== null && compareText(after, prefix) >= 0;
  return {
    from: `${table} WHERE map = ? AND key ${above ? ">" : ">="} ? AND key < ? AND kind = 'lww' ORDER BY key`,
    bindings: [map, above ? after : prefix, endOf(prefix)],
  };
}

/** How many bytes each of at most `LIMIT ?` rows has. */
export const selectBytes = ({ from }: Range): string => `SELECT ${ROW_BYTES} FROM ${from} LIMIT ?`;

export const selectRange = ({ from }: Range): string => `SELECT ${COLUMNS} FROM ${from} LIMIT ?`;

/**
 * The least text above all that start with `prefix`: the prefix with its last character raised. If that
 * is the highest there is, the one before; if all are, a BLOB, which SQLite puts above every text.
 */
function endOf(prefix: string): SqlBinding {
  const characters = Array.from(prefix);
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const point = last.codePointAt(0) ?? 0;
    if (point === 0x10ffff) continue;
    // Surrogates are no characters: U+E000 follows U+D7FF.
    return characters.join("") + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
  }
  return new Uint8Array(0);
}

const times = (count: number, item: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => item(n)).join(", ");
