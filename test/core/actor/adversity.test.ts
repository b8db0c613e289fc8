/** Definitions that do what they must not, and commands that meet where nobody looks. */
import { describe, expect, it } from "vitest";
import { refuse } from "../../../src/core/actor/definition.ts";
import type { NodeEvent } from "../../../src/core/node/events.ts";
import { Seq, type NodeId } from "../../../src/data/ids.ts";
import { makeError } from "../../../src/protocol/errors.ts";
import type { CallOp, OpResult, ReadResult } from "../../../src/protocol/ops.ts";
import { encodeJson } from "../../../src/protocol/values.ts";
import type { Stage } from "../../scripts/stage.ts";
import { A, B, C, P, ownerOf, work } from "../trio.ts";
import { ACTORS, call, events, journalAt, rowsOf, saidTo, stageWith, told } from "./kit.ts";

type Decided = Extract<NodeEvent, { type: "decided" }>;
function slow(stage: Stage): Decided[] {
  const late: Decided[] = [];
  stage.postpone = (_, event) => event.type === "decided" && late.push(event) > 0;
  return late;
}
const bytes = (v: unknown): Uint8Array => {
  const b = encodeJson(v, "v");
  if (!b.ok) throw new Error(b.error.message);
  return b.value;
};

/** Several ops of one request. */
function together(
  stage: Stage,
  at: NodeId,
  ids: readonly string[],
): { results: readonly (OpResult | ReadResult)[] } {
  const answer: { results: readonly (OpResult | ReadResult)[] } = { results: [] };
  const ops = ids.map((id, n): CallOp => ({
    type: "call",
    map: "list",
    key: id,
    commandId: `t${id}`,
    expectedVersion: null,
    command: bytes(n),
  }));
  const message = {
    type: "OP_FORWARD",
    sourceNodeId: "front",
    forwardId: Seq(1),
    rulings: [],
    ops,
    ack: "backup",
  } as const;
  const { term } = stage.node(at).disk.self;
  stage.receive(
    { cluster: stage.clusterId, from: "front", to: at, message, call: 1e6, term },
    (said) => {
      if (said.message.type === "OP_FORWARDED") answer.results = said.message.results;
    },
  );
  return answer;
}

const move = (stage: Stage, to: NodeId): void =>
  stage.ask({ type: "MOVE_PARTITION", partitionId: P, to });

describe("acknowledgements", () => {
  it("of an actor's entry are not believed for another's that was stored in the same event [I6]", () => {
    const stage = stageWith();
    // The copy gets the one, and never the other.
    stage.cut = (_from, _to, m) =>
      m.type === "MIGRATE_DATA" && m.deltas.some(({ key }) => key === "b");
    const both = together(stage, A, ["a", "b"]);
    stage.live(300);
    expect(journalAt(stage, A, "b")).toHaveLength(1);
    expect(journalAt(stage, B, "a")).toHaveLength(1);
    expect(journalAt(stage, B, "b")).toHaveLength(0);
    expect(both.results).toEqual([]);
  });

  it("nor by commands that waited for a decision, which fails, while a move closed", () => {
    const stage = stageWith({ backupCount: 1 });
    for (const id of ["x", "a", "b"]) call(stage, A, 0, { id });
    stage.live(300);
    const late = slow(stage);
    call(stage, A, 1, { id: "x" });
    stage.live(10);
    move(stage, C);
    stage.live(1_000);
    const [a, b] = [call(stage, A, 1, { id: "a" }), call(stage, A, 1, { id: "b" })];
    stage.live(100);
    expect([saidTo(a), saidTo(b)]).toEqual([null, null]);
    stage.postpone = () => false;
    stage.cut = (_from, _to, m) =>
      m.type === "MIGRATE_READY" ||
      (m.type === "MIGRATE_DATA" && m.deltas.some(({ key }) => key === "b"));
    const error = makeError("ACTOR_FAILED", { actorType: "list", actorId: "x", reason: "late" });
    for (const event of late) stage.late(A, { ...event, outcome: { type: "failed", error } });
    stage.live(200);
    expect(saidTo(a)).toEqual([0, 1]);
    expect([B, C].map((id) => journalAt(stage, id, "b").length)).toEqual([1, 1]);
    expect(saidTo(b)).toBeNull();
  });
});

