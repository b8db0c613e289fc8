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
import { compareIdentity, type Identity, type Row } from "../../data/row.ts";
import type { MigrateStart, StreamAck, PulledRows } from "../../protocol/cluster-messages.ts";
import type { NodeTag } from "../node/events.ts";
import { isResting } from "../actor/rest.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { Owner, OwnerCopy, Role } from "../node/state.ts";
import type { Turn } from "../node/turn.ts";
import { adopt } from "./adopt.ts";
import { noteDiffers, noteRows } from "./compare.ts";
import { awaited, release } from "./release.ts";
import { isClosing, unheardAt } from "./silence.ts";
import {
  addChunk,
  addMarker,
  hasOwed,
  resumeOf,
  takeAck,
  takeGap,
  type Stream,
  type Verdict,
} from "./stream.ts";
import {
  close,
  compareNow,
  open,
  patience,
  pump,
  pursueStream,
  reopen,
  retryAfter,
  sendAgain,
  setStream,
} from "./streams.ts";

/** Coordinator: make this node a complete copy, then close. Repeated until heard. */
export function onMigrateStart(turn: Turn, message: MigrateStart, call: CallId | null): void {
  const { migrationId, partitionId, destinationNodeId: to, ruling, purpose } = message;
  const { role, ruling: known } = turn.partition(partitionId);
  // A start under a ruling that is not the newest belongs to an attempt that is over.
  const current = known.epoch === ruling.epoch && role.type === "owner" && to !== turn.me;
  if (current && !isUnderWay(role, message)) {
    const copies = role.copies.filter((copy) => copy.nodeId !== to);
    const listed = ruling.copies.some((c) => c.nodeId === to && c.state === "complete");
    // What is known of a copy that is not listed complete is of an attempt that was struck.
    const kept = listed ? role.copies.find((c) => c.nodeId === to) : undefined;
    if (!kept) close(turn, partitionId, to);
    keepOn(turn, partitionId, to);
    const copy: OwnerCopy = kept ?? {
      nodeId: to,
      state: "copying",
      migrationId,
      resume: { cut: turn.memory.seq, after: null },
      digest: "",
    };
    // One thing at a time: whatever was under way before is over.
    const move = purpose === "move" ? ({ migrationId, to, phase: "copying" } as const) : null;
    turn.setRole(partitionId, { ...role, copies: [...copies, copy], move });
    if (!turn.going(partitionId).streams.has(to)) open(turn, partitionId, copy);
    if (copy.state === "complete") beginClosing(turn, partitionId);
    release(turn, partitionId);
  }
  const { epoch } = known;
  // Of a start under an older ruling the coordinator must not believe that anything came of it.
  const begun = isUnderWay(turn.partition(partitionId).role, message) && { migrationId };
  turn.answer(call, { type: "HEARD", partitionId, nodeId: turn.me, epoch, ...begun });
}

function isUnderWay(
  role: Role,
  { purpose, migrationId, destinationNodeId }: MigrateStart,
): boolean {
  if (role.type !== "owner") return false;
  if (purpose === "move") return role.move?.migrationId === migrationId;
  return role.copies.some((c) => c.nodeId === destinationNodeId && c.migrationId === migrationId);
}

/** It was given up, or never came to be: what the ruling leaves of its copy goes on as any other. */
export function onMoveOver(
  turn: Turn,
  { partitionId, migrationId }: Pick<MigrateStart, "partitionId" | "migrationId">,
): void {
  const role = ownerRole(turn, partitionId);
  if (role?.move?.migrationId !== migrationId) return;
  turn.setRole(partitionId, { ...role, move: null });
  release(turn, partitionId);
}

