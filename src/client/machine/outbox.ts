/**
 * Everything that the application waits for: not sent yet, under way, or resting after a refusal. An operation leaves
 * it by the answer to the very frame that it was sent in, by a refusal that time does not mend, or when all is closed;
 * a connection that is lost, a node that does not answer, an owner that has changed only send it out again, under the
 * stamp that it had.
 */

import { Queue } from "../../core/machine/queue.ts";
import type { Next } from "../../core/machine/step.ts";
import { unreachable } from "../../data/assert.ts";
import type { Stamp } from "../../data/hlc.ts";
import type { Get, Ops } from "../../protocol/client-messages.ts";
import type { GridErrorInfo } from "../errors.ts";
import { PAUSE_MS_MAX } from "../limits.ts";
import { sortOut, type Answer } from "./answer.ts";
import type { Ask, Settled, Write } from "./ask.ts";
import { freed, withRiders } from "./counters.ts";
import {
  countWaiting,
  EMPTY,
  landed,
  queued,
  takeFlight,
  waitingAt,
  withWaiting,
  type Flight,
} from "./line.ts";
import {
  beginOutbox,
  everyAsk,
  exposed,
  fronted,
  lineAt,
  placeOf,
  withAsked,
  withLine,
  type Outbox,
  type Resting,
} from "./outbox-state.ts";
import { pauseMs } from "./pause.ts";
import { restampAll } from "./restamp.ts";
import { released } from "./removals.ts";
import type { Place, Routes } from "./router.ts";
import type { Moment } from "./session.ts";
import { hear, isOff } from "./writer-clock.ts";

export type OutboxEvent = Moment &
  (
    | { readonly type: "asked"; readonly ask: Ask }
    /** What was asked goes out. Once for all that was asked in one go. */
    | { readonly type: "flush" }
    | { readonly type: "routed"; readonly routes: Routes }
    | { readonly type: "linked"; readonly place: Place; readonly creditOps: number }
    | { readonly type: "unlinked"; readonly place: Place }
    | {
        readonly type: "answered";
        readonly place: Place;
        readonly seq: number;
        readonly answer: Answer;
      }
    /** What is stamped from now on is newer. */
    | { readonly type: "seen"; readonly stamp: Stamp }
    /** The nodes' clock is so far ahead of the client's. */
    | { readonly type: "clock"; readonly aheadMs: number }
    | { readonly type: "woke" }
    | { readonly type: "close"; readonly error: GridErrorInfo }
  );

export type OutboxEffect =
  | { readonly type: "send"; readonly place: Place; readonly message: Ops | Get }
  | { readonly type: "settled"; readonly all: readonly Settled[] }
  /** They have other stamps now, or name other tags. */
  | { readonly type: "restamped"; readonly writes: readonly Write[] }
  /** A node sends back what the map sends to it. */
  | { readonly type: "astray"; readonly place: Place };

type Stepped = Next<Outbox, OutboxEffect>;

export function stepOutbox(state: Outbox, event: OutboxEvent): Stepped {
  switch (event.type) {
    case "asked":
      return [withAsked(state, event.ask), []];
    case "flush":
      return flush(state, event.now);
    case "routed":
      return flush(rerouted({ ...state, routes: event.routes }), event.now);
    case "linked":
      return flush(linked(state, event.place, event.creditOps), event.now);
    case "unlinked":
      return flush(unlinked(state, event.place), event.now);
    case "answered":
      return answered(state, event);
    case "clock":
      return heardClock(state, event.aheadMs, event.now);
    case "seen":
      return [{ ...state, clock: hear(state.clock, event.stamp) }, []];
    case "woke":
      return awake(state, event.now);
    case "close":
      return close(state, event.error);
    default:
      return unreachable(event);
  }
}

/** When something that rests is due. */
export const outboxWakeAt = ({ resting }: Outbox): number | null =>
  resting.length === 0 ? null : Math.min(...resting.map(({ until }) => until));

/** Where a frame has been under way for longest, and since when. */
export function oldestFlight({ lines }: Outbox, place: Place): number | null {
  const first = lines.get(place)?.flights.values().next().value;
  return first?.sentMs ?? null;
}

/** Nothing is under way to it, and nothing waits for it. */
export function isIdle({ lines }: Outbox, place: Place): boolean {
  const line = lines.get(place);
  return !line || (line.flights.size === 0 && countWaiting(line) === 0);
}

// ------------------------------------------------------------------ out

/** What is fresh goes to the places of its partitions, and from there as far as there is room. */
function flush(state: Outbox, now: number): Stepped {
  if (state.fresh.length === 0) return [state, []];
  const byPlace = Map.groupBy(state.fresh.slice(0), (ask) => placeOf(state, ask));
  const lines = new Map(state.lines);
  for (const [place, asks] of byPlace) lines.set(place, queued(lines.get(place) ?? EMPTY, asks));
  return filled({ ...state, fresh: Queue.of([]), lines }, [...byPlace.keys()], now);
}

function filled(state: Outbox, places: readonly Place[], now: number): Stepped {
  const lines = new Map(state.lines);
  const effects: OutboxEffect[] = [];
  let { seq } = state;
  for (const place of places) {
    let line = lines.get(place) ?? EMPTY;
    for (let next = takeFlight(line, seq, now); next; next = takeFlight(line, seq, now)) {
      line = next[0];
      effects.push({ type: "send", place, message: frameOf(next[1]) });
      seq++;
    }
    lines.set(place, line);
  }
  return [{ ...state, lines, seq }, effects];
}

