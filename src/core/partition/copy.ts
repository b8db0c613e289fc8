/**
 * The taking side: merges the owner's stream in order, answers its markers. A copy decides nothing about
 * itself; that it is complete, owner or struck it hears as a ruling.
 */
import type { NodeId, PartitionId } from "../../data/ids.ts";
import type { MigrateData, PullRows, StreamAck } from "../../protocol/cluster-messages.ts";
import type { NodeTag } from "../node/events.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { Inbound } from "../node/state.ts";
import type { Turn } from "../node/turn.ts";
import { adopt, mayBeForgotten } from "./adopt.ts";

export function onMigrateData(
  turn: Turn,
  from: NodeId,
  message: MigrateData,
  call: CallId | null,
): void {
  if (call === null) return;
  const { partitionId } = message;
  const { role, ruling } = turn.partition(partitionId);
  const fromOwner = ruling.owner === from;
  switch (role.type) {
    case "owner":
      return takeLate(turn, message, call);
    case "struck":
      return refuse(turn, message, call, fromOwner ? "busy" : "unknown");
    case "none":
      if (!fromOwner || message.n !== 0 || message.epoch < ruling.epoch)
        return refuse(turn, message, call, "unknown");
      turn.setRole(partitionId, {
        type: "copy",
        state: "copying",
        at: from,
        cut: turn.memory.seq,
        foreign: false,
      });
      return takeItem(turn, from, message, call);
    case "copy":
      // Of an owner already replaced: merged here, its rows would be what the present owner lacks, compared or not.
      // It hears that it is replaced, and offers them there.
      if (!fromOwner) return refuse(turn, message, call, "unknown");
      // Nor of what this one sent when it was owner before: what it had then it may not have any more.
      if (message.epoch < ruling.since) return refuse(turn, message, call, "unknown");
      return takeItem(turn, from, message, call);
  }
}

/**
 * What a former owner still had under way. It hears that it is one, and offers what is missing: so nobody relies on
 * this having been taken, and of what may have been deleted and forgotten since, nothing is.
 */
function takeLate(turn: Turn, message: MigrateData, call: CallId): void {
  const { partitionId, streamId, chunk, deltas } = message;
  const rows = [...chunk, ...deltas].filter((row) => !mayBeForgotten(turn, row));
  adopt(turn, partitionId, rows, { type: "late-item", call, streamId });
}

function takeItem(turn: Turn, from: NodeId, message: MigrateData, call: CallId): void {
  const { partitionId, streamId, n } = message;
  let { inbound } = turn.going(partitionId);
  const newer = inbound === null || inbound.from !== from || streamId > inbound.streamId;
  if (newer && n === 0) {
    inbound = { from, streamId, openedSeq: turn.takeSeqs(1), next: 0, answered: null };
    turn.setGoing(partitionId, { inbound });
  }
  if (inbound === null || inbound.from !== from || streamId > inbound.streamId)
    return refuse(turn, message, call, "unknown");
  if (streamId < inbound.streamId || n > inbound.next)
    return turn.answer(call, opened(turn, partitionId, inbound));
  if (n < inbound.next) return turn.answer(call, answerAgain(turn, message, inbound));
  if (!message.collect) return takeNext(turn, message, call);
  const tag = tagOf(turn, message, call);
  turn.do({ type: "collect", partitionId, rows: message.collect, tag });
}

/** A repeated marker is answered from memory: the rows have moved on since. */
function answerAgain(turn: Turn, message: MigrateData, inbound: Inbound): StreamAck {
  const ack = opened(turn, message.partitionId, inbound);
  const { answered } = inbound;
  if (!message.marker || answered?.n !== message.n) return ack;
  return { ...ack, markerN: answered.n, buckets: answered.buckets };
}

/** The item that the stream waits for. */
function takeNext(turn: Turn, message: MigrateData, call: CallId): void {
  const { partitionId, chunk, deltas } = message;
  const rows = [...chunk, ...deltas];
  const fresh = deltas.length === 0;
  turn.hearStamps(rows);
  const tag = tagOf(turn, message, call);
  if (rows.length === 0) return onCopyMerged(turn, tag);
  turn.do({
    type: "merge",
    batches: [{ partitionId, rows, seq: turn.takeSeqs(rows.length), digest: true, fresh }],
    tag,
  });
}

