/** What an operator does by force, and what becomes of those whom it concerns. */
import { describe, expect, it } from "vitest";
import { Epoch, Seq } from "../../src/data/ids.ts";
import type { Ruling } from "../../src/data/ruling.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import type { Stage } from "../scripts/stage.ts";
import {
  A,
  B,
  C,
  D,
  E,
  P,
  ADD_ONE,
  cluster,
  entryOf,
  evict,
  isAcked,
  ownerOf,
  put,
  silence,
  stateOf,
  told,
  valueAt,
  withCopy,
  without,
  work,
} from "./trio.ts";

describe("without a quorum, behind an order that waits for one", () => {
  function withoutQuorum(): Stage {
    const stage = cluster();
    work(stage, 500);
    silence(stage, [A, B]);
    work(stage, 10_000, [C]);
    stage.lines.splice(0);
    stage.ask(ADD_ONE);
    return stage;
  }

  it("a partition is claimed all the same", () => {
    const stage = withoutQuorum();
    const { epoch } = entryOf(stage)?.ruling ?? {};
    if (epoch === undefined) throw new Error("the partition has been ruled on");
    for (const letter of stage.letters.splice(0)) stage.deliver(letter);
    stage.ask({ type: "CLAIM_PARTITION", partitionId: P, nodeId: C, epoch });
    const [claim] = stage.letters.splice(-1);
    if (claim) stage.deliver(claim);
    expect(told(stage), "at once").toEqual(["  operator: PLANNED n1 to n3"]);
    expect(ownerOf(stage)).toBe(C);
  });

  it("a node is evicted all the same", () => {
    const stage = withoutQuorum();
    stage.ask(evict(A));
    work(stage, 100, [C]);
    expect(told(stage)[0]).toContain("PLANNED");
    expect(stateOf(stage, A)).toBeUndefined();
  });

  it("or behind as many as may wait, although it must wait itself until all have been asked", () => {
    const stage = withoutQuorum();
    stage.coordinator.crash();
    for (let i = 0; i < 300; i++) stage.ask({ type: "REBALANCE" });
    stage.ask(evict(A));
    work(stage, 1_000, [C]);
    expect(told(stage).filter((line) => line.includes("NO_QUORUM")).length).toBeGreaterThan(40);
    expect(told(stage).filter((line) => line.includes("PLANNED"))).toHaveLength(1);
    expect(stateOf(stage, A)).toBeUndefined();
  });
});

describe("a partition that is claimed while owner and backup are cut off together", () => {
  function claimed(): Stage {
    const stage = cluster({ backupCount: 1, initialNodes: 5 });
    const [backup = A] = entryOf(stage)?.wantedBackups ?? [];
    expect(backup).toBe(B);
    silence(stage, [A, B]);
    work(stage, 15_000, [C, D, E]);
    const { ruling } = entryOf(stage) ?? {};
    expect(ruling).toMatchObject({ owner: null, copies: [] });
    const epoch = ruling?.epoch ?? Epoch(0);
    stage.ask({ type: "CLAIM_PARTITION", partitionId: P, nodeId: C, epoch });
    work(stage, 2_000, [C, D, E]);
    expect(ownerOf(stage)).toBe(C);
    return stage;
  }

  it("gets what these two acknowledge as backed up until they hear so [I6, sim seed 160165]", () => {
    const stage = claimed();
    const write = put(stage, A, "k", 7, "backup");
    work(stage, 200, [A, B]);
    expect(isAcked(stage, write)).toBe(true);
    expect(valueAt(stage, C, "k")).toBeUndefined();
    expect(entryOf(stage)?.holders).toEqual(expect.arrayContaining([A, B]));
    stage.cut = () => false;
    work(stage, 10_000, [A, B, C, D, E]);
    const { owner = null, copies = [] } = entryOf(stage)?.ruling ?? {};
    expect(copies).toHaveLength(1);
    for (const id of [owner ?? A, ...copies.map(({ nodeId }) => nodeId)])
      expect(valueAt(stage, id, "k")).toBe(7);
    expect(entryOf(stage)?.holders).toHaveLength(2);
  });
});