describe("a mailbox", () => {
  it("goes on behind a question that is for another version", () => {
    const stage = stageWith();
    call(stage, A, 0);
    stage.live(100);
    const late = slow(stage);
    const first = call(stage, A, 1);
    const question = call(stage, A, "get", { commandId: null, expectedVersion: 77 });
    const behind = call(stage, A, 2);
    stage.live(10);
    stage.postpone = () => false;
    for (const event of late) stage.late(A, event);
    work(stage, 60_000);
    expect([first, question].map(told)).toEqual([1, "VERSION_CONFLICT"]);
    expect(saidTo(behind)).toEqual([0, 1, 2]);
  });

  it("gives up each of two decisions that never come", () => {
    const stage = stageWith();
    slow(stage);
    const answers = [call(stage, A, 1), call(stage, A, 2)];
    work(stage, 60_000);
    expect(answers.map(saidTo)).toEqual(["ACTOR_TIMED_OUT", "ACTOR_TIMED_OUT"]);
  });
});

describe("a node whose actors are all at work", () => {
  it("says what there is too much of", () => {
    const stage = stageWith();
    slow(stage);
    for (let n = 0; n < 2_048; n++) call(stage, A, 1, { id: `busy${n}` });
    stage.live(50);
    const one = call(stage, A, 1, { id: "one" });
    stage.live(50);
    expect(one.result).toMatchObject({ error: { data: { value: 2_049, max: 2_048 } } });
  });
});

describe("a definition", () => {
  const wakes = (stage: Stage): unknown => {
    stage.node(A).crash();
    const next = call(stage, A, 5);
    stage.live(100);
    return saidTo(next);
  };

  it("that gives bytes for its events does not make a journal that nobody can read", () => {
    const stage = stageWith();
    let given: readonly unknown[] = Uint8Array.of(1, 2) as unknown as readonly unknown[];
    stage.actors = {
      list: {
        initial: 0,
        decide: () => ({ events: given, reply: 1 }),
        evolve: (s) => (s as number) + 1,
      },
    };
    const first = call(stage, A, 1);
    stage.live(100);
    given = [1];
    expect([saidTo(first), wakes(stage)]).toEqual(["ACTOR_FAILED", 1]);
  });

  it("has the same state now and when it is replayed, whatever its events lack", () => {
    const stage = stageWith();
    stage.actors = {
      list: {
        initial: 0,
        decide: (state, command) =>
          command === "get"
            ? { events: [], reply: state }
            : { events: [{ by: undefined }], reply: state },
        evolve: (s, e) => (s as number) + ("by" in (e as object) ? 1 : 10),
      },
    };
    call(stage, A, "go");
    stage.live(100);
    const live = call(stage, A, "get");
    stage.live(100);
    stage.node(A).crash();
    const replayed = call(stage, A, "get");
    stage.live(100);
    expect(saidTo(live)).toEqual(saidTo(replayed));
  });

  it("keeps its state when an entry that was too large is not stored", () => {
    const stage = stageWith();
    stage.actors = {
      list: {
        initial: { n: 0 },
        decide: (state, command) =>
          command === "get"
            ? { events: [], reply: state }
            : { events: ["x".repeat(200_000)], reply: "y".repeat(200_000) },
        evolve: (s) => {
          (s as { n: number }).n++;
          return s;
        },
      },
    };
    const big = call(stage, A, "go");
    stage.live(100);
    const other = call(stage, A, "get", { id: "other" });
    stage.live(100);
    expect([saidTo(big), saidTo(other)]).toEqual(["ACTOR_FAILED", { n: 0 }]);
  });

  it("that throws what is no text fails by itself, and others go on", () => {
    const stage = stageWith();
    stage.actors = {
      ...ACTORS,
      bad: {
        initial: 0,
        decide: () => {
          throw Object.create(null);
        },
        evolve: (s) => s,
      },
    };
    const bad = call(stage, A, 1, { type: "bad" });
    expect(() => stage.live(100)).not.toThrow();
    expect(saidTo(bad)).toBe("ACTOR_FAILED");
  });

  it("that throws a long text is answered in what an error may hold", () => {
    const stage = stageWith();
    stage.actors = {
      list: {
        initial: 0,
        decide: () => {
          throw new Error("x".repeat(500_000));
        },
        evolve: (s) => s,
      },
    };
    const bad = call(stage, A, 1);
    stage.live(100);
    const { result } = bad;
    const reason = result?.type === "refused" ? String(result.error.data["reason"]) : "";
    expect([saidTo(bad), reason.length <= 1_024]).toEqual(["ACTOR_FAILED", true]);
  });

  it("that refuses under a name of ours fails", () => {
    const stage = stageWith();
    stage.actors = {
      list: { initial: 0, decide: () => refuse("$version-conflict", "abc"), evolve: (s) => s },
    };
    const bad = call(stage, A, 1);
    stage.live(100);
    expect(bad.result).toMatchObject({ error: { code: "ACTOR_FAILED" } });
  });
});