type CopyTag = Extract<NodeTag, { for: "copy" }>;

function tagOf(turn: Turn, message: MigrateData, call: CallId): CopyTag {
  const { partitionId, streamId, n, marker } = message;
  const { now, random } = turn;
  return { for: "copy", call, partitionId, streamId, n, marker, now, random };
}

/** The rows of an item are merged: acknowledge it, or first answer its marker. */
export function onCopyMerged(turn: Turn, tag: CopyTag): void {
  const { partitionId, call, n, marker } = tag;
  const { inbound } = turn.going(partitionId);
  if (!inbound) return answerUnknown(turn, tag);
  if (marker)
    return turn.do({ type: "digest", partitionId, rowsMax: turn.config.digestSliceRows, tag });
  const answered = keptUp(turn, partitionId, inbound.answered);
  const taken: Inbound = { ...inbound, next: n + 1, answered };
  turn.setGoing(partitionId, { inbound: taken });
  turn.answer(call, opened(turn, partitionId, taken));
}

export function onCopyDigested(turn: Turn, tag: CopyTag, buckets: Uint8Array | null): void {
  const { partitionId, call, n } = tag;
  const { inbound } = turn.going(partitionId);
  if (!inbound) return answerUnknown(turn, tag);
  if (buckets === null)
    return turn.answer(call, {
      ...opened(turn, partitionId, inbound),
      markerN: n,
      buckets,
    });
  const keptUntil = turn.now + turn.config.idleAfterMs;
  const taken: Inbound = { ...inbound, next: n + 1, answered: { n, buckets, keptUntil } };
  turn.setGoing(partitionId, { inbound: taken });
  turn.answer(call, { ...opened(turn, partitionId, taken), markerN: n, buckets });
}

/** A digest makes each write read what stood there before, so it is kept up only while it may be asked for. */
function keptUp(
  turn: Turn,
  partitionId: PartitionId,
  answered: Inbound["answered"],
): Inbound["answered"] {
  if (!answered || answered.keptUntil === null || answered.keptUntil > turn.now) return answered;
  turn.do({ type: "forget-digest", partitionId });
  return { ...answered, keptUntil: null };
}

/** Not to be answered would keep both in memory. */
const answerUnknown = (turn: Turn, tag: CopyTag): void => refuse(turn, tag, tag.call, "unknown");

function opened(turn: Turn, partitionId: PartitionId, inbound: Inbound): StreamAck {
  const { streamId, openedSeq, next } = inbound;
  const { ruling } = turn.partition(partitionId);
  return { type: "STREAM_ACK", partitionId, streamId, status: "opened", next, openedSeq, ruling };
}

function refuse(
  turn: Turn,
  { partitionId, streamId }: Pick<MigrateData, "partitionId" | "streamId">,
  call: CallId,
  status: "unknown" | "busy",
): void {
  const { ruling } = turn.partition(partitionId);
  turn.answer(call, { type: "STREAM_ACK", partitionId, streamId, status, next: 0, ruling });
}

/** An owner found this copy's digest different and asks what it holds. */
export function onPullRows(turn: Turn, from: NodeId, message: PullRows, call: CallId | null): void {
  const { partitionId, streamId, buckets, after } = message;
  if (call === null) return;
  const { inbound } = turn.going(partitionId);
  if (inbound?.from !== from || inbound.streamId !== streamId)
    return turn.answer(call, { type: "PULLED_ROWS", partitionId, streamId, rows: [], after: null });
  turn.do({
    type: "scan",
    partitionId,
    after,
    cut: turn.memory.seq,
    known: { cut: turn.memory.seq, after: null },
    buckets,
    bytesMax: turn.config.chunkBytesMax,
    rowsMax: turn.config.chunkRowsMax,
    tag: { for: "pull", call, partitionId, streamId, now: turn.now, random: turn.random },
  });
}
