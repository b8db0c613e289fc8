/**
 * Every partition's rows of one node. All rules over rows live here once, over any `RowStore`.
 *
 * Digests and counts are caches of what is stored: an instance made anew over the same store gives the
 * same answers. So after a transaction that was undone, make a new one.
 */
import type { DigestKey } from "../../data/digest.ts";
import { Seq, type PartitionId } from "../../data/ids.ts";
import { unreachable } from "../../data/assert.ts";
import type { Identity, Row } from "../../data/row.ts";
import { DigestTracker } from "./digest-tracker.ts";
import type {
  CollectEffect,
  FindGoneEffect,
  FoundGone,
  MergeBatch,
  MergedBatch,
  ReadBatch,
  ReadEffect,
  RowEffect,
  RowEvent,
  Scanned,
} from "./effects.ts";
import { fetch, type FetchEffect, type RowsFound } from "./fetch.ts";
import { findGone, GONE_PAGE_BYTES, meant } from "./gone.ts";
import { readJournal, type JournalRead, type ReadJournalEffect } from "./journal.ts";
import { list } from "./list.ts";
import { look } from "./look.ts";
import { mergeBatch, mergeWritten, type Merge, type Read } from "./merge.ts";
import type { RowStore, StoredRow } from "./row-store.ts";
import { scan, type ScanQuery } from "./scan.ts";

/** Bytes read at a time for a digest. */
const DIGEST_PAGE_BYTES = 256 * 1024;

/** Rows that are in memory at a time beside those of the event itself, with values of up to 256 KiB. */
const READ_AT_A_TIME = 32;
const MERGED_AT_A_TIME = 128;

/** As measured beside writes of 100 B, and bytes that cost as much again. */
const WORK_PER_ROW = { read: 0.25, written: 0.4 };
const BYTES_PER_WORK = 4_096;

/** Rows counted in one event, some 20 ms: after a start, and where entries were written unseen. */
export const COUNT_ROWS_MAX = 200_000;

/** What is known of a partition's rows without reading them. */
interface Cache {
  /** As last counted, and kept up since by what reads rows before it writes them. */
  rows: number;
  /** Nothing was written unseen since the last count began. */
  isCounted: boolean;
  /** A count that is not at its end. */
  counting: { readonly rows: number; readonly upTo: Identity } | null;
  tracker: DigestTracker | null;
}

export class RowTables {
  readonly #store: RowStore;
  readonly #digestKey: () => DigestKey;
  /** At most one per partition. */
  readonly #caches = new Map<PartitionId, Cache>();
  #stored: Set<PartitionId> | null = null;
  #work = 0;

  constructor(store: RowStore, digestKey: () => DigestKey) {
    this.#store = store;
    this.#digestKey = digestKey;
  }

  /** Rows passed so far, in the time of how many single writes about: for whoever shares out its time. */
  get work(): number {
    return this.#work;
  }

