/**
 * The client as one machine: a session for each place that operations go to, the router that says which these are, and
 * the outbox. It only carries what one of them says to the others and to the world.
 */
import type { Machine, Next } from "../../core/machine/step.ts";
import { unreachable } from "../../data/assert.ts";
import type { ServerMessage } from "../../protocol/client-messages.ts";
import { closed, countedTooMuch, outboxFull } from "../errors.ts";
import type { Answer } from "./answer.ts";
import { bytesOf, type Ask, type Common, type Draft, type Of } from "./ask.ts";
import { isTooMuch } from "./counters.ts";
import {
  isAsking,
  type Asking as Kind,
  type Client,
  type ClientEffect,
  type ClientEvent,
} from "./client-state.ts";
import { oldestFlight, outboxWakeAt } from "./outbox.ts";
import { withAsked, type Outbox } from "./outbox-state.ts";
import { sessionWakeAt } from "./session.ts";
import { Turn } from "./turn.ts";
import { passed, stampAt, stamped } from "./writer-clock.ts";

export const clientMachine: Machine<Client, ClientEvent, ClientEffect> = {
  step: stepClient,
  wakeAt: clientWakeAt,
};

function stepClient(state: Client, event: ClientEvent): Next<Client, ClientEffect> {
  if (state.over) return [state, isAsking(event) ? [{ type: "not-taken", error: state.over }] : []];
  if (isAsking(event)) return taken(state, event);
  const turn = new Turn(state, event);
  carry(turn, event);
  turn.settleLanes();
  return [turn.client, turn.effects];
}

function clientWakeAt(state: Client): number | null {
  if (state.over) return null;
  const times = [outboxWakeAt(state.outbox) ?? Infinity];
  for (const [place, { session }] of state.lanes) {
    times.push(sessionWakeAt(session) ?? Infinity);
    const sentMs = oldestFlight(state.outbox, place);
    if (sentMs !== null) times.push(sentMs + state.settings.answerMs);
  }
  const earliest = Math.min(...times);
  return earliest === Infinity ? null : earliest;
}

type Asking = Extract<ClientEvent, { readonly type: Kind }>;

/** The way of every operation: nothing here grows with what there is already. */
function taken(state: Client, event: Asking): Next<Client, ClientEffect> {
  const { settings, outbox } = state;
  // What one page has left fits at least where there is nothing else.
  if (outbox.size >= settings.outboxMax && event.type !== "adopt")
    return [state, [{ type: "not-taken", error: outboxFull(settings.outboxMax) }]];
  const [clock, ask] = asAsk(state, event);
  if (isTooMuch(outbox.counters, ask))
    return [state, [{ type: "not-taken", error: countedTooMuch() }]];
  const after = withAsked({ ...outbox, clock }, ask);
  return [{ ...state, outbox: after, nextId: state.nextId + 1 }, [{ type: "taken", ask }]];
}

function asAsk(
  { nextId: id, outbox: { clock }, settings }: Client,
  event: Asking,
): readonly [Outbox["clock"], Ask] {
  const common = (of: Of, draft: Draft | null = null, behind = 0): Common => ({
    id,
    bytes: bytesOf(of, settings.clientId, draft, behind),
    refused: null,
    redirectedAt: null,
  });
  switch (event.type) {
    case "read":
      return [clock, { ...common(event.key), kind: "read", key: event.key }];
    case "count": {
      const { map, key, by, ack } = event;
      const op = { type: "count", map, key, inc: 0, dec: 0 } as const;
      return [clock, { ...common(event), kind: ack, op, by, riders: [] }];
    }
    case "adopt": {
      const { op } = event.kept;
      const next = "stamp" in op ? passed(clock, op.stamp, event.now) : clock;
      return [next, { ...event.kept, id }];
    }
    case "write": {
      const { draft, ttlMs, ack: kind, now, behind = [] } = event;
      const [next, stamp] = stampAt(clock, now);
      const op = stamped(draft, stamp, ttlMs);
      const fresh = { at: now, ttlMs, exposed: false, drifted: false, behind };
      return [next, { ...common(draft, draft, behind.length), kind, op, ...fresh }];
    }
  }
}

function carry(turn: Turn, event: Exclude<ClientEvent, Asking>): void {
  switch (event.type) {
    case "begin":
      return turn.begin(event.known);
    case "flush":
      return turn.outbox({ type: "flush" });
    case "opened":
    case "ponged":
      return turn.sessionOf(event.link, { type: event.type });
    case "lost":
      return turn.sessionOf(event.link, { type: "lost", code: event.code });
    case "heard":
      return hear(turn, event.link, event.message);
    case "seen":
      return turn.outbox({ type: "seen", stamp: event.stamp });
    case "woke":
      return wake(turn, event.now);
    case "close":
      return turn.end(closed());
    default:
      return unreachable(event);
  }
}

function hear(turn: Turn, link: number, message: ServerMessage): void {
  const place = turn.placeOf(link);
  if (place === null) return;
  const answered = (seq: number, answer: Answer): void =>
    turn.outbox({ type: "answered", place, seq, answer });
  switch (message.type) {
    case "WELCOME":
      return turn.session(place, { type: "welcomed", welcome: message });
    case "ACK": {
      const exceptions = new Map(message.exceptions.map(({ index, result }) => [index, result]));
      return answered(message.seq, { type: "stored-but", exceptions });
    }
    case "VALUES":
      return answered(message.seq, { type: "results", outcomes: message.values });
    case "ERROR": {
      const { seq, error } = message;
      if (seq !== null) return answered(seq, { type: "refused", error });
      turn.router({ type: "unheard", from: place });
      return turn.session(place, { type: "refused", error });
    }
    case "MAP":
      return turn.router({ type: "map", from: place, map: message.map });
    case "MAP_DELTA":
      return turn.router({ type: "delta", from: place, delta: message });
    case "NOT_OWNER":
      return turn.router({ type: "not-owner", from: place, notice: message });
    default:
      return; // it has subscribed to nothing
  }
}

function wake(turn: Turn, now: number): void {
  const { settings, lanes } = turn.client;
  for (const place of lanes.keys()) {
    const sentMs = oldestFlight(turn.client.outbox, place);
    const silent = sentMs !== null && sentMs + settings.answerMs <= now;
    turn.session(place, silent ? { type: "lost", code: 0 } : { type: "woke" });
  }
  turn.outbox({ type: "woke" });
  turn.checkLanes();
}
