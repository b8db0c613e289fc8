/**
 * UTF-8 to text, strictly: broken bytes are never turned into U+FFFD, nor a leading byte order mark dropped, for then another
 * key would be handed out than was sent. The platform's decoder is told so; as most texts are short and ASCII, and a call of
 * it takes longer than these, they go without.
 */

/** Of every platform, though no part of the language. */
declare const TextDecoder: new (
  label: string,
  options?: { readonly fatal: boolean; readonly ignoreBOM: boolean },
) => { decode: (bytes: Uint8Array) => string };

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

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
  if (end - start > UNITS_AT_ONCE) return decodeAny(bytes, start, end);
  const units: number[] = [];
  units.length = end - start; // growing item by item costs a third more
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte > 0x7f) return decodeAny(bytes, start, end);
    units[at - start] = byte;
  }
  return String.fromCharCode.apply(String, units);
}

function decodeAny(bytes: Uint8Array, start: number, end: number): string {
  try {
    return STRICT.decode(bytes.subarray(start, end));
  } catch {
    return BROKEN_TEXT;
  }
}

/** One character for each byte, no two bytes the same: to look something up by it. */
export const textOf = (bytes: Uint8Array): string => LATIN1.decode(bytes);

const LATIN1 = new TextDecoder("latin1");
