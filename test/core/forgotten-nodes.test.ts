/** A coordinator that was restored from an earlier copy, and those of whom it knows nothing or too little. */
import { describe, expect, it } from "vitest";
import { FAST } from "../../src/core/config.ts";
import { Epoch, type NodeId } from "../../src/data/ids.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
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
  restore,
  stateOf,
  told,
  valueAt,
  without,
  work,
} from "./trio.ts";

const UNHEARD_OF = Epoch(1e9);

function say(stage: Stage, from: NodeId, message: ClusterMessage): void {
  const { term } = stage.node(from).disk.self;
  stage.deliver({
    cluster: stage.clusterId,
    from,
    to: "coordinator",
    message,
    call: null,
    term,
  });
}

describe("a node that came and went since the copy was made, and did not hear that it was evicted", () => {
  /** n4 has a write that nobody else has. */
  function ghost(): Stage {
    const stage = cluster();
    const copy = stage.coordinator.disk;
    stage.ask(ADD_ONE);
    work(stage, 2_000);
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: D });
    work(stage, 4_000, [A, B, C, D]);
    expect(ownerOf(stage)).toBe(D);
    without(stage, [D]);
    stage.ask(evict(D));
    work(stage, 4_000);
    expect(ownerOf(stage)).not.toBe(D);
    const write = put(stage, D, "k", 7);
    work(stage, 500, [D]);
    expect(isAcked(stage, write)).toBe(true);
    restore(stage, copy);
    work(stage, 10_000);
    return stage;
  }

  it("is told, and offers what it has [I8]", () => {
    const stage = ghost();
    without(stage, []);
    work(stage, 10_000, [A, B, C, D]);
    expect(stage.node(D).disk.self.membership).toBe("removed");
    expect(valueAt(stage, ownerOf(stage) ?? D, "k")).toBe(7);
  });

  it("is not waited for: it says that it has dropped a partition, under a ruling that nobody else has heard of, and grants nothing [I8]", () => {
    const stage = ghost();
    without(stage, []);
    work(stage, 10_000, [A, B, C, D]);
    restore(stage, cluster().coordinator.disk);
    stage.lines.splice(0);
    say(stage, D, { type: "DROPPED", partitionId: P, nodeId: D, epoch: UNHEARD_OF });
    expect(stage.coordinator.disk.cluster?.unheard).toBeNull();
    stage.ask(ADD_ONE);
    work(stage, 5_000);
    expect(told(stage)).toHaveLength(1);
    expect(told(stage)[0]).toContain("NODES_ADDED");
  });

  it("is taken for nobody who was invited by its name since [I8]", () => {
    const stage = ghost();
    stage.ask(ADD_ONE);
    work(stage, 1_000);
    expect(stateOf(stage, D)).toBe("joining");
    without(stage, []);
    work(stage, 10_000, [A, B, C, D]);
    expect(stateOf(stage, D)).toBeUndefined();
    expect(stateOf(stage, E)).toBe("active");
    expect(stage.node(D).disk.self.membership).toBe("removed");
  });
});