/** A stream to every copy that lacks something or is to be compared, and whatever was being asked. */
export function resumeOwner(turn: Turn, partitionId: PartitionId): void {
  const role = ownerRole(turn, partitionId);
  if (!role) return;
  for (const copy of role.copies) {
    const needed = copy.state !== "complete" || copy.digest === "" || isClosing(role);
    if (needed && !turn.going(partitionId).streams.has(copy.nodeId)) open(turn, partitionId, copy);
  }
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
  if (stream.task.step === "repair") noteRows(turn, partitionId, { sent: rows.length });
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
  const asked = turn.going(partitionId).streams.get(from);
  if (asked?.streamId !== ack.streamId) return;
  const known = { ...asked, silentSince: null };
  // It still offers older rows: asked again by and by.
  if (ack.status === "busy") return setStream(turn, partitionId, known);
  if (ack.status === "unknown") return beginAgain(turn, partitionId, known);
  const openedSeq = openedAt(known, ack);
  if (isBefore(ack.openedSeq, openedSeq)) return; // of a life that the copy has forgotten
  if (isBefore(openedSeq, ack.openedSeq)) return beginAgain(turn, partitionId, known);
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
  if (hasOwed(building)) nowComplete(turn, partitionId, stream);
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
  if (verdict === "unequal") noteDiffers(turn, partitionId);
  if (verdict === "given-up") giveUp(turn, partitionId, from, "it differs after every repair");
}

const openedAt = (known: Stream, ack: StreamAck): Seq | undefined =>
  known.openedSeq ?? ack.openedSeq;

/** Between the two the copy restarted, and took a first item that came again for the beginning. */
const isBefore = (one: Seq | undefined, other: Seq | undefined): boolean =>
  one !== undefined && other !== undefined && one < other;

function beginAgain(turn: Turn, partitionId: PartitionId, stream: Stream): void {
  const role = ownerRole(turn, partitionId);
  const copy = role?.copies.find((c) => c.nodeId === stream.to);
  if (copy) reopen(turn, partitionId, copy, stream);
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
  setStream(turn, partitionId, { ...stream, owedSeq: stream.pendingSeq });
  turn.setRole(partitionId, { ...role, copies });
  if (isClosing(role)) becomeReady(turn, partitionId);
  restDigest(turn, partitionId);
  ask(turn, partitionId);
}

/** Nothing is to be compared any more: writes need not keep the digest up. */
export function restDigest(turn: Turn, partitionId: PartitionId): void {
  const role = ownerRole(turn, partitionId);
  const streams = [...turn.going(partitionId).streams.values()];
  const copying = role?.copies.some(({ state }) => state !== "complete");
  if (role?.move || copying || streams.some(({ task }) => task.step !== "idle")) return;
  turn.do({ type: "forget-digest", partitionId });
}

/** Counts from before COMPLETE is asked: the ruling may be made and this node never hear of it. */
const counted = (state: OwnerCopy["state"]): OwnerCopy["state"] =>
  state === "copying" ? "counts" : state;

/** The target is a complete copy by ruling: from here on writes wait for the copies. */
export function beginClosing(turn: Turn, partitionId: PartitionId): void {
  const role = ownerRole(turn, partitionId);
  if (!role?.move || role.move.phase !== "copying") return;
  turn.setRole(partitionId, { ...role, move: { ...role.move, phase: "closing" } });
  for (const copy of role.copies) {
    const stream = turn.going(partitionId).streams.get(copy.nodeId);
    if (!stream) open(turn, partitionId, copy);
    else compareNow(turn, partitionId, stream);
  }
}

/** Every copy that counts was equal at a marker set after closing began. */
export function becomeReady(turn: Turn, partitionId: PartitionId): void {
  const role = ownerRole(turn, partitionId);
  if (!role?.move || role.move.phase !== "closing") return;
  const { streams } = turn.going(partitionId);
  if (!isResting(turn, partitionId)) return;
  const equal = role.copies.every(
    (copy) => copy.state === "copying" || streams.get(copy.nodeId)?.task.step === "idle",
  );
  if (equal) turn.setRole(partitionId, { ...role, move: { ...role.move, phase: "ready" } });
}

/** A decision is made that the move had waited for. */
export function readyIfRested(turn: Turn, partitionId: PartitionId): void {
  if (ownerRole(turn, partitionId)?.move?.phase !== "closing") return;
  becomeReady(turn, partitionId);
  if (ownerRole(turn, partitionId)?.move?.phase === "ready") ask(turn, partitionId);
}

