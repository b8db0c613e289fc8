/** How commands go out, and again, and in which order: the machine alone. */
import { describe, expect, it } from "vitest";
import { CALLS_UNDER_WAY_MAX, CALL_TIMEOUT_MS } from "../../src/client/call-limits.ts";
import { closed } from "../../src/client/errors.ts";
import { FLIGHTS_MAX, PAUSE_MS_MAX } from "../../src/client/limits.ts";
import { callsWakeAt, stepCalls } from "../../src/client/machine/calls.ts";
import { beginCalls, type CallsEvent, type Ways } from "../../src/client/machine/calls-state.ts";
import type { Place } from "../../src/client/machine/router.ts";
import { partitionOf } from "../../src/data/hash.ts";
import { NodeId, Version } from "../../src/data/ids.ts";
import type { CallResult } from "../../src/protocol/client-messages.ts";
import { makeError, type ErrorInfo } from "../../src/protocol/errors.ts";
import { tableOf } from "./table.ts";

type Said<Event> = Event extends CallsEvent ? Omit<Event, "now" | "random" | "ways"> : never;

const [N1, N2] = [NodeId("n1"), NodeId("n2")];
const ANSWER_MS = 15_000;
const OF = { actorType: "counter", actorId: "a" };
const BUSY = makeError("ACTOR_BUSY", { ...OF, value: 9, max: 8 });
const FAILED = makeError("ACTOR_FAILED", { ...OF, reason: "a bug" });
const ELSEWHERE = makeError("NOT_OWNER", { partitionId: 0, ownerNodeId: "n2" });
const UNREACHABLE = makeError("OWNER_UNREACHABLE", { partitionId: 0 });
const DECLINED = makeError("COMMAND_REFUSED", { ...OF, refusal: "no-funds", reason: "" });
const reply = (version: number): CallResult => ({
  type: "reply",
  version,
  value: Uint8Array.of(1),
});
const refused = (error: ErrorInfo): CallResult => ({ type: "refused", error });

class Scene {
  state = beginCalls({ replicaId: "c", outboxMax: 5, answerMs: ANSWER_MS });
  now = 1_000;
  /** The owner of each partition. */
  owners: Place[] = [N1];
  version = 1;
  links = new Map<Place, number>([[N1, 7]]);
  creditOps = 16_000;

  get ways(): Ways {
    const { creditOps } = this;
    const links = [...this.links].map(([place, link]) => [place, { link, creditOps }] as const);
    return {
      routes: { version: Version(this.version), places: this.owners },
      links: new Map(links),
    };
  }

  /** What comes of it, one line each. */
  step(event: Said<CallsEvent>): readonly string[] {
    const moment = { now: this.now, random: 0.5, ways: this.ways };
    const [state, effects] = stepCalls(this.state, { ...event, ...moment });
    this.state = state;
    return effects.map((effect) => {
      switch (effect.type) {
        case "send": {
          const ids = effect.message.calls.map(({ key, commandId }) => `${key}:${commandId}`);
          return `over ${effect.link}: ${ids.join(" ")}`;
        }
        case "settled": {
          const { outcome, id } = effect;
          if (outcome.type === "reply") return `${id} has version ${outcome.version}`;
          return `${id} refused: ${outcome.error.code}`;
        }
        default:
          return `${effect.type} ${effect.link}`;
      }
    });
  }

  called(
    id: number,
    key = "a",
    more: { readonly commandId?: string | null | undefined; readonly timeoutMs?: number } = {},
  ): readonly string[] {
    const { commandId, timeoutMs = CALL_TIMEOUT_MS } = more;
    const call = {
      map: "counter",
      key,
      commandId,
      expectedVersion: null,
      command: Uint8Array.of(1),
    };
    return this.step({ type: "called", id, call, timeoutMs });
  }

  flush(): readonly string[] {
    return this.step({ type: "flush" });
  }

  /** To the frame that went out last. */
  answered(replies: readonly CallResult[], link = 7): readonly string[] {
    return this.step({ type: "answered", link, seq: this.state.seq - 1, replies });
  }

  woken(): readonly string[] {
    this.now = callsWakeAt(this.state);
    return this.step({ type: "woke" });
  }

  static calling(...keys: readonly string[]): Scene {
    const scene = new Scene();
    for (const [i, key] of keys.entries()) scene.called(i + 1, key);
    scene.flush();
    return scene;
  }
}

