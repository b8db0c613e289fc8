/** The statements of `SqlRowStore`. Few different ones, since the runtime caches them by their text. */
import type { ListQuery } from "../core/rows/row-store.ts";
import type { Seq } from "../data/ids.ts";
import type { Identity } from "../data/row.ts";
import { compareText } from "../data/text.ts";
import { HEAD, NEVER, NO_VALUE } from "./row-packing.ts";
import type { SqlBinding } from "./sql-row.ts";

/** Identities per statement, largest first; 4 of at most 100 parameters each. */
export const READ_SIZES = [24, 8, 4, 2, 1] as const;

const IDENTITY = "map, key, kind, sub";
const CONTENT = "stamp, value, expires_at, seq";
const COLUMNS = `${IDENTITY}, ${CONTENT}`;

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

/** Rows as `packRun` packs them: 2 values to bind instead of 5 for each row, in half the time. */
const PACKED = `SELECT ?1,
  CAST(substr(?5, ${digits(HEAD.textAt)}, ${digits(HEAD.key)}) AS TEXT), ?2,
  CAST(substr(?5, ${digits(HEAD.textAt)} + ${digits(HEAD.key)}, ${digits(HEAD.sub)}) AS TEXT),
  substr(?5, ${digits(HEAD.stampAt)}, ${digits(HEAD.stamp)}),
  CASE WHEN ${digits(HEAD.valueAt)} <> '${NO_VALUE}' THEN
    substr(?5, ${digits(HEAD.valueAt)}, ${digits(HEAD.value)}) END,
  CASE WHEN ${digits(HEAD.expiresAt)} <> '${NEVER}' THEN
    CAST(${digits(HEAD.expiresAt)} AS INTEGER) END,
  ?3 + key
  FROM json_each(?4) WHERE true`;

function digits([at, length]: readonly [at: number, length: number]): string {
  return `substr(value, ${at}, ${length})`;
}

export const replaceRows = (table: string): string =>
  `INSERT OR REPLACE INTO ${table} (${COLUMNS}) ${PACKED}`;

export const insertRows = (table: string): string =>
  `INSERT INTO ${table} (${COLUMNS}) ${PACKED} ON CONFLICT (${IDENTITY}) DO NOTHING`;

/** Stamps are encoded so that they compare by their bytes. */
export const upsertNewer = (table: string): string =>
  `INSERT INTO ${table} (${COLUMNS}) ${PACKED}
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

/** `last`: from the row behind this one. */
export function rangeOf(table: string, query: ListQuery, last: Identity | null): Range {
  const { map, prefix, after } = query;
  const rest = `key < ? AND kind = 'lww' ORDER BY ${IDENTITY}`;
  const end = endOf(prefix);
  if (last) {
    const bindings = [map, ...identityBindings(last), end];
    return { from: `${table} WHERE map = ? AND ${ABOVE} AND ${rest}`, bindings };
  }
  const above = after !== null && compareText(after, prefix) >= 0;
  const first = above ? "key > ?" : "key >= ?";
  const bindings = [map, above ? after : prefix, end];
  return { from: `${table} WHERE map = ? AND ${first} AND ${rest}`, bindings };
}

/** Longer values are read one by one, as far as there is room: for its length SQLite reads no value. */
const INLINE_BYTES_MAX = 1_024;

/** At most `LIMIT ?` rows as one: a list of `Head` in JSON, and the bytes of each: stamp, short value. */
export const selectRange = ({ from }: Range): string =>
  `SELECT
    json_group_array(json_array(${IDENTITY}, octet_length(stamp), length, isCut, expires_at, seq)),
    CAST(group_concat(CAST(stamp AS TEXT) || CAST(body AS TEXT), '') AS BLOB)
  FROM (SELECT ${IDENTITY}, stamp, expires_at, seq, octet_length(value) AS length,
    ifnull(octet_length(value) > ${INLINE_BYTES_MAX}, 0) AS isCut,
    iif(octet_length(value) <= ${INLINE_BYTES_MAX}, value, '') AS body
    FROM ${from} LIMIT ?)`;

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