/** Whatever this owner waits for from the coordinator, ask for it (again), and look again later. */
function ask(turn: Turn, partitionId: PartitionId, attempt = 0): void {
  const role = ownerRole(turn, partitionId);
  if (!role) return;
  const { giveUp: hopeless } = turn.going(partitionId);
  const asked = turn.effects.length;
  for (const copy of role.copies) {
    const reason = hopeless.get(copy.nodeId);
    if (reason !== undefined) askToStrike(turn, partitionId, copy.nodeId, reason);
    else if (copy.state === "counts" && isOwedNothing(turn, partitionId, copy))
      askToComplete(turn, partitionId, copy);
  }
  if (role.move?.phase === "ready" && !hopeless.has(role.move.to))
    sayReady(turn, partitionId, role);
  const retry =
    turn.effects.length > asked ? retryAfter(turn, patience(turn, partitionId, attempt)) : null;
  turn.setGoing(partitionId, { retry });
}

/** Else a write could be acknowledged by all that counted then, and a copy be complete without it. */
function isOwedNothing(turn: Turn, partitionId: PartitionId, { nodeId }: OwnerCopy): boolean {
  const stream = turn.going(partitionId).streams.get(nodeId);
  return stream !== undefined && hasOwed(stream);
}

function nowComplete(turn: Turn, partitionId: PartitionId, before: Stream): void {
  const copy = ownerRole(turn, partitionId)?.copies.find((c) => c.nodeId === before.to);
  if (!hasOwed(before) && copy?.state === "counts") ask(turn, partitionId);
}

/** Whatever is under way with it ends with it. */
function askToStrike(turn: Turn, partitionId: PartitionId, nodeId: NodeId, reason: string): void {
  const { epoch } = turn.partition(partitionId).ruling;
  turn.send("coordinator", { type: "STRIKE_COPY", partitionId, nodeId, reason, epoch });
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

function giveUp(turn: Turn, partitionId: PartitionId, nodeId: NodeId, reason: string): void {
  const known = turn.going(partitionId).giveUp;
  if (known.has(nodeId)) return;
  turn.setGoing(partitionId, { giveUp: new Map(known).set(nodeId, reason) });
  ask(turn, partitionId);
}

/** It is struck, or begun anew. */
export function keepOn(turn: Turn, partitionId: PartitionId, nodeId: NodeId): void {
  const others = new Map(turn.going(partitionId).giveUp);
  if (others.delete(nodeId)) turn.setGoing(partitionId, { giveUp: others });
}

/** Time has passed: ask again whatever is due. */
export function pursueOwner(turn: Turn, partitionId: PartitionId): void {
  const { streams, retry, held } = turn.going(partitionId);
  for (const stream of streams.values())
    if (stream.retry && stream.retry.at <= turn.now) pursueStream(turn, partitionId, stream);
  const oldest = held.first();
  if (oldest && oldest.since + turn.config.maxNoHeartbeatMs <= turn.now)
    for (const nodeId of awaited(turn, partitionId, oldest))
      giveUp(turn, partitionId, nodeId, "writes wait for it, and it is silent");
  const { role } = turn.partition(partitionId);
  for (const stream of streams.values())
    if (unheardAt(turn.config, role, stream) <= turn.now)
      giveUp(turn, partitionId, stream.to, "its owner has not heard it for long");
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
  if (stream?.streamId !== streamId || !isFurther(stream, after)) return;
  adopt(turn, partitionId, rows, { type: "pulled", from, streamId, after });
}

/** Else each answer that comes twice would be asked on for twice, and the next ones more often with every page. */
const isFurther = ({ task }: Stream, after: Identity | null): boolean =>
  task.step === "pull" &&
  (after === null || task.after === null || compareIdentity(after, task.after) > 0);

function ownerRole(turn: Turn, partitionId: PartitionId): Owner | null {
  const { role } = turn.partition(partitionId);
  return role.type === "owner" ? role : null;
}