describe("a copy that is struck and given the partition by force, and hears only the first of it", () => {
  type Force = (struck: Ruling) => ClusterMessage;
  const claim: Force = ({ epoch }) => ({
    type: "CLAIM_PARTITION",
    partitionId: P,
    nodeId: B,
    epoch,
  });

  function struckFirst(force: Force = claim): Stage {
    const stage = withCopy();
    expect([A, B].map((id) => valueAt(stage, id, "k"))).toEqual([1, 1]);
    stage.cut = (from, to) => from === "coordinator" && [A, B].some((id) => id === to);
    stage.ask({ type: "CANCEL_MOVE", partitionId: P });
    work(stage, 200, []);
    const struck = entryOf(stage)?.ruling;
    if (!struck) throw new Error("the partition has been ruled on");
    expect(struck).toMatchObject({ owner: A, copies: [] });
    stage.ask(force(struck));
    work(stage, 200, []);
    expect(entryOf(stage)?.ruling).toMatchObject({ owner: B, copies: [] });
    stage.ask({ type: "STRIKE", ruling: struck }, B);
    work(stage, 50, []);
    expect(stage.node(B).disk.partitions.get(P)?.role.type).toBe("none");
    expect([A, B].map((id) => valueAt(stage, id, "k"))).toEqual([1, undefined]);
    return stage;
  }

  function isMended(stage: Stage): void {
    stage.cut = () => false;
    work(stage, 10_000);
    expect(valueAt(stage, B, "k")).toBe(1);
    expect(entryOf(stage)).toMatchObject({ ruling: { owner: B }, holders: [B] });
  }

  it("drops all, and is offered all by its owner, which was ready and missed the strike [I6]", () => {
    isMended(struckFirst());
  });

  it("is offered all likewise by one that is evicted [I6]", () => {
    isMended(struckFirst(() => evict(A)));
  });

  it("drops all, and begins with nothing where its owner is destroyed [sim seed 1156503]", () => {
    const stage = struckFirst();
    without(stage, [A]);
    work(stage, 2_000, [B, C]);
    stage.ask(evict(A));
    const write = put(stage, B, "other", 2);
    work(stage, 5_000, [B, C]);
    expect(isAcked(stage, write)).toBe(true);
    expect(["k", "other"].map((key) => valueAt(stage, B, key))).toEqual([undefined, 2]);
    expect(entryOf(stage)).toMatchObject({ ruling: { owner: B }, holders: [B] });
  });
});

describe("a node that is evicted and was there all the time", () => {
  it("is told, offers what it has, and sends its clients away", () => {
    const stage = cluster();
    const before = put(stage, A, "k", 1);
    work(stage, 500);
    stage.ask(evict(A));
    work(stage, 2_000);
    const owner = ownerOf(stage) ?? A;
    expect(isAcked(stage, before)).toBe(true);
    expect(owner).not.toBe(A);
    expect(valueAt(stage, owner, "k")).toBe(1);
    const { self, partitions } = stage.node(A).disk;
    expect(self.membership).toBe("removed");
    expect(partitions.get(P)?.role.type).toBe("none");
    stage.answers.splice(0);
    stage.client(A, { type: "HELLO", version: 1, cluster: stage.clusterId, forward: true });
    expect(stage.answers).toMatchObject([{ type: "ERROR", error: { code: "NOT_A_MEMBER" } }]);
  });

  it("and was on its way back: what it had acknowledged appears at the new owner [I6]", () => {
    const stage = cluster({ initialNodes: 4 });
    const write = put(stage, A, "k", 7);
    work(stage, 500);
    expect(isAcked(stage, write)).toBe(true);
    silence(stage, [A]);
    work(stage, 10_000, [B, C, D]);
    expect(stateOf(stage, A)).toBe("dead");
    silence(stage, [], "JOIN_REQUEST");
    work(stage, 1_000, [A, B, C, D]);
    expect(stage.node(A).disk.self.membership).toBe("joining");
    stage.ask(evict(A));
    work(stage, 2_000, [B, C, D]);
    stage.cut = () => false;
    work(stage, 10_000, [A, B, C, D]);
    expect(stage.node(A).disk.self.membership).toBe("removed");
    expect(valueAt(stage, ownerOf(stage) ?? A, "k")).toBe(7);
    expect(stage.node(A).rows.count(P)).toBe(0);
  });

  it("and slept: what it acknowledges until it hears appears at the new owner", () => {
    const stage = cluster();
    silence(stage, [A]);
    stage.ask(evict(A));
    stage.live(3_600_000);
    stage.cut = () => false;
    const op = { type: "write", map: "m", key: "h", stamp: null, expiresAt: null } as const;
    const ops = [{ ...op, value: Uint8Array.of(5) }];
    stage.ask(
      { type: "OP_FORWARD", sourceNodeId: "front", forwardId: Seq(1), rulings: [], ops },
      A,
    );
    stage.live(60_000);
    expect(told(stage)).toContain("  operator: OP_FORWARDED stored");
    expect(valueAt(stage, ownerOf(stage) ?? A, "h")).toBe(5);
    expect(stage.node(A).disk.self.membership).toBe("removed");
  });
});

