/** Digests of what a subscription holds of a map in a partition, in as many buckets as suit the number of rows. */
import { Digest, type DigestKey } from "./digest.ts";
import type { Row } from "./row.ts";

/** 8 bytes each. What is gone is not there: nobody need keep it to compare. */
export function digestOf(rows: Iterable<Row>, count: number, salt: DigestKey): Uint8Array {
  const digest = new Digest(salt, count);
  for (const row of rows) if (row.value !== null) digest.add(row);
  return digest.buckets();
}

/** Of two sets that have no row in common. */
export function sumOf(a: Uint8Array, b: Uint8Array): Uint8Array {
  const sum = new Uint8Array(a.length);
  const [x, y, to] = [viewOf(a), viewOf(b), viewOf(sum)];
  for (let at = 0; at < a.length; at += 4)
    to.setUint32(at, (x.getUint32(at) + y.getUint32(at)) >>> 0);
  return sum;
}

export function differing(a: Uint8Array, b: Uint8Array): number[] {
  const which = new Set<number>();
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) which.add(i >>> 3);
  return [...which];
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