describe("a heartbeat of somebody who has heard more,", () => {
  const all = [A, B, C, D, E];
  const MISSED: ReadonlySet<Sender> = new Set([C, D, E]);

  /** Of the move of the partition to B only A and B have heard, and these do not answer what is asked of them. */
  function moved(): Stage {
    const stage = cluster({ initialNodes: 5 });
    put(stage, A, "k", 1);
    work(stage, 500, all);
    const copy = stage.coordinator.disk;
    stage.cut = (from, to) => from === "coordinator" && MISSED.has(to);
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    for (let i = 0; i < 40 && ownerOf(stage) !== B; i++) work(stage, 50, [A, B]);
    work(stage, 200, [A, B]);
    expect(stage.node(A).disk.self.tableVersion).toBeGreaterThan(copy.cluster?.tableVersion ?? 0);
    restore(stage, copy);
    stage.lines.splice(0);
    return stage;
  }

  it("shows that all must be asked, before anything is ruled by those who have not [I2]", () => {
    const stage = moved();
    // Nor do the others hear of it from them.
    const isTold = (id: Sender): boolean => id === A || id === B;
    stage.cut = (from, to, { type }) =>
      (type === "CAMPAIGN" && isTold(to)) ||
      (isTold(from) && MISSED.has(to)) ||
      (MISSED.has(from) && isTold(to));
    work(stage, 500, all);
    stage.ask(ADD_ONE);
    work(stage, 5_000, all);
    expect(stage.coordinator.disk.cluster?.unheard).toEqual([A, B]);
    expect(told(stage)).toEqual(["  operator: ERROR NO_QUORUM"]);
    without(stage, []);
    work(stage, 5_000, all);
    expect(ownerOf(stage)).toBe(B);
    expect(stage.coordinator.disk.cluster?.unheard).toBeNull();
  });

  it("or of a later ruling on a partition, shows the same", () => {
    const stage = cluster();
    without(stage, [C]);
    say(stage, A, { type: "HEARD", partitionId: P, nodeId: A, epoch: UNHEARD_OF });
    work(stage, 2_000, [A, B]);
    expect(stage.coordinator.disk.cluster?.unheard).toEqual([C]);
    without(stage, []);
    work(stage, 2_000);
    expect(stage.coordinator.disk.cluster?.unheard).toBeNull();
  });
});

describe("a member that joins again", () => {
  it("and is destroyed before it has, has a successor where it was owner [I8]", () => {
    const stage = cluster({ backupCount: 1 });
    put(stage, A, "k", 1);
    work(stage, 1_000);
    const copy = stage.coordinator.disk;
    // It hears that it is dead, and nobody else does.
    const asked: readonly string[] = ["PROBE", "CAMPAIGN"];
    stage.cut = (from, to, { type }) =>
      from === A || to === A || (from === "coordinator" && !asked.includes(type));
    for (let i = 0; i < 60 && stateOf(stage, A) !== "dead"; i++) work(stage, 100, [B, C]);
    stage.cut = (from, to, { type }) =>
      to === B || to === C || !(type === "HEARTBEAT" || (to === A && type === "MEMBERS_UPDATE"));
    for (let i = 0; i < 60 && stage.node(A).disk.self.membership === "member"; i++)
      work(stage, 100, [A]);
    expect(stage.node(A).disk.self).toMatchObject({ membership: "joining", incarnation: 2 });
    restore(stage, copy);
    stage.cut = (_, __, { type }) => type === "JOIN_RESPONSE";
    for (let i = 0; i < 60 && stateOf(stage, A) !== "joining"; i++) work(stage, 100, [B, C]);
    expect(ownerOf(stage)).toBe(A);
    expect(entryOf(stage)?.ruling.copies).toEqual([{ nodeId: B, state: "complete" }]);
    without(stage, [A]);
    work(stage, 20_000, [B, C]);
    expect(ownerOf(stage)).toBe(B);
    expect(valueAt(stage, B, "k")).toBe(1);
  });

  it("is one as soon as it can be, however long its requests were lost [I8, sim seed 1146495]", () => {
    const stage = cluster();
    without(stage, [A]);
    for (let i = 0; i < 60 && stateOf(stage, A) !== "dead"; i++) work(stage, 100, [B, C]);
    let lost = 0;
    stage.cut = (from, __, { type }) => {
      if (type !== "JOIN_REQUEST" || from !== A) return false;
      lost = stage.now;
      return true;
    };
    work(stage, 30_000, [B, C]);
    // So the pause that has just begun is as long as pauses grow.
    for (let i = 0; i < 200 && lost < stage.now - 100; i++) work(stage, 100, [B, C]);
    expect(stateOf(stage, A)).toBe("dead");
    without(stage, []);
    work(stage, 2 * FAST.retryMsMin, [B, C]);
    expect(stateOf(stage, A)).toBe("active");
    expect(ownerOf(stage)).toBe(A);
  });
});
