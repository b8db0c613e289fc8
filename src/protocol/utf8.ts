/**
 * UTF-8 to text, strictly: platform decoders and msgpack libraries turn broken bytes into U+FFFD, drop
 * a leading byte order mark or read on past the end, and so hand out another key than was sent.
 */

/** What broken bytes become. No field takes a lone surrogate, so the check of the field names it. */
export const BROKEN_TEXT = "\ud800";

/** Texts repeat within a frame (maps, writers): a hit spares building one. */
const MEMO_LENGTH_MAX = 64;
const MEMO_SLOTS = 256;
const memo: string[] = Array.from({ length: MEMO_SLOTS }, () => "");

/** Units that `String.fromCharCode` takes at once, well below any engine's limit of arguments. */
const UNITS_AT_ONCE = 4_096;

export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return "";
  if (length > MEMO_LENGTH_MAX) return decode(bytes, start, end);
  const slot = (length * 31 + (bytes[start] ?? 0) * 7 + (bytes[end - 1] ?? 0)) % MEMO_SLOTS;
  const known = memo[slot] ?? "";
  if (isAscii(known, bytes, start, length)) return known;
  const text = decode(bytes, start, end);
  if (text.length === length) memo[slot] = text;
  return text;
}

/** Are these the bytes of `text`? False for any text with more than ASCII in it. */
function isAscii(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit !== bytes[start + i] || unit > 0x7f) return false;
  }
  return true;
}

function decode(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > UNITS_AT_ONCE) return decodeLong(bytes, start, end);
  const units: number[] = [];
  units.length = end - start; // growing item by item costs a third more
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte > 0x7f) return decodeLong(bytes, start, end);
    units[at - start] = byte;
  }
  return String.fromCharCode.apply(String, units);
}

function decodeLong(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  let units: number[] = [];
  for (let at = start; at < end;) {
    const length = lengthOf(bytes[at] ?? 0);
    const point = at + length <= end ? codePoint(bytes, at, length) : -1;
    if (point < 0) return BROKEN_TEXT;
    if (point > 0xffff) {
      units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
    } else units.push(point);
    at += length;
    if (units.length >= UNITS_AT_ONCE) {
      text += String.fromCharCode(...units);
      units = [];
    }
  }
  return text + String.fromCharCode(...units);
}

/** Bytes of a sequence by its first; 1 also for a byte that cannot be first. */
function lengthOf(first: number): number {
  if (first < 0xc2 || first > 0xf4) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

const SMALLEST = [0, 0, 0x80, 0x800, 0x10000] as const;

/** -1: overlong, a surrogate, beyond U+10FFFF, or no sequence at all. */
function codePoint(bytes: Uint8Array, at: number, length: number): number {
  const first = bytes[at] ?? 0;
  if (length === 1) return first < 0x80 ? first : -1;
  let point = first & (0x7f >> length);
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i] ?? 0;
    if ((next & 0xc0) !== 0x80) return -1;
    point = (point << 6) | (next & 0x3f);
  }
  const surrogate = point >= 0xd800 && point < 0xe000;
  return surrogate || point < (SMALLEST[length] ?? 0) || point > 0x10ffff ? -1 : point;
}
