/** Who missed that somebody else owned a partition in between relies on nothing that it knew of the others before. */
import { describe, expect, it } from "vitest";
import type { Config } from "../../src/core/config.ts";
import { Epoch, type NodeId } from "../../src/data/ids.ts";
import type { Sender } from "../../src/protocol/cluster-messages.ts";
import type { Stage } from "../scripts/stage.ts";
import {
  A,
  B,
  C,
  D,
  P,
  cluster,
  entryOf,
  evict,
  isAcked,
  ownerOf,
  put,
  stateOf,
  valueAt,
  work,
} from "./trio.ts";

const ALL = [A, B, C, D];

/** These hear nothing but whether they are there, and say so, for themselves; those are heard by nobody either. */
function deaf(stage: Stage, ids: readonly Sender[], mute: readonly Sender[] = []): void {
  stage.cut = (from, to, { type }) =>
    from !== "front" &&
    to !== "front" &&
    ((ids.includes(to) && type !== "PROBE") ||
      mute.includes(from) ||
      type === "HEARTBEAT_COMPLAINT");
}

function claim(stage: Stage, nodeId: NodeId): void {
  for (let i = 0; i < 50 && stateOf(stage, nodeId) !== "active"; i++) work(stage, 50, ALL);
  const { epoch = Epoch(0) } = entryOf(stage)?.ruling ?? {};
  stage.ask({ type: "CLAIM_PARTITION", partitionId: P, nodeId, epoch });
  work(stage, 500, ALL);
  expect(ownerOf(stage)).toBe(nodeId);
}

const roleAt = (stage: Stage, id: NodeId) => stage.node(id).disk.partitions.get(P)?.role;

const listed = (...ids: readonly NodeId[]) => ids.map((nodeId) => ({ nodeId, state: "complete" }));

/** A owns it and has compared itself with B, its backup. */
function backedUp(settings: Partial<Config> = {}): Stage {
  const stage = cluster({ backupCount: 1, initialNodes: 4, ...settings });
  const write = put(stage, A, "before", 1, "backup");
  work(stage, 500, ALL);
  expect(isAcked(stage, write)).toBe(true);
  expect(entryOf(stage)?.ruling.copies).toContainEqual({ nodeId: B, state: "complete" });
  return stage;
}

describe("an owner that is named owner again, and missed that another one was,", () => {
  it("gets what that one and its copies acknowledged from the copies [I6]", () => {
    const stage = backedUp();
    deaf(stage, [A]);
    claim(stage, C);
    const write = put(stage, C, "k", 7, "backup");
    work(stage, 500, ALL);
    expect([isAcked(stage, write), valueAt(stage, B, "k")]).toEqual([true, 7]);
    deaf(stage, [A, C], [C]);
    claim(stage, A);
    expect(entryOf(stage)?.ruling.copies).toEqual(listed(B));
    deaf(stage, [C], [C]);
    work(stage, 1_000, [A, B, D]);
    expect(valueAt(stage, A, "k")).toBe(7);
  });

  it("sends all that it acknowledges as backed up to every copy that is complete [I6]", () => {
    const stage = backedUp({ backupCount: 2 });
    deaf(stage, [A]);
    claim(stage, D);
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: C });
    work(stage, 1_000, ALL);
    expect(ownerOf(stage)).toBe(C);
    claim(stage, A);
    expect(entryOf(stage)?.ruling.copies).toEqual(listed(B, D));
    deaf(stage, [C], [C]);
    work(stage, 100, ALL);
    const write = put(stage, A, "k", 7, "backup");
    work(stage, 1_000, [A, B, D]);
    expect(isAcked(stage, write)).toBe(true);
    expect([B, D].map((id) => valueAt(stage, id, "k"))).toEqual([7, 7]);
  });
});

describe("a copy that missed that its owner was none for a while", () => {
  it("offers that one all that it has when it is struck: who was owner in between may have lost it [I6]", () => {
    const stage = backedUp();
    deaf(stage, [B]);
    claim(stage, C);
    const write = put(stage, C, "later", 2, "backup");
    work(stage, 2_000, ALL);
    expect(isAcked(stage, write)).toBe(false);
    expect([entryOf(stage)?.ruling.copies, roleAt(stage, A)?.type]).toEqual([[], "none"]);
    deaf(stage, [B, C], [C]);
    claim(stage, A);
    stage.ask(evict(C));
    deaf(stage, [C], [C]);
    work(stage, 1_000, [A, B, D]);
    expect(valueAt(stage, A, "before")).toBe(1);
  });
});

describe("a copy that dropped what it had from its owner, and is its heir later,", () => {
  it("is offered all of it, however often that one was owner meanwhile [I6]", () => {
    const stage = backedUp();
    // B is given up and comes back, of which A does not hear, and then A is taken for gone.
    deaf(stage, [A, B], [B]);
    put(stage, A, "late", 1);
    work(stage, 3_000, ALL);
    expect(entryOf(stage)?.ruling.copies).not.toContainEqual(listed(B)[0]);
    deaf(stage, [A]);
    work(stage, 1_000, [B, C, D]);
    expect(roleAt(stage, B)?.type).toBe("none");
    claim(stage, C);
    work(stage, 1_000, ALL);
    expect(entryOf(stage)?.ruling.copies).toEqual(listed(B));
    claim(stage, A);
    expect(entryOf(stage)?.ruling.copies).toEqual(listed(B));
    deaf(stage, [A], [A]);
    work(stage, 4_000, [B, C, D]);
    expect([ownerOf(stage), valueAt(stage, B, "before")]).toEqual([B, undefined]);
    stage.cut = () => false;
    work(stage, 4_000, ALL);
    expect(valueAt(stage, B, "before")).toBe(1);
  });
});

describe("a copy of an owner that was owner before", () => {
  it("takes nothing that was sent to it then: the owner may not have it any more [I8]", () => {
    const stage = backedUp();
    stage.live(30_000);
    // On its way to B for as long as this test likes, and sent by A to nobody else.
    put(stage, A, "late", 7);
    const [late] = stage.letters.splice(0).filter(({ to }) => to === B);
    if (late?.message.type !== "MIGRATE_DATA") throw new Error("A has told its backup");
    expect(late.message).toMatchObject({ n: 0, deltas: [{ key: "late" }] });
    const isHidden = (from: Sender, to: Sender): boolean => from === A && to === B;
    deaf(stage, [A]);
    const deafA = stage.cut;
    stage.cut = (from, to, message) => isHidden(from, to) || deafA(from, to, message);
    claim(stage, C);
    stage.cut = (from, to) => isHidden(from, to) || (from === C && to === B);
    work(stage, 1_000, ALL);
    expect([roleAt(stage, A)?.type, valueAt(stage, C, "late")]).toEqual(["none", 7]);
    deaf(stage, [C], [C]);
    claim(stage, A);
    stage.ask(evict(C));
    work(stage, 1_000, [A, B, D]);
    expect(roleAt(stage, A)).toMatchObject({ type: "owner", copies: [{ nodeId: B }] });
    expect(valueAt(stage, A, "late")).toBeUndefined();
    stage.node(B).crash();
    stage.deliver(stage.again(late));
    expect(valueAt(stage, B, "late")).toBeUndefined();
    const write = put(stage, A, "k", 1, "backup");
    work(stage, 1_000, [A, B, D]);
    expect([isAcked(stage, write), valueAt(stage, B, "k")]).toEqual([true, 1]);
  });
});
