/**
 * Commands for actors, from the call to the answer. Of each actor one is under way at a time, so they are executed in the order in
 * which they were called; each goes out under one id however often it must, so it is executed once.
 *
 *   behind ──► ready ──CALL──► under way ──REPLIES──► settled       a refusal that may pass: ready again after a pause
 */
import type { Next } from "../../core/machine/step.ts";
import { unreachable } from "../../data/assert.ts";
import { FRAME_BYTES_MAX, FRAME_OPS_MAX } from "../../protocol/limits.ts";
import { CALLS_UNDER_WAY_MAX } from "../call-limits.ts";
import { givenUp, isNotExecuted } from "../call-errors.ts";
import { outboxFull, unanswered, type GridErrorInfo } from "../errors.ts";
import { FLIGHTS_MAX, FRAME_HEAD_BYTES, PAUSE_MS_MAX } from "../limits.ts";
import { bytesOf, nameOf } from "./ask.ts";
import {
  placeOfCall,
  beginCalls,
  type ActorLine,
  type Call,
  type CallFlight,
  type CallOutcome,
  type Calls,
  type CallsEffect,
  type CallsEvent,
  type Way,
  type Ways,
} from "./calls-state.ts";
import { namedAt, withNamed } from "./named.ts";
import { pauseMs } from "./pause.ts";
import { NOWHERE, type Place } from "./router.ts";
import type { Moment } from "./session.ts";

type Stepped = Next<Calls, CallsEffect>;
type Of<Type extends CallsEvent["type"]> = Extract<CallsEvent, { readonly type: Type }>;

export function stepCalls(state: Calls, event: CallsEvent): Stepped {
  const step = new Step(state, event);
  if (state.over) {
    if (event.type === "called") step.tell(event.id, refusedBy(state.over));
  } else take(step, event);
  return [step.state, step.effects];
}

export function callsWakeAt({ resting, flights, settings, dueAt }: Calls): number {
  let at = dueAt;
  for (const { until } of resting) at = Math.min(at, until);
  for (const { sentMs } of flights.values()) at = Math.min(at, sentMs + settings.answerMs);
  return at;
}

function take(step: Step, event: CallsEvent): void {
  switch (event.type) {
    case "called":
      return called(step, event);
    case "flush":
      return send(step);
    case "unlinked":
      return lost(step, event.link);
    case "answered":
      return answered(step, event);
    case "refused":
      return refused(step, event);
    case "woke":
      return woke(step);
    case "close":
      return close(step, event.error);
    default:
      return unreachable(event);
  }
}

/** One event's changes. An actor's line is named as `nameOf` does. */
class Step {
  state: Calls;
  readonly effects: CallsEffect[] = [];
  readonly moment: Moment & { readonly ways: Ways };

  constructor(state: Calls, moment: Moment & { readonly ways: Ways }) {
    this.state = state;
    this.moment = moment;
  }

  set(changed: Partial<Calls>): void {
    this.state = { ...this.state, ...changed };
  }

  lineOf(name: string): ActorLine | undefined {
    return namedAt(this.state.actors, name);
  }

  setLine(name: string, line: ActorLine | null): void {
    this.set({ actors: withNamed(this.state.actors, name, line) });
  }

  tell(id: number, outcome: CallOutcome): void {
    this.effects.push({ type: "settled", id, outcome });
  }

  /** The first of an actor's; then the next is the first. */
  settle(name: string, outcome: CallOutcome): void {
    const line = this.lineOf(name);
    if (!line) return;
    const [first, ...behind] = line.behind;
    this.tell(line.first.id, outcome);
    this.set({ size: this.state.size - 1 });
    this.setLine(name, first ? { first, seq: null, behind } : null);
    if (first) this.makeReady(name);
  }

  /** The first of an actor's goes out again, or for the first time. */
  makeReady(name: string, changed: Partial<Call> = {}): void {
    const line = this.lineOf(name);
    if (!line) return;
    this.setLine(name, { ...line, first: { ...line.first, ...changed }, seq: null });
    this.set({ ready: [...this.state.ready, name] });
  }
}

const refusedBy = (error: GridErrorInfo): CallOutcome => ({ type: "refused", error });

