/** How an accepted change reaches the copies, and what it waits for before it is acknowledged. */
import type { NodeId, PartitionId, Seq } from "../../data/ids.ts";
import type { Row } from "../../data/row.ts";
import type { Waiter, Wait } from "../node/requests.ts";
import type { Owner } from "../node/state.ts";
import type { Turn } from "../node/turn.ts";
import { addDeltas, reached, type Stream } from "./stream.ts";
import { setStream } from "./streams.ts";

/**
 * Sends changed rows down every stream. Returns what their acknowledgement waits for, null for nothing.
 * A write that changed nothing waits, too: it may be the repetition of one that is still under way.
 */
export function spread(turn: Turn, partitionId: PartitionId, changed: readonly Row[]): Wait | null {
  const { role } = turn.partition(partitionId);
  const { streams } = turn.going(partitionId);
  if (role.type !== "owner" || streams.size === 0) return null;
  if (changed.length > 0) {
    const rows = changed.map(apart);
    for (const stream of streams.values())
      setStream(turn, partitionId, addDeltas(stream, rows, turn.memory.seq, turn.config));
  }
  const wait = new Map<NodeId, Seq>();
  for (const stream of turn.going(partitionId).streams.values())
    if (mustHave(turn, role, stream) && !reached(stream, stream.pendingSeq))
      wait.set(stream.to, stream.pendingSeq);
  return wait.size > 0 ? wait : null;
}

/** A value is a part of the frame that it came in: a small one must not keep all of that in memory until it is copied. */
function apart(row: Row): Row {
  const { value } = row;
  const alone = !value || 2 * value.length >= value.buffer.byteLength;
  return alone ? row : { ...row, value: value.slice() };
}

/**
 * While a move closes: the target and every copy that counts. At any time: a copy too far behind, or all of them where
 * they are together: writers that wait are fewer than those who would be refused.
 */
function mustHave(turn: Turn, role: Owner, stream: Stream): boolean {
  const { unackedDeltaBytesMax, pendingBytesMax } = turn.config;
  if (stream.unackedBytes > unackedDeltaBytesMax) return true;
  if (2 * turn.memory.credits.bytes > pendingBytesMax) return true;
  if (!isClosing(role)) return false;
  return role.copies.some((copy) => copy.nodeId === stream.to && copy.state !== "copying");
}

export const isClosing = (role: Owner): boolean =>
  role.move !== null && role.move.phase !== "copying";

export function holdBack(turn: Turn, partitionId: PartitionId, wait: Wait, waiter: Waiter): void {
  const { held } = turn.going(partitionId);
  turn.setGoing(partitionId, { held: held.with([{ wait, since: turn.now, waiter }]) });
}
