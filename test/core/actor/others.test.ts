/** Decisions that ask other actors and maps: each call once, none in a circle, and none that a move waits for in vain. */
import { describe, expect, it } from "vitest";
import {
  type CallError,
  defineActor,
  refuse,
  type Actors,
  type CommandContext,
  type Others,
} from "../../../src/core/actor/definition.ts";
import type { NodeEvent } from "../../../src/core/node/events.ts";
import type { NodeId } from "../../../src/data/ids.ts";
import { CALL_DEPTH_MAX } from "../../../src/protocol/limits.ts";
import type { Stage } from "../../scripts/stage.ts";
import { A, B, P, ownerOf } from "../trio.ts";
import { call, journalAt, saidTo, stageWith } from "./kit.ts";

type Context = CommandContext & Others;
type Decided = Extract<NodeEvent, { type: "decided" }>;

/** Does what it is told, and remembers what came of it. */
const doer = (decide: (context: Context, command: unknown) => Promise<unknown>) =>
  defineActor<readonly unknown[], unknown, unknown, unknown>({
    initial: [],
    decide: async (_, command, context) => {
      const reply = await decide(context, command);
      return { events: context.commandId === null ? [] : [reply], reply };
    },
    evolve: (state, event) => [...state, event],
  });

const sum = defineActor<number, number, number, number>({
  initial: 0,
  decide: (total, by) => {
    if (total + by < 0) return refuse("below-zero");
    return by === 0 ? { events: [], reply: total } : { events: [by], reply: total + by };
  },
  evolve: (total, by) => total + by,
});

/** Two nodes, actors with a backup, and decisions that come when they come. */
class Play {
  readonly stage: Stage;
  readonly #late: { readonly id: NodeId; readonly event: Decided }[] = [];

