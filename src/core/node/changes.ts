/**
 * What operations on sets and counters write. Most say so themselves; whoever removes all there is, or counts under the
 * owner's name, has to be told first what stands: these are decided here, in the event that merges them.
 */
import { equalBytes } from "../../data/bytes.ts";
import { SIDES, countSub, encodeTotal, sideIn, type Count } from "../../data/count.ts";
import { COUNT_STAMP } from "../../data/count-stamp.ts";
import { elementHash } from "../../data/element-hash.ts";
import { elementSub, hashIn, tagIn } from "../../data/element.ts";
import { partitionOf } from "../../data/hash.ts";
import { compareStamps, receive, type Stamp } from "../../data/hlc.ts";
import type { Of, Row } from "../../data/row.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import { ADDS_MAX, REPLICAS_MAX } from "../../protocol/limits.ts";
import type { Change, IncrementOp, MergeOp, OpResult, RemoveOp } from "../../protocol/ops.ts";
import type { MergedBatch } from "../rows/effects.ts";
import { identityKey } from "../rows/identity-key.ts";
import type { Look, Seen } from "../rows/looks.ts";
import { entry } from "./entry.ts";
import type { Batch } from "./requests.ts";
import type { Turn } from "./turn.ts";

export const addOf = (of: Of, tag: Stamp, value: Uint8Array, expiresAt: number | null): Row => ({
  map: of.map,
  key: of.key,
  kind: "or",
  sub: elementSub(value, tag),
  stamp: tag,
  value,
  expiresAt,
});

export const removalOf = (of: Of, sub: string, stamp: Stamp): Row => ({
  map: of.map,
  key: of.key,
  kind: "or",
  sub,
  stamp,
  value: null,
  expiresAt: null,
});

/** Nothing where nothing was counted. */
export const totalsOf = (of: Of, replica: string, count: Count): readonly Row[] =>
  SIDES.flatMap((side): readonly Row[] => {
    if (count[side] === 0) return [];
    const sub = countSub(replica, side);
    const value = encodeTotal(count[side]);
    const { map, key } = of;
    return [{ map, key, kind: "pn", sub, stamp: COUNT_STAMP, value, expiresAt: null }];
  });

/** `by` is what it goes by: handed on, so that for no write a list or a function need be made. */
type Test<By> = (stamp: Stamp, by: By) => boolean;

/** The first that passes of those under which an operation says that something was done. What is counted has none. */
export function firstStamp<By>(op: Change, passes: Test<By>, by: By): Stamp | null {
  if (op.type === "write" || op.type === "remove")
    return op.stamp && passes(op.stamp, by) ? op.stamp : null;
  if (op.type !== "merge") return null;
  for (const { kind, stamp } of op.rows) if (kind !== "pn" && passes(stamp, by)) return stamp;
  return null;
}

/** Of the adds that it names. */
export function firstTag<By>(op: Change, passes: Test<By>, by: By): Stamp | null {
  if (op.type !== "merge") return null;
  for (const { sub } of op.rows) {
    const tag = tagIn(sub);
    if (tag && passes(tag, by)) return tag;
  }
  return null;
}

function hearStamps(turn: Turn, op: Change): void {
  firstStamp(op, hear, turn);
  firstTag(op, hear, turn);
}

/** Passes none, so that all are heard. */
function hear(stamp: Stamp, turn: Turn): false {
  const clock = receive(turn.memory.clock, stamp, turn.now);
  if (clock !== turn.memory.clock) turn.setMemory({ clock });
  turn.keepClock();
  return false;
}

/** Its rows, where it can be said without looking. A stamp that it brings is heard. */
export function rowsOf(turn: Turn, op: Change): readonly Row[] {
  hearStamps(turn, op);
  switch (op.type) {
    case "write": {
      const { map, key, value, expiresAt } = op;
      const stamp = op.stamp ?? turn.stamp();
      return [{ map, key, kind: "lww", sub: "", stamp, value, expiresAt }];
    }
    case "add":
      return [addOf(op, turn.stamp(), op.value, op.expiresAt)];
    case "merge":
      return op.rows;
    default:
      return [];
  }
}

/** What has to be looked at first; null: nothing. */
export function lookBefore(turn: Turn, op: Change): Look | null {
  const { map, key } = op;
  const counts = (replica: string): Look => ({
    type: "replica",
    map,
    key,
    replica,
    replicasMax: REPLICAS_MAX,
  });
  if (op.type === "remove") return { type: "adds", map, key, value: op.value };
  if (op.type === "increment") return counts(ownReplica(turn, key));
  const total = op.type === "merge" ? op.rows.find(({ kind }) => kind === "pn") : undefined;
  const side = total && sideIn(total.sub);
  return side ? counts(side.replica) : null;
}

/**
 * Under which an owner counts for callers that have no id. It must never count on from less than it had counted: so
 * another cluster's, another life's and another reign's are others, and a client's can be none of them.
 */
function ownReplica(turn: Turn, key: string): string {
  const { clusterId, incarnation } = turn.self;
  const { ruling } = turn.partition(partitionOf(key, turn.self.partitionCount));
  return `${clusterId}/${turn.me}.${incarnation}.${ruling.since}`;
}

/** An operation that had to look first, what it has seen, and where it stands in the batch. */
export interface Looked {
  readonly op: Change;
  readonly seen: Seen;
  /** It must be where every copy has it, also what it finds done. */
  readonly backup: boolean;
  /** What comes before it in the batch; the rest comes after. */
  readonly isBefore: (index: number) => boolean;
}

