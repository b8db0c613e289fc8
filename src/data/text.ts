/**
 * Text as every replica must see it: SQLite stores and orders UTF-8 bytes, JavaScript counts and
 * orders UTF-16 code units. The two orders differ for characters above U+FFFF: their surrogates
 * (U+D800..DFFF) come before U+E000..FFFF as units, but behind them as bytes.
 */

/** Bytes of `text` in UTF-8. A lone surrogate counts 3, as the U+FFFD that encoders write for it. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += 1;
    if (unit < 0x800) continue;
    if (isHigh(unit) && isLow(text.charCodeAt(i + 1))) i += 1; // a pair: 2 units, 4 bytes
    bytes += 1;
  }
  return bytes;
}

/** No lone surrogate. Only such text survives UTF-8 unchanged, so only such text may be a name. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed();
}

/** Order of UTF-8 bytes = order of code points = SQLite's BINARY. Total on all strings. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
}

/** Moves surrogates behind all other units. Within a pair both sides are low: their order stays. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;