  constructor(actors: Actors, backupCount = 1) {
    this.stage = stageWith({ backupCount }, { sum, ...actors });
    this.stage.postpone = (id, event) => {
      const coming: unknown = event;
      if (!(coming instanceof Promise)) return false;
      void coming.then((decided: Decided) => this.#late.push({ id, event: decided }));
      return true;
    };
  }

  async live(ms: number): Promise<void> {
    for (let at = 0; at < ms; at += 10) {
      this.stage.live(10);
      // Whatever goes on with what has come does so before the next message.
      for (let i = 0; i < 20; i++) await Promise.resolve();
      for (const { id, event } of this.#late.splice(0)) this.stage.late(id, event);
    }
  }

  async said(type: string, command: unknown, commandId?: string | null): Promise<unknown> {
    const asked = call(this.stage, A, command, {
      type,
      ...(commandId !== undefined && { commandId }),
    });
    await this.live(200);
    const { result } = asked;
    return result?.type === "refused" ? result.error : saidTo(asked);
  }
}

const adder = doer(async (context, by) => context.call("sum", "a", by));

describe("a decision that calls another actor", () => {
  it("gets its reply, and is answered when both are at every copy", async () => {
    const play = new Play({ adder });
    expect(await play.said("adder", 5)).toBe(5);
    expect(await play.said("adder", 2)).toBe(7);
    for (const id of [A, B]) expect(journalAt(play.stage, id)).toHaveLength(4);
  });

  it("has each call executed once, however often it is made", async () => {
    let attempts = 0;
    const twice = doer(async ({ call: other }) => {
      const first = await other("sum", "a", 1);
      const second = await other("sum", "a", 1);
      if (attempts++ === 0) throw new Error("the first time it fails after all");
      return [first, second];
    });
    const play = new Play({ twice });
    expect(await play.said("twice", null, "x")).toMatchObject({ code: "ACTOR_FAILED" });
    expect(await play.said("twice", null, "x")).toEqual([1, 2]);
    expect(await play.said("sum", 0, null)).toBe(2);
    expect(await play.said("twice", null, "y")).toEqual([3, 4]);
  });

  it("does not share its calls with another actor that was sent a command of the same id", async () => {
    const play = new Play({ adder, other: adder });
    expect(await play.said("adder", 1, "x")).toBe(1);
    expect(await play.said("other", 1, "x")).toBe(2);
  });

  it("is told of a refusal by name, and what it lets pass fails it", async () => {
    const careful = doer(async (context, by) =>
      context.call("sum", "a", by).catch((error: CallError) => [error.code, error.data["refusal"]]),
    );
    const play = new Play({ adder, careful });
    expect(await play.said("careful", -1)).toEqual(["COMMAND_REFUSED", "below-zero"]);
    expect(await play.said("adder", -1)).toMatchObject({ code: "ACTOR_FAILED" });
    const unknown = doer(async (context) => context.call("nobody", "a", 1));
    expect(await new Play({ unknown }).said("unknown", 1)).toMatchObject({
      code: "ACTOR_FAILED",
      data: { reason: 'no actor of the type "nobody" is defined' },
    });
  });

  it("passes on what may be asked again later", async () => {
    const failing = doer(() => Promise.reject(new Error("not today")));
    const calling = doer(async (context) => context.call("failing", "a", 1));
    expect(await new Play({ calling, failing }).said("calling", 1)).toMatchObject({
      code: "ACTOR_FAILED",
      retry: "later",
      data: { actorType: "failing" },
    });
  });

  it("says who calls", async () => {
    const who = doer(({ caller }) => Promise.resolve(caller));
    const asking = doer(async (context) => context.call("who", "a", 1));
    const play = new Play({ who, asking });
    expect(await play.said("who", 1)).toBeNull();
    expect(await play.said("asking", 1)).toEqual({ actorType: "asking", actorId: "a" });
  });

  it("waits for nobody who waits for it", async () => {
    const ping = doer(async (context) => context.call("pong", "a", 1));
    const pong = doer(async (context) =>
      context.call("ping", "a", 1).catch((error: CallError) => [error.code, error.data["chain"]]),
    );
    const play = new Play({ ping, pong });
    expect(await play.said("ping", 1)).toEqual(["CALL_CYCLE", "ping/a, pong/a"]);
    const itself = doer(async (context) =>
      context.ask("itself", "a", 1).catch((error: CallError) => error.code),
    );
    expect(await new Play({ itself }).said("itself", 1)).toBe("CALL_CYCLE");
  });

  it("is one of at most five that wait for each other", async () => {
    const down = doer(async (context, left) =>
      left === 1
        ? 1
        : context
            .call(`down${Number(left) - 1}`, "a", Number(left) - 1)
            .catch((error: CallError) => error.info),
    );
    const levels = Array.from({ length: CALL_DEPTH_MAX + 1 }, (_, i) => [`down${i + 1}`, down]);
    const play = new Play(Object.fromEntries(levels) as Actors);
    expect(await play.said(`down${CALL_DEPTH_MAX}`, CALL_DEPTH_MAX)).toBe(1);
    expect(await play.said(`down${CALL_DEPTH_MAX + 1}`, CALL_DEPTH_MAX + 1)).toMatchObject({
      code: "CALLS_TOO_DEEP",
      data: { value: CALL_DEPTH_MAX + 1, max: CALL_DEPTH_MAX },
    });
  });

  it("gets its reply though its partition is about to move, and commands from outside wait", async () => {
    let release = (): void => undefined;
    const open = new Promise<void>((resolve) => (release = resolve));
    const slow = doer(async (context) => {
      await open;
      return context.call("sum", "a", 1);
    });
    const play = new Play({ slow }, 0);
    await play.said("sum", 1);
    const first = call(play.stage, A, null, { type: "slow" });
    await play.live(10);
    play.stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    await play.live(1_000);
    const outside = call(play.stage, A, 1, { type: "sum", id: "b" });
    await play.live(100);
    expect([saidTo(first), saidTo(outside)]).toEqual([null, null]);
    release();
    await play.live(1_000);
    expect([saidTo(first), saidTo(outside)]).toEqual([2, 1]);
    expect(ownerOf(play.stage)).toBe(B);
  });
});

describe("a question", () => {
  it("may ask others, and changes nothing", async () => {
    const asking = doer(async (context) => context.ask("sum", "a", 0));
    const changing = doer(async (context) => context.call("sum", "a", 1));
    const writing = doer(async (context) => context.map("m").set("k", 1));
    const play = new Play({ asking, changing, writing });
    await play.said("sum", 3);
    expect(await play.said("asking", 0, null)).toBe(3);
    for (const type of ["changing", "writing"])
      expect(await play.said(type, 0, null), type).toMatchObject({
        code: "ACTOR_FAILED",
        data: { reason: expect.stringContaining("a question") as string },
      });
  });
});

describe("a decision that reads and writes a map", () => {
  it("finds what it has written, the later write of two, and nothing once that is deleted", async () => {
    const keeper = doer(async (context) => {
      const map = context.map("m");
      const before = (await map.get("k")) ?? "nothing";
      await map.set("k", 1);
      await map.set("k", 2);
      const after = await map.get("k");
      await map.delete("k");
      return [before, after, (await map.get("k")) ?? "nothing"];
    });
    expect(await new Play({ keeper }).said("keeper", 1)).toEqual(["nothing", 2, "nothing"]);
  });

  it("is refused what no map may hold, by the name of the field and the bound", async () => {
    const wrong = doer(async (context, what) => {
      const map = context.map(what === "map" ? "" : "m");
      const value = what === "value" ? "x".repeat(300_000) : 1;
      const ttl = what === "ttl" ? { ttl: -1 } : {};
      return map
        .set("k".repeat(what === "key" ? 600 : 1), value, ttl)
        .catch((e: CallError) => e.info);
    });
    const play = new Play({ wrong });
    for (const field of ["map", "key", "value", "ttl"])
      expect(await play.said("wrong", field), field).toMatchObject({ data: { field } });
  });
});
