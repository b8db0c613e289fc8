/**
 * Operations at a node: its own partitions' are applied here, the others' passed on or sent back.
 * The path of one op saves nothing but its row.
 */
import { compareStamps, isAhead, receive } from "../../data/hlc.ts";
import { partitionOf } from "../../data/hash.ts";
import type { PartitionId } from "../../data/ids.ts";
import { STAMP_AHEAD_MAX_MS } from "../../data/limits.ts";
import { isVisible, type Identity, type Row } from "../../data/row.ts";
import type { Ruling } from "../../data/ruling.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import type { Op, AckLevel, OpResult, ReadOp, WriteOp } from "../../protocol/ops.ts";
import { READ_BYTES_MAX } from "../../protocol/limits.ts";
import type { MergedBatch, ReadBatch } from "../rows/effects.ts";
import { identityKey } from "../rows/identity-key.ts";
import { addPending, sizeOf } from "./credit.ts";
import { passOn } from "./forward.ts";
import { answerRequest, notify, waiting } from "./pending.ts";
import type { Elsewhere, HeldWork, Part, Place, Request, Result, Wait, Work } from "./requests.ts";
import { hasBackup } from "../partition/backup.ts";
import { isUnsure, holdBack, spread, waitOf } from "../partition/spread.ts";
import type { Turn } from "./turn.ts";
import { isCeded } from "./winner.ts";

export function serve(turn: Turn, requests: readonly Request[]): void {
  const work = sort(turn, requests);
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

/** Decides for each op where it goes; refuses what may not enter. */
function sort(turn: Turn, requests: readonly Request[]): Work {
  const writes: Writes = new Map();
  const reads = new Map<PartitionId, { identities: Identity[]; places: Place[] }>();
  const elsewhere = new Map<number, Elsewhere[]>();
  const results: (Result | null)[][] = [];
  for (const [request, { origin, ops, ack }] of requests.entries()) {
    const mine: (Result | null)[] = ops.map(() => null);
    results.push(mine);
    for (const [index, op] of ops.entries()) {
      const partitionId = partitionOf(op.key, turn.self.partitionCount);
      const refusal = op.type === "write" && origin.type === "socket" ? checkStamp(turn, op) : null;
      if (refusal) mine[index] = { type: "refused", error: refusal };
      else if (turn.partition(partitionId).role.type !== "owner")
        entry(elsewhere, request, () => []).push({
          index,
          ruling: turn.partition(partitionId).ruling,
        });
      else if (op.type === "write" && ack === "backup" && !hasBackup(turn, partitionId))
        mine[index] = { type: "refused", error: makeError("NO_BACKUP", { partitionId }) };
      else if (op.type === "write") {
        addWrite(writes, partitionId, rowOf(turn, op), { request, index });
      } else {
        const batch = entry(reads, partitionId, () => ({ identities: [], places: [] }));
        batch.identities.push(identityOf(op));
        batch.places.push({ request, index });
      }
    }
  }
  return { requests, results, writes, reads, elsewhere, held: new Map() };
}

interface Batch {
  readonly rows: Row[];
  readonly places: Place[];
}
type Writes = Map<PartitionId, Batch>;

function addWrite(writes: Writes, partitionId: PartitionId, row: Row, place: Place): void {
  const batch = entry(writes, partitionId, () => ({ rows: [], places: [] }));
  batch.rows.push(row);
  batch.places.push(place);
}

/** Only where an op enters the cluster: between nodes a refusal would let replicas diverge. */
function checkStamp(turn: Turn, op: WriteOp): ErrorInfo | null {
  if (!op.stamp) return null;
  const { tombstoneRetentionMs } = turn.config;
  const aheadMs = op.stamp.millis - turn.now;
  if (isAhead(op.stamp, turn.now))
    return makeError("CLOCK_DRIFT", { aheadMs, aheadMsMax: STAMP_AHEAD_MAX_MS });
  if (-aheadMs > tombstoneRetentionMs)
    return makeError("STAMP_TOO_OLD", { ageMs: -aheadMs, ageMsMax: tombstoneRetentionMs });
  return null;
}

function rowOf(turn: Turn, op: WriteOp): Row {
  const { map, key, value, expiresAt } = op;
  if (op.stamp) {
    turn.setMemory({ clock: receive(turn.memory.clock, op.stamp, turn.now) });
    turn.keepClock();
  }
  const stamp = op.stamp ?? turn.stamp();
  return { map, key, kind: "lww", sub: "", stamp, value, expiresAt };
}

const identityOf = (op: ReadOp): Identity => ({ map: op.map, key: op.key, kind: "lww", sub: "" });

export function onMerged(turn: Turn, work: Work, batches: readonly MergedBatch[]): void {
  const behind: Writes = new Map();
  for (const { partitionId, outcomes } of batches) {
    const batch = work.writes.get(partitionId);
    if (!batch) continue;
    spread(turn, partitionId, goingOut(turn, work, { partitionId, outcomes }));
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
      const stands = outcome.changed || compareStamps(outcome.stamp, row.stamp) === 0;
      const ack = ackOf(work, place);
      const wait = entry(waits, ack, () => waitOf(turn, partitionId, ack));
      const result: OpResult = { type: stands ? "stored" : "superseded", stamp: outcome.stamp };
      if (wait) hold(work, { partitionId, wait }, place, { row, result });
      else entryOf(work, place, result);
    }
  }
  if (behind.size > 0) return merge(turn, { ...work, writes: behind });
  read(turn, work);
}

