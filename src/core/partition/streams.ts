/** Keeps an owner's streams going: sends what is new, sends again what was not answered. */
import { Seq, type NodeId, type PartitionId } from "../../data/ids.ts";
import { backoffMs, busyPauseMs } from "../config.ts";
import type { Retry } from "../machine/retry.ts";
import type { OwnerCopy, Self } from "../node/state.ts";
import type { Turn } from "../node/turn.ts";
import type { Resume } from "../rows/effects.ts";
import { isClosing, isMissed } from "./silence.ts";
import {
  compareAgain,
  isWaiting,
  lacksCollected,
  openStream,
  outstanding,
  renewStream,
  wants,
  type Item,
  type Stream,
} from "./stream.ts";

/** A complete copy is compared when this node is new as its owner, and when a move closes. */
function compares(turn: Turn, partitionId: PartitionId, copy: OwnerCopy): boolean {
  const { role } = turn.partition(partitionId);
  const closing = role.type === "owner" && isClosing(role);
  return copy.state !== "complete" || copy.digest === "" || closing;
}

export function open(turn: Turn, partitionId: PartitionId, copy: OwnerCopy): void {
  const seq = turn.takeSeqs(1);
  const behind = turn.memory.behind.get(partitionId)?.has(copy.nodeId) ?? false;
  const upToDate = copy.state === "complete" && copy.digest !== "" && !behind;
  const saved = resumeAt(copy, turn.self);
  const known: Resume = upToDate ? { cut: Seq(seq - 1), after: "end" } : saved;
  // The change that opens the stream lies below it, and is not there yet.
  const has = upToDate ? (saved.after === "end" ? saved.cut : Seq(0)) : seq;
  caughtUp(turn, partitionId, copy.nodeId);
  turn.setMemory({ changedAt: turn.now });
  const opening = { compares: compares(turn, partitionId, copy), has };
  setStream(turn, partitionId, openStream(copy.nodeId, seq, known, opening));
  pump(turn, partitionId, copy.nodeId);
}

/** As saved of this copy, or of all of them when this node was quiet last. */
function resumeAt({ state, digest, resume }: OwnerCopy, { drained }: Self): Resume {
  const compared = state === "complete" && digest !== "" && resume.after === "end";
  return compared && resume.cut < drained ? { cut: drained, after: "end" } : resume;
}

/** The copy forgot the stream (it restarted): go on from what it had acknowledged. */
export function reopen(
  turn: Turn,
  partitionId: PartitionId,
  copy: OwnerCopy,
  stream: Stream,
): void {
  const seq = turn.takeSeqs(1);
  const lost = lacksCollected(stream);
  if (lost) distrust(turn, partitionId, copy.nodeId);
  const again = lost || compares(turn, partitionId, copy) || stream.task.step !== "idle";
  const renewed = renewStream(stream, seq, again, turn.config);
  setStream(turn, partitionId, renewed);
  // A chunk that overtook what goes out first would find the stream forgotten once more.
  if (renewed.unacked.length === 0 || renewed.task.step !== "scan")
    pump(turn, partitionId, copy.nodeId);
}

/** To be compared before anything rests on its being equal. */
function distrust(turn: Turn, partitionId: PartitionId, nodeId: NodeId): void {
  const { role } = turn.partition(partitionId);
  if (role.type !== "owner") return;
  const copies = role.copies.map((copy) =>
    copy.nodeId === nodeId ? { ...copy, digest: "" } : copy,
  );
  turn.setRole(partitionId, { ...role, copies });
}

/** A stream is open, or there will be none. */
export function caughtUp(turn: Turn, partitionId: PartitionId, nodeId: NodeId): void {
  const known = turn.memory.behind.get(partitionId);
  if (!known?.has(nodeId)) return;
  const others = new Set(known);
  others.delete(nodeId);
  const behind = new Map(turn.memory.behind);
  if (others.size > 0) behind.set(partitionId, others);
  else behind.delete(partitionId);
  turn.setMemory({ behind });
}

export function close(turn: Turn, partitionId: PartitionId, nodeId: NodeId): void {
  const streams = new Map(turn.going(partitionId).streams);
  if (streams.delete(nodeId)) turn.setGoing(partitionId, { streams });
  caughtUp(turn, partitionId, nodeId);
}

/** Replaces a stream and sends the items that it gained. */
export function setStream(turn: Turn, partitionId: PartitionId, stream: Stream): void {
  const { streams } = turn.going(partitionId);
  const before = streams.get(stream.to);
  const sentN = before?.streamId === stream.streamId ? before.nextN : 0;
  for (const item of stream.unacked) if (item.n >= sentN) sendItem(turn, partitionId, stream, item);
  const retry = isWaiting(stream) ? (stream.retry ?? retryAfter(turn, 0)) : stream.retry;
  const silentSince = isWaiting(stream) ? (stream.silentSince ?? turn.now) : null;
  const next = { ...stream, retry, silentSince };
  turn.setGoing(partitionId, { streams: new Map(streams).set(stream.to, next) });
}

