/**
 * The clock that a client's writes are stamped by: its own, corrected by the nodes'. What no node can have seen may be
 * stamped again when the correction changes; what may have been seen keeps its stamp for ever.
 */
import {
  compareStamps,
  isAhead,
  receive,
  tick,
  type Clock,
  type Stamp,
  CLOCK_ZERO,
} from "../../data/hlc.ts";
import { STAMP_NODE_LENGTH_MAX } from "../../data/limits.ts";
import { CLOCK_TOLERANCE_MS } from "../limits.ts";
import type { Draft, StampedOp, Write } from "./ask.ts";

export interface WriterClock {
  readonly writer: string;
  /** Of the last stamp that was given. */
  readonly last: Clock;
  /** The greatest stamp that is known of any node: none is given below it. */
  readonly floor: Clock;
  /** Of the nodes' clock before this one's. */
  readonly aheadMs: number;
}

export const beginClock = (writer: string): WriterClock => ({
  writer,
  last: CLOCK_ZERO,
  floor: CLOCK_ZERO,
  aheadMs: 0,
});

export const gridNow = ({ aheadMs }: WriterClock, now: number): number => now + aheadMs;

export function stampAt(clock: WriterClock, at: number): readonly [WriterClock, Stamp] {
  const [last, stamp] = tick(clock.last, at + clock.aheadMs, clock.writer);
  return [{ ...clock, last }, stamp];
}

export function hear(clock: WriterClock, stamp: Stamp): WriterClock {
  const floor = above(clock.floor, stamp);
  if (floor === clock.floor) return clock;
  return { ...clock, floor, last: above(clock.last, stamp) };
}

/** What is stamped from now on is newer, unless that stamp is of a future that every node refuses. */
export const passed = (clock: WriterClock, stamp: Stamp, now: number): WriterClock =>
  isAhead(stamp, gridNow(clock, now)) ? clock : { ...clock, last: above(clock.last, stamp) };

/** By more than clocks differ anyhow. */
export const isOff = (clock: WriterClock, aheadMs: number): boolean =>
  Math.abs(aheadMs - clock.aheadMs) > CLOCK_TOLERANCE_MS;

/** The clock as it would be had it gone right all the time. `exposed`: stamps that some node may have. */
export function corrected(
  clock: WriterClock,
  aheadMs: number,
  exposed: readonly Stamp[],
): WriterClock {
  const floor = exposed.reduce(above, clock.floor);
  return { ...clock, aheadMs, floor, last: floor };
}

/** So that no stamp is given that was given before. */
export const underAnotherName = (clock: WriterClock): WriterClock => ({
  ...clock,
  writer: `${clock.writer}.`.slice(0, STAMP_NODE_LENGTH_MAX),
});

/** Never later than now: a clock that has jumped back since would be wrong the other way. */
export function restamp(
  clock: WriterClock,
  write: Pick<Write, "op" | "at" | "ttlMs">,
  now: number,
): readonly [WriterClock, StampedOp] {
  const [next, stamp] = stampAt(clock, Math.min(write.at, now));
  return [next, stamped(write.op, stamp, write.ttlMs)];
}

export const stamped = (draft: Draft, stamp: Stamp, ttlMs: number | null): StampedOp =>
  draft.type === "remove"
    ? { ...draft, stamp }
    : { ...draft, stamp, expiresAt: ttlMs === null ? null : stamp.millis + ttlMs };

/** Without a wall clock: the greater of the two. */
function above(clock: Clock, stamp: Stamp): Clock {
  const asStamp = { ...clock, node: stamp.node };
  return compareStamps(stamp, asStamp) > 0 ? receive(clock, stamp, 0) : clock;
}
