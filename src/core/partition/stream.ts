/**
 * An owner's stream to one copy: every changed row in order, and beside them each older row once.
 *
 *   scan ──► mark ──► marked ──equal──► idle ──► mark … (again when the move closes)
 *     │        ▲         │ unequal       ▲
 *     │        └─ pull ◄─┴─ repair       │  both directions, differing buckets only
 *     └── of a copy that was complete ───┘
 *
 * Deltas start before the scan's cut, so the scan is finite at any write rate. Items are numbered and
 * taken in order by the copy (go-back-N); acks are cumulative. A stream is memory only: a copy or an
 * owner that forgot it opens a new one from the `Resume` that the owner saved.
 */
import { differingBuckets } from "../../data/digest.ts";
import { compareIdentity, rowBytes, type Identity, type Row } from "../../data/row.ts";
import type { NodeId, Seq } from "../../data/ids.ts";
import type { Config } from "../config.ts";
import { Queue } from "../machine/queue.ts";
import type { Retry } from "../machine/retry.ts";
import type { Resume } from "../rows/effects.ts";

export interface Stream {
  readonly to: NodeId;
  readonly streamId: Seq;
  /** The copy's word on when it opened the stream; null: not heard yet. */
  readonly openedSeq: Seq | null;
  /** The scan sends rows with seq <= cut; later changes travel as deltas. */
  readonly cut: Seq;
  /** What the copy had when the stream was opened. */
  readonly known: Resume;
  /** Digests are compared once it has the rest. */
  readonly compares: boolean;
  readonly nextN: number;
  readonly unacked: readonly Item[];
  /** Changed rows that wait for room in the window. */
  readonly pending: Queue<Row>;
  /** Change counter after `pending`, and after what was sent of it. */
  readonly pendingSeq: Seq;
  readonly sentSeq: Seq;
  readonly scanSent: Resume["after"];
  /** Cumulative, from acks. */
  readonly ackedSeq: Seq;
  readonly scanAcked: Resume["after"];
  /** Of deltas sent or pending, not acknowledged. */
  readonly unackedBytes: number;
  readonly chunksSinceSave: number;
  /** What the copy must have before it is called complete: all there was when it began to count. */
  readonly owedSeq: Seq | null;
  readonly task: Task;
  readonly retry: Retry | null;
  /** The copy has been asked since then, and has answered nothing; null: nothing is asked. */
  readonly silentSince: number | null;
  /** The last item that the copy missed and that was sent again for it. */
  readonly gapN: number;
  readonly rows: number;
  readonly bytes: number;
}

type Task =
  | { readonly step: "scan"; readonly after: Identity | null }
  | {
      readonly step: "repair";
      readonly after: Identity | null;
      readonly buckets: Buckets;
      readonly pass: number;
    }
  | {
      readonly step: "pull";
      readonly after: Identity | null;
      readonly buckets: Buckets;
      readonly pass: number;
      readonly asked: boolean;
    }
  | { readonly step: "mark"; readonly pass: number }
  | {
      readonly step: "marked";
      readonly marker: Item;
      readonly digest: Uint8Array;
      readonly pass: number;
    }
  | { readonly step: "idle" };

type Buckets = readonly number[];

export interface Item {
  readonly n: number;
  readonly kind: "chunk" | "delta" | "marker" | "collect";
  readonly rows: readonly Row[];
  readonly bytes: number;
  /** Once this item is acknowledged, all changes up to here are, too. */
  readonly seq: Seq;
  readonly scanned: Resume["after"];
}

interface Opening {
  readonly compares?: boolean;
  /** What the copy has for certain, if that is less than `known`: the rest is about to come as changes. */
  readonly has?: Seq;
}

export function openStream(
  to: NodeId,
  seq: Seq,
  known: Resume,
  { compares = true, has = seq }: Opening = {},
): Stream {
  const all = isKnown(known, seq);
  return {
    to,
    streamId: seq,
    openedSeq: null,
    cut: seq,
    known,
    compares,
    nextN: 0,
    unacked: [],
    pending: Queue.of([]),
    pendingSeq: seq,
    sentSeq: has,
    scanSent: all ? "end" : null,
    ackedSeq: has,
    scanAcked: all ? "end" : null,
    unackedBytes: 0,
    chunksSinceSave: 0,
    owedSeq: null,
    task: all ? afterScan(compares) : { step: "scan", after: null },
    retry: null,
    silentSince: null,
    gapN: -1,
    rows: 0,
    bytes: 0,
  };
}

const afterScan = (compares: boolean): Task =>
  compares ? { step: "mark", pass: 0 } : { step: "idle" };

/**
 * The copy forgot a stream. What went out beside the scan and is not acknowledged goes out again: rows that changed
 * nothing here, but that a writer wants to be there, no scan would find. The table is scanned again from where the copy
 * had got, and not at all if that was its end.
 */
