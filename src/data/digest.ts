/**
 * Digest of a set of rows: equal digests mean equal sets, in whatever order they were seen.
 *
 * 64 bits, the sum over the rows of a keyed hash of identity, stamp, value and expiry. The sum is
 * kept in 256 buckets, so that a difference between two replicas is found without comparing all
 * rows. A bucket is two lanes of 32 bits, each summed modulo 2^32, so `remove` undoes `add`
 * exactly. (A sum and not a xor: a row counted twice would vanish from a xor.)
 *
 * The key is drawn once per cluster; without it nobody can choose rows whose hashes add up.
 * Buckets do not depend on it: which rows a bucket holds is the same under every key.
 */
import { assert } from "./assert.ts";
import { FNV_OFFSET, FNV_PRIME } from "./hash.ts";
import { RowHash } from "./row-hash.ts";
import type { Identity, Row } from "./row.ts";

/** Two unsigned 32-bit integers. */
export interface DigestKey {
  readonly a: number;
  readonly b: number;
}

export const BUCKET_COUNT = 256;

/** Length of `Digest.buckets()`: per bucket two lanes, big endian. */
export const BUCKETS_BYTES = BUCKET_COUNT * 8;

/**
 * The digest of the rows added so far. Mutable, and the owner's alone: hand out `buckets()`, not
 * the digest. A replaced row is one `remove` of the old and one `add` of the new.
 */
export class Digest {
  readonly #hash: RowHash;
  readonly #lanes: Uint32Array;
  readonly #count: number;

  /** `count`: of buckets. */
  constructor(key: DigestKey, count = BUCKET_COUNT) {
    this.#hash = new RowHash(key.a, key.b);
    this.#lanes = new Uint32Array(count * 2);
    this.#count = count;
  }

  add(row: Row): void {
    this.#sum(row, 1);
  }

  /** Only of a row that was added, with all its fields: the digest cannot tell. */
  remove(row: Row): void {
    this.#sum(row, -1);
  }

  buckets(): Uint8Array {
    const bytes = new Uint8Array(this.#count * 8);
    const view = new DataView(bytes.buffer);
    for (const [i, lane] of this.#lanes.entries()) view.setUint32(i * 4, lane);
    return bytes;
  }

  /** 16 hex digits. */
  total(): string {
    return totalOf(this.buckets());
  }

  #sum(row: Row, sign: 1 | -1): void {
    const lanes = this.#lanes;
    const at = bucketIn(this.#count, row) * 2;
    const hash = this.#hash.hash(row);
    lanes[at] = (lanes[at] ?? 0) + Math.imul(sign, hash[0] ?? 0);
    lanes[at + 1] = (lanes[at + 1] ?? 0) + Math.imul(sign, hash[1] ?? 0);
  }
}

/** 0 .. 255. */
export const bucketOf = (identity: Identity): number => bucketIn(BUCKET_COUNT, identity);

/** Of so many, a power of two, from all parts of the identity. Replicas must agree on it: see the golden vectors. */
export function bucketIn(count: number, identity: Identity): number {
  let hash = fold(FNV_OFFSET, identity.map);
  hash = fold(hash, identity.key);
  hash = fold(hash, identity.kind);
  hash = fold(hash, identity.sub);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b); // FNV's upper bits are the better ones
  return Math.floor((((hash ^ (hash >>> 13)) >>> 0) * count) / 2 ** 32);
}

/** FNV-1a over a text and its end: 0x10000 is no code unit, so parts cannot run together. */
function fold(start: number, text: string): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return Math.imul(hash ^ 0x10000, FNV_PRIME);
}

/** Ascending numbers of the buckets that differ. Both as `Digest.buckets()` gives them. */
export function differingBuckets(a: Uint8Array, b: Uint8Array): number[] {
  assert(a.length === BUCKETS_BYTES && b.length === BUCKETS_BYTES, "the border checks lengths");
  const differing = new Set<number>();
  for (let i = 0; i < BUCKETS_BYTES; i++) if (a[i] !== b[i]) differing.add(i >>> 3);
  return [...differing];
}

/** Sum of all buckets, lane by lane, as 16 hex digits. */
export function totalOf(buckets: Uint8Array): string {
  assert(buckets.length === BUCKETS_BYTES, "the border checks lengths");
  const view = new DataView(buckets.buffer, buckets.byteOffset, BUCKETS_BYTES);
  let lane0 = 0;
  let lane1 = 0;
  for (let at = 0; at < BUCKETS_BYTES; at += 8) {
    lane0 = (lane0 + view.getUint32(at)) >>> 0;
    lane1 = (lane1 + view.getUint32(at + 4)) >>> 0;
  }
  return hex(lane0) + hex(lane1);
}

const hex = (lane: number): string => lane.toString(16).padStart(8, "0");
