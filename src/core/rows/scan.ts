import { bucketOf } from "../../data/digest.ts";
import { compareIdentity, identityOf, rowBytes, type Identity, type Row } from "../../data/row.ts";
import type { Resume, ScanEffect, Scanned } from "./effects.ts";
import type { Page, PageBounds, RowStore, StoredRow } from "./row-store.ts";

/** Pages read for one scan at most: where a filter takes most rows out, one event still ends soon. */
const PAGES_MAX = 4;

export type ScanQuery = Omit<ScanEffect<unknown>, "type" | "tag">;

/**
 * The next wanted rows; `passed` is told of all rows read on the way. Pages are read until one page more
 * would not help much: half of a bound is used.
 */
export function scan(
  store: RowStore,
  query: ScanQuery,
  passed: (after: Identity | null, page: Page) => void,
): Scanned {
  const isWanted = filterOf(query);
  const rows: Row[] = [];
  let { after } = query;
  let bytes = 0;
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const bounds = { rowsMax: query.rowsMax - rows.length, bytesMax: query.bytesMax - bytes };
    const { page, reached, whole } = readOn(store, query, after, bounds);
    const wanted = page.rows.filter(isWanted);
    const bytesAfter = wanted.reduce((sum, { row }) => sum + rowBytes(row), bytes);
    // A page has one row even if that is too large. As the first of a scan it goes anyway.
    if (rows.length > 0 && bytesAfter > query.bytesMax) break;
    if (whole) passed(after, page);
    for (const { row } of wanted) rows.push(row);
    bytes = bytesAfter;
    if (page.done) return { rows, after: null };
    after = reached;
    if (rows.length * 2 >= query.rowsMax || bytes * 2 >= query.bytesMax) break;
  }
  return { rows, after: after && identityOf(after) };
}

interface Stretch {
  readonly page: Page;
  /** Read on from here. */
  readonly reached: Identity | null;
  /** No row was left out. */
  readonly whole: boolean;
}

function readOn(
  store: RowStore,
  query: ScanQuery,
  after: Identity | null,
  bounds: PageBounds,
): Stretch {
  const { after: upTo } = query.known;
  const within = upTo === "end" || (upTo && !(after && compareIdentity(after, upTo) >= 0));
  if (upTo && within) return readChanged(store, { ...query, after }, upTo, bounds);
  const page = store.page(query.partitionId, after, bounds);
  return { page, reached: page.rows.at(-1)?.row ?? after, whole: true };
}

/** As far as a table is known only what changed since is looked for: nobody waits for the rest to be read. */
function readChanged(
  store: RowStore,
  { partitionId, known, after }: ScanQuery,
  upTo: Identity | "end",
  bounds: PageBounds,
): Stretch {
  const page = store.pageSince(partitionId, after, known.cut, bounds);
  const reached = page.rows.at(-1)?.row ?? after;
  const beyond = (identity: Identity): boolean =>
    upTo !== "end" && compareIdentity(identity, upTo) > 0;
  const stays = upTo === "end" || (!page.done && reached !== null && !beyond(reached));
  if (stays) return { page, reached, whole: false };
  const rows = page.rows.filter(({ row }) => !beyond(row));
  return { page: { rows, done: false }, reached: upTo, whole: false };
}

function filterOf({ cut, known, buckets }: ScanQuery): (stored: StoredRow) => boolean {
  const wanted = buckets && new Set(buckets);
  return (stored) =>
    stored.seq <= cut && !covers(known, stored) && (wanted?.has(bucketOf(stored.row)) ?? true);
}

function covers({ cut, after }: Resume, { row, seq }: StoredRow): boolean {
  if (seq > cut || after === null) return false;
  return after === "end" || compareIdentity(row, after) <= 0;
}
