/** How an accepted change reaches the copies, and what it waits for before it is acknowledged. */
import type { NodeId, PartitionId, Seq } from "../../data/ids.ts";
import type { Row } from "../../data/row.ts";
import type { AckLevel } from "../../protocol/ops.ts";
import type { Waiter, Wait } from "../node/requests.ts";
import type { Owner } from "../node/state.ts";
import type { Turn } from "../node/turn.ts";
import { isClosing } from "./silence.ts";
import { addDeltas, reached, type Stream } from "./stream.ts";
import { busyAt, open, retryAfter, setStream, sooner } from "./streams.ts";

/** Sends changed rows down every stream, and opens those that were not needed until now. */
export function spread(turn: Turn, partitionId: PartitionId, changed: readonly Row[]): void {
  const { role } = turn.partition(partitionId);
  if (role.type !== "owner" || role.copies.length === 0) return;
  const behind = turn.memory.behind.get(partitionId);
  let opened = false;
  for (const copy of role.copies) {
    if (turn.going(partitionId).streams.has(copy.nodeId)) continue;
    if (changed.length === 0 && !behind?.has(copy.nodeId)) continue;
    open(turn, partitionId, copy);
    opened = true;
  }
  if (changed.length === 0) return;
  turn.setMemory({ changedAt: turn.now });
  // Above what a new stream counts as there before it.
  const seq = opened ? turn.takeSeqs(1) : turn.memory.seq;
  const rows = changed.map(apart);
  for (const stream of turn.going(partitionId).streams.values())
    setStream(turn, partitionId, sooner(addDeltas(stream, rows, seq, turn.config), busyAt(turn)));
}

/** A value is a part of the frame that it came in: a small one must not keep all of that in memory until it is copied. */
function apart(row: Row): Row {
  const { value } = row;
  const alone = !value || 2 * value.length >= value.buffer.byteLength;
  return alone ? row : { ...row, value: value.slice() };
}

/**
 * What the acknowledgement of a change waits for, null for nothing. A write that changed nothing waits, too:
 * it may be the repetition of one that is still under way.
 */
export function waitOf(turn: Turn, partitionId: PartitionId, ack: AckLevel): Wait | null {
  const { role } = turn.partition(partitionId);
  const { streams } = turn.going(partitionId);
  if (role.type !== "owner" || streams.size === 0) return null;
  const all = new Map<NodeId, Seq>();
  const ifCounting = new Map<NodeId, Seq>();
  for (const stream of streams.values()) {
    if (reached(stream, stream.pendingSeq)) continue;
    if (mustHave(turn, role, stream, ack)) all.set(stream.to, stream.pendingSeq);
    else if (ack === "backup") ifCounting.set(stream.to, stream.pendingSeq);
  }
  return all.size > 0 ? { all, ifCounting } : null;
}

/**
 * Where it is asked for, and while a move closes: every copy that counts. At any time: a copy too far behind, or all of
 * them where they are together: writers that wait are fewer than those who would be refused.
 */
function mustHave(turn: Turn, role: Owner, stream: Stream, ack: AckLevel): boolean {
  const { unackedDeltaBytesMax, pendingBytesMax } = turn.config;
  if (stream.unackedBytes > unackedDeltaBytesMax) return true;
  if (2 * turn.memory.credits.bytes > pendingBytesMax) return true;
  if (!isForAll(role, ack)) return false;
  return role.copies.some((copy) => copy.nodeId === stream.to && copy.state !== "copying");
}

const isForAll = (role: Owner, ack: AckLevel): boolean => ack === "backup" || isClosing(role);

/** Somebody waits now: a pause that has grown while nobody did is cut short. */
export function holdBack(turn: Turn, partitionId: PartitionId, wait: Wait, waiter: Waiter): void {
  const { held, streams } = turn.going(partitionId);
  turn.setGoing(partitionId, { held: held.with([{ wait, since: turn.now, waiter }]) });
  if (held.length > 0) return;
  const soon = retryAfter(turn, 0).at;
  for (const nodeId of wait.all.keys()) {
    const stream = streams.get(nodeId);
    if (stream) setStream(turn, partitionId, sooner(stream, soon));
  }
}

/**
 * Is it to be at every copy that counts, and may one of these lack rows that are not on their way to it as changes? What
 * changed nothing is sent to them then, too: a scan may come to it only after the change that is waited for.
 */
export function isUnsure(turn: Turn, partitionId: PartitionId, ack: AckLevel): boolean {
  const { role } = turn.partition(partitionId);
  if (role.type !== "owner" || !isForAll(role, ack)) return false;
  const { streams } = turn.going(partitionId);
  const behind = turn.memory.behind.get(partitionId);
  return role.copies.some(({ nodeId, state, digest }) => {
    if (state === "copying") return false;
    const stream = streams.get(nodeId);
    const scanning = stream !== undefined && stream.scanAcked !== "end";
    return scanning || behind?.has(nodeId) === true || digest === "";
  });
}
