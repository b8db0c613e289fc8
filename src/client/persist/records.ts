/** What is written down of an operation that is not settled, and what another client makes of it. */
import type { Count } from "../../data/count.ts";
import type { AckLevel } from "../../protocol/ops.ts";
import {
  bytesOf,
  isCounted,
  isWrite,
  nameOf,
  type Ask,
  type Counted,
  type Kept,
  type Of,
  type StampedOp,
  type Total,
  type Write,
} from "../machine/ask.ts";

/** An increment is part of a total that its client has counted: what it adds is written down beside it. */
export type AskRecord = WriteRecord | TotalRecord | CountedRecord;

type WriteRecord = Pick<Write, "kind" | "op" | "at" | "ttlMs" | "exposed" | "drifted"> &
  Partial<Pick<Write, "behind">>;
type TotalRecord = Pick<Total, "kind" | "op">;

interface CountedRecord {
  readonly kind: AckLevel;
  readonly of: Of;
}

/** All that one client has counted of a counter. */
export interface CountRecord extends Of, Count {}

/** What a client that is no more has left. */
export interface Left {
  /** By number, in the order of the calls. */
  readonly asks: readonly (readonly [number, AskRecord])[];
  readonly counts: readonly CountRecord[];
  /** What has a lower number may have been sent. */
  readonly exposedBelow: number;
}

/** Of reads nothing is kept. `exposed`: some node may have it soon. */
export function recordOf(ask: Ask, exposed: boolean): AskRecord | null {
  if (ask.kind === "read") return null;
  const { kind } = ask;
  if (isWrite(ask)) {
    const { op, at, ttlMs, drifted, behind } = ask;
    return { kind, op: apart(op), at, ttlMs, drifted, behind, exposed: exposed || ask.exposed };
  }
  if (isCounted(ask)) return { kind, of: { map: ask.op.map, key: ask.op.key } };
  return { kind, op: ask.op };
}

/** Of a value that is a view of something larger, all of that would be kept. */
function apart(op: StampedOp): StampedOp {
  const { value } = op;
  if (!value || value.byteLength === value.buffer.byteLength) return op;
  return { ...op, value: value.slice() };
}

/** With one more. `isUndone`: a refusal is taken back by the same on the other side. */
export function counted({ inc, dec }: Count, { by }: Counted, isUndone: boolean): Count {
  return by > 0 !== isUndone ? { inc: inc + Math.abs(by), dec } : { inc, dec: dec + Math.abs(by) };
}

/** Of each counter one total: `replica` has said it in parts, or would have. What waits for others has their places here. */
export function keptOf({ asks, counts, exposedBelow }: Left, replica: string): readonly Kept[] {
  const totals = new Map(counts.map((count) => [nameOf(count), count]));
  const places = new Map<number, number>();
  const strongest = new Map<string, AckLevel>();
  for (const [, ask] of asks)
    if ("of" in ask && strongest.get(nameOf(ask.of)) !== "backup")
      strongest.set(nameOf(ask.of), ask.kind);
  const kept: Kept[] = [];
  for (const [id, ask] of asks) {
    if ("exposed" in ask) {
      const behind = (ask.behind ?? []).flatMap((add) => places.get(add) ?? []);
      places.set(id, kept.length);
      kept.push(unsent({ ...ask, behind, exposed: ask.exposed || id < exposedBelow }));
    } else if ("of" in ask) {
      const name = nameOf(ask.of);
      const total = totals.get(name);
      totals.delete(name);
      const kind = strongest.get(name) ?? ask.kind;
      if (total) kept.push(unsent({ kind, op: { type: "count", ...total, replica } }));
    } else kept.push(unsent(ask));
  }
  return kept;
}

/** Asks for all of it, in order. `ask` returns the number that it has now. */
export function adoptAll(all: readonly Kept[], ask: (kept: Kept) => number): void {
  const ids: number[] = [];
  for (const one of all) {
    const behind = "behind" in one ? one.behind.flatMap((place) => ids[place] ?? []) : [];
    ids.push(ask("behind" in one ? { ...one, behind } : one));
  }
}

const unsent = <R extends WriteRecord | TotalRecord>(record: R): R & Sent => ({
  ...record,
  bytes: bytesIn(record),
  refused: null,
  redirectedAt: null,
});

type Sent = Pick<Write, "bytes" | "refused" | "redirectedAt">;

function bytesIn(record: WriteRecord | TotalRecord): number {
  if ("exposed" in record)
    return bytesOf(record.op, record.op.stamp.node, record.op, record.behind?.length);
  return bytesOf(record.op, record.op.replica ?? "", null);
}
