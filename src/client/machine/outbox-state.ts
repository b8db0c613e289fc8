/** What the outbox keeps, and how its parts are reached. */
import { Queue } from "../../core/machine/queue.ts";
import { partitionOf } from "../../data/hash.ts";
import { Version } from "../../data/ids.ts";
import { isWrite, ofAsk, type Ask } from "./ask.ts";
import { behindAll, joined, type Counters } from "./counters.ts";
import { EMPTY, waitingAt, withWaiting, type Line } from "./line.ts";
import { inTurn, waitingIn, type Removals } from "./removals.ts";
import { NOWHERE, type Place, type Routes } from "./router.ts";
import { beginClock, type WriterClock } from "./writer-clock.ts";

export interface Outbox {
  /** Operations that are not settled. */
  readonly size: number;
  /** Of the next frame, to whichever node: no two frames have one number. */
  readonly seq: number;
  readonly clock: WriterClock;
  /** How long somebody is ready to be refused with the advice to come again. */
  readonly patienceMs: number;
  readonly routes: Routes;
  /** Since the last flush, in order of the calls. */
  readonly fresh: Queue<Ask>;
  readonly lines: ReadonlyMap<Place, Line>;
  readonly resting: readonly Resting[];
  /** What each was told, and what waits for its turn there. */
  readonly counters: Counters;
  readonly removals: Removals;
}

export interface Resting {
  readonly until: number;
  readonly asks: readonly Ask[];
}

const NO_ROUTES: Routes = { version: Version(0), places: [] };

export const beginOutbox = (writer: string, patienceMs: number): Outbox => ({
  size: 0,
  seq: 0,
  clock: beginClock(writer),
  patienceMs,
  routes: NO_ROUTES,
  fresh: Queue.of([]),
  lines: new Map(),
  resting: [],
  counters: new Map(),
  removals: new Map(),
});

export function withAsked(state: Outbox, ask: Ask): Outbox {
  const [removals, unhindered] = inTurn(state.removals, ask);
  const [counters, now] = unhindered ? joined(state.counters, unhindered) : [state.counters, null];
  const fresh = now ? state.fresh.with([now]) : state.fresh;
  return { ...state, size: state.size + 1, fresh, counters, removals };
}

export function placeOf({ routes: { places } }: Outbox, ask: Ask): Place {
  if (places.length === 0) return NOWHERE;
  return places[partitionOf(ofAsk(ask).key, places.length)] ?? NOWHERE;
}

export const lineAt = ({ lines }: Outbox, place: Place): Line => lines.get(place) ?? EMPTY;

export const withLine = (state: Outbox, place: Place, line: Line): Outbox => ({
  ...state,
  lines: new Map(state.lines).set(place, line),
});

/** Some node may have it from now on. */
export const exposed = (ask: Ask): Ask =>
  isWrite(ask) && !ask.exposed ? { ...ask, exposed: true } : ask;

export const fronted = ({ fresh }: Outbox, asks: readonly Ask[]): Queue<Ask> =>
  Queue.of([...asks, ...fresh.slice(0)]);

/** Each that is not under way, as it is after a change. */
export const changed = (state: Outbox, change: (ask: Ask) => Ask): Outbox => ({
  ...state,
  fresh: Queue.of(state.fresh.slice(0).map(change)),
  lines: new Map(
    [...state.lines].map(([place, line]) => [
      place,
      withWaiting(line, waitingAt(line).map(change)),
    ]),
  ),
  resting: state.resting.map(({ until, asks }) => ({ until, asks: asks.map(change) })),
});

/** All that is not under way. */
export const everything = ({ fresh, lines, resting }: Outbox): readonly Ask[] => [
  ...fresh.slice(0),
  ...[...lines.values()].flatMap(waitingAt),
  ...resting.flatMap(({ asks }) => asks),
];

/** All that is not settled, but for what goes along with a total. */
export const everyAsk = (state: Outbox): readonly Ask[] => [
  ...underWay(state),
  ...everything(state),
  ...behindAll(state.counters),
  ...waitingIn(state.removals),
];

export const underWay = ({ lines }: Outbox): readonly Ask[] =>
  [...lines.values()].flatMap(({ flights }) => [...flights.values()].flatMap(({ asks }) => asks));
