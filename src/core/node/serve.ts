/**
 * Operations at a node: its own partitions' are applied here, the others' passed on or sent back.
 * The path of one op saves nothing but its row.
 */
import { SIDES } from "../../data/count.ts";
import { isVisible } from "../../data/content.ts";
import type { Row } from "../../data/row.ts";
import type { Ruling } from "../../data/ruling.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import {
  isChange,
  type AckLevel,
  type Op,
  type OpResult,
  type ReadResult,
} from "../../protocol/ops.ts";
import { READ_BYTES_MAX } from "../../protocol/limits.ts";
import { receive } from "../actor/mailbox.ts";
import type { MergedBatch, ReadBatch, SeenBatch } from "../rows/effects.ts";
import { identityKey } from "../rows/identity-key.ts";
import type { Seen } from "../rows/looks.ts";
import { Decisions, opOf, resultOf, rowsOf, type Decision } from "./changes.ts";
import { addPending, sizeOf } from "./credit.ts";
import { entry } from "./entry.ts";
import { passOn } from "./forward.ts";
import { answerRequest, notify, waiting } from "./pending.ts";
import type {
  Batch,
  CallWork,
  Elsewhere,
  HeldWork,
  Part,
  Place,
  Request,
  Result,
  Wait,
  Work,
} from "./requests.ts";
import { ackOf, addWrite, comesBefore, entryOf, sort, type Writes } from "./sort.ts";
import { isUnsure, holdBack, spread, waitOf } from "../partition/spread.ts";
import { publish } from "../subscriptions/publish.ts";
import type { Turn } from "./turn.ts";
import { isCeded } from "./winner.ts";

export function serve(turn: Turn, requests: readonly Request[]): void {
  const work = sort(turn, requests);
  if (work.looks.size > 0) look(turn, work, "decide");
  else write(turn, work);
}

function write(turn: Turn, work: Work): void {
  if (work.writes.size > 0) merge(turn, work);
  else read(turn, work);
}

function merge(turn: Turn, work: Work): void {
  const { now, random } = turn;
  const batches = [...work.writes].map(([partitionId, { rows }]) => ({
    partitionId,
    rows,
    seq: turn.takeSeqs(rows.length),
  }));
  turn.do({ type: "merge", batches, tag: { for: "serve", work, now, random } });
}

/** Before what is written is known, or to read. */
function look(turn: Turn, work: Work, why: "decide" | "serve"): void {
  const { now, random } = turn;
  const all = why === "decide" ? work.looks : work.asks;
  const batches = [...all].map(([partitionId, { looks }]) => ({ partitionId, looks }));
  const tag = { for: why, work, now, random };
  turn.do({ type: "look", batches, bytesMax: READ_BYTES_MAX, nowMs: now, tag });
}

export function onLooked(turn: Turn, work: Work, batches: readonly SeenBatch[]): void {
  for (const { partitionId, seen } of batches) {
    const batch = entry(work.writes, partitionId, (): Batch => ({ rows: [], places: [] }));
    const decisions = new Decisions(turn, batch);
    for (const [i, place] of (work.looks.get(partitionId)?.places ?? []).entries()) {
      const decision = decide(work, place, { decisions, batch, seen: seen[i] });
      if (decision.type === "result") entryOf(work, place, decision.result);
      else for (const row of decision.rows) addWrite(work.writes, partitionId, row, place);
    }
    if (batch.rows.length === 0) work.writes.delete(partitionId);
  }
  write(turn, work);
}

interface Deciding {
  readonly decisions: Decisions;
  readonly batch: Batch;
  readonly seen: Seen | "not read" | undefined;
}

function decide(work: Work, place: Place, { decisions, batch, seen }: Deciding): Decision {
  const op = work.requests[place.request]?.ops[place.index];
  if (!op || !isChange(op) || !seen || seen === "not read")
    return { type: "result", result: { type: "refused", error: tooMuch() } };
  const isBefore = (index: number): boolean => comesBefore(batch.places[index], place);
  return decisions.of({ op, seen, backup: ackOf(work, place) === "backup", isBefore });
}

