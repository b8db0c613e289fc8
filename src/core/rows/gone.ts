/** Rows that stand for nothing any more but that something was there. */
import { goneSince, huskOf, identityOf, isHuskOf, type Row } from "../../data/row.ts";
import type { FindGoneEffect, FoundGone } from "./effects.ts";
import type { Page, StoredRow } from "./row-store.ts";

/** Bytes read at a time to look for them. */
export const GONE_PAGE_BYTES = 256 * 1024;

export function findGone(
  { rows, done }: Page,
  { before }: Pick<FindGoneEffect<unknown>, "before">,
): FoundGone {
  const gone: Row[] = [];
  let nextGone: number | null = null;
  for (const { row } of rows) {
    const since = goneSince(row);
    if (since === null) continue;
    if (since < before) gone.push(huskOf(row));
    else nextGone = Math.min(nextGone ?? since, since);
  }
  const last = rows.at(-1);
  return { rows: gone, nextGone, after: done || !last ? null : identityOf(last.row) };
}

/** Those of the standing rows that these husks are of. */
export const meant = (
  husks: readonly Row[],
  standing: readonly (StoredRow | undefined)[],
): readonly Row[] =>
  standing.flatMap((stored, i) => {
    const husk = husks[i];
    return stored && husk && isHuskOf(husk, stored.row) ? [stored.row] : [];
  });
