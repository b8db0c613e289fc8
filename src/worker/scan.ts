/** Entries of one map over all partitions in order, a window of partitions at a time. */
import { PartitionId } from "../data/ids.ts";
import { err, ok } from "../data/result.ts";
import { makeError } from "../protocol/errors.ts";
import type { ScanEntry, ScanPage } from "../protocol/cluster-messages.ts";
import { encodeCursor, type Cursor } from "./cursor.ts";
import type { Answer, Front } from "./front.ts";
import { learnRuling, type Known } from "./known.ts";
import type { Parsed, ScanRoute } from "./routes.ts";

/** Partitions asked at once; doubled each time, for a map with few entries. */
const WINDOW_MIN = 16;
const WINDOW_MAX = 512;

/** Of values in one answer: beyond it the scan stops early and hands out a cursor. */
const SCAN_BYTES_MAX = 4 * 1024 * 1024;

export interface Scan {
  readonly entries: readonly ScanEntry[];
  readonly cursor: string | null;
}

/** Where the scan stands, and what it may still take. */
interface Progress {
  at: Cursor;
  readonly entries: ScanEntry[];
  bytes: number;
}

export async function scan(front: Front, route: ScanRoute): Promise<Parsed<Scan>> {
  const { limit, cursor } = route;
  const at = cursor ?? { partitionId: PartitionId(0), after: null };
  const progress: Progress = { at, entries: [], bytes: 0 };
  let window = WINDOW_MIN;
  for (let attempt = 0; ;) {
    const known = await front.known();
    if (!known.ok) return known;
    const { partitionCount } = known.value.table;
    if (progress.at.partitionId > partitionCount || (cursor && at.partitionId >= partitionCount))
      return err(makeError("BAD_CURSOR", { field: "cursor" }));
    if (progress.at.partitionId === partitionCount)
      return ok({ entries: progress.entries, cursor: null });
    if (progress.entries.length >= limit || progress.bytes >= SCAN_BYTES_MAX)
      return ok({ entries: progress.entries, cursor: encodeCursor(progress.at) });
    const moved = await advance(front, route, progress, window);
    window = Math.min(WINDOW_MAX, window * 2);
    if (moved) {
      attempt = 0;
      continue;
    }
    const { partitionId } = progress.at;
    if (!(await front.pause(attempt++)))
      return err(makeError("OWNER_UNREACHABLE", { partitionId }));
    await front.refetch();
  }
}

/** Asks every owner in the window once; false if that has led nowhere. */
async function advance(
  front: Front,
  { map, prefix, limit }: ScanRoute,
  progress: Progress,
  window: number,
): Promise<boolean> {
  const known = await front.known();
  if (!known.ok) return false;
  const { table } = known.value;
  const from = progress.at.partitionId;
  const until = Math.min(table.partitionCount, from + window);
  const ids = range(from, until);
  const room = limit - progress.entries.length;
  const ask: Ask = { map, prefix, limit: room, from, after: progress.at.after };
  const answers = await askOwners(front, table, ids, ask);
  const pages = new Map<PartitionId, ScanPage>();
  let learned = false;
  for (const answer of answers) {
    if (answer.type !== "answered" || answer.message.type !== "SCANNED") continue;
    const { pages: served, notOwned, ceded } = answer.message;
    for (const page of served) pages.set(page.partitionId, page);
    for (const ruling of notOwned) learned = learnRuling(front.clusterId, ruling) || learned;
    if (ceded)
      for (const page of await pagesOf(front.into(ceded.into), ceded.partitionIds, ask))
        pages.set(page.partitionId, page);
  }
  return take(progress, pages, { until, limit }) || learned;
}

interface Ask extends Pick<ScanRoute, "map" | "prefix" | "limit"> {
  readonly from: PartitionId;
  /** Of partition `from` only what is above this. */
  readonly after: string | null;
}

/** Each owner once, for all of these partitions that it owns. */
function askOwners(
  front: Front,
  table: Known["table"],
  ids: readonly PartitionId[],
  { map, prefix, limit, from, after: first }: Ask,
): Promise<readonly Answer[]> {
  const byOwner = Map.groupBy(ids, (id) => table.get(id).owner);
  return Promise.all(
    [...byOwner].flatMap(([owner, partitionIds]) => {
      if (!owner) return [];
      const after = partitionIds[0] === from ? first : null;
      return [front.call(owner, { type: "SCAN", partitionIds, map, prefix, after, limit })];
    }),
  );
}

/** Partitions whose rows are in another cluster by now, as far as that one serves them at once. */
async function pagesOf(
  front: Front,
  ids: readonly PartitionId[],
  ask: Ask,
): Promise<readonly ScanPage[]> {
  const known = await front.known();
  if (!known.ok) return [];
  const pages: ScanPage[] = [];
  for (const answer of await askOwners(front, known.value.table, ids, ask)) {
    if (answer.type !== "answered" || answer.message.type !== "SCANNED") continue;
    pages.push(...answer.message.pages);
    for (const ruling of answer.message.notOwned) learnRuling(front.clusterId, ruling);
  }
  return pages;
}

const range = (from: PartitionId, until: number): PartitionId[] =>
  Array.from({ length: until - from }, (_, i) => PartitionId(from + i));

/** Takes pages in the order of partitions, up to the first that is missing or has more. */
function take(
  progress: Progress,
  pages: ReadonlyMap<PartitionId, ScanPage>,
  { until, limit }: { readonly until: number; readonly limit: number },
): boolean {
  const start = progress.at;
  for (let id = start.partitionId; id < until; id = PartitionId(id + 1)) {
    const page = pages.get(id);
    if (!page) break;
    for (const entry of page.entries) {
      if (progress.entries.length >= limit || progress.bytes >= SCAN_BYTES_MAX) return true;
      progress.entries.push(entry);
      progress.bytes += entry.value.length;
      progress.at = { partitionId: id, after: entry.key };
    }
    if (!page.done) break;
    progress.at = { partitionId: PartitionId(id + 1), after: null };
  }
  return progress.at !== start;
}