/** All of one kind. */
function frameOf({ seq, asks }: Flight): Ops | Get {
  const keys = asks.flatMap((ask) => ("key" in ask ? [ask.key] : []));
  if (keys.length > 0) return { type: "GET", seq, keys };
  const ops = asks.flatMap((ask) => ("op" in ask ? [ask.op] : []));
  return asks[0]?.kind === "backup"
    ? { type: "OPS", seq, ops, ack: "backup" }
    : { type: "OPS", seq, ops };
}

/** What waits at a place that is not its owner's any more goes back to what is fresh. */
function rerouted(state: Outbox): Outbox {
  const lines = new Map(state.lines);
  const moved: Ask[] = [];
  for (const [place, line] of lines) {
    const { stay = [], go = [] } = Object.groupBy(waitingAt(line), (ask) =>
      placeOf(state, ask) === place ? "stay" : "go",
    );
    if (go.length === 0) continue;
    moved.push(...go);
    lines.set(place, withWaiting(line, stay));
  }
  return moved.length === 0 ? state : { ...state, lines, fresh: fronted(state, moved) };
}

/** Over a new connection: what was under way on another one goes out again. */
const linked = (state: Outbox, place: Place, creditOps: number): Outbox =>
  withLine(unlinked(state, place), place, { ...EMPTY, creditOps });

/** Nobody knows what became of what was under way. */
function unlinked(state: Outbox, place: Place): Outbox {
  const line = lineAt(state, place);
  const again = [...line.flights.values()].flatMap(({ asks }) => asks.map(exposed));
  const lines = new Map(state.lines);
  lines.delete(place);
  return { ...state, lines, fresh: fronted(state, [...again, ...waitingAt(line)]) };
}

// ------------------------------------------------------------------ answers

function answered(state: Outbox, event: Extract<OutboxEvent, { type: "answered" }>): Stepped {
  const { place, seq, now } = event;
  const line = lineAt(state, place);
  const flight = line.flights.get(seq);
  // Of a connection before this one, its operations go another way by now; of another node, they were never there.
  if (!flight) return [state, []];
  const { resting, drifted, astray, ...sorted } = sortOut(state, flight, event);
  const all = sorted.all.flatMap(withRiders);
  const [counters, next] = freed(state.counters, sorted.all);
  const { removals } = state;
  const free = released({ removals, clock: sorted.clock }, sorted.all, now);
  all.push(...free.needless);
  const again = [...sorted.again, ...next, ...free.next];
  const after: Outbox = {
    ...withLine(state, place, landed(line, flight)),
    size: state.size - all.length,
    clock: free.clock,
    removals: free.removals,
    counters,
    fresh: again.length > 0 ? fronted(state, again) : state.fresh,
    resting: resting.length > 0 ? [...state.resting, restOf(resting, event)] : state.resting,
  };
  const effects: OutboxEffect[] = [];
  if (free.changed.length > 0) effects.push({ type: "restamped", writes: free.changed });
  if (all.length > 0) effects.push({ type: "settled", all });
  if (astray) effects.push({ type: "astray", place });
  const [adjusted, renewed] = drifted ? adjust(after, drifted.aheadMs, now) : [after, []];
  const [flushed, sent] = flush(adjusted, now);
  const [full, more] = filled(flushed, [place], now);
  return [full, [...effects, ...renewed, ...sent, ...more]];
}

/** One pause for all that one frame brought back. */
function restOf(asks: readonly Ask[], { now, random }: Moment): Resting {
  const times = Math.max(...asks.map(({ refused }) => refused?.times ?? 1));
  return { until: now + pauseMs(times, random, PAUSE_MS_MAX), asks };
}

// ------------------------------------------------------------------ the rest

function awake(state: Outbox, now: number): Stepped {
  const due = state.resting.filter(({ until }) => until <= now).flatMap(({ asks }) => asks);
  if (due.length === 0) return [state, []];
  const resting = state.resting.filter(({ until }) => until > now);
  const rested = due.map((ask): Ask => ({ ...ask, redirectedAt: null }));
  return flush({ ...state, resting, fresh: fronted(state, rested) }, now);
}

/** By a second or so clocks always differ. */
function heardClock(state: Outbox, aheadMs: number, now: number): Stepped {
  return isOff(state.clock, aheadMs) ? adjust(state, aheadMs, now) : [state, []];
}

function adjust(state: Outbox, aheadMs: number, now: number): Stepped {
  const [after, writes] = restampAll(state, aheadMs, now);
  return [after, writes.length > 0 ? [{ type: "restamped", writes }] : []];
}

function close(state: Outbox, error: GridErrorInfo): Stepped {
  const outcome = { type: "refused", error } as const;
  const all = everyAsk(state).flatMap((ask) => withRiders({ ask, outcome }));
  const { clock, patienceMs, seq } = state;
  return [
    { ...beginOutbox(clock.writer, patienceMs), clock, seq },
    all.length > 0 ? [{ type: "settled", all }] : [],
  ];
}
