/**
 * A client says of a counter all that it has added so far, so of each counter one thing is under way at a time: a total, or
 * the question for the sum, whose answer then has in it all that was asked for before. What comes meanwhile waits, and goes
 * out in one total. What was refused may stand all the same; the next total takes it back, so that it counts for nothing.
 */
import { Queue } from "../../core/machine/queue.ts";
import type { Count } from "../../data/count.ts";
import {
  isCounted,
  isWrite,
  nameOf,
  ofAsk,
  type Ask,
  type Counted,
  type Of,
  type Read,
  type Settled,
  type Total,
} from "./ask.ts";
import { everyNamed, namedAt, withNamed, type Named } from "./named.ts";

export interface Counter {
  /** What was sent last, in all. */
  readonly said: Count;
  /** All that was ever asked for, added or taken away: neither side of `said` can be more. */
  readonly asked: number;
  readonly isBusy: boolean;
  readonly behind: Queue<Counting>;
}

export type Counters = Named<Counter>;

type Counting = Counted | Total | Read;

const NEW: Counter = {
  said: { inc: 0, dec: 0 },
  asked: 0,
  isBusy: false,
  behind: Queue.of([]),
};

/** Not of a counter: null. */
function countingOf(ask: Ask): Counting | null {
  if ("key" in ask) return ask.key.type === "total" ? ask : null;
  return isWrite(ask) ? null : ask;
}

/** undefined: this client has never counted anything of it. */
export const counterAt = (counters: Counters, of: Of): Counter | undefined =>
  namedAt(counters, nameOf(of));

const counterOf = (counters: Counters, ask: Counting): Counter =>
  counterAt(counters, ofAsk(ask)) ?? NEW;

const withCounter = (counters: Counters, ask: Counting, counter: Counter): Counters =>
  withNamed(counters, nameOf(ofAsk(ask)), counter);

/** Could it be more than a number can say exactly? */
export const isTooMuch = (counters: Counters, ask: Ask): boolean =>
  isCounted(ask) && counterOf(counters, ask).asked + Math.abs(ask.by) > Number.MAX_SAFE_INTEGER;

/** What goes out of it now; null: it waits for what is under way. */
export function joined(counters: Counters, ask: Ask): readonly [Counters, Ask | null] {
  const counting = countingOf(ask);
  if (!counting) return [counters, ask];
  const known = counterOf(counters, counting);
  const asked = known.asked + (isCounted(counting) ? Math.abs(counting.by) : 0);
  const counter = { ...known, asked, behind: known.behind.with([counting]) };
  const [after, next] = counter.isBusy ? [counter, null] : started(counter);
  return [withCounter(counters, counting, after), next];
}

/** What comes after each that is settled. */
export function freed(
  counters: Counters,
  all: readonly Settled[],
): readonly [Counters, readonly Ask[]] {
  let after = counters;
  const next: Ask[] = [];
  for (const { ask, outcome } of all) {
    const counting = countingOf(ask);
    if (!counting) continue;
    const known = counterOf(after, counting);
    const isUndone = isCounted(counting) && outcome.type === "refused";
    const said = isUndone ? takenBack(known.said, counting) : known.said;
    const [counter, first] = started({ ...known, said });
    if (first) next.push(first);
    after = withCounter(after, counting, counter);
  }
  return [after, next];
}

/** The first that waits, with all that may share its frame. */
function started(counter: Counter): readonly [Counter, Counting | null] {
  const waiting = counter.behind.slice(0);
  const [first, ...more] = waiting;
  if (!first) return [{ ...counter, isBusy: false }, null];
  const other = isCounted(first)
    ? more.findIndex((ask) => ask.kind !== first.kind || !isCounted(ask))
    : 0;
  const riders = more.slice(0, other < 0 ? more.length : other).filter(isCounted);
  const behind = Queue.of(more.slice(riders.length));
  if (!isCounted(first)) return [{ ...counter, isBusy: true, behind }, first];
  const said = added(counter.said, sumOf([first, ...riders]));
  const total = { ...first, op: { ...first.op, ...said }, riders };
  return [{ ...counter, said, isBusy: true, behind }, total];
}

const added = (a: Count, b: Count): Count => ({ inc: a.inc + b.inc, dec: a.dec + b.dec });

function takenBack(said: Count, ask: Counted): Count {
  const { inc, dec } = sumOf([ask, ...ask.riders]);
  return added(said, { inc: dec, dec: inc });
}

function sumOf(all: readonly Counted[]): Count {
  let [inc, dec] = [0, 0];
  for (const { by } of all)
    if (by > 0) inc += by;
    else dec -= by;
  return { inc, dec };
}

/** What of it waits for nothing but its counter. */
export const behindAll = (counters: Counters): readonly Ask[] =>
  everyNamed(counters).flatMap(({ behind }) => behind.slice(0));

/** Each that went along is settled as the one that took it. */
export const withRiders = ({ ask, outcome }: Settled): readonly Settled[] =>
  isCounted(ask)
    ? [{ ask, outcome }, ...ask.riders.map((rider) => ({ ask: rider, outcome }))]
    : [{ ask, outcome }];
