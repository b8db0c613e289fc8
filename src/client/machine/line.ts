/** What waits for one place, and what is under way to it. */
import { Queue } from "../../core/machine/queue.ts";
import { FRAME_BYTES_MAX, FRAME_OPS_MAX } from "../../protocol/limits.ts";
import { FLIGHT_BYTES_MAX, FLIGHTS_MAX, FRAME_HEAD_BYTES } from "../limits.ts";
import { KINDS, type Ask, type Kind } from "./ask.ts";

/** A queue that is taken from: what was, lies before `from`. */
interface Waiting {
  readonly all: Queue<Ask>;
  readonly from: number;
}

/** One frame that is not answered. */
export interface Flight {
  readonly seq: number;
  readonly asks: readonly Ask[];
  readonly bytes: number;
  readonly sentMs: number;
}

export interface Line {
  /** Operations that may be under way; null: there is no connection. */
  readonly creditOps: number | null;
  readonly waiting: Readonly<Record<Kind, Waiting>>;
  readonly flights: ReadonlyMap<number, Flight>;
  readonly opsUnderWay: number;
  readonly bytesUnderWay: number;
}

const NOTHING: Waiting = { all: Queue.of([]), from: 0 };

export const EMPTY: Line = {
  creditOps: null,
  waiting: { read: NOTHING, owner: NOTHING, backup: NOTHING },
  flights: new Map(),
  opsUnderWay: 0,
  bytesUnderWay: 0,
};

export function queued(line: Line, asks: readonly Ask[]): Line {
  const waiting = { ...line.waiting };
  for (const [kind, added] of Map.groupBy(asks, (ask) => ask.kind)) {
    const { all, from } = waiting[kind];
    waiting[kind] = { all: all.with(added), from };
  }
  return { ...line, waiting };
}

export const waitingAt = (line: Line): readonly Ask[] =>
  KINDS.flatMap((kind) => line.waiting[kind].all.slice(line.waiting[kind].from));

export const countWaiting = ({ waiting }: Line): number =>
  KINDS.reduce((sum, kind) => sum + waiting[kind].all.length - waiting[kind].from, 0);

export const withWaiting = (line: Line, asks: readonly Ask[]): Line =>
  queued({ ...line, waiting: EMPTY.waiting }, asks);

/** The next frame, if there is one and room for it: of the kind that has waited longest. */
export function takeFlight(line: Line, seq: number, now: number): readonly [Line, Flight] | null {
  if (line.creditOps === null || line.flights.size >= FLIGHTS_MAX) return null;
  const kind = longestWaiting(line);
  if (!kind) return null;
  const waiting = line.waiting[kind];
  const opsMax = Math.min(FRAME_OPS_MAX, line.creditOps - line.opsUnderWay);
  const bytesMax = Math.min(FRAME_BYTES_MAX, FLIGHT_BYTES_MAX - line.bytesUnderWay);
  const { asks, bytes } = fitting(waiting, opsMax, bytesMax);
  if (asks.length === 0) return null;
  const flight: Flight = { seq, asks, bytes, sentMs: now };
  const left = without(waiting, asks.length);
  return [
    {
      ...line,
      waiting: { ...line.waiting, [kind]: left },
      flights: new Map(line.flights).set(seq, flight),
      opsUnderWay: line.opsUnderWay + asks.length,
      bytesUnderWay: line.bytesUnderWay + bytes,
    },
    flight,
  ];
}

export function landed(line: Line, { seq, asks, bytes }: Flight): Line {
  const flights = new Map(line.flights);
  flights.delete(seq);
  const opsUnderWay = line.opsUnderWay - asks.length;
  return { ...line, flights, opsUnderWay, bytesUnderWay: line.bytesUnderWay - bytes };
}

function longestWaiting({ waiting }: Line): Kind | null {
  const firsts = KINDS.flatMap((kind) => firstOf(waiting[kind]) ?? []);
  return firsts.toSorted((a, b) => a.id - b.id)[0]?.kind ?? null;
}

const firstOf = ({ all, from }: Waiting): Ask | undefined => all.slice(from, from + 1)[0];

function fitting(
  { all, from }: Waiting,
  opsMax: number,
  bytesMax: number,
): { readonly asks: readonly Ask[]; readonly bytes: number } {
  const first = all.slice(from, from + Math.max(0, opsMax));
  let bytes = FRAME_HEAD_BYTES;
  for (const [i, ask] of first.entries()) {
    if (bytes + ask.bytes > bytesMax) return { asks: first.slice(0, i), bytes };
    bytes += ask.bytes;
  }
  return { asks: first, bytes };
}

/** What was taken is let go of when it is more than what is left, so each is copied about once. */
function without({ all, from }: Waiting, count: number): Waiting {
  const next = from + count;
  if (next >= all.length) return NOTHING;
  return next * 2 < all.length ? { all, from: next } : { all: Queue.of(all.slice(next)), from: 0 };
}
