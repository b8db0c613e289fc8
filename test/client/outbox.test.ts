/** Every state of the outbox beside everything that may happen to it, and what it never does. */
import { expect, it } from "vitest";
import type { Answer } from "../../src/client/machine/answer.ts";
import { isWrite, ofAsk, type Ask } from "../../src/client/machine/ask.ts";
import { countWaiting, waitingAt } from "../../src/client/machine/line.ts";
import {
  outboxWakeAt,
  stepOutbox,
  type OutboxEffect,
  type OutboxEvent,
} from "../../src/client/machine/outbox.ts";
import {
  beginOutbox,
  everything,
  underWay,
  type Outbox,
} from "../../src/client/machine/outbox-state.ts";
import { restampAll } from "../../src/client/machine/restamp.ts";
import { NOWHERE, type Place, type Routes } from "../../src/client/machine/router.ts";
import { partitionOf } from "../../src/data/hash.ts";
import { beginClock, stampAt } from "../../src/client/machine/writer-clock.ts";
import { NodeId, Version } from "../../src/data/ids.ts";
import { makeError, type ErrorInfo } from "../../src/protocol/errors.ts";
import { FRAME_BYTES_MAX, FRAME_OPS_MAX } from "../../src/protocol/limits.ts";
import { FLIGHTS_MAX } from "../../src/client/limits.ts";
import { tableOf, type Named } from "./table.ts";
import { readOf, writeOf } from "./worlds.ts";

const NOW = 2_000;
const moment = { now: NOW, random: 0.5 };
const [n1, n2] = [NodeId("n1"), NodeId("n2")];

type Said<Event> = Event extends unknown ? Omit<Event, "now" | "random"> : never;

const stepped = (
  state: Outbox,
  ...events: readonly Said<OutboxEvent>[]
): [Outbox, OutboxEffect[]] => {
  let after = state;
  const all: OutboxEffect[] = [];
  for (const event of events) {
    const [next, effects] = stepOutbox(after, { ...event, ...moment });
    after = next;
    all.push(...effects);
  }
  return [after, all];
};

const routesTo = (version: number, ...places: readonly (Place | null)[]): Routes => ({
  version: Version(version),
  places,
});
const asked = (...asks: readonly Ask[]): Said<OutboxEvent>[] =>
  asks.map((ask) => ({ type: "asked", ask }));
const linked = (place: Place): Said<OutboxEvent> => ({ type: "linked", place, creditOps: 16_000 });
const answered = (answer: Answer, place: Place = n1, seq = 0): Said<OutboxEvent> => ({
  type: "answered",
  place,
  seq,
  answer,
});
const refusedWith = (error: ErrorInfo): Answer => ({
  type: "stored-but",
  exceptions: new Map([[0, { type: "refused", error }]]),
});

const ALL_STORED: Answer = { type: "stored-but", exceptions: new Map() };
const LATER = makeError("OWNER_UNREACHABLE", { partitionId: 0 });
const NEVER = makeError("STAMP_TOO_OLD", { ageMs: 2, ageMsMax: 1 });
const SENT_BACK = makeError("NOT_OWNER", { partitionId: 0, ownerNodeId: "n2" });
const DRIFT = makeError("CLOCK_DRIFT", { aheadMs: 70_000, aheadMsMax: 60_000 });

const [begun] = stepped(beginOutbox("c", 500), { type: "routed", routes: routesTo(1, n1) });
const [fresh] = stepped(begun, ...asked(writeOf(1), writeOf(2)));
const [sent] = stepped(fresh, linked(n1), { type: "flush" });

const STATES: Named<Outbox> = {
  empty: begun,
  fresh,
  "no connection": stepped(fresh, { type: "flush" })[0],
  "no owner": stepped(fresh, { type: "routed", routes: routesTo(2, null) })[0],
  "under way": sent,
  "under way, others moved": stepped(sent, { type: "routed", routes: routesTo(2, n2) })[0],
  resting: stepped(sent, answered({ type: "refused", error: LATER }))[0],
};

const EVENTS: Named<Said<OutboxEvent>> = {
  asked: { type: "asked", ask: writeOf(9) },
  flush: { type: "flush" },
  "routed to n2": { type: "routed", routes: routesTo(3, n2) },
  "linked to n1": linked(n1),
  "unlinked from n1": { type: "unlinked", place: n1 },
  "all stored": answered(ALL_STORED),
  superseded: answered({
    type: "stored-but",
    exceptions: new Map([
      [0, { type: "superseded", stamp: { millis: 9_000, counter: 1, node: "z" } }],
    ]),
  }),
  "answered by n2": answered(ALL_STORED, n2),
  "answered, another frame": answered(ALL_STORED, n1, 7),
  "first refused for good": answered(refusedWith(NEVER)),
  "first refused for now": answered(refusedWith(LATER)),
  "first sent back": answered(refusedWith(SENT_BACK)),
  "first ahead of the clock": answered(refusedWith(DRIFT)),
  "frame refused": answered({ type: "refused", error: NEVER }),
  "clock off": { type: "clock", aheadMs: -60_000 },
  "clock right": { type: "clock", aheadMs: 500 },
  woke: { type: "woke" },
  close: { type: "close", error: NEVER },
};