export function onMerged(turn: Turn, work: Work, batches: readonly MergedBatch[]): void {
  const behind: Writes = new Map();
  for (const merged of batches) {
    const { partitionId, outcomes } = merged;
    const batch = work.writes.get(partitionId);
    if (!batch) continue;
    spread(turn, partitionId, goingOut(turn, work, merged));
    publish(turn, merged, batch.rows);
    const waits = new Map<AckLevel, Wait | null>();
    const tooEarly = stampedTooEarly(work, batch, outcomes);
    for (const [i, place] of batch.places.entries()) {
      const outcome = outcomes[i];
      const row = batch.rows[i];
      if (!outcome || !row) continue;
      if (tooEarly.has(i)) {
        turn.hearStamps([outcome]);
        addWrite(behind, partitionId, { ...row, stamp: turn.stamp() }, place);
        continue;
      }
      const ack = ackOf(work, place);
      const wait = entry(waits, ack, () => waitOf(turn, partitionId, ack));
      const result = resultOf(row, outcome);
      if (wait) hold(work, { partitionId, wait }, place, { row, result });
      else entryOf(work, place, result);
    }
  }
  if (behind.size > 0) return merge(turn, { ...work, writes: behind });
  read(turn, work);
}

/** What the copies are told: what has changed, and what they may lack of what is to be at each of them. */
function goingOut(
  turn: Turn,
  work: Work,
  { partitionId, outcomes }: Pick<MergedBatch, "partitionId" | "outcomes">,
): readonly Row[] {
  const { rows = [], places = [] } = work.writes.get(partitionId) ?? {};
  const unsure = new Map<AckLevel, boolean>();
  return rows.filter((_, i) => {
    const place = places[i];
    if (!place || outcomes[i]?.changed) return outcomes[i]?.changed;
    const ack = ackOf(work, place);
    return entry(unsure, ack, () => isUnsure(turn, partitionId, ack));
  });
}

const isNoNewer = (outcome: Outcome | undefined): boolean =>
  outcome !== undefined && (!outcome.changed || outcome.tied);

/**
 * What was stamped here and is no newer than what stood: this node's clock has gone back over a restart. And what the
 * same request writes after it, which is to stand over it.
 */
function stampedTooEarly(
  { requests }: Work,
  { rows, places }: Batch,
  outcomes: readonly Outcome[],
): ReadonlySet<number> {
  const again = new Set<string>();
  const found = new Set<number>();
  if (!outcomes.some(isNoNewer)) return found;
  for (const [i, { request, index }] of places.entries()) {
    const op = requests[request]?.ops[index];
    const row = rows[i];
    if (!row || op?.type !== "write" || op.stamp) continue;
    const isBehind = isNoNewer(outcomes[i]);
    if (!isBehind && again.size === 0) continue;
    const name = identityKey(row);
    if (isBehind) again.add(name);
    if (again.has(name)) found.add(i);
  }
  return found;
}

type Outcome = MergedBatch["outcomes"][number];

function hold(
  work: Work,
  at: Pick<HeldWork, "partitionId" | "wait">,
  { request, index }: Place,
  { row, result }: { readonly row: Row; readonly result: OpResult },
): void {
  const key = request * 2 ** 16 + at.partitionId;
  const nothing = { indexes: [], rows: [], results: [], stamped: new Set<number>() };
  const make = (): HeldWork => ({ ...at, request, ...nothing });
  const held = entry(work.held, key, make);
  // What was stamped again is later in the stream, and whatever waits for that waits for all before it.
  held.wait = at.wait;
  if (held.indexes.at(-1) === index) return void held.rows.at(-1)?.push(row);
  held.indexes.push(index);
  const asked = work.requests[request]?.ops[index];
  if (asked?.type === "write" && asked.stamp === null) held.stamped.add(index);
  held.results.push(result);
  held.rows.push([row]);
}

