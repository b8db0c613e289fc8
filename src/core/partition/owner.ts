/**
 * The giving side: an owner, its copies, and at most one move.
 *
 *   copying ──digest equal──► counts ──ruling──► complete          (each copy)
 *                                                   │ if it is the target of the move
 *   copying ─────────────────────────────────────► closing ──all equal──► ready   (the move)
 *
 * Writes are accepted in every phase. From `closing` on they are acknowledged when the copies have
 * them, so the coordinator may switch the owner at any moment after `ready`. Only a ruling ends a move:
 * an owner that gave up by itself could serve beside the new one.
 */
import { totalOf } from "../../data/digest.ts";
import type { NodeId, PartitionId, Seq } from "../../data/ids.ts";
import type { Row } from "../../data/row.ts";
import type { MigrateStart, StreamAck, PulledRows } from "../../protocol/cluster-messages.ts";
import type { NodeTag } from "../node/events.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { Owner, OwnerCopy, OwnerMove } from "../node/state.ts";
import type { Turn } from "../node/turn.ts";
import { adopt } from "./adopt.ts";
import { release } from "./release.ts";
import { isClosing } from "./spread.ts";
import {
  addChunk,
  addMarker,
  compareAgain,
  resumeOf,
  takeAck,
  takeGap,
  type Stream,
  type Verdict,
} from "./stream.ts";
import { close, open, pump, pursueStream, retryAfter, sendAgain, setStream } from "./streams.ts";

/** Coordinator: make this node a complete copy, then close. Repeated until heard. */
export function onMigrateStart(turn: Turn, message: MigrateStart, call: CallId | null): void {
  const { migrationId, partitionId, destinationNodeId: to, ruling } = message;
  const { role, ruling: known } = turn.partition(partitionId);
  // A start under a ruling that is not the newest belongs to an attempt that is over.
  const current = known.epoch === ruling.epoch && role.type === "owner" && to !== turn.me;
  if (current && role.move?.migrationId !== migrationId) {
    const copies = role.copies.filter((copy) => copy.nodeId !== to);
    const listed = ruling.copies.some((c) => c.nodeId === to && c.state === "complete");
    // What is known of a copy that is not listed complete is of an attempt that was struck.
    const kept = listed ? role.copies.find((c) => c.nodeId === to) : undefined;
    if (!kept) close(turn, partitionId, to);
    turn.setGoing(partitionId, { giveUp: null });
    const copy: OwnerCopy = kept ?? {
      nodeId: to,
      state: "copying",
      migrationId,
      resume: { cut: turn.memory.seq, after: null },
      digest: "",
    };
    const move = { migrationId, to, phase: "copying" } as const;
    turn.setRole(partitionId, { ...role, copies: [...copies, copy], move });
    if (!turn.going(partitionId).streams.has(to)) open(turn, partitionId, copy);
    if (copy.state === "complete") beginClosing(turn, partitionId);
  }
  const { epoch } = known;
  turn.answer(call, { type: "HEARD", partitionId, nodeId: turn.me, epoch, migrationId });
}

/** After waking, after becoming owner: a stream to every copy, and whatever was being asked. */
export function resumeOwner(turn: Turn, partitionId: PartitionId): void {
  const role = ownerRole(turn, partitionId);
  if (!role) return;
  for (const copy of role.copies)
    if (!turn.going(partitionId).streams.has(copy.nodeId)) open(turn, partitionId, copy);
  ask(turn, partitionId);
}

type StreamTag = Extract<NodeTag, { for: "stream" }>;

export function onScanned(
  turn: Turn,
  { partitionId, to, streamId, after: from }: StreamTag,
  { rows, after }: { readonly rows: readonly Row[]; readonly after: StreamTag["after"] },
): void {
  const stream = turn.going(partitionId).streams.get(to);
  // Answers to a question that was put twice, or by a stream that is gone.
  if (stream?.streamId !== streamId || !("after" in stream.task) || stream.task.after !== from)
    return;
  setStream(turn, partitionId, addChunk(stream, rows, after));
  pump(turn, partitionId, to);
}

export function onDigested(turn: Turn, tag: StreamTag, buckets: Uint8Array | null): void {
  const stream = turn.going(tag.partitionId).streams.get(tag.to);
  if (stream?.streamId !== tag.streamId) return;
  if (buckets) setStream(turn, tag.partitionId, addMarker(stream, buckets));
  else setStream(turn, tag.partitionId, { ...stream, retry: soon(turn) });
}

