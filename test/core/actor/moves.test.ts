/** Actors whose partition gets another owner: moved while they are called, lost with their owner, taken from it. */
import { describe, expect, it } from "vitest";
import type { NodeEvent } from "../../../src/core/node/events.ts";
import type { NodeId } from "../../../src/data/ids.ts";
import type { Stage } from "../../scripts/stage.ts";
import { A, B, C, P, entryOf, evict, ownerOf, silence, without, work } from "../trio.ts";
import { activationAt, call, journalAt, saidTo, stageWith, told, type Asked } from "./kit.ts";

type Decided = Extract<NodeEvent, { type: "decided" }>;

const move = (stage: Stage, to: NodeId): void =>
  stage.ask({ type: "MOVE_PARTITION", partitionId: P, to });

const phaseAt = (stage: Stage, id: NodeId): string | undefined => {
  const role = stage.node(id).disk.partitions.get(P)?.role;
  return role?.type === "owner" ? role.move?.phase : undefined;
};

/** From here on decisions take as long as whoever plays wants. */
function slow(stage: Stage): Decided[] {
  const late: Decided[] = [];
  stage.postpone = (_, event) => event.type === "decided" && late.push(event) > 0;
  return late;
}

/** Of a list that was told each number once, in order. */
const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

function expectWhole(stage: Stage, owner: NodeId, executed: number): void {
  expect(journalAt(stage, owner).map(({ sequence }) => sequence)).toEqual(
    count(executed).map((n) => n + 1),
  );
}

describe("a move", () => {
  it("refuses, loses and repeats no command, and keeps their order", () => {
    const stage = stageWith({ backupCount: 0 });
    const answers: Asked[] = [];
    const next = (): unknown => answers.push(call(stage, A, answers.length));
    for (let n = 0; n < 50; n++, stage.live(10)) next();
    move(stage, B);
    for (let n = 0; n < 300 && ownerOf(stage) === A; n++, stage.live(10)) next();
    expect(ownerOf(stage)).toBe(B);
    stage.live(1_000);
    const during = answers.length;
    const last = call(stage, B, during);
    stage.live(100);
    expect(saidTo(last)).toEqual(count(during + 1));
    expect(answers.map(told)).toEqual(count(during));
    expect(activationAt(stage, A)).toBeUndefined();
    expectWhole(stage, B, during + 1);
  });

  it("waits for a decision that is being made, and what comes meanwhile waits with it", () => {
    const stage = stageWith({ backupCount: 0 });
    call(stage, A, 0);
    stage.live(100);
    const late = slow(stage);
    const first = call(stage, A, 1);
    stage.live(10);
    move(stage, B);
    stage.live(1_000);
    const second = call(stage, A, 2, { id: "a" });
    const other = call(stage, A, 2, { id: "other" });
    stage.live(1_000);
    expect(phaseAt(stage, A)).toBe("closing");
    expect([first, second, other].map(saidTo)).toEqual([null, null, null]);
    expect(late).toHaveLength(1);
    stage.postpone = () => false;
    for (const event of late) stage.late(A, event);
    stage.live(1_000);
    expect(ownerOf(stage)).toBe(B);
    expect([first, second, other].map(saidTo)).toEqual([[0, 1], [0, 1, 2], [2]]);
    expectWhole(stage, B, 3);
  });

  it("waits no longer than a decision may take: then that is refused, to be asked again", () => {
    const stage = stageWith({ backupCount: 0 });
    slow(stage);
    const never = call(stage, A, 1);
    stage.live(10);
    move(stage, B);
    work(stage, 9_900);
    expect([phaseAt(stage, A), saidTo(never)]).toEqual(["closing", null]);
    work(stage, 1_000);
    expect(saidTo(never)).toBe("ACTOR_TIMED_OUT");
    expect(ownerOf(stage)).toBe(B);
  });

  it("that is cancelled lets what has waited go on here", () => {
    const stage = stageWith({ backupCount: 0 });
    const late = slow(stage);
    call(stage, A, 0);
    stage.live(10);
    move(stage, B);
    stage.live(1_000);
    const waiting = call(stage, A, 1);
    stage.live(100);
    stage.ask({ type: "CANCEL_MOVE", partitionId: P });
    stage.live(1_000);
    expect(phaseAt(stage, A)).toBeUndefined();
    stage.postpone = () => false;
    for (const event of late) stage.late(A, event);
    stage.live(100);
    expect(ownerOf(stage)).toBe(A);
    expect(saidTo(waiting)).toEqual([0, 1]);
  });

  it("gives up a decision that was begun when all was ready, and the new owner makes it [I13]", () => {
    const stage = stageWith({ backupCount: 0 });
    call(stage, A, 0);
    stage.live(100);
    stage.cut = (_from, _to, { type }) => type === "MIGRATE_READY";
    move(stage, B);
    stage.live(1_000);
    expect(phaseAt(stage, A)).toBe("ready");
    const late = slow(stage);
    const begun = call(stage, A, 1);
    const behind = call(stage, A, 2);
    stage.live(10);
    expect(late).toHaveLength(1);
    stage.postpone = () => false;
    stage.cut = () => false;
    work(stage, 3_000);
    expect(ownerOf(stage)).toBe(B);
    for (const event of late) stage.late(A, event);
    work(stage, 1_000);
    expect([begun, behind].map(saidTo)).toEqual([
      [0, 1],
      [0, 1, 2],
    ]);
    expectWhole(stage, B, 3);
  });
});

