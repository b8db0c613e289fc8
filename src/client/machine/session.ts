/**
 * One connection to one place, from the first try to the last: who opens its socket, greets, listens for its heart,
 * and comes again after a pause when it is gone.
 *
 *   waiting → connecting → greeting → live → waiting …        closed, by the application or by a refusal for good
 */
import type { Next } from "../../core/machine/step.ts";
import { unreachable } from "../../data/assert.ts";
import type { NodeId } from "../../data/ids.ts";
import type { Welcome } from "../../protocol/client-messages.ts";
import type { ErrorInfo } from "../../protocol/errors.ts";
import { SLOW_RETRY_MS } from "../../protocol/limits.ts";
import {
  CLOSED_AS_SLOW,
  PING_MS,
  PONG_MS_MAX,
  RECONNECT_MS_MAX,
  STEADY_MS,
  WELCOME_MS_MAX,
} from "../limits.ts";
import { pauseMs } from "./pause.ts";

export type Session =
  | { readonly type: "waiting"; readonly until: number; readonly attempt: number }
  | { readonly type: "connecting"; readonly since: number; readonly attempt: number }
  | { readonly type: "greeting"; readonly since: number; readonly attempt: number }
  | {
      readonly type: "live";
      readonly node: NodeId;
      readonly since: number;
      readonly attempt: number;
      readonly pingAt: number;
      /** null: no answer is due. */
      readonly pongBy: number | null;
    }
  | { readonly type: "closed" };

/** `now` in ms of the client's clock, `random` drawn fresh in [0, 1). */
export interface Moment {
  readonly now: number;
  readonly random: number;
}

/** What whoever drives a machine says of an event: all but the moment. */
export type Said<Event extends Moment> = Event extends Moment ? Omit<Event, keyof Moment> : never;

export type SessionEvent = Moment &
  (
    | { readonly type: "opened" }
    | { readonly type: "welcomed"; readonly welcome: Welcome }
    /** The node's word about the socket, not about a frame. */
    | { readonly type: "refused"; readonly error: ErrorInfo }
    | { readonly type: "ponged" }
    /** The socket is gone, or answers nothing any more. */
    | { readonly type: "lost"; readonly code: number }
    | { readonly type: "woke" }
    | { readonly type: "close" }
  );

export type SessionEffect =
  | { readonly type: "connect" }
  | { readonly type: "greet" }
  | { readonly type: "ping" }
  | { readonly type: "hang-up" }
  /** `clockAheadMs`: how far the node's clock is ahead of the client's, by what is known of it. */
  | { readonly type: "up"; readonly welcome: Welcome; readonly clockAheadMs: number }
  | { readonly type: "down" }
  /** It will not get better. */
  | { readonly type: "failed"; readonly error: ErrorInfo };

type Stepped = Next<Session, SessionEffect>;

export const beginSession = (now: number): Session => ({ type: "waiting", until: now, attempt: 0 });

export function stepSession(state: Session, event: SessionEvent): Stepped {
  if (state.type === "closed") return [state, []];
  switch (event.type) {
    case "opened":
      if (state.type !== "connecting") return [state, []];
      return [{ type: "greeting", since: event.now, attempt: state.attempt }, [{ type: "greet" }]];
    case "welcomed":
      return state.type === "greeting" ? welcomed(state, event.welcome, event.now) : [state, []];
    case "refused":
      return refused(state, event.error, event);
    case "ponged":
      return [state.type === "live" ? { ...state, pongBy: null } : state, []];
    case "lost":
      return state.type === "waiting" ? [state, []] : lost(state, event, event.code);
    case "woke":
      return woke(state, event);
    case "close":
      return closed(state, []);
    default:
      return unreachable(event);
  }
}

export function sessionWakeAt(state: Session): number | null {
  switch (state.type) {
    case "waiting":
      return state.until;
    case "connecting":
    case "greeting":
      return state.since + WELCOME_MS_MAX;
    case "live":
      return state.pongBy ?? state.pingAt;
    case "closed":
      return null;
    default:
      return unreachable(state);
  }
}

type Open = Exclude<Session, { type: "closed" }>;

/** The node's clock was read somewhere between the greeting and now. */
function welcomed(
  state: Extract<Session, { since: number }>,
  welcome: Welcome,
  now: number,
): Stepped {
  const clockAheadMs = Math.round(welcome.nowMs - (state.since + now) / 2);
  const live: Session = {
    type: "live",
    node: welcome.nodeId,
    since: now,
    attempt: state.attempt,
    pingAt: now + PING_MS,
    pongBy: null,
  };
  return [live, [{ type: "up", welcome, clockAheadMs }]];
}

/** Of a live socket nothing follows from it: what is to be closed, the node closes. */
function refused(state: Open, error: ErrorInfo, moment: Moment): Stepped {
  if (state.type !== "greeting") return [state, []];
  if (error.retry === "never") return closed(state, [{ type: "failed", error }]);
  return lost(state, moment, 0);
}

function lost(state: Open, { now, random }: Moment, code: number): Stepped {
  const steady = state.type === "live" && now - state.since >= STEADY_MS;
  const attempt = steady ? 0 : state.attempt + 1;
  const slowMs = code === CLOSED_AS_SLOW ? SLOW_RETRY_MS * (1 + random) : 0;
  const until = now + Math.max(slowMs, pauseMs(attempt, random, RECONNECT_MS_MAX));
  return [{ type: "waiting", until, attempt }, goneFrom(state)];
}

function woke(state: Open, moment: Moment): Stepped {
  const { now } = moment;
  const at = sessionWakeAt(state);
  if (at === null || now < at) return [state, []];
  if (state.type === "waiting")
    return [{ type: "connecting", since: now, attempt: state.attempt }, [{ type: "connect" }]];
  if (state.type !== "live" || state.pongBy !== null) return lost(state, moment, 0);
  return [{ ...state, pingAt: now + PING_MS, pongBy: now + PONG_MS_MAX }, [{ type: "ping" }]];
}

const closed = (state: Open, effects: readonly SessionEffect[]): Stepped => [
  { type: "closed" },
  [...goneFrom(state), ...effects],
];

/** To hang up a socket that is gone already does nothing. */
function goneFrom(state: Open): readonly SessionEffect[] {
  if (state.type === "waiting") return [];
  return state.type === "live" ? [{ type: "hang-up" }, { type: "down" }] : [{ type: "hang-up" }];
}
