/** The statements of `SqlRowStore`. Few different ones, since the runtime caches them by their text. */
import type { ListQuery } from "../core/rows/row-store.ts";
import type { Seq } from "../data/ids.ts";
import type { Identity } from "../data/row.ts";
import { compareText } from "../data/text.ts";
import { HEAD, IDENTITY_HEAD, NEVER, NO_VALUE, type Part } from "./row-packing.ts";
import type { SqlBinding } from "./sql-row.ts";

const IDENTITY = "map, key, kind, sub";
const COLUMNS = `${IDENTITY}, stamp, value, expires_at, seq`;

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
  CAST(substr(?5, ${row(HEAD.textAt)}, ${row(HEAD.key)}) AS TEXT), ?2,
  CAST(substr(?5, ${row(HEAD.textAt)} + ${row(HEAD.key)}, ${row(HEAD.sub)}) AS TEXT),
  substr(?5, ${row(HEAD.stampAt)}, ${row(HEAD.stamp)}),
  CASE WHEN ${row(HEAD.valueAt)} <> '${NO_VALUE}' THEN
    substr(?5, ${row(HEAD.valueAt)}, ${row(HEAD.value)}) END,
  CASE WHEN ${row(HEAD.expiresAt)} <> '${NEVER}' THEN CAST(${row(HEAD.expiresAt)} AS INTEGER) END,
  ?3 + key
  FROM json_each(?4) WHERE true`;

function part(head: string, [at, length]: Part): string {
  return `substr(${head}, ${at}, ${length})`;
}

function row(of: Part): string {
  return part("value", of);
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

/**
 * Rows as one: a list of heads in JSON (`Head`, and the `columns`), and the bytes of each: its stamp, and its
 * value if that has at most ?1 bytes. For the length of a value alone SQLite does not read it.
 */
const asOne = (columns: string, from: string): string =>
  `SELECT
    json_group_array(json_array(octet_length(stamp), length, isCut, expires_at, seq, ${columns})),
    CAST(group_concat(CAST(stamp AS TEXT) || CAST(body AS TEXT), '') AS BLOB)
  FROM (SELECT ${columns}, stamp, expires_at, seq, octet_length(stored.value) AS length,
    ifnull(octet_length(stored.value) > ?1, 0) AS isCut,
    iif(octet_length(stored.value) <= ?1, stored.value, '') AS body
    FROM ${from})`;

/** Of identities as `packIdentities` packs them. A row says by its number which of them it has. */
export const selectRows = (table: string): string =>
  asOne(
    "number",
    `(SELECT key AS number, value AS head FROM json_each(?4)) CROSS JOIN ${table} AS stored ON
      map = ?2 AND key = CAST(substr(?5, ${part("head", IDENTITY_HEAD.textAt)}, ${part("head", IDENTITY_HEAD.key)}) AS TEXT)
      AND kind = ?3 AND sub = CAST(substr(?5,
        ${part("head", IDENTITY_HEAD.textAt)} + ${part("head", IDENTITY_HEAD.key)},
        ${part("head", IDENTITY_HEAD.sub)}) AS TEXT)`,
  );

export const selectValue = (table: string): string =>
  `SELECT value FROM ${table} WHERE map = ? AND key = ? AND kind = ? AND sub = ?`;

/** Rows in key order, and what their condition binds. */
export interface Range {
  readonly where: string;
  readonly bindings: readonly SqlBinding[];
}

export const rangeAfter = (after: Identity | null): Range =>
  after
    ? { where: `WHERE ${ABOVE}`, bindings: identityBindings(after) }
    : { where: "", bindings: [] };

export const rangeSince = (after: Identity | null, seq: Seq): Range =>
  after
    ? { where: `WHERE seq > ? AND ${ABOVE}`, bindings: [seq, ...identityBindings(after)] }
    : { where: "WHERE seq > ?", bindings: [seq] };

const ABOVE = `(${IDENTITY}) > (?, ?, ?, ?)`;

const identityBindings = ({ map, key, kind, sub }: Identity): SqlBinding[] => [map, key, kind, sub];

/** `last`: from the row behind this one. */
export function rangeOf(query: ListQuery, last: Identity | null): Range {
  const { map, prefix, after } = query;
  const rest = "key < ? AND kind = 'lww'";
  const end = endOf(prefix);
  if (last) {
    const bindings = [map, ...identityBindings(last), end];
    return { where: `WHERE map = ? AND ${ABOVE} AND ${rest}`, bindings };
  }
  const isAbove = after !== null && compareText(after, prefix) >= 0;
  const first = isAbove ? "key > ?" : "key >= ?";
  const bindings = [map, isAbove ? after : prefix, end];
  return { where: `WHERE map = ? AND ${first} AND ${rest}`, bindings };
}

/** At most `LIMIT ?` rows. */
export const selectRange = (table: string, { where }: Range): string =>
  asOne(IDENTITY, `${table} AS stored ${where} ORDER BY ${IDENTITY} LIMIT ?`);

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
