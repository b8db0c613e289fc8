/**
 * Keyed 64-bit hash of a whole row.
 *
 * A row is written as 32-bit words: a head of fixed size with every length in it, then map, key,
 * sub and node, then the value, each filled up with zeros to a whole word. So different rows are
 * different words. Null is -1 where a length or a time is never negative.
 */
import { assert } from "./assert.ts";
import { HalfSipHash } from "./half-siphash.ts";
import type { Row, RowKind } from "./row.ts";

/** Part of what is hashed, so a kind keeps its number for ever. */
const KIND_NUMBERS: Readonly<Record<RowKind, number>> = {
  lww: 1,
  or: 2,
  pn: 3,
  event: 4,
  snapshot: 5,
};

const HEAD_WORDS = 9;
const SCRATCH_BYTES = 1024;

/** Owns the memory it works in, so that hashing allocates nothing. */
export class RowHash {
  readonly #sip: HalfSipHash;
  /** One piece of memory under four views, to write rows in bulk rather than byte by byte. */
  readonly #bytes = new Uint8Array(SCRATCH_BYTES);
  readonly #units = new Uint16Array(this.#bytes.buffer);
  readonly #words = new Int32Array(this.#bytes.buffer);
  readonly #doubles = new Float64Array(this.#bytes.buffer);
  /** Words written and not yet mixed. */
  #written = 0;

  constructor(key0: number, key1: number) {
    this.#sip = new HalfSipHash(key0, key1);
    this.#words[0] = 1;
    assert(this.#bytes[0] === 1, "hashes are defined for little-endian hosts, like every target");
  }

  /** Two lanes, which the next `hash` overwrites. */
  hash(row: Row): Uint32Array {
    this.#sip.start();
    this.#head(row);
    this.#text(row.map);
    this.#text(row.key);
    this.#text(row.sub);
    this.#text(row.stamp.node);
    if (row.value !== null) this.#value(row.value);
    this.#flush();
    return this.#sip.finish();
  }

  #head(row: Row): void {
    const { millis, counter, node } = row.stamp;
    this.#doubles[0] = millis;
    this.#doubles[1] = row.expiresAt ?? -1;
    this.#words[4] = row.map.length;
    this.#words[5] = row.key.length;
    this.#words[6] = row.sub.length;
    this.#words[7] = counter | (node.length << 16) | (KIND_NUMBERS[row.kind] << 24);
    this.#words[8] = row.value === null ? -1 : row.value.length;
    this.#written = HEAD_WORDS;
  }

  #text(text: string): void {
    const units = this.#units;
    for (let from = 0; from < text.length;) {
      if (this.#written === this.#words.length) this.#flush();
      const at = this.#written * 2;
      const count = Math.min(text.length - from, units.length - at);
      for (let i = 0; i < count; i++) units[at + i] = text.charCodeAt(from + i);
      if ((count & 1) === 1) units[at + count] = 0;
      this.#written += (count + 1) >>> 1;
      from += count;
    }
  }

  #value(value: Uint8Array): void {
    for (let from = 0; from < value.length;) {
      if (this.#written === this.#words.length) this.#flush();
      const at = this.#written * 4;
      const room = SCRATCH_BYTES - at;
      const whole = from === 0 && value.length <= room; // the usual case: no view to allocate
      const part = whole ? value : value.subarray(from, from + room);
      this.#written += (part.length + 3) >>> 2;
      this.#words[this.#written - 1] = 0;
      this.#bytes.set(part, at);
      from += part.length;
    }
  }

  #flush(): void {
    this.#sip.mix(this.#words, this.#written);
    this.#written = 0;
  }
}
