/** What an application's own code may do wrong, and what becomes of it. */
import { describe, expect, it } from "vitest";
import { defineActor, type AnyActor, type Others } from "../../../src/core/actor/definition.ts";
import type { Decided } from "../../../src/core/actor/effects.ts";
import { Runner } from "../../../src/core/actor/runner.ts";
import { Errands } from "../../../src/objects/errands.ts";
import { EVENTS_MAX } from "../../../src/protocol/limits.ts";
import { decodeJson, encodeJson } from "../../../src/protocol/values.ts";

const OF = { map: "it", key: "a" };

const bytes = (value: unknown): Uint8Array => {
  const encoded = encodeJson(value, "value");
  if (!encoded.ok) throw new Error(encoded.error.message);
  return encoded.value;
};

const asked = { type: "decide", of: OF, version: 0, commandId: "c", command: bytes(1) } as const;
const times = { nowMs: 5, deadlineMs: 10 };
const alone = (): Others =>
  new Errands(
    () => expect.fail("it asks nobody"),
    () => 0,
  ).of(effectOf({}));
const effectOf = (facts: { readonly state?: unknown; readonly sinceSnapshot?: number }) => ({
  ...asked,
  state: [],
  sinceSnapshot: 1,
  ...facts,
  ...times,
  via: [],
  tag: null,
});

/** `decide` gives this, whatever it is. */
async function decidedBy(
  decide: () => unknown,
  more: Partial<AnyActor> = {},
  sinceSnapshot = 1,
): Promise<Decided> {
  const actor = { initial: [], decide, evolve: (state: unknown) => state, ...more } as AnyActor;
  const runner = new Runner(() => ({ it: actor }), alone);
  const event = await runner.perform(effectOf({ sinceSnapshot }));
  if (event.type !== "decided") throw new Error("it was asked to decide");
  return event.outcome;
}

const reasonOf = (outcome: Decided): unknown =>
  outcome.type === "failed" ? outcome.error.data["reason"] : outcome;

describe("a decision", () => {
  it.each([
    ["nothing", () => undefined, "decide must give events, or a refusal"],
    ["null", () => null, "decide must give events, or a refusal"],
    ["no list", () => ({ events: "one" }), "decide must give a list of events, or a refusal"],
    ["no events", () => ({ reply: 1 }), "decide must give a list of events, or a refusal"],
    ["too many", () => ({ events: Array(EVENTS_MAX + 1).fill(1) }), `at most ${EVENTS_MAX}`],
    ["a date", () => ({ events: [new Date()] }), "events must be made of JSON and byte arrays"],
    ["a function to answer", () => ({ events: [], reply: () => 1 }), "reply must be made of JSON"],
    ["a refusal without a name", () => ({ refusal: "" }), "refusal is 0 bytes"],
    ["an error", () => Promise.reject(new Error("later")), "later"],
  ])("that is %s fails, and says why", async (_, decide, reason) => {
    expect(reasonOf(await decidedBy(decide))).toContain(reason);
  });

  it("may be anything that can be awaited", async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- as some libraries have it
    const thenable = { then: (heed: (decision: object) => void) => heed({ events: [1, 2] }) };
    expect(await decidedBy(() => thenable)).toMatchObject({ type: "executed", count: 2 });
  });

  it("that fails where its events are applied has come to nothing", async () => {
    const evolve = (): never => {
      throw new Error("broken");
    };
    expect(reasonOf(await decidedBy(() => ({ events: [1] }), { evolve }))).toBe("broken");
  });

  it("is applied as it will be read", async () => {
    const seen: unknown[] = [];
    const evolve = (state: unknown, event: unknown): unknown => (seen.push(event), state);
    await decidedBy(() => ({ events: [{ a: 1, b: undefined }] }), { evolve });
    expect(seen).toStrictEqual([{ a: 1 }]);
  });

  it("comes with the state when a snapshot is due, unless that is no value", async () => {
    const due = (state: unknown) =>
      decidedBy(() => ({ events: [1] }), { evolve: () => state, snapshotEvery: 3 }, 3);
    expect(await due([7])).toMatchObject({ frozen: { schemaVersion: 1, state: bytes([7]) } });
    const none = { type: "executed", frozen: { state: null } };
    expect(await due(new Map())).toMatchObject(none);
    expect(await due("x".repeat(300_000))).toMatchObject(none);
  });
});

it("each actor begins with a state of its own", () => {
  const actor = defineActor<{ n: number }, null, number>({
    initial: { n: 0 },
    decide: () => ({ events: [1] }),
    // As it must not be written.
    evolve: (state, by) => {
      state.n += by;
      return state;
    },
  });
  const runner = new Runner(() => ({ it: actor }), alone);
  const from = { type: "initial" } as const;
  const states = [1, 2].map(() => {
    const effect = { type: "replay", of: OF, from, events: [bytes([1])], tag: null } as const;
    const event = runner.perform(effect);
    if (event instanceof Promise || event.type !== "replayed")
      throw new Error("it replays at once");
    return "state" in event.outcome ? event.outcome.state : null;
  });
  expect(states).toEqual([{ n: 1 }, { n: 1 }]);
  expect(decodeJson(bytes(states[0]), "state")).toMatchObject({ ok: true });
});
