/** Every state of a connection beside everything that may happen to it. */
import { expect, it } from "vitest";
import {
  beginSession,
  sessionWakeAt,
  stepSession,
  type Session,
  type SessionEvent,
} from "../../src/client/machine/session.ts";
import {
  PING_MS,
  PONG_MS_MAX,
  RECONNECT_MS_MAX,
  STEADY_MS,
  WELCOME_MS_MAX,
} from "../../src/client/limits.ts";
import { NodeId } from "../../src/data/ids.ts";
import { makeError } from "../../src/protocol/errors.ts";
import { SLOW_RETRY_MS } from "../../src/protocol/limits.ts";
import { tableOf, type Named } from "./table.ts";
import { welcomeOf } from "./worlds.ts";

const T = 1_000_000;
const N = NodeId("n1");
const moment = { now: T, random: 0.5 };

const STATES: Named<Session> = {
  waiting: { type: "waiting", until: T, attempt: 2 },
  connecting: { type: "connecting", since: T - 100, attempt: 2 },
  greeting: { type: "greeting", since: T - 100, attempt: 2 },
  live: { type: "live", node: N, since: T - STEADY_MS, attempt: 2, pingAt: T, pongBy: null },
  "live, pinged": {
    type: "live",
    node: N,
    since: T - STEADY_MS,
    attempt: 2,
    pingAt: T + 1,
    pongBy: T,
  },
  closed: { type: "closed" },
};

const EVENTS: Named<SessionEvent> = {
  opened: { ...moment, type: "opened" },
  welcomed: { ...moment, type: "welcomed", welcome: welcomeOf("n1", { nowMs: T + 250 }) },
  "refused for good": {
    ...moment,
    type: "refused",
    error: makeError("WRONG_CLUSTER_ID", { expected: "a", got: "b" }),
  },
  "refused for now": {
    ...moment,
    type: "refused",
    error: makeError("NOT_A_MEMBER", { nodeId: "n1" }),
  },
  ponged: { ...moment, type: "ponged" },
  lost: { ...moment, type: "lost", code: 1006 },
  "lost as slow": { ...moment, type: "lost", code: 1013 },
  woke: { ...moment, type: "woke" },
  close: { ...moment, type: "close" },
};

it("decides every cell", () => {
  const table = tableOf(STATES, EVENTS, (state, event) => {
    const [after, effects] = stepSession(state, event);
    const said = effects.map((effect) =>
      effect.type === "up" ? `up(clock ${effect.clockAheadMs})` : effect.type,
    );
    const wait = after.type === "waiting" && after !== state ? ` ${after.until - T} ms` : "";
    const same = after === state ? "-" : `${after.type}${wait}`;
    return [same, ...said].join(", ");
  });
  const again = "waiting 200 ms, hang-up";
  const down = "waiting 25 ms, hang-up, down";
  const slow = `waiting ${SLOW_RETRY_MS * 1.5} ms, hang-up`;
  const nothing = Object.fromEntries(Object.keys(EVENTS).map((event) => [event, "-"]));
  const live = {
    ...nothing,
    ponged: "live",
    lost: down,
    "lost as slow": `${slow}, down`,
    close: "closed, hang-up, down",
  };
  expect(table).toEqual({
    waiting: { ...nothing, woke: "connecting, connect", close: "closed" },
    connecting: {
      ...nothing,
      opened: "greeting, greet",
      lost: again,
      "lost as slow": slow,
      close: "closed, hang-up",
    },
    greeting: {
      ...nothing,
      welcomed: "live, up(clock 300)",
      "refused for good": "closed, hang-up, failed",
      "refused for now": again,
      lost: again,
      "lost as slow": slow,
      close: "closed, hang-up",
    },
    live: { ...live, woke: "live, ping" },
    "live, pinged": { ...live, woke: down },
    closed: nothing,
  });
});

it("wakes for what it waits for, and not before", () => {
  const wakes = Object.values(STATES).map(sessionWakeAt);
  expect(wakes).toEqual([T, T - 100 + WELCOME_MS_MAX, T - 100 + WELCOME_MS_MAX, T, T, null]);
  for (const state of Object.values(STATES)) {
    const early = { type: "woke", now: (sessionWakeAt(state) ?? T) - 1, random: 0 } as const;
    expect(stepSession(state, early)).toEqual([state, []]);
  }
});

it("gives up a node that does not welcome, and one whose heart stands still", () => {
  const late = { type: "woke", now: T - 100 + WELCOME_MS_MAX, random: 0 } as const;
  for (const name of ["connecting", "greeting"])
    expect(stepSession(STATES[name] ?? beginSession(0), late)[0]).toMatchObject({
      type: "waiting",
    });
  const [pinged] = stepSession(STATES["live"] ?? beginSession(0), { ...moment, type: "woke" });
  expect(pinged).toMatchObject({ pingAt: T + PING_MS, pongBy: T + PONG_MS_MAX });
  const [calm] = stepSession(pinged, { ...moment, type: "ponged" });
  expect(sessionWakeAt(calm)).toBe(T + PING_MS);
});

it("waits longer with each failure, up to a bound, and anew after a connection that has lasted", () => {
  let state: Session = beginSession(0);
  const pauses: number[] = [];
  for (let n = 0; n < 12; n++) {
    const now = sessionWakeAt(state) ?? 0;
    [state] = stepSession(state, { type: "woke", now, random: 0.999 });
    [state] = stepSession(state, { type: "lost", now, random: 0.999, code: 1006 });
    pauses.push((sessionWakeAt(state) ?? 0) - now);
  }
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
  expect(pauses.at(0)).toBeLessThan(100);
  expect(pauses.at(-1)).toBe(Math.floor(0.999 * RECONNECT_MS_MAX));
  const brief: Session = {
    type: "live",
    node: N,
    since: T - 1,
    attempt: 9,
    pingAt: T,
    pongBy: null,
  };
  expect(stepSession(brief, { ...moment, type: "lost", code: 0 })[0]).toMatchObject({
    attempt: 10,
  });
});