export type Decision =
  | { readonly type: "rows"; readonly rows: readonly Row[] }
  | { readonly type: "result"; readonly result: OpResult };

/** Decides one after the other: what one writes the next one knows. Of one partition. */
export class Decisions {
  readonly #turn: Turn;
  readonly #batch: Batch;
  readonly #adds: ReadonlyMap<string, number[]>;
  readonly #totals = new Map<string, Count>();
  readonly #replicas = new Map<string, Set<string>>();

  constructor(turn: Turn, batch: Batch) {
    this.#turn = turn;
    this.#batch = batch;
    this.#adds = addsIn(batch);
  }

  of(looked: Looked): Decision {
    const { op } = looked;
    hearStamps(this.#turn, op);
    if (op.type === "remove") return this.#remove(op, looked);
    if (op.type === "increment") return this.#increment(op, looked.seen);
    return op.type === "merge" ? this.#count(op, looked.seen) : { type: "rows", rows: [] };
  }

  /**
   * What was removed already is said again where copies are waited for: whoever removed it may be waiting still. All that
   * comes later is left alone.
   */
  #remove(op: RemoveOp, { seen, backup, isBefore }: Looked): Decision {
    if (seen.type !== "adds") return { type: "rows", rows: [] };
    const stamp = op.stamp ?? this.#turn.stamp();
    const together = this.#adds.get(elementKey(op, elementHash(op.value))) ?? [];
    const fresh = together.flatMap((index) => {
      const row = this.#batch.rows[index];
      const isIt = row?.value && equalBytes(row.value, op.value) && isBefore(index);
      return isIt ? [row.sub] : [];
    });
    const subs = [...new Set([...seen.subs, ...fresh])];
    if (subs.length > ADDS_MAX) return refusal("adds of the element", subs.length, ADDS_MAX);
    const removals = subs.map((sub) => removalOf(op, sub, stamp));
    const again = backup || subs.length === 0 ? seen.removals.slice(-ADDS_MAX) : [];
    const rows = [...removals, ...again];
    if (rows.length > 0) return { type: "rows", rows };
    return { type: "result", result: { type: "stored", stamp } };
  }

  #increment(op: IncrementOp, seen: Seen): Decision {
    if (seen.type !== "replica") return { type: "rows", rows: [] };
    const replica = ownReplica(this.#turn, op.key);
    const name = elementKey(op, replica);
    const before = this.#totals.get(name) ?? seen.known ?? { inc: 0, dec: 0 };
    const refused = this.#admit(op, replica, seen);
    if (refused) return refused;
    const count = { inc: before.inc + op.inc, dec: before.dec + op.dec };
    for (const side of SIDES)
      if (count[side] > Number.MAX_SAFE_INTEGER)
        return refusal(`${side} of the owner`, count[side], Number.MAX_SAFE_INTEGER);
    this.#totals.set(name, count);
    const rows = totalsOf(op, replica, {
      inc: op.inc > 0 ? count.inc : 0,
      dec: op.dec > 0 ? count.dec : 0,
    });
    return rows.length > 0 ? { type: "rows", rows } : NOTHING;
  }

  #count(op: MergeOp, seen: Seen): Decision {
    const replica = sideIn(op.rows[0]?.sub ?? "")?.replica;
    if (replica === undefined || seen.type !== "replica") return { type: "rows", rows: op.rows };
    return this.#admit(op, replica, seen) ?? { type: "rows", rows: op.rows };
  }

  /** One more replica, if it is one. */
  #admit(of: Of, replica: string, seen: Extract<Seen, { type: "replica" }>): Decision | null {
    if (seen.known) return null;
    const counter = elementKey(of, "");
    const fresh = entry(this.#replicas, counter, () => new Set());
    const replicas = seen.others + fresh.size + (fresh.has(replica) ? 0 : 1);
    if (replicas > REPLICAS_MAX) return refusal("replicas of the counter", replicas, REPLICAS_MAX);
    fresh.add(replica);
    return null;
  }
}

/** Where in the batch each element is added. */
function addsIn({ rows }: Batch): ReadonlyMap<string, number[]> {
  const adds = new Map<string, number[]>();
  for (const [i, row] of rows.entries()) {
    if (row.kind !== "or" || !row.value) continue;
    entry(adds, elementKey(row, hashIn(row.sub)), () => []).push(i);
  }
  return adds;
}

const elementKey = ({ map, key }: Of, sub: string): string =>
  identityKey({ map, key, kind: "or", sub });

const refusal = (field: string, value: number, max: number): Decision => {
  const error: ErrorInfo = makeError("OUT_OF_BOUNDS", { field, value, min: 0, max, unit: "items" });
  return { type: "result", result: { type: "refused", error } };
};

const NOTHING: Decision = { type: "result", result: { type: "stored", stamp: COUNT_STAMP } };

/** A removal that lost to another one has removed what it was to. */
export function resultOf(row: Row, { changed, stamp }: MergedBatch["outcomes"][number]): OpResult {
  const isRemoval = row.kind === "or" && row.value === null;
  const stands = changed || isRemoval || compareStamps(stamp, row.stamp) === 0;
  return { type: stands ? "stored" : "superseded", stamp };
}

/** Passed on after all, should this node lose the partition: as it was stored, so that it may be stored twice. */
export function opOf(rows: readonly Row[]): Change {
  const [row] = rows;
  const { map, key } = row ?? { map: "", key: "" };
  if (row?.kind !== "lww") return { type: "merge", map, key, rows };
  const { stamp, value, expiresAt } = row;
  return { type: "write", map, key, stamp, value, expiresAt };
}
