/**
 * What complete copies have when memory is lost. A node that goes quiet with every change acknowledged by them
 * says so on disk, once; from an end without that its copies are brought up to date by what was saved of each.
 */
import type { NodeId, PartitionId } from "../../data/ids.ts";
import type { NodeMemory, NodeState, Self } from "../node/state.ts";
import { hasCopies, type Turn } from "../node/turn.ts";
import { isQuiet, type Stream } from "./stream.ts";
import { open } from "./streams.ts";

/** Streams to one node that look for what it missed, at a time: each scans a table. */
const CATCHING_UP_MAX = 2;

const endedClean = ({ reserved, drained }: Self): boolean => reserved.seq === drained;

/** At a start, before a counter is given out. */
export function findBehind(turn: Turn): void {
  const { self } = turn;
  const clean = endedClean(self);
  const behind = new Map<PartitionId, ReadonlySet<NodeId>>();
  for (const [partitionId, { role }] of turn.state.saved.partitions) {
    if (role.type !== "owner") continue;
    const complete = role.copies.filter(({ state }) => state === "complete");
    const some = complete.filter(({ digest }) => !clean || digest === "");
    if (some.length > 0) behind.set(partitionId, new Set(some.map(({ nodeId }) => nodeId)));
  }
  const changedAt = !clean && hasCopies(turn.state.saved) ? turn.now : null;
  turn.setMemory({ behind, changedAt });
}

/** Some of those that may have missed something, as many as may be under way at a time. */
export function catchUp(turn: Turn): void {
  const { behind } = turn.memory;
  if (behind.size === 0) return;
  const busy = scansUnderWay(turn.memory);
  for (const [partitionId, nodeIds] of behind) {
    const { role } = turn.partition(partitionId);
    if (role.type !== "owner") continue;
    for (const copy of role.copies) {
      const { nodeId } = copy;
      const count = busy.get(nodeId) ?? 0;
      if (!nodeIds.has(nodeId) || count >= CATCHING_UP_MAX) continue;
      busy.set(nodeId, count + 1);
      open(turn, partitionId, copy);
    }
  }
}

function scansUnderWay({ partitions }: NodeMemory): Map<NodeId, number> {
  const busy = new Map<NodeId, number>();
  for (const { streams } of partitions.values())
    for (const { to, scanAcked } of streams.values())
      if (scanAcked !== "end") busy.set(to, (busy.get(to) ?? 0) + 1);
  return busy;
}

/** When there will be something to note; null: not as things stand. */
export function noteAt({ config, saved, memory }: NodeState): number | null {
  if (memory.changedAt === null || endedClean(saved.self) || !isDrained(memory)) return null;
  return memory.changedAt + config.idleAfterMs;
}

/** Every change is acknowledged by every complete copy. */
function isDrained({ behind, partitions }: NodeMemory): boolean {
  if (behind.size > 0) return false;
  for (const { streams, held, retry } of partitions.values())
    if (held.length > 0 || retry !== null || ![...streams.values()].every(isQuiet)) return false;
  return true;
}

/** Gives the reserved counters back, so that the next change says in its own commit that there is one. */
export function noteDrained(turn: Turn): void {
  const at = noteAt(turn.state);
  if (at === null || at > turn.now) return;
  turn.setMemory({ changedAt: null });
  for (const [partitionId, { streams, inbound }] of turn.memory.partitions) {
    if (streams.size === 0 && inbound === null) continue;
    turn.setGoing(partitionId, { streams: new Map<NodeId, Stream>() });
    turn.do({ type: "forget-digest", partitionId });
  }
  if (!hasCopies(turn.state.saved)) return;
  const { seq } = turn.memory;
  turn.setSelf({ drained: seq, reserved: { ...turn.self.reserved, seq } });
}