export function renewStream(stream: Stream, seq: Seq, compares: boolean, config: Config): Stream {
  const { to, ackedSeq, pendingSeq } = stream;
  const isScanned = stream.scanAcked === "end";
  // What was to be collected is compared instead.
  const lacked = stream.unacked.flatMap(({ kind, rows }) =>
    kind === "delta" || (kind === "chunk" && isScanned) ? rows : [],
  );
  const pending = [...lacked, ...stream.pending.slice(0)];
  const scan = isScanned ? "end" : null;
  return flush(
    {
      ...openStream(to, seq, resumeOf(stream), { compares }),
      cut: isScanned ? ackedSeq : stream.cut,
      ackedSeq,
      // With nothing to go out again no item would ever say that it is all there.
      sentSeq: pending.length > 0 ? ackedSeq : pendingSeq,
      scanSent: scan,
      scanAcked: scan,
      pending: Queue.of(pending),
      pendingSeq,
      unackedBytes: sizeOf(pending),
      task: isScanned ? afterScan(compares) : { step: "scan", after: null },
    },
    config,
  );
}

/** Nothing has changed since: `cut` itself names the stream, no row has it. */
const isKnown = (known: Resume, cut: Seq): boolean => known.after === "end" && known.cut >= cut - 1;

/** What the stream lacks to go on, if it is not just an ack. */
export function wants(stream: Stream, config: Config): "scan" | "digest" | "pull" | null {
  switch (stream.task.step) {
    case "scan":
    case "repair":
      return count(stream, "chunk") < config.chunkWindow ? "scan" : null;
    case "mark":
      // The marker says "everything up to here", so nothing may wait behind it.
      return stream.pending.length === 0 ? "digest" : null;
    case "pull":
      return stream.task.asked ? null : "pull";
    case "marked":
    case "idle":
      return null;
  }
}

/** Changes, in order; `seq` is the owner's change counter after them. */
export function addDeltas(stream: Stream, rows: readonly Row[], seq: Seq, config: Config): Stream {
  return flush(
    {
      ...stream,
      pending: stream.pending.with(rows),
      pendingSeq: seq,
      unackedBytes: stream.unackedBytes + sizeOf(rows),
    },
    config,
  );
}

/** Sends waiting changes as one item if the window has room. */
function flush(stream: Stream, config: Config): Stream {
  if (stream.pending.length === 0 || count(stream, "delta") >= config.deltaWindow) return stream;
  let size = 0;
  let end = 0;
  for (const row of stream.pending) {
    if (size >= config.unackedDeltaBytesMax) break;
    size += rowBytes(row);
    end++;
  }
  const all = end === stream.pending.length;
  // Changes of one group share a counter: only the item with the last of them may claim it.
  const sentSeq = all ? stream.pendingSeq : stream.sentSeq;
  return flush(
    append(
      { ...stream, pending: Queue.of(stream.pending.slice(end)), sentSeq },
      "delta",
      stream.pending.slice(0, end),
    ),
    config,
  );
}

/** The next scanned rows; `after` null: that was the end. */
export function addChunk(stream: Stream, rows: readonly Row[], after: Identity | null): Stream {
  const { task } = stream;
  if (task.step !== "scan" && task.step !== "repair") return stream;
  const scanSent = task.step === "scan" ? (after ?? "end") : stream.scanSent;
  const passed: Stream = { ...stream, scanSent, task: afterChunk(stream.compares, task, after) };
  return rows.length > 0 ? append(passed, "chunk", rows) : passed;
}

function afterChunk(
  compares: boolean,
  task: Extract<Task, { step: "scan" | "repair" }>,
  after: Identity | null,
): Task {
  if (after !== null) return { ...task, after };
  if (task.step === "scan") return afterScan(compares);
  return { step: "pull", after: null, buckets: task.buckets, pass: task.pass, asked: false };
}

/** The owner's digest, computed with nothing pending: the marker goes out at this position. */
export function addMarker(stream: Stream, digest: Uint8Array): Stream {
  if (stream.task.step !== "mark") return stream;
  const { pass } = stream.task;
  const marked = append(stream, "marker", []);
  const marker = marked.unacked.at(-1);
  return marker ? { ...marked, task: { step: "marked", marker, digest, pass } } : stream;
}

/** Rows that this owner has removed, after all that it had said of them: nothing waits to be sent. */
export function addCollected(stream: Stream, rows: readonly Row[], seq: Seq): Stream {
  return append({ ...stream, pendingSeq: seq, sentSeq: seq }, "collect", rows);
}

/** The copy may still hold what was removed here. */
export const lacksCollected = ({ unacked }: Stream): boolean =>
  unacked.some(({ kind }) => kind === "collect");

/** What the copy held in differing buckets has been merged here; `after` null: all of it. */
export function afterPull(stream: Stream, after: Identity | null): Stream {
  if (stream.task.step !== "pull") return stream;
  return {
    ...stream,
    retry: null,
    silentSince: null,
    task:
      after === null
        ? { step: "mark", pass: stream.task.pass }
        : { ...stream.task, after, asked: false },
  };
}

/** A new comparison, for the move that closes. */
export function compareAgain(stream: Stream): Stream {
  const { step } = stream.task;
  return step === "idle" || step === "marked"
    ? { ...stream, compares: true, task: { step: "mark", pass: 0 } }
    : { ...stream, compares: true };
}