describe("an owner that is lost", () => {
  it("has answered nothing that the next one does not know, and nothing is executed twice [I6, I13]", () => {
    const stage = stageWith();
    const answers = count(5).map((n) => call(stage, A, n));
    stage.live(500);
    // The copy has these; that it has them nobody hears.
    silence(stage, [], "STREAM_ACK");
    const unheard = [5, 6].map((n) => call(stage, A, n));
    stage.live(20);
    expect(answers.map(told)).toEqual(count(5));
    expect(unheard.map(told)).toEqual([null, null]);
    without(stage, [A]);
    stage.ask(evict(A));
    work(stage, 5_000, [B, C]);
    expect(ownerOf(stage)).toBe(B);
    const again = [...answers, ...unheard].map(({ commandId }, n) =>
      call(stage, B, n, { commandId }),
    );
    const next = call(stage, B, 7);
    work(stage, 2_000, [B, C]);
    expect(again.map(told)).toEqual(count(7));
    expect(saidTo(next)).toEqual(count(8));
    expectWhole(stage, B, 8);
  });

  it("and goes on alone answers no question: what it knows may be over [I3]", () => {
    const stage = stageWith();
    call(stage, A, 0);
    stage.live(500);
    without(stage, [A]);
    const stale = call(stage, A, "get", { commandId: null });
    stage.ask(evict(A));
    work(stage, 4_000, [B, C]);
    call(stage, B, 1);
    work(stage, 2_000, [B, C]);
    expect(saidTo(stale)).toBeNull();
    expect(activationAt(stage, A)).toBeDefined();
    stage.cut = () => false;
    work(stage, 20_000);
    // It has passed the question on.
    expect(saidTo(stale)).toEqual([0, 1]);
  });

  it("and goes on alone answers no command: what it has left gives way when it is back, and is executed once", () => {
    const stage = stageWith();
    const before = call(stage, A, 0);
    stage.live(500);
    without(stage, [A]);
    const lost = [666, 667].map((n) => call(stage, A, n));
    stage.ask(evict(A));
    work(stage, 4_000, [B, C]);
    expect(ownerOf(stage)).toBe(B);
    const next = call(stage, B, 1);
    work(stage, 2_000, [B, C]);
    expect([told(before), told(next)]).toEqual([0, 1]);
    expect(lost.map(told)).toEqual([null, null]);
    expect(journalAt(stage, A)).toHaveLength(3);
    stage.cut = () => false;
    work(stage, 20_000);
    // It has passed them on under their names: they are executed by the owner of now, and answered.
    expect(lost.map(saidTo)).toEqual([
      [0, 1, 666],
      [0, 1, 666, 667],
    ]);
    expectWhole(stage, B, 4);
    const copies = entryOf(stage)?.ruling.copies ?? [];
    for (const { nodeId } of copies) expect(journalAt(stage, nodeId)).toEqual(journalAt(stage, B));
  });
});