describe("order", () => {
  it("calls of one go share a frame, but for those of one actor: each waits for the one before", () => {
    const scene = new Scene();
    for (const [i, key] of ["a", "b", "a", "a"].entries())
      expect(scene.called(i + 1, key)).toEqual([]);
    expect(scene.flush()).toEqual(["over 7: a:c.1 b:c.2"]);
    expect(scene.answered([reply(1), reply(1)])).toEqual([
      "1 has version 1",
      "2 has version 1",
      "over 7: a:c.3",
    ]);
    expect(scene.answered([refused(DECLINED)])).toEqual([
      "3 refused: COMMAND_REFUSED",
      "over 7: a:c.4",
    ]);
    expect(scene.answered([reply(2)])).toEqual(["4 has version 2"]);
    expect(scene.state).toMatchObject({ size: 0, resting: [], ready: [] });
    expect([scene.state.flights.size, callsWakeAt(scene.state)]).toEqual([0, 31_000]);
    expect([scene.woken(), callsWakeAt(scene.state)]).toEqual([[], Infinity]);
  });

  it("who rests keeps those behind it waiting, and nobody else", () => {
    const scene = Scene.calling("a", "a", "b");
    expect(scene.answered([refused(BUSY), reply(1)])).toEqual(["3 has version 1"]);
    expect(scene.flush()).toEqual([]);
    expect(callsWakeAt(scene.state)).toBeLessThanOrEqual(1_000 + PAUSE_MS_MAX);
    expect(scene.woken()).toEqual(["over 7: a:c.1"]);
    expect(scene.answered([reply(1)])).toEqual(["1 has version 1", "over 7: a:c.2"]);
  });

  it("a question has no id, waits for its turn, and an id that was given is kept", () => {
    const scene = new Scene();
    scene.called(1, "a", { commandId: "mine" });
    scene.called(2, "a", { commandId: null });
    expect(scene.flush()).toEqual(["over 7: a:mine"]);
    expect(scene.answered([reply(1)])).toEqual(["1 has version 1", "over 7: a:null"]);
  });
});

describe("again", () => {
  it("a lost connection sends it out under its id over the next, and what comes over the old one counts for nothing", () => {
    const scene = Scene.calling("a", "a");
    const { seq } = scene.state;
    scene.links.delete(N1);
    expect(scene.step({ type: "unlinked", link: 7 })).toEqual([]);
    expect(scene.flush()).toEqual([]);
    scene.links.set(N1, 8);
    expect(scene.flush()).toEqual(["over 8: a:c.1"]);
    expect(scene.step({ type: "answered", link: 7, seq: seq - 1, replies: [reply(9)] })).toEqual(
      [],
    );
    expect(scene.step({ type: "answered", link: 7, seq, replies: [reply(9)] })).toEqual([]);
    expect(scene.answered([reply(1)], 8)).toEqual(["1 has version 1", "over 8: a:c.2"]);
  });

  it("NOT_OWNER sends it after its owner once by each map, then it rests and the map is asked for", () => {
    const scene = Scene.calling("a");
    scene.links.set(N2, 9);
    scene.owners = [N2];
    scene.version = 2;
    expect(scene.answered([refused(ELSEWHERE)])).toEqual(["over 9: a:c.1"]);
    scene.owners = [N1];
    expect(scene.answered([refused(ELSEWHERE)], 9)).toEqual(["astray 9"]);
    expect(scene.woken()).toEqual(["over 7: a:c.1"]);
    expect(scene.answered([refused(ELSEWHERE)])).toEqual(["astray 7"]);
    scene.owners = [N2];
    scene.version = 3;
    expect(scene.woken()).toEqual(["over 9: a:c.1"]);
    expect(scene.answered([reply(1)], 9)).toEqual(["1 has version 1"]);
  });

  it("goes nowhere while nobody owns it, and out as soon as somebody does", () => {
    const scene = new Scene();
    scene.owners = ["?"];
    scene.called(1);
    expect(scene.flush()).toEqual([]);
    scene.owners = [N1];
    expect(scene.flush()).toEqual(["over 7: a:c.1"]);
  });

  it("a frame that was not taken rests as a whole, unless that is for good", () => {
    const scene = Scene.calling("a", "b");
    const tooMuch = makeError("CREDIT_EXCEEDED", { field: "ops", value: 2, max: 1 });
    const seq = scene.state.seq - 1;
    expect(scene.step({ type: "refused", link: 7, seq, error: tooMuch })).toEqual([]);
    expect(scene.woken()).toEqual(["over 7: a:c.1 b:c.2"]);
    const error = makeError("UNKNOWN_MESSAGE", { type: "CALL" });
    expect(scene.step({ type: "refused", link: 7, seq: seq + 1, error })).toEqual([
      "1 refused: UNKNOWN_MESSAGE",
      "2 refused: UNKNOWN_MESSAGE",
    ]);
  });

  it("pauses grow up to a bound, and are drawn", () => {
    const scene = Scene.calling("a");
    const pauses: number[] = [];
    for (let times = 0; times < 8; times++) {
      scene.answered([refused(BUSY)]);
      const began = scene.now;
      scene.woken();
      pauses.push(scene.now - began);
    }
    expect(pauses).toEqual([50, 100, 200, 400, 800, 1_000, 1_000, 1_000]);
  });

  it("a node that does not answer is taken for lost", () => {
    const scene = Scene.calling("a");
    expect(callsWakeAt(scene.state)).toBe(1_000 + ANSWER_MS);
    expect(scene.woken()).toEqual(["silent 7"]);
    scene.links.set(N1, 8);
    expect(scene.step({ type: "unlinked", link: 7 })).toEqual(["over 8: a:c.1"]);
  });
});

