import type { PartitionId } from "../../data/ids.ts";
import { isVisible } from "../../data/content.ts";
import { rowBytes, type Row } from "../../data/row.ts";
import type { ListEffect, Listed } from "./effects.ts";
import type { RowStore } from "./row-store.ts";

/** Of the values of one answer, which travels as one message. */
const BYTES_MAX = 1024 * 1024;

/**
 * Ends early at `limit`, or at `BYTES_MAX`: then the last list is not `done`, or partitions are missing
 * behind it. A list that is not `done` has at least one row, from which to go on.
 */
export function list(store: RowStore, effect: ListEffect<unknown>): Listed[] {
  const lists: Listed[] = [];
  const room = { rows: effect.limit, bytes: BYTES_MAX };
  let { after } = effect;
  for (const partitionId of effect.partitionIds) {
    if (room.rows <= 0 || room.bytes <= 0) break;
    lists.push(listOne(store, { ...effect, partitionId, after }, room));
    after = null;
  }
  return lists;
}

function listOne(
  store: RowStore,
  query: Omit<ListEffect<unknown>, "partitionIds"> & { readonly partitionId: PartitionId },
  room: { rows: number; bytes: number },
): Listed {
  const { partitionId, map, prefix, nowMs } = query;
  const rows: Row[] = [];
  for (let { after } = query; ;) {
    const bounds = { rowsMax: room.rows, bytesMax: Math.max(1, room.bytes) };
    const page = store.list(partitionId, { map, prefix, after, ...bounds });
    for (const { row } of page.rows) {
      if (!isVisible(row, nowMs)) continue;
      rows.push(row);
      room.rows -= 1;
      room.bytes -= rowBytes(row);
    }
    const done = page.done;
    if (done || room.rows <= 0 || (room.bytes <= 0 && rows.length > 0))
      return { partitionId, rows, done };
    after = page.rows.at(-1)?.row.key ?? after;
  }
}
