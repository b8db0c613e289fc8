/**
 * What this client knows of the grid: for each entry the newest row that it has written or read. Rows merge here as
 * they do everywhere, so a late answer never hides a newer write.
 */
import { equalBytes } from "../data/bytes.ts";
import { compareStamps, type Stamp } from "../data/hlc.ts";
import { compareWrites, isVisible, type Content } from "../data/content.ts";

/** `value` as the application gave or would get it; `pending`: its write is not settled, and this is its number. */
interface Entry {
  readonly row: Content;
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
    const entry = this.#at(map, key);
    if (!entry) return undefined;
    // A deletion's value is undefined as it is; to ask for the time takes longer than all the rest.
    return entry.row.expiresAt === null || isVisible(entry.row, now()) ? entry.value : undefined;
  }

  /** Is the newest that is known a write that no node has acknowledged? */
  isPending(map: string, key: string): boolean {
    return (this.#at(map, key)?.pending ?? null) !== null;
  }

  /** It stays out where something newer is known. */
  put(map: string, key: string, entry: Entry): void {
    let entries = this.#maps.get(map);
    if (!entries) this.#maps.set(map, (entries = new Map()));
    const known = entries.get(key);
    if (known && compareWrites(known.row, entry.row) >= 0) return;
    entries.set(key, entry);
    dropOldest(entries, this.#entriesMax);
  }

  /** What a node has, though not until when: of an own write that is known here. */
  learned(map: string, key: string, row: Content, value: unknown): void {
    const known = this.#at(map, key)?.row;
    const isKnown = known !== undefined && compareStamps(known.stamp, row.stamp) === 0;
    if (isKnown && isSame(known.value, row.value)) return;
    this.put(map, key, { row, value, pending: null });
  }

  restamped(map: string, key: string, pending: number, row: Content): void {
    const entry = this.#at(map, key);
    if (entry?.pending === pending) this.#maps.get(map)?.set(key, { ...entry, row });
  }

  stored(map: string, key: string, pending: number): void {
    const entry = this.#at(map, key);
    if (entry?.pending === pending) this.#maps.get(map)?.set(key, { ...entry, pending: null });
  }

  /** A node has something newer than that, which is not known here; null: it has refused that write. */
  forget(map: string, key: string, pending: number, newer: Stamp | null): void {
    const entry = this.#at(map, key);
    if (!entry) return;
    const isOlder = newer !== null && compareStamps(entry.row.stamp, newer) < 0;
    if (isOlder || entry.pending === pending) this.#maps.get(map)?.delete(key);
  }

  /** A node knows of nothing under that key. */
  absent(map: string, key: string): void {
    if (!this.isPending(map, key)) this.#maps.get(map)?.delete(key);
  }

  #at(map: string, key: string): Entry | undefined {
    return this.#maps.get(map)?.get(key);
  }
}

/** Two who write under one name may have given one stamp to two values. */
const isSame = (a: Uint8Array | null, b: Uint8Array | null): boolean =>
  a === null || b === null ? a === b : equalBytes(a, b);

/** Of all that is kept, so large a share goes together. */
const DROPPED_SHARE = 1 / 64;

/**
 * What is not settled stays: the outbox has a bound of its own. Many go at a time, since a map finds its first entry behind the
 * places of all that were dropped before.
 */
function dropOldest(entries: Map<string, Entry>, max: number): void {
  const batch = Math.max(1, Math.floor(max * DROPPED_SHARE));
  const over = entries.size - max - 1;
  if (over < 0 || over % batch !== 0) return;
  const left = max + 1 - batch;
  for (const [key, { pending }] of entries) {
    if (pending !== null || entries.size <= left) return;
    entries.delete(key);
  }
}