/** `3=1+1+1`: of so many, so many wait, are under way, rest. */
const countOf = (state: Outbox): string => {
  const resting = state.resting.reduce((sum, { asks }) => sum + asks.length, 0);
  const waiting = everything(state).length - resting;
  expect(state.size).toBe(waiting + underWay(state).length + resting);
  return `${waiting} ${underWay(state).length} ${resting}`;
};

const nameOf = (effect: OutboxEffect): string => {
  switch (effect.type) {
    case "send": {
      const { message } = effect;
      return `${effect.place} ${message.seq}:${message.type === "OPS" ? message.ops.length : message.keys.length}`;
    }
    case "settled":
      return effect.all.map(({ ask, outcome }) => `${ask.id} ${outcome.type}`).join("; ");
    case "restamped":
      return `restamped ${effect.writes.length}`;
    case "astray":
      return "astray";
  }
};

it("decides every cell: what waits, is under way, rests; and what is done", async () => {
  const table = tableOf(STATES, EVENTS, (state, event) => {
    const [after, effects] = stepped(state, event);
    const same = countOf(after) === countOf(state);
    return [...(same ? [] : [countOf(after)]), ...effects.map(nameOf)].join(", ");
  });
  const lines = Object.entries(table).flatMap(([state, cells]) => [
    `${state}: ${countOf(STATES[state] ?? begun)}`,
    ...Object.entries(cells).map(([event, cell]) => `  ${event}: ${cell || "-"}`),
  ]);
  await expect([...lines, ""].join("\n")).toMatchFileSnapshot("outbox-table.txt");
});

it("an answer counts for the frame that it names, at the node that gives it, over the connection it came by", () => {
  const settles = (...events: readonly Said<OutboxEvent>[]): boolean =>
    stepped(sent, ...events)[1].some(({ type }) => type === "settled");
  expect(settles(answered(ALL_STORED))).toBe(true);
  expect(settles(answered(ALL_STORED, n2))).toBe(false);
  expect(settles(answered(ALL_STORED, n1, 1))).toBe(false);
  expect(settles({ type: "unlinked", place: n1 }, linked(n1), answered(ALL_STORED))).toBe(false);
});

it("goes out again under the same stamps, and may be anywhere from then on", () => {
  const [after, effects] = stepped(sent, { type: "unlinked", place: n1 }, linked(n1));
  const [message] = effects.flatMap((effect) => (effect.type === "send" ? [effect.message] : []));
  expect(message).toMatchObject({ seq: 1, ops: [writeOf(1).op, writeOf(2).op] });
  const [drifted, said] = stepped(after, answered(refusedWith(DRIFT), n1, 1));
  expect(drifted.size).toBe(0);
  expect(said.map(nameOf)).toEqual(["1 refused; 2 stored"]);
});

it("stamps again what no node can have, in the order of the calls, and nothing else", () => {
  const [both] = stepped(sent, ...asked(writeOf(3), writeOf(4)));
  const [after, effects] = stepped(both, { type: "clock", aheadMs: -60_000 });
  const restamped = effects.flatMap((effect) => (effect.type === "restamped" ? effect.writes : []));
  expect(restamped.map(({ id }) => id)).toEqual([3, 4]);
  const [a, b] = restamped.map(({ op }) => op.stamp);
  expect(a && b && (a.millis - b.millis || a.counter - b.counter)).toBeLessThan(0);
  expect(underWay(after).map((ask) => isWrite(ask) && ask.op.stamp.millis)).toEqual([1_001, 1_002]);
});

it("is sent after its owner once by each map, then rests and asks for the map", () => {
  const moved = stepped(sent, { type: "routed", routes: routesTo(2, n2) }, linked(n2))[0];
  const [again, first] = stepped(moved, answered({ type: "refused", error: SENT_BACK }));
  expect(first.map(nameOf)).toEqual(["n2 1:2"]);
  const back = { type: "routed", routes: routesTo(2, n1) } as const;
  const [resting, second] = stepped(
    again,
    back,
    answered({ type: "refused", error: SENT_BACK }, n2, 1),
  );
  expect(second.map(nameOf)).toEqual(["astray"]);
  const [, third] = stepOutbox(resting, { type: "woke", now: NOW + 10_000, random: 0 });
  expect(third.map(nameOf)).toEqual(["n1 2:2"]);
});

it("is refused in the end by who goes on refusing it", () => {
  let state = sent;
  for (let seq = 0; state.size > 0; seq++) {
    const now = NOW + 300 * seq;
    const refusal = answered({ type: "refused", error: LATER }, n1, seq);
    const [refused] = stepOutbox(state, { ...refusal, now, random: 0.999 });
    const wakeAt = outboxWakeAt(refused);
    if (wakeAt !== null) expect(wakeAt).toBeLessThan(now + 300);
    [state] = stepOutbox(refused, { type: "woke", now: now + 300, random: 0 });
    expect(seq).toBeLessThan(3);
  }
});

