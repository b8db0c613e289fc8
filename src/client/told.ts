/** The rows that a subscription was told, by partition, just as the nodes have them: what is compared by digests. */
import { digestOf } from "../data/bucket-digest.ts";
import { bucketIn, type DigestKey } from "../data/digest.ts";
import type { PartitionId } from "../data/ids.ts";
import { isVisible } from "../data/content.ts";
import { compareRows, type Identity, type Row } from "../data/row.ts";
import { FRAME_BYTES_MAX, SUBSCRIPTION_BUCKETS_MAX } from "../protocol/limits.ts";
import type { Buckets, ChangedPart, PartDigest } from "../protocol/subscription-messages.ts";
import { Expiries } from "./expiries.ts";

/** Rows in a bucket, where there is room for as many buckets. */
const BUCKET_ROWS = 3;
const BUCKET_BYTES = 16;

/** Of the map that is followed. */
export type Which = Omit<Identity, "map">;

interface Part {
  readonly rows: Map<string, Row>;
  /** Of the last whole: replaced by it, and shown until all of it has come. */
  readonly fading: Map<string, Row>;
}

interface Place {
  readonly partitionId: PartitionId;
  readonly name: string;
}

/** Hears which row there is now under a name; null: none. */
export type Keep = (name: string, row: Row | null) => void;

export class Told {
  readonly #map: string;
  readonly #keep: Keep;
  readonly #parts = new Map<PartitionId, Part>();
  readonly #expiries = new Expiries<Place>();
  #size = 0;

  constructor(map: string, keep: Keep = () => undefined) {
    this.#map = map;
    this.#keep = keep;
  }

  row(partitionId: PartitionId, which: Which): Row | undefined {
    const part = this.#parts.get(partitionId);
    const name = nameOf(which);
    return part?.rows.get(name) ?? part?.fading.get(name);
  }

  /** Returns which rows may be others now. */
  take({ partitionId, position, replaces, rows }: ChangedPart): ReadonlyMap<string, Which> {
    const part = this.#partAt(partitionId);
    const changed = new Map<string, Which>();
    const before = sizeOf(part);
    if (replaces) fade(part, replaces);
    for (const row of rows) {
      // What was read is a view of the whole frame, which would be kept for it.
      takeRow(part, { map: this.#map, ...row, value: row.value?.slice() ?? null });
      if (row.value && row.expiresAt !== null)
        this.#expiries.add(row.expiresAt, { partitionId, name: nameOf(row) });
      changed.set(nameOf(row), row);
    }
    if (position) {
      for (const [name, row] of part.fading) changed.set(name, row);
      part.fading.clear();
    }
    this.#size += sizeOf(part) - before;
    this.#expiries.tidy(this.#size, () => this.#expiring());
    for (const name of changed.keys()) this.#keep(name, nowAt(part, name));
    return changed;
  }

  /** Nothing expires before. */
  get expiresAt(): number {
    return this.#expiries.first;
  }

  /** Nobody tells of what has expired: it is forgotten. Returns which rows may be others now. */
  expire(now: number): ReadonlyMap<string, Which> {
    const changed = new Map<string, Which>();
    for (const { partitionId, name } of this.#expiries.take(now)) {
      const part = this.#partAt(partitionId);
      for (const rows of [part.rows, part.fading]) {
        const row = rows.get(name);
        if (!row || isVisible(row, now)) continue;
        rows.delete(name);
        this.#size--;
        changed.set(name, row);
        this.#keep(name, nowAt(part, name));
      }
    }
    return changed;
  }

  *#expiring(): Iterable<{ readonly at: number; readonly of: Place }> {
    for (const [partitionId, { rows, fading }] of this.#parts)
      for (const [name, { expiresAt: at }] of [...rows, ...fading])
        if (at !== null) yield { at, of: { partitionId, name } };
  }

  digests(partitionIds: readonly PartitionId[], salt: DigestKey): readonly PartDigest[] {
    const bytesMax = FRAME_BYTES_MAX / 2 / Math.max(1, partitionIds.length);
    return partitionIds.map((partitionId) => {
      const { rows } = this.#partAt(partitionId);
      let count = 1;
      while (
        count < SUBSCRIPTION_BUCKETS_MAX &&
        count * BUCKET_ROWS < rows.size &&
        count * BUCKET_BYTES <= bytesMax
      )
        count *= 2;
      return { partitionId, buckets: digestOf(rows.values(), count, salt) };
    });
  }

  #partAt(partitionId: PartitionId): Part {
    const known = this.#parts.get(partitionId);
    if (known) return known;
    const part: Part = { rows: new Map(), fading: new Map() };
    this.#parts.set(partitionId, part);
    return part;
  }
}

const nowAt = ({ rows, fading }: Part, name: string): Row | null =>
  rows.get(name) ?? fading.get(name) ?? null;

const sizeOf = ({ rows, fading }: Part): number => rows.size + fading.size;

function fade({ rows, fading }: Part, { count, which }: Buckets): void {
  const buckets = new Set(which);
  for (const [name, row] of rows) {
    if (!buckets.has(bucketIn(count, row))) continue;
    rows.delete(name);
    fading.set(name, row);
  }
}

function takeRow({ rows, fading }: Part, row: Row): void {
  const name = nameOf(row);
  const known = rows.get(name);
  // An add is removed whatever the stamps.
  const isOrdered = row.value !== null || row.kind === "lww";
  if (known && isOrdered && compareRows(row, known) < 0) return;
  fading.delete(name);
  if (row.value === null) rows.delete(name);
  else rows.set(name, row);
}

const nameOf = ({ kind, sub, key }: Which): string => `${kind}:${key.length}:${key}${sub}`;