describe("the end of patience", () => {
  /** What a call is told that is given up after all of these answers. */
  const toldAfter = (
    answers: readonly ("lost" | ErrorInfo)[],
    commandId?: null,
  ): string | undefined => {
    const scene = new Scene();
    scene.called(1, "a", { commandId, timeoutMs: 5_000 });
    scene.flush();
    for (const answer of answers) {
      if (answer === "lost") scene.step({ type: "unlinked", link: 7 });
      else scene.answered([refused(answer)]);
      if (answer !== "lost") scene.woken();
    }
    scene.now = 6_000;
    return scene.step({ type: "woke" })[0];
  };

  it.each([
    ["no answer", [], "OUTCOME_UNKNOWN"],
    ["a connection that was lost", ["lost"], "OUTCOME_UNKNOWN"],
    ["an owner that may have executed it", [UNREACHABLE], "OUTCOME_UNKNOWN"],
  ] as const)("after %s it is not known if it was executed", (_, answers, code) => {
    expect(toldAfter(answers)).toBe(`1 refused: ${code}`);
  });

  it("a question is told that nobody has answered, and leaves nothing to know", () => {
    expect(toldAfter([], null)).toBe("1 refused: UNREACHABLE");
    expect(toldAfter(["lost"], null)).toBe("1 refused: UNREACHABLE");
  });

  it("what was never sent was not executed, and what was refused each time is told why", () => {
    const scene = new Scene();
    scene.links.clear();
    scene.called(1, "a", { timeoutMs: 5_000 });
    scene.flush();
    scene.now = 6_000;
    expect(scene.step({ type: "woke" })).toEqual(["1 refused: UNREACHABLE"]);
    const failing = Scene.calling("a");
    failing.answered([refused(FAILED)]);
    failing.now = 31_000;
    expect(failing.step({ type: "woke" })).toEqual(["1 refused: ACTOR_FAILED"]);
  });

  it("what waits behind it goes out, unless its time is over, too", () => {
    const scene = Scene.calling("a", "a", "b");
    scene.called(4, "a", { timeoutMs: 60_000 });
    scene.answered([refused(BUSY), reply(1)]);
    scene.now = 31_000;
    expect(scene.step({ type: "woke" })).toEqual([
      "2 refused: UNREACHABLE",
      "1 refused: ACTOR_BUSY",
      "over 7: a:c.4",
    ]);
    expect(callsWakeAt(scene.state)).toBe(31_000 + ANSWER_MS);
    expect(scene.state.size).toBe(1);
  });

  it("an answer that comes after it counts for nothing, and takes nothing from who came after", () => {
    const scene = new Scene();
    scene.called(1, "a", { timeoutMs: 5_000 });
    scene.called(2, "a");
    scene.flush();
    const { seq } = scene.state;
    scene.now = 6_000;
    expect(scene.step({ type: "woke" })).toEqual(["1 refused: OUTCOME_UNKNOWN", "over 7: a:c.2"]);
    expect(scene.step({ type: "answered", link: 7, seq: seq - 1, replies: [reply(1)] })).toEqual(
      [],
    );
    expect(scene.answered([reply(2)])).toEqual(["2 has version 2"]);
  });
});

