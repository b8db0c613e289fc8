/** What a row says, whichever row it is. */
import { compareBytes } from "./bytes.ts";
import { compareStamps, type Stamp } from "./hlc.ts";

/**
 * `value` null is a tombstone. `expiresAt` is whole milliseconds since 1970 (0 .. EXPIRES_AT_MAX),
 * null is never; from then on the row reads as absent and ages like a tombstone of that moment.
 */
export interface Content {
  readonly stamp: Stamp;
  readonly value: Uint8Array | null;
  readonly expiresAt: number | null;
}

/** Has a value that a reader may see at `nowMs`. */
export function isVisible(row: Content, nowMs: number): boolean {
  return row.value !== null && (row.expiresAt === null || row.expiresAt > nowMs);
}

/** Of one entry, where nothing else is known of it. */
export const compareWrites = (a: Content, b: Content): number =>
  compareStamps(a.stamp, b.stamp) ||
  compareValues(a.value, b.value) ||
  compareExpiries(a.expiresAt, b.expiresAt);

/** A tombstone above every value, then greater bytes. */
function compareValues(a: Uint8Array | null, b: Uint8Array | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return compareBytes(a, b);
}

/** Never is later than any time. */
function compareExpiries(a: number | null, b: number | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return a - b;
}