  /** Null: nothing is answered. */
  perform<Tag>(effect: RowEffect<Tag>): RowEvent<Tag> | null {
    switch (effect.type) {
      case "merge":
        return {
          type: "merged",
          batches: effect.batches.map((b) => ({ ...this.#merge(b), upTo: lastOf(b) })),
          tag: effect.tag,
        };
      case "read-rows":
        return { type: "rows-read", batches: this.#read(effect), tag: effect.tag };
      case "list-rows":
        return { type: "listed", lists: list(this.#store, effect), tag: effect.tag };
      case "look":
        return { type: "looked", batches: look(this.#store, effect), tag: effect.tag };
      case "scan":
        return { type: "scanned", ...this.#scan(effect), tag: effect.tag };
      case "fetch-rows":
        return { type: "fetched", found: this.#fetch(effect), tag: effect.tag };
      case "read-journal":
        return { type: "journal-read", ...this.#readJournal(effect), tag: effect.tag };
      case "digest":
        return { type: "digested", buckets: this.#digest(effect), tag: effect.tag };
      case "count-rows":
        return {
          type: "counted",
          rows: this.#count(),
          ...this.#store.usage(),
          tag: effect.tag,
        };
      case "find-gone":
        return { type: "found-gone", ...this.#findGone(effect), tag: effect.tag };
      case "collect":
        return { type: "collected", rows: this.#collect(effect), tag: effect.tag };
      case "forget-digest":
        this.#cache(effect.partitionId).tracker = null;
        return null;
      case "drop-rows":
        this.#drop(effect.partitionId);
        return null;
      default:
        return unreachable(effect);
    }
  }

  #read({ batches, bytesMax }: ReadEffect<unknown>): ReadBatch[] {
    let room = bytesMax;
    return batches.map(({ partitionId, identities }) => {
      const rows: ReadBatch["rows"][number][] = [];
      for (let from = 0; from < identities.length; from += READ_AT_A_TIME) {
        const some = identities.slice(from, from + READ_AT_A_TIME);
        const found = room > 0 ? this.#store.read(partitionId, some) : null;
        for (const [i] of some.entries()) {
          const row = found ? found[i]?.row : "not read";
          rows.push(row);
          if (row !== "not read") room -= row?.value?.length ?? 0;
        }
      }
      return { partitionId, rows };
    });
  }

  /** A part at a time: what stands there may have to be read, and each value may be long. */
  #merge(batch: MergeBatch): Omit<MergedBatch, "upTo"> {
    const { partitionId, rows } = batch;
    this.#pass(rows, WORK_PER_ROW.written);
    if (batch.digest) this.#expectDigest(partitionId);
    if (rows.length <= MERGED_AT_A_TIME) return this.#mergePart(batch);
    const outcomes: MergedBatch["outcomes"][number][] = [];
    for (let from = 0; from < rows.length; from += MERGED_AT_A_TIME) {
      const part = rows.slice(from, from + MERGED_AT_A_TIME);
      const merged = this.#mergePart({ ...batch, rows: part, seq: Seq(batch.seq + from) });
      for (const outcome of merged.outcomes) outcomes.push(outcome);
    }
    return { partitionId, outcomes };
  }

  #mergePart(batch: MergeBatch): Omit<MergedBatch, "upTo"> {
    const { partitionId } = batch;
    const read = (ids: readonly Identity[]): readonly (StoredRow | undefined)[] =>
      this.#store.read(partitionId, ids);
    const known = this.#tracker(partitionId);
    const tracker = batch.rows.some((row) => known?.covers(row)) ? known : null;
    const written = tracker ? this.#insert(batch, tracker, read) : this.#writeNewer(batch, read);
    const { outcomes, changes } = written ?? mergeBatch(batch, read);
    this.#apply(partitionId, changes, tracker);
    return { partitionId, outcomes };
  }

  /** A newer stamp is the first word of the merge of entries, so the store may decide by it. */
  #writeNewer(batch: MergeBatch, read: Read): Merge | null {
    const { partitionId, rows } = batch;
    if (rows.length === 0 || rows.some(({ kind }) => kind !== "lww")) return null;
    const write = (mine: readonly StoredRow[]): number => this.#store.writeNewer(partitionId, mine);
    const merged = mergeWritten(batch, write, read);
    // Which of them were inserted nobody knows.
    if (merged) this.#cache(partitionId).isCounted = false;
    if (merged) this.#partitions().add(partitionId);
    return merged;
  }

  /** The digest needs the row of before, and there is none where a row could be inserted. */
  #insert(batch: MergeBatch, tracker: DigestTracker, read: Read): Merge | null {
    const { partitionId, rows } = batch;
    if (batch.fresh !== true || rows.length === 0) return null;
    const write = (mine: readonly StoredRow[]): number => this.#store.insert(partitionId, mine);
    const merged = mergeWritten(batch, write, read);
    if (!merged) return null;
    for (const { row } of merged.written) tracker.replace(undefined, row);
    this.#added(this.#cache(partitionId), merged.written.length);
    this.#partitions().add(partitionId);
    return merged;
  }

  #apply(partitionId: PartitionId, changes: Merge["changes"], tracker: DigestTracker | null): void {
    if (changes.length === 0) return;
    const cache = this.#cache(partitionId);
    for (const { old, now } of changes) {
      tracker?.replace(old, now.row);
      if (!old) this.#added(cache, 1);
    }
    this.#store.write(
      partitionId,
      changes.map(({ now }) => now),
    );
    this.#partitions().add(partitionId);
  }

  /** The rows of an empty table are all known: its digest is complete from the start. */
  #expectDigest(partitionId: PartitionId): void {
    if (this.#partitions().has(partitionId) || this.#tracker(partitionId)) return;
    this.#startTracker(partitionId).pass(null, { rows: [], done: true });
  }

  #scan(query: ScanQuery): Scanned {
    const { partitionId, after } = query;
    // Whoever reads a table from its start compares it next.
    const tracker =
      this.#tracker(partitionId) ?? (after === null ? this.#startTracker(partitionId) : null);
    const scanned = scan(this.#store, query, (from, page) => tracker?.pass(from, page));
    this.#pass(scanned.rows, WORK_PER_ROW.read);
    return scanned;
  }

  #fetch(effect: FetchEffect<unknown>): readonly RowsFound[] {
    const found = fetch(this.#store, effect);
    for (const { rows } of found) this.#pass(rows, WORK_PER_ROW.read);
    return found;
  }

  #readJournal(effect: ReadJournalEffect<unknown>): JournalRead {
    const found = readJournal(this.#store, effect);
    this.#pass(found.entries, WORK_PER_ROW.read);
    return found;
  }

  #digest({
    partitionId,
    rowsMax,
  }: {
    partitionId: PartitionId;
    rowsMax: number;
  }): Uint8Array | null {
    const tracker = this.#tracker(partitionId) ?? this.#startTracker(partitionId);
    for (let room = rowsMax; room > 0;) {
      const { upTo } = tracker;
      if (upTo === "end") break;
      const bounds = { rowsMax: room, bytesMax: DIGEST_PAGE_BYTES };
      const page = this.#store.page(partitionId, upTo, bounds);
      tracker.pass(upTo, page);
      room -= page.rows.length;
      this.#work += page.rows.length * WORK_PER_ROW.read;
    }
    return tracker.buckets();
  }

  /** Exact once all is counted; before, and among writes, as exact as the bound allows, the oldest counts first. */
  #count(): number {
    let room = COUNT_ROWS_MAX;
    let rows = 0;
    for (const partitionId of this.#partitions()) this.#cache(partitionId);
    const caches = [...this.#caches]; // what is counted goes to the end
    for (const [partitionId, cache] of caches) {
      if (room > 0 && (!cache.isCounted || cache.counting)) {
        room -= this.#countOn(partitionId, cache, room);
        this.#caches.delete(partitionId);
        this.#caches.set(partitionId, cache);
      }
      rows += Math.max(cache.rows, cache.counting?.rows ?? 0);
    }
    return rows;
  }

  /** From where the last count ended. Returns how many were passed. */
  #countOn(partitionId: PartitionId, cache: Cache, rowsMax: number): number {
    const before = cache.counting;
    const { rows, upTo } = this.#store.countFrom(partitionId, before?.upTo ?? null, rowsMax);
    const total = (before?.rows ?? 0) + rows;
    if (!before) cache.isCounted = true;
    cache.counting = upTo === "end" ? null : { rows: total, upTo };
    if (upTo === "end") cache.rows = total;
    return rows;
  }

  #added(cache: Cache, rows: number): void {
    cache.rows += rows;
    // Above or below what has been counted nobody knows.
    if (cache.counting) cache.isCounted = false;
  }

  #pass(rows: readonly Row[], each: number): void {
    for (const { value } of rows) this.#work += each + (value?.length ?? 0) / BYTES_PER_WORK;
  }

  #findGone(effect: FindGoneEffect<unknown>): FoundGone {
    const { partitionId, after, rowsMax } = effect;
    const bounds = { rowsMax, bytesMax: GONE_PAGE_BYTES };
    const page = this.#store.page(partitionId, after, bounds);
    this.#work += page.rows.length * WORK_PER_ROW.read;
    return findGone(page, effect);
  }

  #collect({ partitionId, rows: husks }: CollectEffect<unknown>): readonly Row[] {
    const rows = meant(husks, this.#store.read(partitionId, husks));
    this.#pass(rows, WORK_PER_ROW.written);
    this.#store.remove(partitionId, rows);
    const tracker = this.#tracker(partitionId);
    for (const row of rows) tracker?.remove(row);
    const cache = this.#cache(partitionId);
    cache.rows = Math.max(0, cache.rows - rows.length);
    // Above or below what has been counted nobody knows.
    if (cache.counting && rows.length > 0) cache.isCounted = false;
    return rows;
  }

  #drop(partitionId: PartitionId): void {
    this.#store.drop(partitionId);
    this.#caches.delete(partitionId);
    this.#partitions().delete(partitionId);
  }

  #startTracker(partitionId: PartitionId): DigestTracker {
    const tracker = new DigestTracker(this.#digestKey());
    this.#cache(partitionId).tracker = tracker;
    return tracker;
  }

  /** A digest under the key of another cluster, from before a join, counts for nothing. */
  #tracker(partitionId: PartitionId): DigestTracker | null {
    const tracker = this.#caches.get(partitionId)?.tracker ?? null;
    if (!tracker) return null;
    const { a, b } = this.#digestKey();
    return tracker.key.a === a && tracker.key.b === b ? tracker : null;
  }

  #cache(partitionId: PartitionId): Cache {
    const known = this.#caches.get(partitionId);
    if (known) return known;
    // Without a table it is empty.
    const isCounted = !this.#partitions().has(partitionId);
    const cache: Cache = { rows: 0, isCounted, counting: null, tracker: null };
    this.#caches.set(partitionId, cache);
    return cache;
  }

  #partitions(): Set<PartitionId> {
    this.#stored ??= new Set(this.#store.partitions());
    return this.#stored;
  }
}

const lastOf = ({ seq, rows }: MergeBatch): Seq => Seq(seq + Math.max(0, rows.length - 1));
