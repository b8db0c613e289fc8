/**
 * Where each kind of number lives in a model, so that what a number counts can be seen from the number. Only order
 * and being next to each other ever matter of a counter: `canon.ts` makes use of that.
 */

/** Time stands still here; terms, epochs and versions are minted from it upwards. */
export const NOW = 5_000_000;
const MINTED_MAX = 6_000_000;
/** When everything comes that is not due. */
export const LATER = 8_000_000;
/** Of the writes of clients: long ago, so that no clock is moved by them. */
export const WRITTEN = 4_000_000;

const SEQS = 1_000_000_000;
const NODES_MAX = 15;

/** The change counter with which the node of this index begins, the first being 1. */
export const firstSeq = (index: number): number => index * SEQS;

/** 0: terms, epochs and versions; the index of a node: its change counters; null: a number like any other. */
export function counterOf(value: number): number | null {
  const index = Math.floor(value / SEQS);
  if (index >= 1 && index <= NODES_MAX) return index;
  return value >= NOW && value < MINTED_MAX ? 0 : null;
}
