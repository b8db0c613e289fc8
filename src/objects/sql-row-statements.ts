/** The statements of `SqlRowStore`. Few different ones, since the runtime caches them by their text. */
import type { ListQuery, RangeQuery } from "../core/rows/row-store.ts";
import type { Seq } from "../data/ids.ts";
import type { Identity } from "../data/row.ts";
import { compareText } from "../data/text.ts";
import { HEAD, IDENTITY_HEAD, NEVER, NO_VALUE, type Part, type SqlBinding } from "./row-packing.ts";

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

/** What becomes of a row whose identity has one already. */
const WRITES = {
  replace: ["INSERT OR REPLACE", ""],
  insert: ["INSERT", `ON CONFLICT (${IDENTITY}) DO NOTHING`],
  /** Stamps are encoded so that they compare by their bytes. */
  upsertNewer: [
    "INSERT",
    `ON CONFLICT (${IDENTITY}) DO UPDATE SET stamp = excluded.stamp, value = excluded.value,
    expires_at = excluded.expires_at, seq = excluded.seq WHERE excluded.stamp > stamp`,
  ],
} as const;

export type Write = keyof typeof WRITES;

export const writeRow = (table: string, write: Write): string =>
  writing(table, write, "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");

/** As `packRows` packs them: 2 values to bind instead of 8 for each row. */
export const writeRows = (table: string, write: Write): string => writing(table, write, PACKED);

const PACKED = `SELECT ?1,
CAST(substr(?5, ${inRow(HEAD.textAt)}, ${inRow(HEAD.key)}) AS TEXT), ?2,
CAST(substr(?5, ${inRow(HEAD.textAt)} + ${inRow(HEAD.key)}, ${inRow(HEAD.sub)}) AS TEXT),
substr(?5, ${inRow(HEAD.stampAt)}, ${inRow(HEAD.stamp)}),
iif(${inRow(HEAD.valueAt)} <> '${NO_VALUE}', substr(?5, ${inRow(HEAD.valueAt)}, ${inRow(HEAD.value)}), NULL),
iif(${inRow(HEAD.expiresAt)} <> '${NEVER}', CAST(${inRow(HEAD.expiresAt)} AS INTEGER), NULL),
?3 + key FROM json_each(?4) WHERE true`;

function inRow(part: Part): string {
  return digits("value", part);
}

function digits(head: string, [at, length]: Part): string {
  return `substr(${head}, ${at}, ${length})`;
}

function writing(table: string, write: Write, rows: string): string {
  const [verb, otherwise] = WRITES[write];
  return `${verb} INTO ${table} (${COLUMNS}) ${rows} ${otherwise}`;
}

/** Longer values are not among what rows are answered as: one answer ends at 2 MB. */
export const SHORT_VALUE_BYTES_MAX = 1_024;

/**
 * Rows as one: a list of heads in JSON (`Head`, and the `columns`), and the bytes of each: its stamp, and its
 * value if that is short. For the length of a value alone SQLite does not read it.
 */
const asOne = (columns: string, from: string): string =>
  `SELECT json_group_array(json_array(octet_length(stamp), length, expires_at, seq, ${columns})),
CAST(group_concat(CAST(stamp AS TEXT) || CAST(short AS TEXT), '') AS BLOB)
FROM (SELECT ${columns}, stamp, expires_at, seq, octet_length(stored.value) AS length,
iif(octet_length(stored.value) <= ${SHORT_VALUE_BYTES_MAX}, stored.value, '') AS short FROM ${from})`;

/** Of identities as `packIdentities` packs them. A row says by its number which of them it has. */
export const selectRows = (table: string): string =>
  asOne(
    "number",
    `(SELECT key AS number, value AS head FROM json_each(?3)) CROSS JOIN ${table} AS stored
ON map = ?1 AND key = CAST(substr(?4, ${inIdentity("textAt")}, ${inIdentity("key")}) AS TEXT)
AND kind = ?2
AND sub = CAST(substr(?4, ${inIdentity("textAt")} + ${inIdentity("key")}, ${inIdentity("sub")}) AS TEXT)`,
  );

const inIdentity = (part: keyof typeof IDENTITY_HEAD): string =>
  digits("head", IDENTITY_HEAD[part]);

export const selectRow = (table: string): string =>
  `SELECT stamp, value, expires_at, seq FROM ${table}
WHERE map = ? AND key = ? AND kind = ? AND sub = ?`;

export const deleteRow = (table: string): string =>
  `DELETE FROM ${table} WHERE map = ? AND key = ? AND kind = ? AND sub = ?`;

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

/** `last`: from the row behind this one. */
export function rangeOfKey(query: RangeQuery, last: Identity | null): Range {
  const { map, key, kind, prefix } = query;
  const after = last?.sub ?? query.after;
  const isAbove = after !== null && compareText(after, prefix) >= 0;
  const first = isAbove ? "sub > ?" : "sub >= ?";
  return {
    where: `WHERE map = ? AND key = ? AND kind = ? AND ${first} AND sub < ?`,
    bindings: [map, key, kind, isAbove ? after : prefix, endOf(prefix)],
  };
}

/** How many there are, `LIMIT ?` at most. */
export const countRange = (table: string, { where }: Range): string =>
  `SELECT count(*) FROM (SELECT 1 FROM ${table} ${where} ORDER BY ${IDENTITY} LIMIT ?)`;

/** The identity behind so many others. */
export const selectOneOf = (table: string, { where }: Range): string =>
  `SELECT ${IDENTITY} FROM ${table} ${where} ORDER BY ${IDENTITY} LIMIT 1 OFFSET ?`;

/** At most `LIMIT ?` rows. */
export const selectRange = (table: string, { where }: Range): string =>
  asOne(IDENTITY, `${table} AS stored ${where} ORDER BY ${IDENTITY} LIMIT ?`);

/** Of the same rows the values that are missing there. */
export const selectLongValues = (table: string, { where }: Range): string =>
  `SELECT iif(octet_length(value) > ${SHORT_VALUE_BYTES_MAX}, value, NULL)
FROM ${table} ${where} ORDER BY ${IDENTITY} LIMIT ?`;

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