function called(step: Step, { id, call, timeoutMs }: Of<"called">): void {
  const { state, moment } = step;
  const { outboxMax, replicaId } = state.settings;
  if (state.size >= outboxMax) return step.tell(id, refusedBy(outboxFull(outboxMax)));
  const commandId = call.commandId === undefined ? `${replicaId}.${id}` : call.commandId;
  const bytes = bytesOf(call, commandId ?? "", null) + call.command.length;
  const op = { ...call, commandId };
  const deadline = moment.now + timeoutMs;
  const first: Call = { id, op, bytes, deadline, timeoutMs, ...UNTRIED };
  const name = nameOf(call);
  const line = step.lineOf(name);
  step.set({ size: state.size + 1, dueAt: Math.min(state.dueAt, deadline) });
  if (line) return step.setLine(name, { ...line, behind: [...line.behind, first] });
  step.setLine(name, { first, seq: null, behind: [] });
  step.makeReady(name);
}

const UNTRIED = { sure: true, refused: null, redirectedAt: null } as const;

// ------------------------------------------------------------------ out

/** What is ready goes out as far as there are ways, and room on them. */
function send(step: Step): void {
  const byWay = new Map<Way | undefined, string[]>();
  for (const name of step.state.ready) {
    const way = wayOf(step, name);
    const names = byWay.get(way);
    if (names) names.push(name);
    else byWay.set(way, [name]);
  }
  const left = byWay.get(undefined) ?? [];
  for (const [way, names] of byWay) if (way) left.push(...sendOver(step, way, names));
  step.set({ ready: left });
}

function wayOf({ moment, ...step }: Step, name: string): Way | undefined {
  const line = namedAt(step.state.actors, name);
  return line && moment.ways.links.get(placeOfCall(moment.ways.routes, line.first));
}

/** What there is no room for now. */
function sendOver(step: Step, way: Way, names: readonly string[]): readonly string[] {
  let left = names;
  while (left.length > 0) {
    const frame = fitting(step, left, roomOf(step.state, way));
    if (frame.length === 0) return left;
    sendFrame(step, way, frame);
    left = left.slice(frame.length);
  }
  return left;
}

function roomOf({ flights }: Calls, { link, creditOps }: Way): number {
  const there = [...flights.values()].filter((flight) => flight.link === link);
  if (there.length >= FLIGHTS_MAX) return 0;
  const underWay = there.reduce((sum, { calls }) => sum + calls.length, 0);
  return Math.min(FRAME_OPS_MAX, CALLS_UNDER_WAY_MAX - underWay, creditOps - underWay);
}

function fitting(step: Step, names: readonly string[], room: number): readonly string[] {
  let bytes = FRAME_HEAD_BYTES;
  const most = names.slice(0, Math.max(0, room));
  const end = most.findIndex((name) => {
    bytes += step.lineOf(name)?.first.bytes ?? 0;
    return bytes > FRAME_BYTES_MAX;
  });
  return end < 0 ? most : most.slice(0, end);
}

function sendFrame(step: Step, { link }: Way, names: readonly string[]): void {
  const { seq } = step.state;
  const { now, ways } = step.moment;
  const lines = names.flatMap((name) => step.lineOf(name) ?? []);
  for (const [i, line] of lines.entries()) step.setLine(names[i] ?? "", { ...line, seq });
  const [one] = lines;
  const flight: CallFlight = {
    link,
    place: one ? placeOfCall(ways.routes, one.first) : NOWHERE,
    sentMs: now,
    calls: lines.map(({ first }, i) => ({ name: names[i] ?? "", id: first.id })),
  };
  step.set({ seq: seq + 1, flights: new Map(step.state.flights).set(seq, flight) });
  const calls = lines.map(({ first }) => first.op);
  step.effects.push({ type: "send", link, message: { type: "CALL", seq, calls } });
}

// ------------------------------------------------------------------ answers

/** A call that was under way, and is still waited for. */
interface Open {
  readonly name: string;
  readonly line: ActorLine;
  readonly place: Place;
  readonly index: number;
}

/** Whose frame that was: none of it is under way any more. What was given up meanwhile is not there. */
function landed(step: Step, link: number, seq: number): readonly Open[] {
  const flight = step.state.flights.get(seq);
  if (flight?.link !== link) return [];
  const flights = new Map(step.state.flights);
  flights.delete(seq);
  step.set({ flights });
  return flight.calls.flatMap(({ name, id }, index) => {
    const line = step.lineOf(name);
    return line?.seq === seq && line.first.id === id
      ? { name, line, place: flight.place, index }
      : [];
  });
}