/** What the copies are told: what has changed, and what they may lack of what is to be at each of them. */
function goingOut(turn: Turn, work: Work, { partitionId, outcomes }: MergedBatch): readonly Row[] {
  const { rows = [], places = [] } = work.writes.get(partitionId) ?? {};
  const unsure = new Map<AckLevel, boolean>();
  return rows.filter((_, i) => {
    const place = places[i];
    if (!place || outcomes[i]?.changed) return outcomes[i]?.changed;
    const ack = ackOf(work, place);
    return entry(unsure, ack, () => isUnsure(turn, partitionId, ack));
  });
}

const ackOf = (work: Work, { request }: Place): AckLevel => work.requests[request]?.ack ?? "owner";

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
  const nothing = { indexes: [], ops: [], results: [], stamped: new Set<number>() };
  const make = (): HeldWork => ({ ...at, request, ...nothing });
  const held = entry(work.held, key, make);
  // What was stamped again is later in the stream, and whatever waits for that waits for all before it.
  held.wait = at.wait;
  held.indexes.push(index);
  const asked = work.requests[request]?.ops[index];
  if (asked?.type === "write" && asked.stamp === null) held.stamped.add(index);
  held.results.push(result);
  // Passed on after all, should this node lose the partition: under the stamp it was stored with.
  const { map, key: name, stamp, value, expiresAt } = row;
  held.ops.push({ type: "write", map, key: name, stamp, value, expiresAt });
}

function read(turn: Turn, work: Work): void {
  if (work.reads.size === 0) return finish(turn, work);
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
  finish(turn, work);
}

/** It can be asked for again; how much there would have been nobody has looked. */
const tooMuch = (): ErrorInfo =>
  makeError("OVERLOADED", {
    field: "bytes of values read at once",
    value: READ_BYTES_MAX + 1,
    max: READ_BYTES_MAX,
  });

function entryOf(work: Work, place: Place, result: Result): void {
  const results = work.results[place.request];
  if (results) results[place.index] = result;
}

/** Answers what is complete, keeps the rest as pending. */
function finish(turn: Turn, work: Work): void {
  const held = Map.groupBy(work.held.values(), (h) => h.request);
  const parts: Part[] = [];
  for (const [i, request] of work.requests.entries()) {
    const part = keep(turn, request, sorted(turn, work, i), held.get(i) ?? []);
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
  const [ceded, owned] = divide(elsewhere, ({ ruling }) => isCeded(turn, ruling.partitionId));
  if (forwards) return { results, told: owned, passed: elsewhere };
  for (const { index, ruling } of owned)
    results[index] = { type: "refused", error: notOwner(ruling) };
  if (origin?.type === "socket") notify(turn, origin, owned, false);
  return { results, told: origin?.type === "socket" ? [] : owned, passed: ceded };
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

/** Returns what is to be passed on. */
function keep(
  turn: Turn,
  { origin, ops, ack }: Request,
  { results, told, passed }: Sorted,
  held: readonly HeldWork[],
): Part | null {
  const sent = { results: withoutHeld(results, held), told, passed };
  if (origin.type === "peer" && origin.together && held.length > 0)
    return keep(turn, { origin, ops, ack }, sent, []);
  const missing = passed.length + held.reduce((sum, { indexes }) => sum + indexes.length, 0);
  if (missing === 0) {
    answerRequest(turn, origin, results, told);
    return null;
  }
  const id = turn.takeSeqs(1);
  const opsBytes = sizeOf(ops).bytes;
  const request = { origin, results, missing, elsewhere: told, opsBytes };
  addPending(turn, id, waiting(turn, request, 0));
  for (const { partitionId, wait, ...rest } of held)
    holdBack(turn, partitionId, wait, { type: "request", id, ack, ...rest });
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
    if (op?.type !== "write" || op.stamp !== null) return op ? [op] : [];
    stamped.add(index);
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

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
