/**
 * I17: who was told everything up to a position has, for each key of that partition, what the owner had there, or
 * something newer; and it never goes back.
 */
import { identityKey } from "../../src/core/rows/identity-key.ts";
import type { NodeId, PartitionId } from "../../src/data/ids.ts";
import { compareRows, type Row } from "../../src/data/row.ts";
import type { Changes } from "../../src/protocol/subscription-messages.ts";
import { show } from "./predicates.ts";
import type { Subscriber } from "./subscriber.ts";
import type { World } from "./world.ts";

/** Why that is not so, after it has taken this; null: it is so. `judged` is told of each row that could have been missing. */
export function lacks(
  world: World,
  it: Subscriber,
  { parts }: Changes,
  judged: () => void,
): string | null {
  const back = it.wentBack[0];
  if (back !== undefined) return `subscriber ${it.id} went back: ${back}`;
  for (const { partitionId } of parts) {
    const position = it.positions.get(partitionId);
    if (!position) continue;
    for (const host of world.nodes.values()) {
      const at = host.disk.partitions.get(partitionId);
      if (at?.role.type !== "owner" || at.ruling.since !== position.since) continue;
      for (const { row, seq } of host.rows.tables[partitionId] ?? []) {
        if (seq > position.seq) continue;
        judged();
        const has = it.parts.get(partitionId)?.get(identityKey(row));
        const objection = compared(row, has);
        if (objection) return `subscriber ${it.id} at ${position.seq} ${objection}`;
      }
    }
  }
  return null;
}

function compared(row: Row, has: Row | undefined): string | null {
  if (row.value === null)
    return has && compareRows(has, row) < 0 ? `still has ${show(has)}, which was deleted` : null;
  if (!has) return `lacks ${show(row)}`;
  return compareRows(has, row) < 0 ? `has ${show(has)}, not ${show(row)}` : null;
}

const rowsAt = (world: World, id: NodeId | null, partitionId: PartitionId) =>
  (id && world.nodes.get(id)?.rows.tables[partitionId]) || [];

/** When all is over. */
export function differs(world: World, it: Subscriber): string | null {
  if (!it.synced) return `subscriber ${it.id} was never told that it has all`;
  const there = new Map<string, Row>();
  for (const [partitionId, { ruling }] of world.coordinator.disk.entries)
    for (const { row } of rowsAt(world, ruling.owner, partitionId))
      if (row.value !== null && row.map === it.query.map) there.set(identityKey(row), row);
  for (const row of it.rows) {
    const stands = there.get(identityKey(row));
    if (!stands || compareRows(stands, row) !== 0)
      return `subscriber ${it.id} ends with ${show(row)}, not ${stands ? show(stands) : "nothing"}`;
    there.delete(identityKey(row));
  }
  const [missing] = there.values();
  return missing ? `subscriber ${it.id} ends without ${show(missing)}` : null;
}