/**
 * The copy left an item that came before the one it waits for: messages overtake each other. All from there
 * on goes out again at once, but once; what is lost then waits for its time. Null: no such answer.
 */
export function takeGap(stream: Stream, { next, buckets }: StreamAckFacts): Stream | null {
  const [first, second] = stream.unacked;
  const isGap = first?.n === next && second !== undefined && buckets === undefined;
  return isGap && stream.gapN !== next ? { ...stream, gapN: next } : null;
}

export interface StreamAckFacts {
  readonly next: number;
  readonly markerN: number | undefined;
  readonly buckets: Uint8Array | null | undefined;
}

export type Verdict = "equal" | "unequal" | "given-up" | "building" | null;

/** `next` beyond what was sent is a peer's mistake and acknowledges nothing. */
export function takeAck(
  stream: Stream,
  ack: StreamAckFacts,
  config: Config,
): readonly [Stream, Verdict] {
  const acked = ack.next <= stream.nextN ? stream.unacked.filter((item) => item.n < ack.next) : [];
  const last = acked.at(-1);
  let after = stream;
  if (last) {
    const deltas = acked.filter((item) => item.kind === "delta");
    after = {
      ...stream,
      unacked: stream.unacked.slice(acked.length),
      ackedSeq: last.seq,
      scanAcked: last.scanned,
      unackedBytes: deltas.reduce((sum, item) => sum - item.bytes, stream.unackedBytes),
      chunksSinceSave:
        stream.chunksSinceSave + acked.filter((item) => item.kind === "chunk").length,
      retry: null,
    };
  }
  const [judged, verdict] = judge(after, ack, config);
  return [flush(judged, config), verdict];
}

function judge(stream: Stream, ack: StreamAckFacts, config: Config): readonly [Stream, Verdict] {
  const { task } = stream;
  if (task.step !== "marked" || ack.markerN === undefined || ack.buckets === undefined)
    return [stream, null];
  // Of an earlier marker, too: the copy comes to this one when it has answered that.
  if (ack.buckets === null) return [stream, "building"];
  if (ack.markerN !== task.marker.n) return [stream, null];
  const buckets = differingBuckets(task.digest, ack.buckets);
  if (buckets.length === 0) return [{ ...stream, retry: null, task: { step: "idle" } }, "equal"];
  const pass = task.pass + 1;
  if (pass > config.repairPassesMax) return [stream, "given-up"];
  return [
    { ...stream, retry: null, task: { step: "repair", after: null, buckets, pass } },
    "unequal",
  ];
}

/** What must be sent again when no answer came: everything unacknowledged, and an unanswered marker. */
export function outstanding(stream: Stream): readonly Item[] {
  const { task, unacked } = stream;
  if (task.step !== "marked" || unacked.some((item) => item.n === task.marker.n)) return unacked;
  return [task.marker, ...unacked];
}

export const isWaiting = (stream: Stream): boolean =>
  stream.unacked.length > 0 || stream.task.step === "marked" || stream.task.step === "pull";

/** Nothing is under way, and nothing to be compared. */
export const isQuiet = ({ unacked, pending, task }: Stream): boolean =>
  unacked.length === 0 && pending.length === 0 && task.step === "idle";

/** Is the change with this counter durable at the copy? */
export const reached = (stream: Stream, seq: Seq): boolean =>
  seq > stream.cut ? stream.ackedSeq >= seq : stream.scanAcked === "end";

/** It was equal at a marker, and has what came between that and the moment it began to count. */
export const hasOwed = (stream: Stream): boolean =>
  stream.owedSeq !== null && reached(stream, stream.owedSeq);

/** What the copy has for certain, from which a new stream may go on. */
export function resumeOf(stream: Stream): Resume {
  const { known, scanAcked, ackedSeq } = stream;
  if (scanAcked === "end" || known.after === null)
    return { cut: scanAcked === null ? known.cut : ackedSeq, after: scanAcked };
  if (known.after === "end" || scanAcked === null) return known;
  return compareIdentity(scanAcked, known.after) >= 0 ? { cut: ackedSeq, after: scanAcked } : known;
}

function append(stream: Stream, kind: Item["kind"], rows: readonly Row[]): Stream {
  const bytes = sizeOf(rows);
  const { nextN: n, sentSeq: seq, scanSent: scanned } = stream;
  const item: Item = { n, kind, rows, bytes, seq, scanned };
  return {
    ...stream,
    nextN: n + 1,
    unacked: [...stream.unacked, item],
    rows: stream.rows + rows.length,
    bytes: stream.bytes + bytes,
  };
}

/** Of rows in memory: sent or waiting to be. */
export const keptBytes = ({ unacked, unackedBytes }: Stream): number =>
  unacked.reduce((sum, { kind, bytes }) => sum + (kind === "delta" ? 0 : bytes), unackedBytes);

const count = (stream: Stream, kind: Item["kind"]): number =>
  stream.unacked.reduce((sum, item) => sum + (item.kind === kind ? 1 : 0), 0);

const sizeOf = (rows: readonly Row[]): number => rows.reduce((sum, row) => sum + rowBytes(row), 0);