/** The digest is still being built, a slice per event: go on in the next one. */
const soon = (turn: Turn): { at: number; attempt: number } => ({ at: turn.now + 1, attempt: 0 });

export function onStreamAck(turn: Turn, from: NodeId, ack: StreamAck): void {
  const { partitionId } = ack;
  const known = turn.going(partitionId).streams.get(from);
  if (known?.streamId !== ack.streamId) return;
  if (ack.status === "busy") return; // it still offers older rows: asked again by and by
  if (ack.status === "unknown") return reopen(turn, partitionId, known);
  const openedSeq = known.openedSeq ?? ack.openedSeq;
  if (isBefore(ack.openedSeq, openedSeq)) return; // of a life that the copy has forgotten
  if (isBefore(openedSeq, ack.openedSeq)) return reopen(turn, partitionId, known);
  const stream = { ...known, openedSeq: openedSeq ?? null };
  const { task } = stream;
  const facts = { next: ack.next, markerN: ack.markerN, buckets: ack.buckets };
  const gap = takeGap(stream, facts);
  if (gap) return sendAgain(turn, partitionId, gap);
  const [after, verdict] = takeAck(stream, facts, turn.config);
  const building = verdict === "building" ? { ...after, retry: soon(turn) } : after;
  setStream(turn, partitionId, building);
  judge(turn, partitionId, from, { verdict, digest: task.step === "marked" ? task.digest : null });
  saveResume(turn, partitionId, from);
  pump(turn, partitionId, from);
  release(turn, partitionId);
}

function judge(
  turn: Turn,
  partitionId: PartitionId,
  from: NodeId,
  { verdict, digest }: { readonly verdict: Verdict; readonly digest: Uint8Array | null },
): void {
  if (verdict === "equal" && digest) onEqual(turn, partitionId, from, totalOf(digest));
  if (verdict === "given-up") giveUp(turn, partitionId, "the copies differ after every repair");
}

/** Between the two the copy restarted, and took a first item that came again for the beginning. */
const isBefore = (one: Seq | undefined, other: Seq | undefined): boolean =>
  one !== undefined && other !== undefined && one < other;

/** The copy forgot the stream (it restarted): go on from what it had acknowledged. */
function reopen(turn: Turn, partitionId: PartitionId, stream: Stream): void {
  const role = ownerRole(turn, partitionId);
  const copy = role?.copies.find((c) => c.nodeId === stream.to);
  if (copy) open(turn, partitionId, { ...copy, resume: resumeOf(stream) });
}

function onEqual(turn: Turn, partitionId: PartitionId, from: NodeId, digest: string): void {
  const role = ownerRole(turn, partitionId);
  const stream = turn.going(partitionId).streams.get(from);
  if (!role || !stream) return;
  const copies = role.copies.map((copy) =>
    copy.nodeId === from
      ? { ...copy, state: counted(copy.state), resume: resumeOf(stream), digest }
      : copy,
  );
  turn.setRole(partitionId, { ...role, copies });
  if (isClosing(role)) becomeReady(turn, partitionId);
  ask(turn, partitionId);
}

/** Counts from before COMPLETE is asked: the ruling may be made and this node never hear of it. */
const counted = (state: OwnerCopy["state"]): OwnerCopy["state"] =>
  state === "copying" ? "counts" : state;

/** The target is a complete copy by ruling: from here on writes wait for the copies. */
export function beginClosing(turn: Turn, partitionId: PartitionId): void {
  const role = ownerRole(turn, partitionId);
  if (!role?.move || role.move.phase !== "copying") return;
  turn.setRole(partitionId, { ...role, move: { ...role.move, phase: "closing" } });
  for (const stream of turn.going(partitionId).streams.values()) {
    setStream(turn, partitionId, compareAgain(stream));
    pump(turn, partitionId, stream.to);
  }
}

/** Every copy that counts was equal at a marker set after closing began. */
function becomeReady(turn: Turn, partitionId: PartitionId): void {
  const role = ownerRole(turn, partitionId);
  if (!role?.move || role.move.phase !== "closing") return;
  const { streams } = turn.going(partitionId);
  const equal = role.copies.every(
    (copy) => copy.state === "copying" || streams.get(copy.nodeId)?.task.step === "idle",
  );
  if (equal) turn.setRole(partitionId, { ...role, move: { ...role.move, phase: "ready" } });
}

