/**
 * The one thing that is stored, copied, merged and hashed. Replication, migration, repair, backup
 * and digests know rows only.
 *
 * Merging takes the greater of two rows under one total order per kind, so any replicas that have
 * seen the same rows, in any order and any number of times, hold the same row: merge is
 * commutative, associative and idempotent. The order covers *every* field, since a field that it
 * ignored could differ between replicas for ever.
 */
import { assert, unreachable } from "./assert.ts";
import { compareWrites, type Content } from "./content.ts";
import { tagIn } from "./element.ts";
import { compareStamps } from "./hlc.ts";
import { ROW_OVERHEAD_BYTES } from "./limits.ts";
import { compareText, utf8Length } from "./text.ts";

/**
 * `lww`: a last-writer-wins entry of a map; `sub` is empty.
 * `or`: one add of an element to a set (`element.ts`); `value` is the element, a tombstone its removal.
 * `pn`: what one replica has added to a counter, or taken away (`count.ts`).
 */
export type RowKind = "lww" | "or" | "pn" | JournalKind;

/**
 * Of an actor, whose type is the map and whose id is the key. `event`: an entry of its journal, by its number. Of two of
 * one number that of the later owner stands, so the stamp's place is taken by the owner's epoch. `snapshot`: what the entries
 * come to up to some number, which takes the stamp's place: the later one stands (`protocol/journal.ts`).
 */
type JournalKind = "event" | "snapshot";

/** Of which entry, set or counter. */
export interface Of {
  readonly map: string;
  readonly key: string;
}

/** Which row it is. The kind is part of it: one key may hold rows of several kinds. */
export interface Identity extends Of {
  readonly kind: RowKind;
  readonly sub: string;
}

export interface Row extends Identity, Content {}

/** Map, key, kind, sub, each in the order of its UTF-8 bytes: the order of a scan. */
export function compareIdentity(a: Identity, b: Identity): number {
  return (
    compareText(a.map, b.map) ||
    compareText(a.key, b.key) ||
    compareText(a.kind, b.kind) ||
    compareText(a.sub, b.sub)
  );
}

export function identityOf({ map, key, kind, sub }: Identity): Identity {
  return { map, key, kind, sub };
}

/** Total order over whole rows of one identity: 0 only when every field is equal. */
export const compareRows = (a: Row, b: Row): number => compareContents(a.kind, a, b);

/** The same, where which row it is goes without saying. */
export function compareContents(kind: RowKind, a: Content, b: Content): number {
  switch (kind) {
    case "lww":
    case "pn":
    case "event":
    case "snapshot":
      return compareWrites(a, b);
    case "or":
      // What is removed has been there: its add comes too late, whatever its stamp.
      return Number(a.value === null) - Number(b.value === null) || compareWrites(a, b);
    default:
      return unreachable(kind);
  }
}

/** What a replica holds after seeing both: one of the two, `a` when they are equal. */
export function mergeRows(a: Row, b: Row): Row {
  assert(compareIdentity(a, b) === 0, "only rows of one identity merge");
  return compareRows(a, b) < 0 ? b : a;
}

/**
 * From when on it counts as gone: a deletion since its stamp, an entry since it has expired, but not before it was
 * written. Null: it is there.
 */
export function goneSince(row: Row): number | null {
  const { value, stamp, expiresAt } = row;
  if (value === null) return Math.max(stamp.millis, writtenAt(row));
  return expiresAt === null ? null : Math.max(stamp.millis, expiresAt);
}

/** Whoever removes an element may be behind the clock of who has added it. */
const writtenAt = ({ kind, sub }: Identity): number =>
  (kind === "or" ? tagIn(sub)?.millis : null) ?? 0;

/** May this be the value of something that was deleted later than `since`? Nobody deletes from a counter or a journal. */
export const mayBeDeletedSince = ({ kind, stamp }: Pick<Row, "kind" | "stamp">, since: number) =>
  (kind === "lww" || kind === "or") && stamp.millis < since;

/** Is it part of what a map, a set or a counter is, and not of an actor? */
export const isOfMap = ({ kind }: Pick<Row, "kind">): boolean =>
  kind !== "event" && kind !== "snapshot";

/** What is left of it to be told which row is meant: nobody need know its value. */
export const huskOf = (row: Row): Row => ({ ...row, value: row.value && NOTHING });

const NOTHING = new Uint8Array(0);

/** Is this the row that was meant? Two of one stamp differ in what they say, or a deletion beats the other. */
export const isHuskOf = (husk: Row, row: Row): boolean =>
  compareStamps(husk.stamp, row.stamp) === 0 &&
  husk.expiresAt === row.expiresAt &&
  (husk.value === null) === (row.value === null);

/** About what the row takes in memory or on the wire, to bound chunks, queues and back-pressure. */
export function rowBytes(row: Row): number {
  return (
    utf8Length(row.map) +
    utf8Length(row.key) +
    utf8Length(row.sub) +
    row.stamp.node.length +
    (row.value?.length ?? 0) +
    ROW_OVERHEAD_BYTES
  );
}
