/** Lists the entries of a map, partition by partition, as far as this node owns them. */
import type { PartitionId } from "../../data/ids.ts";
import type { Scan, ScanPage } from "../../protocol/cluster-messages.ts";
import type { Listed } from "../rows/effects.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { Turn } from "./turn.ts";
import { isCeded } from "./winner.ts";

export function onScan(turn: Turn, scan: Scan, call: CallId | null): void {
  if (call === null) return;
  const { map, prefix, after, limit } = scan;
  const owns = (id: Scan["partitionIds"][number]): boolean =>
    turn.partition(id).role.type === "owner";
  // `after` belongs to the first partition asked for: where that is elsewhere, it is void here.
  const [first] = scan.partitionIds;
  turn.do({
    type: "list-rows",
    partitionIds: scan.partitionIds.filter(owns),
    map,
    prefix,
    after: first !== undefined && owns(first) ? after : null,
    limit,
    nowMs: turn.now,
    tag: { for: "list", call, scan, now: turn.now, random: turn.random },
  });
}

export function onListed(
  turn: Turn,
  { call, scan }: { readonly call: CallId; readonly scan: Scan },
  lists: readonly Listed[],
): void {
  const pages: ScanPage[] = lists.map(({ partitionId, rows, done }) => ({
    partitionId,
    done,
    entries: rows.flatMap(({ key, value }) => (value ? [{ key, value }] : [])),
  }));
  const elsewhere = scan.partitionIds.filter((id) => turn.partition(id).role.type !== "owner");
  const isThere = (id: PartitionId): boolean =>
    isCeded(turn, id) && turn.partition(id).role.type === "none";
  const notOwned = elsewhere.filter((id) => !isThere(id)).map((id) => turn.partition(id).ruling);
  const partitionIds = elsewhere.filter(isThere);
  const { into } = turn.self.ceding ?? {};
  const ceded = into !== undefined && partitionIds.length > 0 && { into, partitionIds };
  turn.answer(call, { type: "SCANNED", pages, notOwned, ...(ceded && { ceded }) });
}