function read(turn: Turn, work: Work): void {
  if (work.reads.size === 0) return ask(turn, work);
  const batches = [...work.reads].map(([partitionId, { identities }]) => ({
    partitionId,
    identities,
  }));
  turn.do({
    type: "read-rows",
    batches,
    bytesMax: READ_BYTES_MAX,
    tag: { for: "serve", work, now: turn.now, random: turn.random },
  });
}

export function onRead(turn: Turn, work: Work, batches: readonly ReadBatch[]): void {
  for (const { partitionId, rows } of batches) {
    const places = work.reads.get(partitionId)?.places ?? [];
    for (const [i, place] of places.entries()) {
      const row = rows[i];
      if (row === "not read") {
        entryOf(work, place, { type: "refused", error: tooMuch() });
        continue;
      }
      const value = row && isVisible(row, turn.now) ? row.value : null;
      entryOf(work, place, { type: "value", value, stamp: row?.stamp ?? null });
    }
  }
  ask(turn, work);
}

function ask(turn: Turn, work: Work): void {
  if (work.asks.size === 0) finish(turn, work);
  else look(turn, work, "serve");
}

export function onAsked(turn: Turn, work: Work, batches: readonly SeenBatch[]): void {
  for (const { partitionId, seen } of batches)
    for (const [i, place] of (work.asks.get(partitionId)?.places ?? []).entries())
      entryOf(work, place, answerTo(seen[i]));
  finish(turn, work);
}

function answerTo(seen: Seen | "not read" = "not read"): ReadResult {
  if (seen !== "not read" && seen.type === "members") return seen;
  if (seen === "not read" || seen.type !== "total") return { type: "refused", error: tooMuch() };
  const max = Number.MAX_SAFE_INTEGER;
  for (const field of SIDES)
    if (seen[field] > max) {
      const facts = { field: `${field} of the counter`, value: seen[field], min: 0, max };
      return { type: "refused", error: makeError("OUT_OF_BOUNDS", facts) };
    }
  return seen;
}

/** It can be asked for again; how much there would have been nobody has looked. */
const tooMuch = (): ErrorInfo =>
  makeError("OVERLOADED", {
    field: "bytes of values read at once",
    value: READ_BYTES_MAX + 1,
    max: READ_BYTES_MAX,
  });

/** Answers what is complete, keeps the rest as pending. */
function finish(turn: Turn, work: Work): void {
  const held = Map.groupBy(work.held.values(), (h) => h.request);
  const parts: Part[] = [];
  const calls = Map.groupBy(work.calls, ({ place }) => place.request);
  for (const [i, request] of work.requests.entries()) {
    const waits = { held: held.get(i) ?? [], calls: calls.get(i) ?? [] };
    const part = keep(turn, request, sorted(turn, work, i), waits);
    if (part) parts.push(part);
  }
  passOn(turn, parts);
}

/** The results of a request so far; what goes nowhere else from here is sent back. */
function sorted(turn: Turn, work: Work, request: number): Sorted {
  const origin = work.requests[request]?.origin;
  const results = work.results[request] ?? [];
  const elsewhere = work.elsewhere.get(request) ?? [];
  const forwards = origin?.type === "socket" && origin.session.forward;
  // What has gone to another cluster nobody could be sent after.
  const [gone, owned] = divide(elsewhere, ({ ruling }) => isCeded(turn, ruling.partitionId));
  const ceded = gone.filter(({ index }) => {
    const isOnce = work.requests[request]?.ops[index]?.type === "increment";
    if (isOnce) results[index] = { type: "refused", error: goneThere(turn) };
    return !isOnce;
  });
  if (forwards) return { results, told: owned, passed: [...owned, ...ceded] };
  for (const { index, ruling } of owned)
    results[index] = { type: "refused", error: notOwner(ruling) };
  if (origin?.type === "socket") notify(turn, origin, owned, false);
  return { results, told: origin?.type === "socket" ? [] : owned, passed: ceded };
}

