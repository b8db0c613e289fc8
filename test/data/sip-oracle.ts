/**
 * The row hash a second time, written for the reader and not for speed: `row-hash.test.ts` holds
 * it to the published vectors of HalfSipHash, and the production code to it.
 */
import type { Row } from "../../src/data/row.ts";

const KINDS = { lww: 1, or: 2, pn: 3, event: 4, snapshot: 5 };

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/** HalfSipHash-c-d, 64 bits, over words, without the length that the original appends. */
export function halfSip(
  rounds: { readonly c: number; readonly d: number },
  key: readonly [number, number],
  words: readonly number[],
): readonly [number, number] {
  let [v0, v1, v2, v3] = [key[0], key[1] ^ 0xee, key[0] ^ 0x6c796765, key[1] ^ 0x74656462];
  const round = (): void => {
    v0 = (v0 + v1) | 0;
    v1 = rotate(v1, 5) ^ v0;
    v0 = rotate(v0, 16);
    v2 = (v2 + v3) | 0;
    v3 = rotate(v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotate(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotate(v1, 13) ^ v2;
    v2 = rotate(v2, 16);
  };
  for (const word of words) {
    v3 ^= word;
    for (let i = 0; i < rounds.c; i++) round();
    v0 ^= word;
  }
  v2 ^= 0xee;
  for (let i = 0; i < rounds.d; i++) round();
  const first = (v1 ^ v3) >>> 0;
  v1 ^= 0xdd;
  for (let i = 0; i < rounds.d; i++) round();
  return [first, (v1 ^ v3) >>> 0];
}

/** Little-endian words of bytes, filled up with zeros. */
export function wordsOf(bytes: Uint8Array): number[] {
  const filled = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
  filled.set(bytes);
  return Array.from({ length: filled.length / 4 }, (_, i) => filled.readInt32LE(i * 4));
}

/** A row as the words that are hashed. */
export function wordsOfRow(row: Row): number[] {
  const times = Buffer.alloc(16);
  times.writeDoubleLE(row.stamp.millis, 0);
  times.writeDoubleLE(row.expiresAt ?? -1, 8);
  const { counter, node } = row.stamp;
  return [
    ...wordsOf(times),
    row.map.length,
    row.key.length,
    row.sub.length,
    counter + node.length * 2 ** 16 + KINDS[row.kind] * 2 ** 24,
    row.value === null ? -1 : row.value.length,
    ...[row.map, row.key, row.sub, node].flatMap((text) => wordsOf(Buffer.from(text, "utf16le"))),
    ...wordsOf(row.value ?? Buffer.alloc(0)),
  ];
}
