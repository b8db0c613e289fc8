import type { Config } from "../config.ts";
import { outletsAt } from "../subscriptions/publish.ts";
import { readingsAt } from "../subscriptions/route.ts";
import { noteAt } from "../partition/catch-up.ts";
import type { Stream } from "../partition/stream.ts";
import { unheardAt } from "../partition/silence.ts";
import type { NodeState, PartitionMemory, PartitionSaved } from "./state.ts";

/** The earliest moment at which something must be asked again; null: nothing is unfinished. */
export function wakeAt({ config, memory, saved }: NodeState): number | null {
  let earliest = Math.min(memory.joinRetry?.at ?? Infinity, memory.map.pushAt ?? Infinity);
  for (const [partitionId, going] of memory.partitions) {
    const partition = saved.partitions.get(partitionId);
    const streams = streamsAt(going, partition, false);
    const { retry, offer } = going;
    const asked = Math.min(retry?.at ?? Infinity, offer?.retry.at ?? Infinity);
    earliest = Math.min(earliest, asked, streams, giveUpAt(going, partition, config));
  }
  earliest = Math.min(
    earliest,
    outletsAt(memory.subscriptions),
    memory.forwardsAt,
    memory.cession.fetch?.at ?? Infinity,
  );
  return earliest === Infinity ? null : earliest;
}

/** What need not survive a loss of memory, because the next start finds it out: no row is spent on it. */
export function tickAt(state: NodeState): number | null {
  const { memory, saved } = state;
  const { dueAt } = memory.actors;
  let earliest = Math.min(noteAt(state) ?? Infinity, readingsAt(memory.subscriptions), dueAt);
  for (const [partitionId, going] of memory.partitions)
    earliest = Math.min(earliest, streamsAt(going, saved.partitions.get(partitionId), true));
  return earliest === Infinity ? null : earliest;
}

function streamsAt(
  going: PartitionMemory,
  partition: PartitionSaved | undefined,
  inSpareTime: boolean,
): number {
  let earliest = Infinity;
  for (const stream of going.streams.values())
    if (isSpareTime(going, partition, stream) === inSpareTime)
      earliest = Math.min(earliest, stream.retry?.at ?? Infinity);
  return earliest;
}

/** To a complete copy that nobody waits for. */
export function isSpareTime(
  { held }: PartitionMemory,
  partition: PartitionSaved | undefined,
  { to }: Stream,
): boolean {
  const role = partition?.role;
  if (role?.type !== "owner" || role.move || held.length > 0) return false;
  return role.copies.some(
    ({ nodeId, state, digest }) => nodeId === to && state === "complete" && digest !== "",
  );
}

/** When writes, or a move that closes, have waited long enough for a copy to be given up. */
function giveUpAt(
  { held, giveUp, streams }: PartitionMemory,
  partition: PartitionSaved | undefined,
  config: Config,
): number {
  if (giveUp.size > 0) return Infinity;
  const { since = Infinity } = held.first() ?? {};
  const role = partition?.role;
  const times = [...streams.values()].map((stream) => unheardAt(config, role, stream));
  return Math.min(since + config.maxNoHeartbeatMs, ...times);
}
