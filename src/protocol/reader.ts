/**
 * Foreign bytes to values: the part of msgpack that Godwit speaks. No extensions, map keys are texts.
 *
 * The decoder of `@msgpack/msgpack` is not used: it allocates every list at its
 * declared length before reading the first item (a few bytes make gigabytes, nested), and it does not
 * check UTF-8 (see `utf8.ts`).
 */
import { err, ok, type Result } from "../data/result.ts";
import { malformed, type Problem } from "./checks.ts";
import { borderError } from "./border-errors.ts";
import { DEPTH_MAX } from "./limits.ts";
import { decodeUtf8 } from "./utf8.ts";

/** A map as it was read. */
export type Fields = Record<string, unknown>;

/** Exactly one value. Byte arrays in it are views of `bytes`; maps are plain objects. Never throws. */
export function readValue(
  bytes: Uint8Array,
  itemsMax: number,
  depthMax = DEPTH_MAX,
): Result<unknown, Problem> {
  const reader = new Reader(bytes, itemsMax, depthMax);
  const value = reader.value(0);
  const problem =
    reader.problem ?? (reader.left > 0 ? malformed("one msgpack value, not more") : null);
  return problem ? err(problem) : ok(value);
}

/** A map's fields up to `last`, if they can be had: what a frame that is refused may still say of itself. */
export function readFirstFields(bytes: Uint8Array, last: string): Fields {
  const fields: Fields = {};
  const head = bytes[0] ?? 0;
  const length = head >= 0x80 && head < 0x90 ? head & 0x0f : 0; // no message has more fields
  const reader = new Reader(bytes.subarray(1), 1_024, DEPTH_MAX);
  for (let i = 0; i < length; i++) {
    const key = reader.value(DEPTH_MAX); // so deep that a list or map counts as a problem
    const value = reader.value(DEPTH_MAX);
    if (reader.problem || typeof key !== "string" || key === "__proto__") break;
    fields[key] = value;
    if (key === last) break;
  }
  return fields;
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array);

class Reader {
  /** The first thing found wrong. From then on every value is null and nothing is read. */
  problem: Problem | null = null;

  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #itemsMax: number;
  readonly #depthMax: number;
  #at = 0;
  #items = 1;
  /** Values promised by the lists and maps begun and not read yet: each takes a byte at least. */
  #owed = 1;

  constructor(bytes: Uint8Array, itemsMax: number, depthMax: number) {
    // A plain array even of a subclass: views of a Node `Buffer` would be Buffers.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#itemsMax = itemsMax;
    this.#depthMax = depthMax;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  value(depth: number): unknown {
    if (!this.#has(1)) return null;
    const head = this.#bytes[this.#at++] ?? 0;
    this.#owed--;
    if (head < 0x80) return head;
    if (head < 0x90) return this.#map(head & 0x0f, depth);
    if (head < 0xa0) return this.#list(head & 0x0f, depth);
    if (head < 0xc0) return this.#text(head & 0x1f);
    if (head >= 0xe0) return head - 0x100;
    return this.#long(head, depth);
  }

  /** Everything whose first byte is not also its length or its value. */
  #long(head: number, depth: number): unknown {
    if (head < 0xc4) return this.#constant(head);
    if (head < 0xc7) return this.#binary(this.#integer(head - 0xc4));
    if (head < 0xca || (head >= 0xd4 && head < 0xd9))
      return this.#fail(malformed("msgpack without extension types"));
    if (head < 0xcc) return this.#float(head);
    if (head < 0xd0) return this.#integer(head - 0xcc);
    if (head < 0xd4) return this.#integer(head - 0xd0, true);
    if (head < 0xdc) return this.#text(this.#integer(head - 0xd9));
    if (head < 0xde) return this.#list(this.#integer(head - 0xdb), depth);
    return this.#map(this.#integer(head - 0xdd), depth);
  }

  #constant(head: number): boolean | null {
    if (head === 0xc1) return this.#fail(malformed("msgpack, which has no byte c1"));
    return head === 0xc0 ? null : head === 0xc3;
  }

  #list(length: number, depth: number): unknown {
    if (!this.#promises(length, depth)) return null;
    const items: unknown[] = [];
    for (let i = 0; i < length && !this.problem; i++) items.push(this.value(depth + 1));
    return items;
  }

  #map(length: number, depth: number): unknown {
    if (!this.#promises(length * 2, depth)) return null;
    const fields: Fields = {};
    for (let i = 0; i < length && !this.problem; i++) {
      const key = this.value(depth + 1);
      if (typeof key !== "string") return this.#fail(malformed("msgpack with texts as map keys"));
      if (key === "__proto__") return this.#fail(malformed("without a field __proto__"));
      fields[key] = this.value(depth + 1);
    }
    return fields;
  }

  #text(length: number): unknown {
    const at = this.#take(length);
    return at < 0 ? null : decodeUtf8(this.#bytes, at, at + length);
  }

  #binary(length: number): unknown {
    const at = this.#take(length);
    return at < 0 ? null : this.#bytes.subarray(at, at + length);
  }

  #float(head: number): number {
    const size = head === 0xca ? 4 : 8;
    const at = this.#take(size);
    if (at < 0) return 0;
    const value = size === 4 ? this.#view.getFloat32(at) : this.#view.getFloat64(at);
    return value === 0 ? 0 : value; // -0 equals 0 and hashes differently: replicas would disagree
  }

  /** Of 1, 2, 4 or 8 bytes. Beyond 2^53 inexact, which makes it no safe integer. */
  #integer(sizeLog2: number, signed = false): number {
    if (sizeLog2 === 3) return this.#integer(2, signed) * 2 ** 32 + this.#integer(2);
    const at = this.#take(1 << sizeLog2);
    if (at < 0) return 0;
    const view = this.#view;
    if (sizeLog2 === 0) return signed ? view.getInt8(at) : view.getUint8(at);
    if (sizeLog2 === 1) return signed ? view.getInt16(at) : view.getUint16(at);
    return signed ? view.getInt32(at) : view.getUint32(at);
  }

  #promises(items: number, depth: number): boolean {
    this.#owed += items;
    this.#items += items;
    if (depth >= this.#depthMax) this.#fail(malformed(`nested at most ${this.#depthMax} deep`));
    else if (this.#owed > this.left) this.#fail(malformed("complete"));
    else if (this.#items > this.#itemsMax) this.#fail(tooManyItems(this.#items, this.#itemsMax));
    return this.problem === null;
  }

  #has(bytes: number): boolean {
    if (this.problem === null && bytes > this.left) this.#fail(malformed("complete"));
    return this.problem === null;
  }

  /** Where the next so many bytes begin; -1: they are not all there. */
  #take(bytes: number): number {
    if (!this.#has(bytes)) return -1;
    this.#at += bytes;
    return this.#at - bytes;
  }

  #fail(problem: Problem): null {
    this.problem ??= problem;
    return null;
  }
}

const tooManyItems =
  (value: number, max: number): Problem =>
  (field) =>
    borderError("OUT_OF_BOUNDS", { field, value, min: 0, max, unit: "items" });