describe("bounds", () => {
  it("no more than may wait are taken", () => {
    const scene = Scene.calling("a", "b", "a", "d", "e");
    expect(scene.called(6, "f")).toEqual(["6 refused: OUTBOX_FULL"]);
    scene.answered(Array.from({ length: 4 }, () => reply(1)));
    expect(scene.called(7, "f")).toEqual([]);
  });

  it("under way are no more than the credit that others leave, and than calls may take", () => {
    const scene = new Scene();
    scene.state = beginCalls({ replicaId: "c", outboxMax: 1e6, answerMs: ANSWER_MS });
    scene.creditOps = 2;
    for (let id = 1; id <= CALLS_UNDER_WAY_MAX + 10; id++) scene.called(id, `k${id}`);
    expect(scene.flush()).toEqual(["over 7: k1:c.1 k2:c.2"]);
    scene.creditOps = 16_000;
    scene.flush();
    const underWay = [...scene.state.flights.values()].flatMap(({ calls }) => calls);
    expect([underWay.length, scene.state.ready.length]).toEqual([CALLS_UNDER_WAY_MAX, 10]);
    expect(scene.state.flights.size).toBeLessThanOrEqual(FLIGHTS_MAX);
  });

  it("a frame has no more bytes than a node reads", () => {
    const scene = new Scene();
    const command = new Uint8Array(256 * 1_024);
    for (const [i, key] of ["a", "b", "c", "d"].entries()) {
      const call = { map: "counter", key, commandId: undefined, expectedVersion: null, command };
      scene.step({ type: "called", id: i + 1, call, timeoutMs: 1_000 });
    }
    expect(scene.flush()).toEqual(["over 7: a:c.1 b:c.2 c:c.3", "over 7: d:c.4"]);
  });

  it("goes to the owner of its key's partition", () => {
    const scene = new Scene();
    scene.owners = [N1, N2];
    scene.links.set(N2, 9);
    const [here, there] = [0, 1].map((part) =>
      ["a", "b", "c", "d"].find((key) => partitionOf(key, 2) === part),
    );
    scene.called(1, here);
    scene.called(2, there);
    expect(scene.flush()).toEqual([`over 7: ${here}:c.1`, `over 9: ${there}:c.2`]);
  });
});

it("every state beside every event", () => {
  const states = {
    nothing: () => new Scene(),
    ready: () => {
      const scene = new Scene();
      scene.called(1);
      return scene;
    },
    "under way": () => Scene.calling("a", "a"),
    resting: () => {
      const scene = Scene.calling("a", "a");
      scene.answered([refused(BUSY)]);
      return scene;
    },
    over: () => {
      const scene = Scene.calling("a");
      scene.step({ type: "close", error: closed() });
      return scene;
    },
  };
  const events = {
    called: (scene: Scene) => scene.called(9),
    flush: (scene: Scene) => scene.flush(),
    unlinked: (scene: Scene) => scene.step({ type: "unlinked", link: 7 }),
    answered: (scene: Scene) => scene.answered([reply(1)]),
    refused: (scene: Scene) =>
      scene.step({ type: "refused", link: 7, seq: scene.state.seq - 1, error: BUSY }),
    "another's answer": (scene: Scene) => scene.answered([reply(1)], 8),
    woke: (scene: Scene) => {
      scene.now += PAUSE_MS_MAX;
      return scene.step({ type: "woke" });
    },
    close: (scene: Scene) => scene.step({ type: "close", error: closed() }),
  };
  const cellOf = (state: () => Scene, event: (scene: Scene) => readonly string[]): string =>
    event(state()).join("; ") || "-";
  const nothing = Object.fromEntries(Object.keys(events).map((name) => [name, "-"]));
  const goesOut = "over 7: a:c.1";
  const sent = Object.fromEntries(Object.keys(events).map((name) => [name, goesOut]));
  const closes = "1 refused: CLOSED; 2 refused: CLOSED";
  expect(tableOf(states, events, cellOf)).toEqual({
    nothing,
    ready: { ...sent, called: "-", close: "1 refused: CLOSED" },
    "under way": {
      ...nothing,
      unlinked: goesOut,
      answered: "1 has version 1; over 7: a:c.2",
      close: closes,
    },
    resting: { ...nothing, woke: goesOut, close: closes },
    over: { ...nothing, called: "9 refused: CLOSED" },
  });
});
