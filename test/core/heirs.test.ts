/** A former owner that comes back relies on what its successor got from it, and only where that still has it. */
import { describe, expect, it } from "vitest";
import { Term } from "../../src/data/ids.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
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

  it("is offered all likewise by one that was ready to give it away, and not in that very ruling [I6]", () => {
    const stage = movingUntil("MIGRATE_READY");
    stage.cut = (from, to, { type }) => type === "MIGRATE_READY" || (from === A && to === B);
    const write = put(stage, A, "k", 1);
    work(stage, 100, [A]);
    expect([isAcked(stage, write), valueAt(stage, C, "k")]).toEqual([false, 1]);
    moveFromSuccessor(stage);
    silence(stage, []);
    work(stage, 5_000);
    expect(stage.delivered.get("ROW_OFFER") ?? 0).toBeGreaterThan(0);
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

describe("a copy that was compared with a new owner", () => {
  it("takes no row of the former one, whose items come late: the new owner might never have it [I8]", () => {
    const stage = cluster({ backupCount: 2 });
    work(stage, 500);
    expect(entryOf(stage)?.ruling.copies.map(({ nodeId }) => nodeId)).toEqual([B, C]);
    const late: ClusterMessage[] = [];
    stage.cut = (from, to, message) => {
      if (message.type === "MIGRATE_DATA" && from === A && to === C) late.push(message);
      return message.type === "MIGRATE_DATA" && from === A;
    };
    const write = put(stage, A, "k", 1);
    work(stage, 100, [A]);
    expect(isAcked(stage, write)).toBe(true);
    silence(stage, [A]);
    work(stage, 6_000, [B, C]);
    expect(ownerOf(stage)).toBe(B);
    expect(stage.node(B).disk.partitions.get(P)?.role).toMatchObject({
      copies: [{ nodeId: C, state: "complete", digest: expect.stringMatching(/./) as string }],
    });
    const [message] = late;
    if (!message) throw new Error("nothing was under way");
    const { clusterId } = stage;
    const letter = { cluster: clusterId, from: A, to: C, message, call: 0, term: Term(0) };
    stage.deliver(stage.again(letter));
    expect([B, C].map((id) => valueAt(stage, id, "k"))).toEqual([undefined, undefined]);
    // Should its owner ever come back, all get it from there.
    silence(stage, []);
    work(stage, 5_000);
    expect([B, C].map((id) => valueAt(stage, id, "k"))).toEqual([1, 1]);
  });

  it("takes none either of one that waits for it, and the write is where it was acknowledged [I6]", () => {
    const stage = cluster({ backupCount: 1 });
    work(stage, 500);
    silence(stage, [], "MIGRATE_READY");
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: C });
    work(stage, 1_000);
    const late: ClusterMessage[] = [];
    const isHeld = (from: Sender, { type }: ClusterMessage): boolean =>
      from === A && type === "MIGRATE_DATA";
    stage.cut = (from, to, message) => {
      if (isHeld(from, message) && to === B) late.push(message);
      return isHeld(from, message) || (to === A && message.type !== "STREAM_ACK");
    };
    for (let i = 0; ownerOf(stage) === A && i < 100; i++) work(stage, 100, [B, C]);
    work(stage, 500, [B, C]);
    expect(ownerOf(stage)).toBe(C);
    expect(stage.node(A).disk.partitions.get(P)?.role.type).toBe("owner");
    const write = put(stage, A, "k", 1);
    work(stage, 100, [B, C]);
    expect(isAcked(stage, write)).toBe(false);
    const message = late.at(-1);
    if (!message) throw new Error("nothing was under way");
    const { clusterId } = stage;
    const letter = { cluster: clusterId, from: A, to: B, message, call: 0, term: Term(0) };
    stage.deliver(stage.again(letter));
    expect(valueAt(stage, B, "k")).toBeUndefined();
    // The answer alone tells it that it is owner no more.
    stage.live(100);
    expect(stage.node(A).disk.partitions.get(P)?.role.type).not.toBe("owner");
    silence(stage, []);
    work(stage, 5_000);
    expect(isAcked(stage, write)).toBe(true);
    expect([B, C].map((id) => valueAt(stage, id, "k"))).toEqual([1, 1]);
  });
});
