/**
 * What this client knows of the grid: for each entry the newest row that it has written or read. Rows merge here as
 * they do everywhere, so a late answer never hides a newer write.
 */
import { equalBytes } from "../data/bytes.ts";
import { compareStamps, type Stamp } from "../data/hlc.ts";
import { isVisible, mergeRows, type Row } from "../data/row.ts";

/** `value` as the application gave or would get it; `pending`: its write is not settled, and this is its number. */
interface Entry {
  readonly row: Row;
  readonly value: unknown;
  readonly pending: number | null;
}

export class Replica {
  /** By map, then by key. */
  readonly #maps = new Map<string, Map<string, Entry>>();
  readonly #entriesMax: number;

  /** `entriesMax`: of each map. */
  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  /** undefined: nothing is known, or it is known that there is nothing. */
  peek(map: string, key: string, now: () => number): unknown {
    const entry = this.#maps.get(map)?.get(key);
    if (!entry) return undefined;
    // A deletion's value is undefined as it is; to ask for the time takes longer than all the rest.
    return entry.row.expiresAt === null || isVisible(entry.row, now()) ? entry.value : undefined;
  }

  /** Is the newest that is known a write that no node has acknowledged? */
  isPending(map: string, key: string): boolean {
    return (this.#maps.get(map)?.get(key)?.pending ?? null) !== null;
  }

  wrote(row: Row, value: unknown, pending: number): void {
    this.#put({ row, value, pending });
  }

  /** What a node has, though not until when: of an own write that is known here. */
  learned(row: Row, value: unknown): void {
    const known = this.#maps.get(row.map)?.get(row.key)?.row;
    const isKnown = known !== undefined && compareStamps(known.stamp, row.stamp) === 0;
    if (isKnown && isSame(known.value, row.value)) return;
    this.#put({ row, value, pending: null });
  }

  restamped(
    map: string,
    key: string,
    pending: number,
    row: Pick<Row, "stamp" | "expiresAt">,
  ): void {
    const entry = this.#maps.get(map)?.get(key);
    if (entry?.pending !== pending) return;
    this.#maps.get(map)?.set(key, { ...entry, row: { ...entry.row, ...row } });
  }

  stored(map: string, key: string, pending: number): void {
    const entry = this.#maps.get(map)?.get(key);
    if (entry?.pending === pending) this.#maps.get(map)?.set(key, { ...entry, pending: null });
  }

  /** A node has something newer than that, which is not known here; null: it has refused that write. */
  forget(map: string, key: string, pending: number, newer: Stamp | null): void {
    const entry = this.#maps.get(map)?.get(key);
    if (!entry) return;
    const isOlder = newer !== null && compareStamps(entry.row.stamp, newer) < 0;
    if (isOlder || entry.pending === pending) this.#maps.get(map)?.delete(key);
  }

  /** A node knows of nothing under that key. */
  absent(map: string, key: string): void {
    if (!this.isPending(map, key)) this.#maps.get(map)?.delete(key);
  }

  #put(entry: Entry): void {
    const { map, key } = entry.row;
    let entries = this.#maps.get(map);
    if (!entries) this.#maps.set(map, (entries = new Map()));
    const known = entries.get(key);
    if (known && mergeRows(known.row, entry.row) === known.row) return;
    entries.set(key, entry);
    if (entries.size > this.#entriesMax) dropOldest(entries);
  }
}

/** Two who write under one name may have given one stamp to two values. */
const isSame = (a: Uint8Array | null, b: Uint8Array | null): boolean =>
  a === null || b === null ? a === b : equalBytes(a, b);

/** What is not settled stays: the outbox has a bound of its own. */
function dropOldest(entries: Map<string, Entry>): void {
  const [oldest] = entries;
  if (oldest && oldest[1].pending === null) entries.delete(oldest[0]);
}
