/** Commands of an actor: each once, in their order, answered when what they left is where it must be. */
import { describe, expect, it } from "vitest";
import { MAILBOX_MAX } from "../../../src/protocol/limits.ts";
import { A, B, C, P, silence, work } from "../trio.ts";
import { activationAt, call, journalAt, rowsOf, saidTo, stageWith, told } from "./kit.ts";

describe("an actor", () => {
  it("executes commands in their order, and every copy has what they left before it answers", () => {
    const stage = stageWith();
    const answers = [1, 2, 3].map((n) => call(stage, A, n));
    silence(stage, [], "STREAM_ACK");
    stage.live(100);
    expect(journalAt(stage, A).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(answers.map(saidTo)).toEqual([null, null, null]);
    silence(stage, []);
    stage.live(2_000);
    expect(answers.map(saidTo)).toEqual([[1], [1, 2], [1, 2, 3]]);
    expect(journalAt(stage, B)).toEqual(journalAt(stage, A));
  });

  it("answers a repeat of a command what it was answered first, and executes nothing [I13]", () => {
    const stage = stageWith();
    const first = call(stage, A, 1, { commandId: "x" });
    stage.live(100);
    call(stage, A, 2);
    const again = call(stage, A, 1, { commandId: "x" });
    stage.live(100);
    expect([saidTo(first), saidTo(again)]).toEqual([[1], [1]]);
    expect(journalAt(stage, A)).toHaveLength(2);
  });

  it("refuses a repeat of a refused command, though it could be executed by now [I13]", () => {
    const stage = stageWith();
    const early = call(stage, A, 1, { commandId: "x", expectedVersion: 1 });
    stage.live(100);
    expect(early.result).toMatchObject({ error: { data: { attempted: 1, current: 0 } } });
    call(stage, A, 7);
    stage.live(100);
    const again = call(stage, A, 1, { commandId: "x", expectedVersion: 1 });
    stage.live(100);
    expect(again.result).toEqual(early.result);
  });

  it("says which refusal it was, and why, and goes on", () => {
    const stage = stageWith();
    const no = call(stage, A, "no");
    const yes = call(stage, A, 5);
    stage.live(100);
    expect(no.result).toMatchObject({
      error: { code: "COMMAND_REFUSED", data: { refusal: "no", reason: "after 0", actorId: "a" } },
    });
    expect(saidTo(yes)).toEqual([5]);
  });

  it("takes a command for the version that it is at, and names both where it is not", () => {
    const stage = stageWith();
    const right = call(stage, A, 1, { expectedVersion: 0 });
    const wrong = call(stage, A, 2, { expectedVersion: 0 });
    stage.live(100);
    expect(saidTo(right)).toEqual([1]);
    expect(wrong.result).toMatchObject({
      error: {
        code: "VERSION_CONFLICT",
        data: { actorType: "list", actorId: "a", attempted: 0, current: 1 },
      },
    });
  });

  it("answers a question without an entry, but for one of its own epoch first", () => {
    const stage = stageWith();
    const ask = () => call(stage, A, "get", { commandId: null });
    const before = ask();
    stage.live(100);
    expect(saidTo(before)).toEqual([]);
    // What an earlier owner had sent and nobody was told of can take its number no more.
    expect(journalAt(stage, A)).toMatchObject([{ sequence: 1, commandId: null, version: 0 }]);
    call(stage, A, 1);
    const after = ask();
    stage.live(100);
    expect(saidTo(after)).toEqual([1]);
    expect(journalAt(stage, A)).toHaveLength(2);
  });

  it("answers a question when every copy has said that it is owner still, and stores nothing for it", () => {
    const stage = stageWith();
    call(stage, A, 1);
    stage.live(100);
    const written = rowsOf(stage, B, "event");
    stage.cut = (_from, _to, { type }) => type === "STREAM_ACK";
    const question = call(stage, A, "get", { commandId: null });
    stage.live(100);
    expect(saidTo(question)).toBeNull();
    stage.cut = () => false;
    stage.live(3_000);
    expect(saidTo(question)).toEqual([1]);
    expect(rowsOf(stage, B, "event")).toEqual(written);
  });

  it("takes no word of a copy for an answer that was given before the question", () => {
    const stage = stageWith();
    call(stage, A, 1);
    stage.live(100);
    let sent = 0;
    stage.cut = (_from, _to, message) =>
      message.type === "MIGRATE_DATA" && message.deltas.length > 0 && ++sent > 1;
    const [command, question] = [call(stage, A, 2), call(stage, A, "get", { commandId: null })];
    stage.live(100);
    expect([told(command), told(question)]).toEqual([2, null]);
    stage.cut = () => false;
    stage.live(3_000);
    expect(saidTo(question)).toEqual([1, 2]);
  });

  it("refuses a question that would leave something", () => {
    const stage = stageWith();
    const asked = call(stage, A, 1, { commandId: null });
    stage.live(100);
    expect(saidTo(asked)).toBe("COMMAND_WITHOUT_ID");
    expect(journalAt(stage, A)).toEqual([]);
  });

  it("does not know a type that nobody has defined, and answers for itself where it fails", () => {
    const stage = stageWith();
    const stranger = call(stage, A, 1, { type: "nobody" });
    stage.actors = {
      list: {
        initial: [],
        decide: () => {
          throw new Error("broken");
        },
        evolve: (state) => state,
      },
    };
    const broken = call(stage, A, 1);
    stage.live(100);
    expect(saidTo(stranger)).toBe("ACTOR_UNKNOWN");
    expect(broken.result).toMatchObject({
      error: { code: "ACTOR_FAILED", retry: "later", data: { reason: "broken" } },
    });
    expect(rowsOf(stage, A, "event")).toEqual([]);
  });

  it("sends the front to its owner from any other node", () => {
    const stage = stageWith();
    const answers = [A, B, C].map((at, n) => call(stage, at, n));
    stage.live(500);
    expect(answers.map(told)).toEqual([0, "NOT_OWNER", "NOT_OWNER"]);
  });

  it("takes no more commands than its mailbox holds", () => {
    const stage = stageWith();
    const late: Parameters<typeof stage.late>[1][] = [];
    stage.postpone = (_, event) => event.type === "decided" && late.push(event) > 0;
    const answers = Array.from({ length: MAILBOX_MAX + 3 }, (_, n) => call(stage, A, n));
    stage.live(100);
    // One is being decided.
    expect(answers.map(saidTo).filter((said) => said === "ACTOR_BUSY")).toHaveLength(2);
    expect(answers.slice(0, -2).every(({ result }) => result === null)).toBe(true);
    stage.postpone = () => false;
    for (const event of late) stage.late(A, event);
    stage.live(500);
    expect(answers.slice(0, -2).map(told)).toEqual(answers.slice(0, -2).map((_, n) => n));
  });

  it("gives up a decision that takes too long, and heeds it no more", () => {
    const stage = stageWith();
    const late: Parameters<typeof stage.late>[1][] = [];
    stage.postpone = (_, event) => event.type === "decided" && late.push(event) > 0;
    const slow = call(stage, A, 1);
    work(stage, 10_100);
    expect(slow.result).toMatchObject({ error: { code: "ACTOR_TIMED_OUT", retry: "later" } });
    const next = call(stage, A, 2);
    work(stage, 100);
    const [first, second] = late;
    if (first) stage.late(A, first);
    work(stage, 100);
    expect(saidTo(next)).toBeNull();
    if (second) stage.late(A, second);
    work(stage, 100);
    expect(saidTo(next)).toEqual([2]);
    expect(journalAt(stage, A)).toHaveLength(1);
  });

  it("makes room when nobody uses it, and is what it was when somebody does", () => {
    const stage = stageWith();
    call(stage, A, 1);
    stage.live(100);
    expect(activationAt(stage, A)).toBeDefined();
    stage.live(2 * stage.config.idleAfterMs);
    expect(activationAt(stage, A)).toBeUndefined();
    const next = call(stage, A, 2);
    stage.live(100);
    expect(saidTo(next)).toEqual([1, 2]);
    expect(journalAt(stage, A)).toHaveLength(2);
  });

  it("costs nothing while nobody asks", () => {
    const stage = stageWith();
    call(stage, A, 1);
    stage.live(100_000);
    stage.lines.splice(0);
    stage.live(600_000);
    expect(stage.lines).toEqual([]);
    expect(stage.node(A).disk.partitions.get(P)?.role.type).toBe("owner");
  });
});