describe("when the last is evicted that was to stay", () => {
  it("who was to leave keeps all, is to give it to nobody, and leaves once there is another [sim seed 130018]", () => {
    const stage = cluster();
    silence(stage, [], "MIGRATE_DATA");
    stage.ask({ type: "LEAVE_REQUEST", nodeId: A });
    work(stage, 500, [A]);
    expect(entryOf(stage)?.wanted).not.toBe(A);
    for (const nodeId of [B, C]) stage.ask(evict(nodeId));
    silence(stage, []);
    work(stage, 500, [A]);
    expect(entryOf(stage)).toMatchObject({ ruling: { owner: A }, wanted: A, move: null });
    stage.ask(ADD_ONE);
    work(stage, 20_000, [A]);
    expect(ownerOf(stage)).toBe("n4");
    expect(stateOf(stage, A)).toBeUndefined();
  });
});

describe("a partition that is claimed while its backup is to leave, and nobody is left but its owner", () => {
  it("wants none, and lets it leave [I11, sim seed 1272148]", () => {
    const stage = cluster({ backupCount: 1 });
    put(stage, A, "k", 1);
    work(stage, 500);
    const { epoch = Epoch(0), copies } = entryOf(stage)?.ruling ?? {};
    expect(copies).toEqual([{ nodeId: B, state: "complete" }]);
    without(stage, [C]);
    for (let i = 0; i < 50 && stateOf(stage, C) !== "suspect"; i++) work(stage, 100, [A, B]);
    stage.ask({ type: "LEAVE_REQUEST", nodeId: B });
    stage.live(10);
    expect([B, C].map((id) => stateOf(stage, id))).toEqual(["leaving", "suspect"]);
    // Both wait until all have been heard who can be, and are carried out together.
    stage.coordinator.crash();
    stage.ask(evict(C));
    stage.ask({ type: "CLAIM_PARTITION", partitionId: P, nodeId: A, epoch });
    stage.live(10);
    expect(entryOf(stage)?.ruling.epoch).toBe(epoch);
    work(stage, 20_000, [A, B]);
    expect(entryOf(stage)?.ruling.epoch).toBeGreaterThan(epoch);
    expect(stateOf(stage, B)).toBeUndefined();
    expect(entryOf(stage)).toMatchObject({ ruling: { owner: A, copies: [] }, wantedBackups: [] });
  });
});

describe("an operator's orders", () => {
  it("are carried out one after the other, also behind one by force that waits", () => {
    const stage = cluster({ initialNodes: 4 });
    work(stage, 500);
    silence(stage, [D]);
    stage.coordinator.crash();
    work(stage, 500);
    stage.lines.splice(0);
    stage.ask(evict(D));
    stage.ask(ADD_ONE);
    work(stage, 3_000);
    expect(told(stage).map((line) => line.split(" ")[3])).toEqual(["PLANNED", "NODES_ADDED"]);
  });
});
