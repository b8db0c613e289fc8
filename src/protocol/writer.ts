/**
 * Values to bytes: the part of msgpack that `reader.ts` reads, each number in its shortest form. Not
 * `@msgpack/msgpack`, which knows much that no frame may have, and would be a tenth of what a browser loads.
 *
 * Every text must be well formed: written otherwise it would be no UTF-8, or another text, and the key sent would be
 * another one. Whoever takes texts from outside has checked them by then (`checkKey`).
 */
import { assert } from "../data/assert.ts";
import { isWellFormed, utf8Length } from "../data/text.ts";

/** One buffer for all, as large as the largest so far; the caller gets a copy. */
let buffer = new Uint8Array(64 * 1024);

/** What is undefined in a map is left out. */
export function writeValue(value: unknown): Uint8Array {
  const writer = new Writer();
  writer.value(value);
  return writer.written();
}

/** Of every platform, though no part of the language. */
declare const TextEncoder: new () => { encodeInto: (text: string, into: Uint8Array) => unknown };

const UTF8 = new TextEncoder();

class Writer {
  #bytes = buffer;
  #view = new DataView(buffer.buffer);
  #at = 0;

  written(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  value(value: unknown): void {
    if (typeof value === "string") this.#text(value);
    else if (typeof value === "number") this.#number(value);
    else if (value === null || value === undefined) this.#byte(0xc0);
    else if (typeof value === "boolean") this.#byte(value ? 0xc3 : 0xc2);
    else if (value instanceof Uint8Array) this.#binary(value);
    else if (Array.isArray(value)) {
      this.#head(value.length, 0x90, 16, 0xdb);
      for (const item of value) this.value(item);
    } else this.#map(value);
  }

  #map(value: unknown): void {
    assert(typeof value === "object" && value !== null, "msgpack knows it");
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    this.#head(fields.length, 0x80, 16, 0xdd);
    for (const [name, field] of fields) {
      this.#text(name);
      this.value(field);
    }
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value)) {
      if (value >= -0x20 && value < 0x80) this.#byte(value);
      else this.#sized(value, value < 0 ? 0xd0 : 0xcc);
      return;
    }
    this.#room(9);
    this.#byte(0xcb);
    this.#view.setFloat64(this.#at, value);
    this.#at += 8;
  }

  /** A length: within the head's own byte, or in 2 or 4 bytes after `long` + 1 or + 2. */
  #head(length: number, short: number, below: number, long: number): void {
    if (length < below) this.#byte(short + length);
    else this.#sized(length, long, 1);
  }

  /** In 1, 2, 4 or 8 bytes after `head`, `head` + 1, + 2 or + 3; in no fewer than 2 ** `log2Min`. */
  #sized(value: number, head: number, log2Min = 0): void {
    this.#room(9);
    const reach = value < 0 ? -2 * value - 1 : value; // one bit is the sign's
    const log2Least = reach < 2 ** 8 ? 0 : reach < 2 ** 16 ? 1 : reach < 2 ** 32 ? 2 : 3;
    const log2 = Math.max(log2Min, log2Least);
    this.#byte(head + log2);
    if (log2 === 3) {
      this.#view.setInt32(this.#at, Math.floor(value / 2 ** 32));
      this.#at += 4;
    }
    // All of these take what is negative, or too much, modulo their size.
    if (log2 === 0) this.#bytes[this.#at] = value;
    else if (log2 === 1) this.#view.setUint16(this.#at, value);
    else this.#view.setUint32(this.#at, value);
    this.#at += Math.min(1 << log2, 4);
  }

  #binary(value: Uint8Array): void {
    this.#sized(value.length, 0xc4);
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  #text(text: string): void {
    const length = utf8Length(text);
    if (length < 32) this.#byte(0xa0 + length);
    else this.#sized(length, 0xd9);
    this.#room(length);
    const [bytes, at] = [this.#bytes, this.#at];
    this.#at = at + length;
    if (length === text.length) for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
    else {
      assert(isWellFormed(text), "texts are checked");
      UTF8.encodeInto(text, bytes.subarray(at));
    }
  }

  #byte(byte: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = byte;
  }

  #room(bytes: number): void {
    const wanted = this.#at + bytes;
    if (wanted <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(wanted, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
    buffer = larger;
    this.#view = new DataView(larger.buffer);
  }
}