/** Whatever this owner waits for from the coordinator, ask for it (again), and look again later. */
function ask(turn: Turn, partitionId: PartitionId, attempt = 0): void {
  const role = ownerRole(turn, partitionId);
  if (!role) return;
  const { giveUp: reason } = turn.going(partitionId);
  const asked = turn.effects.length;
  if (role.move && reason !== null) askToCancel(turn, partitionId, role.move, reason);
  else {
    for (const copy of role.copies)
      if (copy.state === "counts") askToComplete(turn, partitionId, copy);
    if (role.move?.phase === "ready") sayReady(turn, partitionId, role);
  }
  const retry = turn.effects.length > asked ? retryAfter(turn, attempt) : null;
  turn.setGoing(partitionId, { retry });
}

function askToCancel(
  turn: Turn,
  partitionId: PartitionId,
  { migrationId }: OwnerMove,
  reason: string,
): void {
  const { epoch } = turn.partition(partitionId).ruling;
  turn.send("coordinator", { type: "MIGRATE_CANCEL", migrationId, partitionId, reason, epoch });
}

function askToComplete(turn: Turn, partitionId: PartitionId, copy: OwnerCopy): void {
  const { nodeId, migrationId, digest } = copy;
  const { epoch } = turn.partition(partitionId).ruling;
  const { rows = 0, bytes = 0 } = turn.going(partitionId).streams.get(nodeId) ?? {};
  const figures = { nodeId, epoch, digest, rows, bytes };
  turn.send("coordinator", { type: "COMPLETE", migrationId, partitionId, ...figures });
}

function sayReady(turn: Turn, partitionId: PartitionId, { copies, move }: Owner): void {
  if (!move) return;
  const { epoch } = turn.partition(partitionId).ruling;
  const digest = copies.find((copy) => copy.nodeId === move.to)?.digest ?? "";
  const { migrationId } = move;
  const says = { migrationId, partitionId, sourceNodeId: turn.me, epoch, digest };
  turn.send("coordinator", { type: "MIGRATE_READY", ...says });
}

function giveUp(turn: Turn, partitionId: PartitionId, reason: string): void {
  if (!ownerRole(turn, partitionId)?.move || turn.going(partitionId).giveUp !== null) return;
  turn.setGoing(partitionId, { giveUp: reason });
  ask(turn, partitionId);
}

/** Time has passed: ask again whatever is due. */
export function pursueOwner(turn: Turn, partitionId: PartitionId): void {
  const { streams, retry, held } = turn.going(partitionId);
  for (const stream of streams.values())
    if (stream.retry && stream.retry.at <= turn.now) pursueStream(turn, partitionId, stream);
  const oldest = held.first();
  if (oldest && oldest.since + turn.config.maxNoHeartbeatMs <= turn.now)
    giveUp(turn, partitionId, "a copy that writes wait for is silent");
  if (retry && retry.at <= turn.now) ask(turn, partitionId, retry.attempt + 1);
}

/** Notes on disk how far a long copy got, so that a restart does not begin it anew. */
function saveResume(turn: Turn, partitionId: PartitionId, to: NodeId): void {
  const role = ownerRole(turn, partitionId);
  const stream = turn.going(partitionId).streams.get(to);
  if (!role || !stream || stream.chunksSinceSave < turn.config.resumeEveryChunks) return;
  const copies = role.copies.map((copy) =>
    copy.nodeId === to ? { ...copy, resume: resumeOf(stream) } : copy,
  );
  turn.setRole(partitionId, { ...role, copies });
  setStream(turn, partitionId, { ...stream, chunksSinceSave: 0 });
}

export function onPulledRows(turn: Turn, from: NodeId, message: PulledRows): void {
  const { partitionId, streamId, rows, after } = message;
  const stream = turn.going(partitionId).streams.get(from);
  if (stream?.streamId !== streamId || stream.task.step !== "pull") return;
  adopt(turn, partitionId, rows, { type: "pulled", from, streamId, after });
}

function ownerRole(turn: Turn, partitionId: PartitionId): Owner | null {
  const { role } = turn.partition(partitionId);
  return role.type === "owner" ? role : null;
}
