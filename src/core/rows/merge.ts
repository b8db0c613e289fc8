/** One batch of rows merged onto what a table holds: who wins, what is written. No storage here. */
import { compareStamps } from "../../data/hlc.ts";
import { Seq } from "../../data/ids.ts";
import { compareIdentity, mergeRows, type Identity, type Row } from "../../data/row.ts";
import type { MergeBatch, MergedBatch } from "./effects.ts";
import { identityKey } from "./identity-key.ts";
import type { StoredRow } from "./row-store.ts";

/** An identity of the batch: the row that it had, and the row that it has from now on. */
interface Change {
  readonly old: Row | undefined;
  readonly now: StoredRow;
}

export interface Merge {
  readonly outcomes: MergedBatch["outcomes"];
  /** One per identity that changed and is not written yet. */
  readonly changes: readonly Change[];
}

/** An identity of the batch, while its rows are taken in one after the other. */
interface Place {
  readonly old: Row | undefined;
  standing: Row | undefined;
  /** Index in the batch of the row that won last; -1: none did. */
  wonBy: number;
}

/**
 * A batch that is written before anything is read: by `write`, which leaves out the rows that may lose, says
 * how many it wrote, and has the last word on those. Only where it left some out the batch is read, and they
 * are merged as any others. Null: not such a batch, an identity comes twice.
 */
export function mergeWritten(
  { rows, seq, ...batch }: MergeBatch,
  write: (rows: readonly StoredRow[]) => number,
  read: Read,
): (Merge & { readonly written: readonly StoredRow[] }) | null {
  if (distinct(rows).identities.length < rows.length) return null;
  const mine = rows.map((row, i) => ({ row, seq: Seq(seq + i) }));
  const stands = rows.map(({ stamp }) => ({ changed: true, tied: false, stamp }));
  if (write(mine) === rows.length) return { outcomes: stands, changes: [], written: mine };
  const standing = read(rows);
  const { outcomes, changes } = mergeBatch({ rows, seq, ...batch }, () => standing);
  const wrote = (i: number): boolean => standing[i]?.seq === mine[i]?.seq;
  return {
    outcomes: outcomes.map((outcome, i) => (wrote(i) ? (stands[i] ?? outcome) : outcome)),
    changes,
    written: mine.filter((_, i) => wrote(i)),
  };
}

export type Read = (identities: readonly Identity[]) => readonly (StoredRow | undefined)[];

/** `read` is called once, with each identity once. */
export function mergeBatch({ rows, seq }: MergeBatch, read: Read): Merge {
  const { identities, placeOf } = distinct(rows);
  const places = read(identities).map((stored): Place => ({
    old: stored?.row,
    standing: stored?.row,
    wonBy: -1,
  }));
  const outcomes: MergedBatch["outcomes"][number][] = [];
  for (const [i, row] of rows.entries()) {
    const place = places[placeOf[i] ?? -1];
    if (place) outcomes.push(take(place, row, i));
  }
  return { outcomes, changes: places.flatMap((place) => changeOf(place, seq)) };
}

function take(place: Place, row: Row, i: number): MergedBatch["outcomes"][number] {
  const { standing } = place;
  const winner = standing ? mergeRows(standing, row) : row;
  const changed = winner !== standing;
  if (changed) {
    place.standing = winner;
    place.wonBy = i;
  }
  return { changed, tied: standing !== undefined && ties(standing, row), stamp: winner.stamp };
}

const ties = (one: Row, other: Row): boolean => compareStamps(one.stamp, other.stamp) === 0;

function changeOf({ old, standing, wonBy }: Place, seq: Seq): Change[] {
  if (wonBy < 0 || !standing) return [];
  return [{ old, now: { row: standing, seq: Seq(seq + wonBy) } }];
}

/** Each identity once, and which of them each row has. */
function distinct(rows: readonly Row[]): {
  readonly identities: readonly Identity[];
  readonly placeOf: readonly number[];
} {
  if (isAscending(rows)) return { identities: rows, placeOf: rows.map((_, i) => i) };
  const identities: Identity[] = [];
  const seen = new Map<string, number>();
  const placeOf = rows.map((row) => {
    const key = identityKey(row);
    const known = seen.get(key);
    if (known !== undefined) return known;
    seen.set(key, identities.length);
    return identities.push(row) - 1;
  });
  return { identities, placeOf };
}

/** As scanned rows are, which spares them the search. */
const isAscending = (rows: readonly Row[]): boolean =>
  rows.every((row, i) => {
    const before = rows[i - 1];
    return before === undefined || compareIdentity(before, row) < 0;
  });
