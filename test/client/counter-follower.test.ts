/** What a counter shows after a reload: what was told to the page before, and what that one has counted and not said. */
import { beforeEach, expect, it } from "vitest";
import { CounterFollower } from "../../src/client/counter-follower.ts";
import type { FollowerPort } from "../../src/client/follower.ts";
import type { Change, Outcome, Total } from "../../src/client/machine/ask.ts";
import { Told } from "../../src/client/told.ts";
import { COUNT_STAMP } from "../../src/data/count-stamp.ts";
import { Epoch, Seq } from "../../src/data/ids.ts";
import type { Query } from "../../src/protocol/subscription-messages.ts";
import { OF, P, REFUSED, totalsOf } from "./followed-steps.ts";

const STORED: Outcome = { type: "stored", stamp: COUNT_STAMP };

const common = { kind: "owner", bytes: 1, refused: null, redirectedAt: null } as const;
const leftBy = (replica: string, id: number, inc: number, dec = 0): Total => ({
  ...common,
  id,
  op: { type: "count", ...OF, inc, dec, replica },
});

/** A client that has counted nothing itself. */
const hub = {
  desk: { now: () => 0 },
  host: { client: { settings: { replicaId: "mine" }, outbox: { counters: new Map() } } },
  toldOf: ({ map }: Query) => new Told(map),
} as unknown as FollowerPort; // oxlint-disable-line typescript/no-unsafe-type-assertion -- all that it asks of it

let shown: number | undefined;
function follow(isKnown: boolean): CounterFollower {
  shown = undefined;
  return new CounterFollower(hub, OF, ({ value }) => (shown = Number(value)), isKnown);
}

const told = (replica: string, inc: number, dec = 0) => ({
  partitionId: P,
  position: { since: Epoch(1), seq: Seq(1) },
  replaces: null,
  rows: totalsOf(replica, { inc, dec }),
});

let counter: CounterFollower;
beforeEach(() => {
  counter = follow(true);
  counter.take([told("gone", 2), told("other", 5, 1)]);
});

it("shows nothing before all is known", () => {
  counter = follow(false);
  counter.take([told("other", 5)]);
  counter.wrote(leftBy("gone", 1, 3) satisfies Change);
  expect(shown).toBeUndefined();
  counter.synced();
  expect(shown).toBe(8);
});

it("shows what was told before, and instead of a part of it what was left unsaid", () => {
  expect(shown).toBe(6);
  counter.wrote(leftBy("gone", 1, 4, 1));
  expect(shown).toBe(4 + 4 - 1);
});

it("counts once what was left, before it is said, after, and when it is told", () => {
  counter.wrote(leftBy("gone", 1, 4));
  for (const step of [
    () => counter.settled(1, STORED),
    () => counter.take([told("gone", 4)]),
    () => counter.synced(),
  ]) {
    step();
    expect(shown).toBe(8);
  }
  counter = follow(true);
  counter.take([told("gone", 2), told("other", 5, 1)]);
  counter.wrote(leftBy("gone", 1, 4));
  counter.take([told("gone", 4)]);
  counter.settled(1, STORED);
  expect(shown).toBe(8);
});

it("is not shown less by what was told before it was acknowledged, and comes after that", () => {
  counter.wrote(leftBy("gone", 1, 4));
  counter.settled(1, STORED);
  counter.take([told("gone", 3)]);
  expect(shown).toBe(8);
  counter.take([told("gone", 4)]);
  expect(shown).toBe(8);
});

it("shows what stands where it is refused, or its owner has lost it", () => {
  counter.wrote(leftBy("gone", 1, 4));
  counter.settled(1, REFUSED);
  expect(shown).toBe(6);
  counter.wrote(leftBy("gone", 2, 7));
  counter.settled(2, STORED);
  expect(shown).toBe(11);
  counter.synced();
  expect(shown, "all that there is has been told").toBe(6);
});