/** What is passed on may be asked for twice, and some must not be: whoever asks goes there. */
function goneThere(turn: Turn): ErrorInfo {
  const { ceding, clusterId } = turn.self;
  // What is read there may not be whole yet, what is counted there counts.
  return makeError("CLUSTER_MERGED", { clusterId, into: ceding?.into ?? clusterId });
}

function divide<T>(all: readonly T[], test: (one: T) => boolean): readonly [T[], T[]] {
  return [all.filter(test), all.filter((one) => !test(one))];
}

interface Sorted {
  readonly results: readonly (Result | null)[];
  /** Elsewhere in this cluster, and whoever asked is to know. */
  readonly told: readonly Elsewhere[];
  /** Elsewhere, and passed on. */
  readonly passed: readonly Elsewhere[];
}

/** What a request waits for here. */
interface Waits {
  readonly held: readonly HeldWork[];
  readonly calls: readonly CallWork[];
}

/** Returns what is to be passed on. */
function keep(
  turn: Turn,
  { origin, ops, ack }: Request,
  { results, told, passed }: Sorted,
  { held, calls }: Waits,
): Part | null {
  const sent = { results: withoutHeld(results, held), told, passed };
  if (origin.type === "peer" && origin.together && held.length > 0)
    return keep(turn, { origin, ops, ack }, sent, { held: [], calls });
  const writes = held.reduce((sum, { indexes }) => sum + indexes.length, 0);
  const missing = passed.length + calls.length + writes;
  if (missing === 0) {
    answerRequest(turn, origin, results, told);
    return null;
  }
  const id = turn.takeSeqs(1);
  const opsBytes = sizeOf(ops).bytes;
  const request = { origin, results, missing, elsewhere: told, opsBytes };
  addPending(turn, id, waiting(turn, request, 0));
  for (const { partitionId, wait, indexes, rows, results: theirs, stamped } of held) {
    const waits = { id, ack, indexes, ops: rows.map(opOf), results: theirs, stamped };
    holdBack(turn, partitionId, wait, { type: "request", ...waits });
  }
  for (const call of calls) receive(turn, call, { id, index: call.place.index, op: call.op });
  if (passed.length === 0) return null;
  return partOf(turn, { id, ack, indexes: passed.map(({ index }) => index), ops });
}

/**
 * What is passed on may be asked for twice, and must be the same both times: it is stamped here if nobody has. Should
 * the owner have stamped something later, by another clock, it is stamped again.
 */
function partOf(
  turn: Turn,
  { id, ack, indexes, ops }: Pick<Part, "id" | "ack" | "indexes" | "ops">,
): Part {
  const stamped = new Set<number>();
  const passed = indexes.flatMap((index): readonly Op[] => {
    const op = ops[index];
    if (op?.type === "add") return [opOf(rowsOf(turn, op))];
    if ((op?.type !== "write" && op?.type !== "remove") || op.stamp !== null) return op ? [op] : [];
    if (op.type === "write") stamped.add(index);
    return [{ ...op, stamp: turn.stamp() }];
  });
  return { id, indexes, ops: passed, ack, stamped };
}

/** It is durable here, but what was asked for together must not wait for it: it comes again, alone. */
function withoutHeld(
  results: readonly (Result | null)[],
  held: readonly HeldWork[],
): readonly (Result | null)[] {
  const all = [...results];
  const facts = { field: "ops held for a copy, of several requests", value: held.length, max: 0 };
  const refused: Result = { type: "refused", error: makeError("OVERLOADED", facts) };
  for (const { indexes } of held) for (const index of indexes) all[index] = refused;
  return all;
}

const notOwner = ({ partitionId, owner }: Ruling): ErrorInfo =>
  makeError("NOT_OWNER", { partitionId, ownerNodeId: owner });
