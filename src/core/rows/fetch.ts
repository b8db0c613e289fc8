/** Rows of one map in key order, of entries, sets and counters, deletions included: for whoever follows that map. */
import type { PartitionId, Seq } from "../../data/ids.ts";
import {
  compareIdentity,
  identityOf,
  isOfMap,
  rowBytes,
  type Identity,
  type Row,
} from "../../data/row.ts";
import { compareText } from "../../data/text.ts";
import type { RowStore } from "./row-store.ts";

interface RowsWanted {
  readonly partitionId: PartitionId;
  readonly map: string;
  readonly prefix: string;
  /** Only these; null: all. */
  readonly keys: readonly string[] | null;
  /** From behind this row. */
  readonly after: Identity | null;
  /** Only what has changed here above this; null: all. */
  readonly since: Seq | null;
}

export interface FetchEffect<Tag> {
  readonly type: "fetch-rows";
  readonly wanted: readonly RowsWanted[];
  /** In all. */
  readonly rowsMax: number;
  readonly bytesMax: number;
  readonly tag: Tag;
}

export interface RowsFound {
  readonly rows: readonly Row[];
  /** Go on behind this row; null: that was all. */
  readonly after: Identity | null;
}

/** Read at a time where keys are named: what stands behind a key is often one row, and what follows is not wanted. */
const KEY_ROWS = 64;

interface Room {
  rows: number;
  bytes: number;
}

/** For as many of those wanted as there is room; the last one may be cut short. */
export function fetch(store: RowStore, effect: FetchEffect<unknown>): RowsFound[] {
  const found: RowsFound[] = [];
  const room = { rows: effect.rowsMax, bytes: effect.bytesMax };
  for (const wanted of effect.wanted) {
    if (isFull(room)) break;
    const { rows, after } = wanted.keys
      ? findKeys(store, wanted, wanted.keys, room)
      : find(store, wanted, room);
    // Only here: where to go on is behind what was read, be it told or not.
    found.push({ rows: rows.filter(isOfMap), after });
  }
  return found;
}

function find(store: RowStore, wanted: RowsWanted, room: Room): RowsFound {
  const { map, prefix, after } = wanted;
  const first = firstOf(map, prefix);
  const isFresh = after === null || compareIdentity(after, first) < 0;
  // The very first cannot be behind a row: nothing is known to be below it.
  const before = isFresh ? standing(store, wanted, first) : [];
  const from = isFresh ? first : after;
  const bounds = { rowsMax: room.rows, bytesMax: room.bytes };
  const page =
    wanted.since === null
      ? store.page(wanted.partitionId, from, bounds)
      : store.pageSince(wanted.partitionId, from, wanted.since, bounds);
  const mine = page.rows.filter(({ row }) => row.map === map && row.key.startsWith(prefix));
  const isEnd = page.done || mine.length < page.rows.length;
  const rows = [...before, ...mine.map(({ row }) => row)];
  take(room, rows);
  const last = rows.at(-1) ?? from;
  return { rows, after: isEnd ? null : identityOf(last) };
}

/** Each key is a stretch of its own: all its rows, where a prefix would let in longer keys, too. */
function findKeys(
  store: RowStore,
  wanted: RowsWanted,
  keys: readonly string[],
  room: Room,
): RowsFound {
  const rows: Row[] = [];
  let last: Identity | null = wanted.after;
  for (const key of [...new Set(keys)].toSorted(compareText)) {
    if (last && compareText(key, last.key) < 0) continue;
    for (let isEnd = false; !isEnd;) {
      if (isFull(room)) return { rows, after: last };
      const after: Identity | null = last?.key === key ? last : null;
      const found = findKey(store, { ...wanted, keys: null, prefix: key, after }, room);
      for (const row of found.rows) rows.push(row);
      isEnd = found.after === null;
      // Behind all that was read of it, of whatever kind: whoever goes on there is given none of it again.
      last = identityOf(found.rows.at(-1) ?? after ?? firstOf(wanted.map, key));
    }
  }
  return { rows, after: null };
}

function findKey(store: RowStore, wanted: RowsWanted, room: Room): RowsFound {
  const few = { rows: Math.min(KEY_ROWS, room.rows), bytes: room.bytes };
  const found = find(store, wanted, few);
  const rows = found.rows.filter(({ key }) => key === wanted.prefix);
  take(room, rows);
  return { rows, after: rows.length < found.rows.length ? null : found.after };
}

/** No kind that is told comes before it. */
const firstOf = (map: string, key: string): Identity => ({ map, key, kind: "lww", sub: "" });

function standing(store: RowStore, { partitionId, since }: RowsWanted, identity: Identity): Row[] {
  const [stored] = store.read(partitionId, [identity]);
  return stored && (since === null || stored.seq > since) ? [stored.row] : [];
}

const isFull = ({ rows, bytes }: Room): boolean => rows <= 0 || bytes <= 0;

function take(room: Room, rows: readonly Row[]): void {
  room.rows -= Math.max(1, rows.length);
  for (const row of rows) room.bytes -= rowBytes(row);
}
