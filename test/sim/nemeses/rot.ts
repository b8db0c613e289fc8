/** A disk that loses rows behind its node's back. Nothing notices until all copies are compared. */
import type { PartitionId } from "../../../src/data/ids.ts";
import type { World } from "../world.ts";

const ROWS_MAX = 3;

/** At a complete copy, whose memory is lost, too: what it remembered of its rows would still be true of them. */
export function rot({ prng, coordinator, node, counts, log }: World): void {
  const copies = [...coordinator.disk.entries].flatMap(([partitionId, { ruling }]) =>
    ruling.copies.map(({ nodeId }) => ({ partitionId, nodeId })),
  );
  const damaged = copies.filter(({ nodeId, partitionId }) => rowsOf(node(nodeId), partitionId) > 0);
  if (damaged.length === 0) return;
  const { nodeId, partitionId } = prng.pick(damaged);
  const host = node(nodeId);
  const { rows } = host.rows.page(partitionId, null, { rowsMax: ROWS_MAX, bytesMax: 1e6 });
  host.rows.lose(
    partitionId,
    rows.map(({ row }) => row),
  );
  host.crash();
  counts["rows lost behind a backup"] += rows.length;
  log(`${nodeId} loses ${rows.length} rows of ${partitionId}`);
}

const rowsOf = ({ rows }: ReturnType<World["node"]>, partitionId: PartitionId): number =>
  rows.countFrom(partitionId, null, 1).rows;
