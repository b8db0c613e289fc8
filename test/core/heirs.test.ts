/** A former owner that comes back relies on what its successor got from it, and only where that still has it. */
import { describe, expect, it } from "vitest";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import type { Stage } from "../scripts/stage.ts";
import {
  A,
  B,
  C,
  P,
  cluster,
  entryOf,
  isAcked,
  ownerOf,
  put,
  silence,
  valueAt,
  work,
} from "./trio.ts";

/** A owns it, B backs it up, and a move to C gets no further than what the coordinator does not hear. */
function movingUntil(unheard: ClusterMessage["type"]): Stage {
  const stage = cluster({ backupCount: 1 });
  work(stage, 500);
  expect(entryOf(stage)?.ruling.copies).toEqual([{ nodeId: B, state: "complete" }]);
  silence(stage, [], unheard);
  stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: C });
  work(stage, 500);
  return stage;
}

/** The move is given up, A is lost, B takes over, and C gets it from there. */
function moveFromSuccessor(stage: Stage): void {
  silence(stage, [A]);
  stage.ask({ type: "CANCEL_MOVE", partitionId: P });
  work(stage, 6_000, [B, C]);
  expect(ownerOf(stage)).toBe(B);
  stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: C });
  work(stage, 2_000, [B, C]);
  expect(ownerOf(stage)).toBe(C);
}

describe("a copy that was struck, copied anew from a successor, and is owner", () => {
  it("is offered all that its former owner has, not only what came later [I6, sim seed 514409]", () => {
    const stage = movingUntil("COMPLETE");
    stage.cut = (from, to, { type }) => type === "COMPLETE" || (from === A && to === B);
    const write = put(stage, A, "k", 1);
    work(stage, 100, [A]);
    const [atB, atC] = [B, C].map((id) => valueAt(stage, id, "k"));
    expect([isAcked(stage, write), atB, atC]).toEqual([true, undefined, 1]);
    moveFromSuccessor(stage);
    silence(stage, []);
    work(stage, 5_000);
    expect(entryOf(stage)?.holders).not.toContain(A);
    expect(valueAt(stage, C, "k")).toBe(1);
  });

  it("is offered nothing by a former owner that was ready to give it away: its other copies had all [I6]", () => {
    const stage = movingUntil("MIGRATE_READY");
    stage.cut = (from, to, { type }) => type === "MIGRATE_READY" || (from === A && to === B);
    const write = put(stage, A, "k", 1);
    work(stage, 100, [A]);
    expect([isAcked(stage, write), valueAt(stage, C, "k")]).toEqual([false, 1]);
    moveFromSuccessor(stage);
    silence(stage, []);
    work(stage, 5_000);
    expect(isAcked(stage, write)).toBe(true);
    expect(valueAt(stage, C, "k")).toBe(1);
  });
});

describe("a copy that took over from its owner", () => {
  it("is offered only what that one had not given it yet", () => {
    const stage = cluster({ backupCount: 1 });
    for (const key of ["a", "b", "c"]) put(stage, A, key, 1);
    work(stage, 500);
    stage.cut = (from, to) => from === A && to === B;
    put(stage, A, "late", 1);
    silence(stage, [A]);
    work(stage, 6_000, [B, C]);
    expect(ownerOf(stage)).toBe(B);
    stage.lines.splice(0);
    silence(stage, []);
    work(stage, 5_000);
    const offers = stage.lines.filter((line) => line.includes("ROW_OFFER "));
    expect(offers.every((line) => line.includes("tail [late="))).toBe(true);
    expect(valueAt(stage, B, "late")).toBe(1);
  });
});