function answered(step: Step, { link, seq, replies }: Of<"answered">): void {
  let isAstray = false;
  for (const open of landed(step, link, seq)) {
    const outcome = replies[open.index] ?? refusedBy(unanswered());
    if (outcome.type === "reply") step.settle(open.name, outcome);
    else if (outcome.error.code !== "NOT_OWNER") put(step, open, outcome.error);
    else if (!redirected(step, open)) {
      isAstray = true;
      rest(step, open, outcome.error);
    }
  }
  if (isAstray) step.effects.push({ type: "astray", link });
  send(step);
}

/** Nothing of the frame was taken. */
function refused(step: Step, { link, seq, error }: Of<"refused">): void {
  for (const open of landed(step, link, seq)) put(step, open, error, true);
  send(step);
}

function put(step: Step, open: Open, error: GridErrorInfo, isSure = isNotExecuted(error)): void {
  if (error.retry === "never") return step.settle(open.name, refusedBy(error));
  const { first } = open.line;
  rest(
    step,
    { ...open, line: { ...open.line, first: { ...first, sure: first.sure && isSure } } },
    error,
  );
}

/** Once by each map: two nodes that name each other would have it to and fro without a pause. */
function redirected(step: Step, { name, line, place }: Open): boolean {
  const { routes } = step.moment.ways;
  const { first } = line;
  if (placeOfCall(routes, first) === place || first.redirectedAt === routes.version) return false;
  step.makeReady(name, { redirectedAt: routes.version });
  return true;
}

function rest(step: Step, { name, line }: Open, error: GridErrorInfo): void {
  const { now, random } = step.moment;
  const times = (line.first.refused?.times ?? 0) + 1;
  const first = { ...line.first, refused: { times, error }, redirectedAt: null };
  step.setLine(name, { ...line, first, seq: null });
  const until = now + pauseMs(times, random, PAUSE_MS_MAX);
  step.set({ resting: [...step.state.resting, { until, name }] });
}

/** Nobody knows what became of what was under way there. */
function lost(step: Step, link: number): void {
  for (const [seq, flight] of step.state.flights)
    if (flight.link === link)
      for (const { name } of landed(step, link, seq)) step.makeReady(name, { sure: false });
  send(step);
}

// ------------------------------------------------------------------ time

function woke(step: Step): void {
  const { now } = step.moment;
  const { resting, flights, settings } = step.state;
  const due = resting.filter(({ until }) => until <= now);
  if (due.length > 0) step.set({ resting: resting.filter(({ until }) => until > now) });
  for (const { name } of due) step.makeReady(name);
  if (step.state.dueAt <= now) giveUp(step);
  const silent = [...flights.values()].filter(({ sentMs }) => sentMs + settings.answerMs <= now);
  for (const link of new Set(silent.map((flight) => flight.link)))
    step.effects.push({ type: "silent", link });
  send(step);
}

/** Whoever has waited for as long as it wanted to is told so. */
function giveUp(step: Step): void {
  const { now } = step.moment;
  const isDue = ({ deadline }: Call): boolean => deadline <= now;
  for (const [name, { first, seq, behind }] of everyLine(step.state)) {
    const late = behind.filter(isDue);
    for (const call of late) step.tell(call.id, refusedBy(givenUp(call, false)));
    step.set({ size: step.state.size - late.length });
    if (late.length > 0)
      step.setLine(name, { first, seq, behind: behind.filter((call) => !isDue(call)) });
    if (!isDue(first)) continue;
    const isNot = (other: string): boolean => other !== name;
    const resting = step.state.resting.filter((one) => isNot(one.name));
    step.set({ resting, ready: step.state.ready.filter(isNot) });
    step.settle(name, refusedBy(givenUp(first, seq !== null)));
  }
  const left = everyLine(step.state).flatMap(([, { first, behind }]) => [first, ...behind]);
  step.set({ dueAt: left.reduce((least, { deadline }) => Math.min(least, deadline), Infinity) });
}

const everyLine = ({ actors }: Calls): readonly (readonly [string, ActorLine])[] =>
  [...actors.values()].flatMap((some) => [...some]);

function close(step: Step, error: GridErrorInfo): void {
  for (const [, { first, behind }] of everyLine(step.state))
    for (const { id } of [first, ...behind]) step.tell(id, refusedBy(error));
  step.set({ ...beginCalls(step.state.settings), over: error });
}
