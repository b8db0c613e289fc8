/** Numbers of the entries of a journal, from 1, as the `sub` of a row: in the order of the numbers. */

/** More than anybody ever gives out. */
const DIGITS = 12;

export const sequenceSub = (sequence: number): string => String(sequence).padStart(DIGITS, "0");

/** Null: not as `sequenceSub` makes them. */
export function sequenceIn(sub: string): number | null {
  const sequence = /^\d{12}$/.test(sub) ? Number(sub) : 0;
  return sequence > 0 ? sequence : null;
}
