/** What a client says of counters: once, whatever becomes of it. */
import { expect, it } from "vitest";
import type { Answer } from "../../src/client/machine/answer.ts";
import type { Counted } from "../../src/client/machine/ask.ts";
import {
  stepOutbox,
  type OutboxEffect,
  type OutboxEvent,
} from "../../src/client/machine/outbox.ts";
import { beginOutbox, type Outbox } from "../../src/client/machine/outbox-state.ts";
import { NodeId, Version } from "../../src/data/ids.ts";
import { makeError } from "../../src/protocol/errors.ts";
import type { AckLevel } from "../../src/protocol/ops.ts";
import { readOf } from "./worlds.ts";

const n1 = NodeId("n1");
type Said<Event> = Event extends unknown ? Omit<Event, "now" | "random"> : never;

const countOf = (id: number, by: number, kind: AckLevel = "owner", key = "k"): Counted => ({
  id,
  kind,
  bytes: 100,
  refused: null,
  redirectedAt: null,
  op: { type: "count", map: "m", key, inc: 0, dec: 0 },
  by,
  riders: [],
});
const sumOf = (id: number) => readOf(id, { key: { type: "total", map: "m", key: "k" } });

/** One client, one node: what is sent, and what is settled. */
class Play {
  state: Outbox = beginOutbox("c", 0);
  readonly sent: unknown[] = [];
  readonly settled: string[] = [];

  constructor() {
    this.do({ type: "routed", routes: { version: Version(1), places: [n1] } });
    this.do({ type: "linked", place: n1, creditOps: 16_000 });
  }

  do(event: Said<OutboxEvent>): void {
    const [state, effects] = stepOutbox(this.state, { ...event, now: 1_000, random: 0 });
    this.state = state;
    for (const effect of effects) this.#note(effect);
  }

  #note(effect: OutboxEffect): void {
    if (effect.type === "settled")
      this.settled.push(...effect.all.map(({ ask, outcome }) => `${ask.id} ${outcome.type}`));
    if (effect.type !== "send") return;
    const { message } = effect;
    if (message.type === "GET") this.sent.push("sum?");
    else for (const op of message.ops) this.sent.push("inc" in op ? [op.inc, op.dec] : op);
  }

  ask(...asks: readonly (Counted | ReturnType<typeof sumOf>)[]): void {
    for (const ask of asks) this.do({ type: "asked", ask });
    this.do({ type: "flush" });
  }

  answer(seq: number, answer: Answer = { type: "stored-but", exceptions: new Map() }): void {
    this.do({ type: "answered", place: n1, seq, answer });
  }
}

const REFUSED = {
  type: "refused",
  error: makeError("OUTCOME_UNKNOWN", { partitionId: 0 }),
} as const;

it("has one total of a counter under way; what is added meanwhile goes out in one, and each is settled", () => {
  const play = new Play();
  play.ask(countOf(1, 1));
  play.ask(countOf(2, 2), countOf(3, -5), countOf(4, 1, "owner", "another"));
  expect(play.sent).toEqual([
    [1, 0],
    [1, 0],
  ]);
  play.answer(0);
  expect(play.sent.slice(2)).toEqual([[3, 5]]);
  expect(play.state.size).toBe(3);
  play.answer(2);
  play.answer(1);
  expect(play.settled).toEqual(["1 stored", "2 stored", "3 stored", "4 stored"]);
  play.ask(countOf(5, 1));
  expect(play.sent.slice(3), "nothing is added twice").toEqual([[4, 5]]);
  expect(play.state.size).toBe(1);
});

it("says the same total again when nobody knows what became of it", () => {
  const play = new Play();
  play.ask(countOf(1, 7));
  play.ask(countOf(2, 1));
  play.do({ type: "unlinked", place: n1 });
  play.do({ type: "linked", place: n1, creditOps: 16_000 });
  expect(play.sent).toEqual([
    [7, 0],
    [7, 0],
  ]);
});

it("takes back with the next total what was refused, as it may stand all the same", () => {
  const play = new Play();
  play.ask(countOf(1, 3, "backup"), countOf(2, -2, "backup"));
  play.answer(0, REFUSED);
  play.answer(1, REFUSED);
  expect(play.settled).toEqual(["1 refused", "2 refused"]);
  play.ask(countOf(3, 10));
  const [[first], [second], [inc, dec]] = play.sent as [number[], number[], [number, number]];
  expect([first, second]).toEqual([3, 3]);
  expect(inc - dec, "only what was added since").toBe(10);
  expect([inc, dec], "and neither side ever less than it was said before").toEqual([15, 5]);
});

it("asks for the sum when all is settled that was added before, and adds no more until it is answered", () => {
  const play = new Play();
  play.ask(countOf(1, 1), sumOf(2), countOf(3, 1), countOf(4, 1, "backup"), countOf(5, 1));
  expect(play.sent).toEqual([[1, 0]]);
  play.answer(0);
  expect(play.sent.slice(1)).toEqual(["sum?"]);
  play.answer(1, { type: "results", outcomes: [{ type: "total", inc: 1, dec: 0 }] });
  for (const seq of [2, 3, 4]) play.answer(seq);
  expect(play.sent.slice(2), "acknowledged as each was asked for").toEqual([
    [2, 0],
    [3, 0],
    [4, 0],
  ]);
  expect(play.state.size).toBe(0);
});

it("is closed with what waits for its turn", () => {
  const play = new Play();
  play.ask(countOf(1, 1), countOf(2, 1), sumOf(3));
  const { error } = REFUSED;
  play.do({ type: "close", error });
  expect(play.settled).toEqual(["1 refused", "2 refused", "3 refused"]);
  expect(play.state.size).toBe(0);
});