describe("an event without a value in a list", () => {
  it("is refused, or replayed as it was", () => {
    const stage = stageWith();
    stage.actors = {
      list: {
        initial: [],
        decide: (state, command) =>
          command === "get"
            ? { events: [], reply: [String(state)] }
            : { events: [[undefined]], reply: 1 },
        evolve: (_, e) => String((e as unknown[])[0]),
      },
    };
    const go = call(stage, A, "go");
    stage.live(100);
    const live = call(stage, A, "get");
    stage.live(100);
    stage.node(A).crash();
    const replayed = call(stage, A, "get");
    stage.live(100);
    expect([saidTo(go), saidTo(live)]).toEqual([saidTo(go), saidTo(replayed)]);
  });
});

describe("a journal that is shown", () => {
  const shows = (event: unknown, reply: unknown): unknown => {
    const stage = stageWith();
    stage.actors = {
      list: { initial: 0, decide: () => ({ events: [event], reply }), evolve: (s) => s },
    };
    const done = call(stage, A, 1);
    stage.live(100);
    expect(saidTo(done)).toEqual(reply);
    const shown = events(stage, A, 1, 10);
    stage.live(100);
    return saidTo(shown);
  };

  it("may hold an event as deep as events may be", () => {
    let deep: unknown = 1;
    for (let n = 0; n < 62; n++) deep = [deep];
    expect(shows(deep, 1)).toMatchObject({ entries: [{}] });
  });

  it("may hold an entry as large as entries may be", () => {
    expect(shows("x".repeat(262_144 - 80), 1)).toMatchObject({ entries: [{}] });
  });
});

describe("a move", () => {
  it("hands commands over in their order, though a message is lost", () => {
    const stage = stageWith({ backupCount: 0 });
    call(stage, A, 0);
    stage.live(100);
    stage.cut = (_from, _to, { type }) => type === "MIGRATE_READY";
    move(stage, B);
    stage.live(1_000);
    slow(stage);
    const answers = [1, 2, 3].map((n) => call(stage, A, n));
    stage.live(10);
    stage.postpone = () => false;
    let lost = 0;
    stage.cut = (from, _to, { type }) => from === A && type === "OP_FORWARD" && lost++ === 0;
    work(stage, 5_000);
    expect(ownerOf(stage)).toBe(B);
    expect(lost).toBeGreaterThan(2);
    expect(answers.map(saidTo)).toEqual([
      [0, 1],
      [0, 1, 2],
      [0, 1, 2, 3],
    ]);
  });
});

describe("a snapshot", () => {
  it("that is too large to be stored is said to be", () => {
    const stage = stageWith();
    stage.actors = {
      list: {
        initial: "x".repeat(262_100),
        decide: () => ({ events: [1] }),
        evolve: (s) => s,
        snapshotEvery: 2,
      },
    };
    for (let n = 0; n < 6; n++) {
      call(stage, A, n);
      stage.live(50);
    }
    expect(rowsOf(stage, A, "event")).toHaveLength(6);
    expect(rowsOf(stage, A, "snapshot").length + stage.notices.length).toBeGreaterThan(0);
  });
});
