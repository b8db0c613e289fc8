/**
 * Which subscriptions there are, and how far each has been told. Each is followed over one connection; when that breaks, or its
 * node has forgotten it or has no room, it is asked for again from where it is, there or over another one.
 *
 *   new ──SUBSCRIBE──► asked ──SYNCED──► synced          a refusal that may pass: SUBSCRIBE elsewhere after a pause
 */
import type { Next } from "../../core/machine/step.ts";
import type { DigestKey } from "../../data/digest.ts";
import type { PartitionId } from "../../data/ids.ts";
import { unreachable } from "../../data/assert.ts";
import type { ErrorInfo } from "../../protocol/errors.ts";
import { POSITIONS_MAX } from "../../protocol/limits.ts";
import type {
  ChangedPart,
  Digests,
  PartDigest,
  Position,
  Query,
  Subscribe,
  Unsubscribe,
} from "../../protocol/subscription-messages.ts";
import type { Subscribed } from "../../protocol/subscriber-codec.ts";
import type { GridErrorInfo } from "../errors.ts";
import { PAUSE_MS_MAX } from "../limits.ts";
import { pauseMs } from "./pause.ts";
import type { Moment } from "./session.ts";

export interface Subscriptions {
  /** For how long a new one is asked for again although it is refused for the time being. */
  readonly patienceMs: number;
  readonly all: ReadonlyMap<number, Followed>;
  /** Connections that work. */
  readonly links: readonly number[];
  /** Of the next frame. */
  readonly seq: number;
  /** Nothing is followed any more. */
  readonly over: GridErrorInfo | null;
}

export type Positions = ReadonlyMap<PartitionId, Position>;

interface Followed {
  readonly query: Query;
  /** Over which it was asked for last; null: there is none. */
  readonly link: number | null;
  readonly positions: Positions;
  /** Of the frame that it was asked for by, or that answered for it last. */
  readonly seq: number | null;
  /** To be asked for again; null: it is. */
  readonly until: number | null;
  /** Refusals in a row, and since when. */
  readonly refused: { readonly times: number; readonly since: number } | null;
  /** It was complete once, so somebody lives by it. */
  readonly hasBeen: boolean;
}

export type SubscriptionsEvent = Moment &
  (
    | {
        readonly type: "subscribe";
        readonly id: number;
        readonly query: Query;
        /** Up to where it was told before. */
        readonly positions?: Positions;
      }
    | { readonly type: "unsubscribe"; readonly id: number }
    | { readonly type: "linked"; readonly link: number }
    | { readonly type: "unlinked"; readonly link: number }
    | { readonly type: "told"; readonly link: number; readonly message: Subscribed }
    | {
        readonly type: "digested";
        readonly id: number;
        readonly link: number;
        readonly parts: readonly PartDigest[];
      }
    | {
        readonly type: "refused";
        readonly link: number;
        readonly seq: number;
        readonly error: ErrorInfo;
      }
    | { readonly type: "woke" }
    | { readonly type: "close"; readonly error: GridErrorInfo }
  );

type SubscriptionsEffect =
  | {
      readonly type: "send";
      readonly link: number;
      readonly message: Subscribe | Unsubscribe | Digests;
    }
  | SubscriptionNews;

/** For whoever keeps the rows of a subscription. */
export type SubscriptionNews =
  /** It may lack something from now on, until it is `synced` again. */
  | { readonly type: "behind"; readonly id: number }
  | { readonly type: "changed"; readonly id: number; readonly parts: readonly ChangedPart[] }
  | { readonly type: "synced"; readonly id: number }
  /** Answered by an event `digested`. */
  | {
      readonly type: "digest";
      readonly id: number;
      readonly link: number;
      readonly salt: DigestKey;
      readonly partitionIds: readonly PartitionId[];
    }
  | { readonly type: "ended"; readonly id: number; readonly error: GridErrorInfo };

type Stepped = Next<Subscriptions, SubscriptionsEffect>;

/** Frames of operations have lower numbers: an answer is to one or the other. */
const FIRST_SEQ = 2 ** 40;

export const beginSubscriptions = (patienceMs: number): Subscriptions => ({
  patienceMs,
  all: new Map(),
  links: [],
  seq: FIRST_SEQ,
  over: null,
});

export function stepSubscriptions(state: Subscriptions, event: SubscriptionsEvent): Stepped {
  switch (event.type) {
    case "subscribe": {
      const { over } = state;
      if (over) return [state, [{ type: "ended", id: event.id, error: over }]];
      const { id, query, positions = new Map() } = event;
      return askSoon(withOne(state, id, { ...FRESH, query, positions }), [id]);
    }
    case "unsubscribe":
      return unsubscribe(state, event.id);
    case "linked":
      return relinked(state, [...state.links, event.link]);
    case "unlinked":
      return relinked(
        state,
        state.links.filter((link) => link !== event.link),
      );
    case "told":
      return told(state, event.link, event.message);
    case "digested":
      return digested(state, event);
    case "refused":
      return refused(state, event);
    case "woke":
      return askElsewhere(state, event.now);
    case "close":
      return closed(state, event.error);
    default:
      return unreachable(event);
  }
}

const FRESH = {
  link: null,
  seq: null,
  until: null,
  refused: null,
  hasBeen: false,
};

function closed({ all, patienceMs }: Subscriptions, error: GridErrorInfo): Stepped {
  const ended = [...all.keys()].map((id): SubscriptionsEffect => ({ type: "ended", id, error }));
  return [{ ...beginSubscriptions(patienceMs), over: error }, ended];
}

/** When one that was refused is due. */
export function subscriptionsWakeAt({ all, links }: Subscriptions): number | null {
  if (links.length === 0) return null;
  const times = [...all.values()].flatMap(({ until }) => until ?? []);
  return times.length === 0 ? null : Math.min(...times);
}

