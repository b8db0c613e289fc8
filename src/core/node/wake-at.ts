import type { NodeState, PartitionMemory, PartitionSaved } from "./state.ts";

/** The earliest moment at which something must be asked again; null: nothing is unfinished. */
export function wakeAt({ config, memory, saved }: NodeState): number | null {
  let earliest = Math.min(memory.joinRetry?.at ?? Infinity, memory.map.pushAt ?? Infinity);
  for (const [partitionId, going] of memory.partitions) {
    const silence = silentAt(going, saved.partitions.get(partitionId), config.maxNoHeartbeatMs);
    earliest = Math.min(earliest, retryAt(going), silence);
  }
  earliest = Math.min(earliest, memory.forwardsAt);
  return earliest === Infinity ? null : earliest;
}

function retryAt({ retry, offer, streams }: PartitionMemory): number {
  let earliest = Math.min(retry?.at ?? Infinity, offer?.retry.at ?? Infinity);
  for (const stream of streams.values())
    earliest = Math.min(earliest, stream.retry?.at ?? Infinity);
  return earliest;
}

/** When writes have waited long enough for a move to be given up. Without one there is nothing to ask. */
function silentAt(
  { held, giveUp }: PartitionMemory,
  partition: PartitionSaved | undefined,
  silentMs: number,
): number {
  const oldest = held.first();
  const moves = partition?.role.type === "owner" && partition.role.move !== null;
  return oldest && moves && giveUp === null ? oldest.since + silentMs : Infinity;
}
