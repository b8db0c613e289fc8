/**
 * Where each kind of number lives in a model, so that what a number counts can be seen from the number. Only order
 * and being next to each other ever matter of a counter: `state.ts` makes use of that.
 */

/** Time stands still here; terms, epochs and versions are minted from it upwards. */
export const NOW = 5_000_000;
/** No more is minted in a world, and no clock says less that is ahead. */
const MINTED_MAX = NOW + 200;
/** When everything comes that is not due. */
export const LATER = 8_000_000;
/** Of the writes of clients: long ago, so that no clock is moved by them. */
export const WRITTEN = 4_000_000;

const KIND = 1_000_000_000;
const NODES_MAX = 7;

/** The change counter with which the node of this index begins, the first being 1; and its first heartbeat. */
export const firstSeq = (index: number): number => index * KIND;
export const firstBeat = (index: number): number => (NODES_MAX + index) * KIND;

/** What comes next is the greater of the last one + 1 and the term, so it matters what lies between two. */
export const isMinted = (counter: number): boolean => counter < KIND;

/** How many kinds of counters there are. */
const COUNTERS = 1 + 2 * NODES_MAX;

/** 0: terms, epochs and versions; else change counters or heartbeats of one node; null: a number like any other. */
export function counterOf(value: number): number | null {
  const kind = Math.floor(value / KIND);
  if (kind >= 1 && kind < COUNTERS) return kind;
  return value >= NOW && value < MINTED_MAX ? 0 : null;
}