/** What was followed over a connection that works no more goes on over another. */
function relinked(before: Subscriptions, links: readonly number[]): Stepped {
  const lost = [...before.all].filter(([, { link }]) => link === null || !links.includes(link));
  let state = { ...before, links };
  for (const [id, one] of lost)
    state = withOne(state, id, { ...one, link: null, until: null, refused: null });
  return askSoon(
    state,
    lost.map(([id]) => id),
  );
}

function withOne(state: Subscriptions, id: number, one: Followed): Subscriptions {
  return { ...state, all: new Map(state.all).set(id, one) };
}

/** Over the connection that has worked for longest. */
const askSoon = (state: Subscriptions, ids: readonly number[]): Stepped =>
  forEach(state, ids, (was, id) => ask(was, id, was.links[0] ?? null));

/** Over the next one after that of the refusal. */
const askElsewhere = (state: Subscriptions, now: number): Stepped =>
  forEach(state, state.all.keys(), (was, id) => {
    const one = was.all.get(id);
    if (!one || one.until === null || one.until > now) return [was, []];
    const at = one.link === null ? -1 : was.links.indexOf(one.link);
    return ask(was, id, was.links[(at + 1) % was.links.length] ?? null);
  });

function forEach(
  before: Subscriptions,
  ids: Iterable<number>,
  step: (state: Subscriptions, id: number) => Stepped,
): Stepped {
  let state = before;
  const effects: SubscriptionsEffect[] = [];
  for (const id of ids) {
    const [after, some] = step(state, id);
    state = after;
    effects.push(...some);
  }
  return [state, effects];
}

/** From where it is. `link` null: as soon as there is one. */
function ask(state: Subscriptions, id: number, link: number | null): Stepped {
  const one = state.all.get(id);
  if (!one) return [state, []];
  const behind = { type: "behind", id } as const;
  if (link === null) return [withOne(state, id, { ...one, link }), [behind]];
  const { seq } = state;
  const positions = [...one.positions].map(([partitionId, at]) => ({ partitionId, ...at }));
  // Of the others everything is sent.
  positions.splice(POSITIONS_MAX);
  const message = { type: "SUBSCRIBE", seq, id, ...one.query, positions } as const;
  const asked = withOne(state, id, { ...one, link, seq, until: null });
  const left = one.link === link ? [] : unsubscribed(state, id, one);
  return [{ ...asked, seq: seq + 1 }, [behind, ...left, { type: "send", link, message }]];
}

function unsubscribed(
  { links }: Subscriptions,
  id: number,
  { link }: Followed,
): readonly SubscriptionsEffect[] {
  if (link === null || !links.includes(link)) return [];
  return [{ type: "send", link, message: { type: "UNSUBSCRIBE", id } }];
}

function without(state: Subscriptions, id: number): Subscriptions {
  const left = new Map(state.all);
  left.delete(id);
  return { ...state, all: left };
}

function unsubscribe(state: Subscriptions, id: number): Stepped {
  const one = state.all.get(id);
  return one ? [without(state, id), unsubscribed(state, id, one)] : [state, []];
}

function told(state: Subscriptions, link: number, message: Subscribed): Stepped {
  if (message.type === "RESYNC")
    return forEach(state, state.all.keys(), (was, each) =>
      was.all.get(each)?.link === link ? ask(was, each, link) : [was, []],
    );
  const { id } = message;
  const one = state.all.get(id);
  if (one?.link !== link) return [state, []];
  switch (message.type) {
    case "CHANGES": {
      const { parts } = message;
      const positions = moved(one.positions, parts);
      return [withOne(state, id, { ...one, positions }), [{ type: "changed", id, parts }]];
    }
    case "SYNCED":
      return [
        withOne(state, id, { ...one, refused: null, hasBeen: true }),
        [{ type: "synced", id }],
      ];
    case "WANT_DIGESTS": {
      const { salt, partitionIds } = message;
      return [state, [{ type: "digest", id, link, salt, partitionIds }]];
    }
    default:
      return unreachable(message);
  }
}

/** Between the pieces of a whole a partition is nowhere: its position counts for nothing until all has come. */
function moved(
  positions: Followed["positions"],
  parts: readonly ChangedPart[],
): Followed["positions"] {
  const after = new Map(positions);
  for (const { partitionId, position, replaces } of parts)
    if (position) after.set(partitionId, position);
    else if (replaces) after.delete(partitionId);
  return after;
}

function digested(
  state: Subscriptions,
  { id, link, parts }: Extract<SubscriptionsEvent, { type: "digested" }>,
): Stepped {
  const one = state.all.get(id);
  if (one?.link !== link) return [state, []];
  const { seq } = state;
  const after = { ...withOne(state, id, { ...one, seq }), seq: seq + 1 };
  return [after, [{ type: "send", link, message: { type: "DIGESTS", seq, id, parts } }]];
}

/** Whatever was refused, what it has been told so far is true; where that is nothing yet, not for ever. */
function refused(
  state: Subscriptions,
  { link, seq, error, now, random }: Extract<SubscriptionsEvent, { type: "refused" }>,
): Stepped {
  const [id, one] = [...state.all].find((entry) => entry[1].seq === seq) ?? [];
  if (id === undefined || one?.link !== link) return [state, []];
  const { times, since } = one.refused ?? { times: 0, since: now };
  const isEnough = !one.hasBeen && now - since >= state.patienceMs;
  if (error.retry === "never" || isEnough) {
    return [without(state, id), [{ type: "ended", id, error }]];
  }
  const until = now + pauseMs(times, random, PAUSE_MS_MAX);
  const again = { seq: null, until, refused: { times: times + 1, since } };
  return [withOne(state, id, { ...one, ...again }), []];
}
