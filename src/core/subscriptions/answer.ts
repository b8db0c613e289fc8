/** An owner reads rows for a subscription of another node's socket. It keeps nothing of that between two questions. */
import type { Row } from "../../data/row.ts";
import { FETCH_BYTES_MAX, FETCH_ROWS_MAX } from "../../protocol/limits.ts";
import type {
  FetchedPage,
  FetchRows,
  PartRead,
  Query,
} from "../../protocol/subscription-messages.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { Turn } from "../node/turn.ts";
import type { RowsFound } from "../rows/fetch.ts";
import { digestOf } from "../../data/bucket-digest.ts";
import { bucketIn } from "../../data/digest.ts";
import { fits, toldAs } from "./filter.ts";
import { positionOf } from "./publish.ts";
import type { FetchTag } from "./state.ts";

export function onFetchRows(turn: Turn, message: FetchRows, call: CallId | null): void {
  if (call === null) return;
  const { query, reads } = message;
  const owned = reads
    .filter(({ partitionId }) => turn.partition(partitionId).role.type === "owner")
    .map((read) => ({ read, at: positionOf(turn, read.partitionId) }));
  const fresh = owned.filter(({ read }) => !isStale(turn, read));
  const { now, random } = turn;
  turn.do({
    type: "fetch-rows",
    wanted: fresh.map(({ read: { partitionId, after, want } }) => ({
      partitionId,
      map: query.map,
      prefix: query.prefix ?? "",
      keys: query.keys ?? null,
      after,
      since: want.type === "changes" ? want.seq : null,
    })),
    rowsMax: FETCH_ROWS_MAX,
    bytesMax: FETCH_BYTES_MAX,
    tag: { for: "fetch", call, message, reads: owned, now, random },
  });
}

/** What was removed for good since then would be missed: it has left nothing behind. */
function isStale(turn: Turn, { partitionId, want }: PartRead): boolean {
  if (want.type !== "changes") return false;
  const { role, ruling } = turn.partition(partitionId);
  const collected = role.type === "owner" ? (role.collected?.seq ?? 0) : 0;
  return want.since !== ruling.since || want.seq > turn.memory.seq || want.seq < collected;
}

export function onFetched(turn: Turn, tag: FetchTag, found: readonly RowsFound[]): void {
  const { call, message, reads } = tag;
  const { fetchId, query } = message;
  const pages: FetchedPage[] = [];
  let next = 0;
  for (const { read, at } of reads) {
    const { partitionId } = read;
    if (isStale(turn, read)) {
      pages.push({ partitionId, ...at, after: null, rows: [], stale: true });
      continue;
    }
    const rows = found[next++];
    // Those behind it have not been read, either.
    if (!rows) break;
    pages.push({ partitionId, ...at, after: rows.after, ...told(query, read, rows.rows) });
  }
  const lacking = message.reads.filter(
    ({ partitionId }) => turn.partition(partitionId).role.type !== "owner",
  );
  const notOwned = lacking.map(({ partitionId }) => turn.partition(partitionId).ruling);
  turn.answer(call, { type: "FETCHED_ROWS", fetchId, pages, notOwned });
}

function told(
  query: Query,
  { want }: PartRead,
  rows: readonly Row[],
): Pick<FetchedPage, "rows" | "digest"> {
  if (want.type === "changes") return { rows: toldAs(query, rows) };
  const there = rows.filter((row) => fits(query, row));
  if (want.type === "digest") return { rows: [], digest: digestOf(there, want.count, want.salt) };
  const which = new Set(want.which);
  return { rows: there.filter((row) => which.has(bucketIn(want.count, row))) };
}