it("sends ten thousand waiting writes once each, in full frames, a window of them at a time", () => {
  const writes = Array.from({ length: 10_000 }, (_, id) => writeOf(id));
  const [waiting] = stepped(begun, ...asked(...writes), { type: "flush" });
  let [state, effects] = stepped(waiting, linked(n1));
  expect(effects).toHaveLength(10);
  const seen: number[] = [];
  for (let next = effects.shift(); next; next = effects.shift()) {
    if (next.type !== "send" || next.message.type !== "OPS") continue;
    expect(next.message.ops).toHaveLength(FRAME_OPS_MAX);
    expect(underWay(state).length).toBeLessThanOrEqual(FLIGHTS_MAX * FRAME_OPS_MAX);
    seen.push(...next.message.ops.map((op) => ("stamp" in op ? op.stamp.millis : 0)));
    const [after, more] = stepped(state, answered(ALL_STORED, n1, next.message.seq));
    state = after;
    effects = [...effects, ...more];
  }
  expect(seen).toEqual(writes.map(({ op }) => op.stamp.millis));
  expect(state.size).toBe(0);
});

it("keeps frames and what is under way within their bounds", () => {
  const large = Array.from({ length: 100 }, (_, id) => writeOf(id, { bytes: 200_000 }));
  const [state, effects] = stepped(begun, linked(n1), ...asked(...large), { type: "flush" });
  const frames = effects.flatMap((effect) => (effect.type === "send" ? [effect.message] : []));
  expect(frames.map((frame) => frame.type === "OPS" && frame.ops.length)).toEqual([5, 5, 5, 5]);
  expect(underWay(state).length * 200_000).toBeLessThanOrEqual(4 * FRAME_BYTES_MAX);
});

it("puts what is acknowledged alike into one frame, and what has waited longest first", () => {
  const mixed = [readOf(1), writeOf(2), writeOf(3, { kind: "backup" }), readOf(4), writeOf(5)];
  const [, effects] = stepped(begun, linked(n1), ...asked(...mixed), { type: "flush" });
  const frames = effects.flatMap((effect) => (effect.type === "send" ? [effect.message] : []));
  expect(frames).toMatchObject([
    { type: "GET", seq: 0, keys: [{}, {}] },
    { type: "OPS", seq: 1, ops: [{}, {}] },
    { type: "OPS", seq: 2, ops: [{}], ack: "backup" },
  ]);
});

it("waits at no node while nobody owns its partition, or another does", () => {
  const waiting = (state: Outbox, place: Place): number => {
    const line = state.lines.get(place);
    return line ? countWaiting(line) : 0;
  };
  const [nowhere] = stepped(
    beginOutbox("c", 1_000),
    { type: "routed", routes: routesTo(2, null, null) },
    ...asked(writeOf(1), writeOf(2)),
    { type: "flush" },
  );
  expect(waiting(nowhere, NOWHERE)).toBe(2);
  const write = writeOf(3);
  const other = { ...write, op: { ...write.op, key: "l" } };
  const [split] = stepped(nowhere, ...asked(other), {
    type: "routed",
    routes: routesTo(3, n1, n2),
  });
  expect([waiting(split, NOWHERE), waiting(split, n1), waiting(split, n2)]).toEqual([0, 2, 1]);
});

it("finds a place for all that was asked before anybody knew how many partitions there are", () => {
  const keys = ["a", "b", "c", "d", "e", "f"];
  const writes = keys.map((key, id) => {
    const write = writeOf(id);
    return { ...write, op: { ...write.op, key } };
  });
  const [state] = stepped(
    beginOutbox("c", 1_000),
    ...asked(...writes),
    { type: "flush" },
    { type: "routed", routes: routesTo(1, n1, n2, n1, n2) },
  );
  const places = new Set<Place>();
  for (const [place, line] of state.lines)
    for (const ask of waitingAt(line)) {
      places.add(place);
      expect(place).toBe(partitionOf(ofAsk(ask).key, 4) % 2 === 0 ? n1 : n2);
    }
  expect(places).toEqual(new Set([n1, n2]));
});

it("gives no stamp twice, when a clock that was ahead was corrected and that time comes", () => {
  const AHEAD_MS = 100_000;
  const [clock, stamp] = stampAt(beginClock("c"), NOW + AHEAD_MS);
  const write = writeOf(1, { exposed: true });
  const was = { ...beginOutbox("c", 1_000), clock };
  const [state] = stepped(was, ...asked({ ...write, op: { ...write.op, stamp } }));
  const [corrected] = restampAll(state, -AHEAD_MS, NOW + AHEAD_MS);
  const [, again] = stampAt(corrected.clock, NOW + 2 * AHEAD_MS);
  expect(again).toMatchObject({ millis: stamp.millis, counter: stamp.counter });
  expect(again.node).not.toBe(stamp.node);
});