/** Asks for what the stream needs to go on. */
export function pump(turn: Turn, partitionId: PartitionId, to: NodeId): void {
  const stream = turn.going(partitionId).streams.get(to);
  if (!stream) return;
  const { config, now, random } = turn;
  const { streamId, task } = stream;
  const after = "after" in task ? task.after : null;
  const tag = { for: "stream", partitionId, to, streamId, after, now, random } as const;
  switch (wants(stream, config)) {
    case "scan":
      return turn.do({
        type: "scan",
        partitionId,
        after,
        cut: task.step === "repair" ? turn.memory.seq : stream.cut,
        known: task.step === "repair" ? { cut: streamId, after: null } : stream.known,
        buckets: task.step === "repair" ? task.buckets : null,
        bytesMax: config.chunkBytesMax,
        rowsMax: config.chunkRowsMax,
        tag,
      });
    case "digest":
      return turn.do({ type: "digest", partitionId, rowsMax: config.digestSliceRows, tag });
    case "pull":
      return pull(turn, partitionId, stream);
    case null:
  }
}

function pull(turn: Turn, partitionId: PartitionId, stream: Stream): void {
  const { task, streamId, to } = stream;
  if (task.step !== "pull") return;
  const { buckets, after } = task;
  turn.send(to, { type: "PULL_ROWS", partitionId, streamId, buckets, after });
  setStream(turn, partitionId, { ...stream, task: { ...task, asked: true } });
}

export function sendAgain(turn: Turn, partitionId: PartitionId, stream: Stream): void {
  for (const item of outstanding(stream)) sendItem(turn, partitionId, stream, item);
  setStream(turn, partitionId, stream);
}

/** Nobody waits for this copy: it is listed complete, and lacks what can wait until somebody works. */
function isIdle(turn: Turn, partitionId: PartitionId, to: NodeId): boolean {
  const { role } = turn.partition(partitionId);
  if (role.type !== "owner" || isClosing(role)) return false;
  const copy = role.copies.find(({ nodeId }) => nodeId === to);
  return copy?.state === "complete" && turn.going(partitionId).held.length === 0;
}

/** A pause that has grown while nobody waited is cut short. */
export const sooner = (stream: Stream, at: number): Stream =>
  stream.retry && stream.retry.at > at ? { ...stream, retry: { ...stream.retry, at } } : stream;

/** Somebody waits for it: it is asked at once, and its silence counts from now. */
export function compareNow(turn: Turn, partitionId: PartitionId, stream: Stream): void {
  const anew = { ...compareAgain(stream), silentSince: null };
  setStream(turn, partitionId, sooner(anew, retryAfter(turn, 0).at));
  pump(turn, partitionId, stream.to);
}

/** Where somebody works no pause is longer. */
export const busyAt = ({ now, config }: Turn): number => now + busyPauseMs(config);

/** An operator waits for it. */
const isCompared = ({ memory }: Turn, partitionId: PartitionId): boolean =>
  memory.comparing?.running.has(partitionId) === true;

/** Nothing came back in time: the same again. */
export function pursueStream(turn: Turn, partitionId: PartitionId, stream: Stream): void {
  const { retryMsMax, idleRetryMsMax } = turn.config;
  const maxMs = isIdle(turn, partitionId, stream.to) ? idleRetryMsMax : retryMsMax;
  const { role } = turn.partition(partitionId);
  const next = (stream.retry?.attempt ?? 0) + 1;
  const isWanted = isMissed(role, stream.to) || isCompared(turn, partitionId);
  const attempt = isWanted ? haste(next) : patience(turn, partitionId, next);
  for (const item of outstanding(stream)) sendItem(turn, partitionId, stream, item);
  const { task } = stream;
  setStream(turn, partitionId, {
    ...stream,
    task: task.step === "pull" ? { ...task, asked: false } : task,
    retry: isWaiting(stream) ? retryAfter(turn, attempt, maxMs) : null,
  });
  pump(turn, partitionId, stream.to);
}

function sendItem(turn: Turn, partitionId: PartitionId, stream: Stream, item: Item): void {
  const { ruling } = turn.partition(partitionId);
  const { n, kind, rows, seq: sourceVersion } = item;
  turn.send(stream.to, {
    type: "MIGRATE_DATA",
    partitionId,
    streamId: stream.streamId,
    n,
    epoch: ruling.epoch,
    chunk: kind === "chunk" ? rows : [],
    deltas: kind === "delta" ? rows : [],
    ...(kind === "collect" && { collect: rows }),
    sourceVersion,
    marker: kind === "marker",
    // What a copy needs to know who speaks; with every marker, so that it hears of its own completion.
    ...((n === 0 || kind === "marker") && { ruling }),
  });
}

/** Pauses grow, but not far while somebody waits for what is asked. */
export function patience(turn: Turn, partitionId: PartitionId, attempt: number): number {
  const { held } = turn.going(partitionId);
  return held.length > 0 ? haste(attempt) : attempt;
}

const haste = (attempt: number): number => Math.min(attempt, 3);

/** An answer may take as long as a chunk takes to merge: never ask again at once. */
export const retryAfter = (turn: Turn, attempt: number, maxMs?: number): Retry => ({
  at: turn.now + turn.config.retryMsMin + backoffMs(turn.config, attempt, turn.random, maxMs),
  attempt,
});
