/** Digests of what a subscription holds of a map in a partition, in as many buckets as suit the number of rows. */
import { Digest, type DigestKey } from "./digest.ts";
import type { Row } from "./row.ts";

/**
 * Of one bucket: the last 48 bits of its two lanes, as the whole would cost a client that has missed little
 * more than the rows that it missed. Two sets of rows are taken for equal once in 2^48.
 */
export const BUCKET_DIGEST_BYTES = 6;

/** `BUCKET_DIGEST_BYTES` each. What is gone is not there: nobody need keep it to compare. */
export function digestOf(rows: Iterable<Row>, count: number, salt: DigestKey): Uint8Array {
  const digest = new Digest(salt, count);
  for (const row of rows) if (row.value !== null) digest.add(row);
  const [whole, kept] = [digest.buckets(), noDigest(count)];
  const length = whole.length / count;
  for (let i = 0; i < count; i++)
    kept.set(
      whole.subarray((i + 1) * length - BUCKET_DIGEST_BYTES, (i + 1) * length),
      i * BUCKET_DIGEST_BYTES,
    );
  return kept;
}

/** Of no rows. */
export const noDigest = (count: number): Uint8Array => new Uint8Array(count * BUCKET_DIGEST_BYTES);

export const bucketCount = (digest: Uint8Array): number => digest.length / BUCKET_DIGEST_BYTES;

/** Of two sets that have no row in common. */
export function sumOf(a: Uint8Array, b: Uint8Array): Uint8Array {
  const sum = new Uint8Array(a.length);
  const [x, y, to] = [viewOf(a), viewOf(b), viewOf(sum)];
  for (let at = 0; at < a.length; at += BUCKET_DIGEST_BYTES) {
    to.setUint16(at, x.getUint16(at) + y.getUint16(at));
    to.setUint32(at + 2, x.getUint32(at + 2) + y.getUint32(at + 2));
  }
  return sum;
}

export function differing(a: Uint8Array, b: Uint8Array): number[] {
  const which = new Set<number>();
  for (let i = 0; i < a.length; i++)
    if (a[i] !== b[i]) which.add(Math.floor(i / BUCKET_DIGEST_BYTES));
  return [...which];
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
