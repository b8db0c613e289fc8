/** Members that fall silent: asked, suspected, given up; and what becomes of what they held. */
import { describe, expect, it } from "vitest";
import { FAST } from "../../src/core/config.ts";
import type { NodeState } from "../../src/data/members.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import { Stage } from "../scripts/stage.ts";
import {
  A,
  B,
  C,
  P,
  cluster,
  entryOf,
  evict,
  isAcked,
  ownerOf,
  put,
  silence,
  stateOf,
  valueAt,
  withCopy,
  work,
} from "./trio.ts";

describe("a member that falls silent", () => {
  it("is asked, suspected, given up; its complete copy takes over within 3 s [I6]", () => {
    const stage = withCopy();
    const write = put(stage, A, "k", 2);
    work(stage, 100);
    expect(isAcked(stage, write)).toBe(true);
    silence(stage, [A], "MIGRATE_READY");
    const states = new Set<NodeState | undefined>();
    const since = stage.now;
    while (ownerOf(stage) !== B && stage.now < since + 5_000) {
      work(stage, 100, [B, C]);
      states.add(stateOf(stage, A));
    }
    expect([...states]).toEqual(["active", "suspect", "dead"]);
    expect(stage.now - since).toBeLessThanOrEqual(3_000);
    expect(valueAt(stage, B, "k")).toBe(2);
    const next = put(stage, C, "k", 3);
    work(stage, 500, [B, C]);
    expect(isAcked(stage, next)).toBe(true);
    expect(entryOf(stage)?.holders).toContain(A);
  });

  it("while it sleeps is missed by the owner whose copy it keeps [I8]", () => {
    const stage = cluster({ backupCount: 1 });
    stage.live(2 * FAST.idleAfterMs);
    const [copy] = entryOf(stage)?.ruling.copies ?? [];
    const asleep = copy?.nodeId ?? A;
    expect(asleep).not.toBe(A);
    silence(stage, [asleep]);
    const write = put(stage, A, "k", 1);
    work(stage, 15_000, [A]);
    expect(isAcked(stage, write)).toBe(true);
    expect(stateOf(stage, asleep)).toBe("dead");
    expect(entryOf(stage)?.ruling.copies).toEqual([
      { nodeId: asleep === B ? C : B, state: "complete" },
    ]);
  });

  it("comes back under a new incarnation; what it took meanwhile appears, then it drops its rows", () => {
    const stage = withCopy();
    // The move is given up, so that A alone answers for what it takes.
    stage.ask({ type: "CANCEL_MOVE", partitionId: P });
    work(stage, 500);
    stage.cut = (from, to, { type }) => type === "MIGRATE_READY" || type === "RULING";
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    work(stage, 1_500);
    expect(entryOf(stage)?.ruling.copies).toEqual([{ nodeId: B, state: "complete" }]);
    silence(stage, [A]);
    const late = put(stage, A, "late", 7);
    work(stage, 5_000, [B, C]);
    expect(isAcked(stage, late)).toBe(true);
    expect(ownerOf(stage)).not.toBe(A);
    expect(valueAt(stage, ownerOf(stage) ?? A, "late")).toBeUndefined();
    stage.cut = () => false;
    work(stage, 5_000, [B, C]);
    const { incarnation } = stage.node(A).disk.self;
    expect(incarnation).toBe(2);
    expect(stateOf(stage, A)).toBe("active");
    expect(valueAt(stage, ownerOf(stage) ?? A, "late")).toBe(7);
    expect(entryOf(stage)?.holders).toEqual([ownerOf(stage)]);
  });

  it("leaves a partition without a complete copy to nobody, until it is back [I6]", () => {
    const stage = cluster({ forwardTimeoutMs: 2_000 });
    put(stage, A, "k", 1);
    silence(stage, [], "COMPLETE");
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    work(stage, 1_000);
    expect(entryOf(stage)?.ruling.copies).toEqual([{ nodeId: B, state: "copying" }]);
    silence(stage, [A], "COMPLETE");
    work(stage, 4_000, [B, C]);
    expect(stateOf(stage, A)).toBe("dead");
    expect(ownerOf(stage)).toBeNull();
    const lost = put(stage, C, "k", 2);
    work(stage, 4_000, [B, C]);
    expect(stage.answers).toContainEqual(
      expect.objectContaining({
        type: "ACK",
        seq: lost,
        exceptions: [
          expect.objectContaining({
            result: expect.objectContaining({
              error: expect.objectContaining({ code: "PARTITION_LOST", retry: "later" }),
            }),
          }),
        ],
      }),
    );
    stage.cut = () => false;
    work(stage, 4_000, [B, C]);
    expect(ownerOf(stage)).toBe(A);
    expect(valueAt(stage, A, "k")).toBe(1);
    expect(isAcked(stage, put(stage, A, "k", 3))).toBe(true);
  });

  it("sent away while it comes back: is given back what it lost, and hands it over [I7, I8, seed 992046]", () => {
    const stage = cluster();
    put(stage, A, "k", 1);
    work(stage, 500);
    silence(stage, [A]);
    work(stage, 5_000, [B, C]);
    expect(entryOf(stage)).toMatchObject({ lost: A, ruling: { owner: null } });
    stage.lines.splice(0);
    stage.ask({ type: "LEAVE_REQUEST", nodeId: A });
    work(stage, 100, [B, C]);
    expect(stage.lines.some((line) => line.includes("NODE_NOT_ACTIVE"))).toBe(true);
    expect(stateOf(stage, A)).toBe("dead");
    // It does not hear that it is let in before it is sent away.
    silence(stage, [], "JOIN_RESPONSE");
    for (let ms = 0; ms < 5_000 && stateOf(stage, A) !== "joining"; ms += 100)
      work(stage, 100, [A, B, C]);
    expect(stateOf(stage, A)).toBe("joining");
    stage.ask({ type: "LEAVE_REQUEST", nodeId: A });
    work(stage, 100);
    expect(stateOf(stage, A)).toBe("leaving");
    stage.cut = () => false;
    work(stage, 10_000);
    expect(stateOf(stage, A)).toBeUndefined();
    expect(entryOf(stage)).toMatchObject({ lost: null, holders: [ownerOf(stage)] });
    expect(valueAt(stage, ownerOf(stage) ?? A, "k")).toBe(1);
  });

  it("suspected while the others come keeps no cluster from forming [I8, seed 62001240]", () => {
    const patient = { suspicionTimeoutMs: 20_000 };
    const stage = new Stage({ ...FAST, ...patient, initialNodes: 3, partitionCount: 1 });
    stage.cut = (from, to) => from === C || to === C;
    stage.ask({ type: "FETCH_PARTITION_TABLE" });
    work(stage, 1_000, [A, B]);
    expect([stateOf(stage, A), stateOf(stage, B)]).toEqual(["active", "active"]);
    silence(stage, [A, C]);
    work(stage, 2_000, [B]);
    silence(stage, [A]);
    work(stage, 3_000, [B]);
    expect([A, B, C].map((id) => stateOf(stage, id))).toEqual(["suspect", "active", "active"]);
    expect(entryOf(stage)).toBeUndefined();
    stage.cut = () => false;
    work(stage, 2_000);
    expect(ownerOf(stage)).toBeTruthy();
  });

  it("is not given up without a quorum, however long [I9]", () => {
    const stage = cluster();
    work(stage, 1_000);
    silence(stage, ["coordinator"]);
    work(stage, 30_000);
    for (const id of [A, B, C]) expect(stateOf(stage, id)).toBe("active");
    stage.cut = () => false;
    work(stage, 5_000);
    for (const id of [A, B, C]) expect(stateOf(stage, id)).toBe("active");
  });

  it("is suspected at once when two complain, and its own heartbeat overrides them", () => {
    const stage = cluster();
    work(stage, 1_000);
    silence(stage, [A]);
    const complaint = { type: "HEARTBEAT_COMPLAINT", suspectId: A } as const;
    const versions = { complainerViewVersion: 0, suspectViewVersion: 0 } as never;
    const { term } = stage.node(B).disk.self;
    for (const complainerId of [B, C]) {
      const message: ClusterMessage = {
        ...complaint,
        complainerId,
        ...(versions as object),
      } as never;
      stage.deliver({
        cluster: stage.clusterId,
        from: complainerId,
        to: "coordinator",
        message,
        call: null,
        term,
      });
    }
    expect(stateOf(stage, A)).toBe("suspect");
    stage.cut = () => false;
    work(stage, 500);
    expect(stateOf(stage, A)).toBe("active");
  });

  it("is answered when it says that it is there: nobody is kept waiting for ever [I8]", () => {
    const stage = cluster();
    work(stage, 500);
    silence(stage, [A]);
    work(stage, 4_000, [B, C]);
    expect(stateOf(stage, A)).toBe("dead");
    const { self, view } = stage.node(A).disk;
    const message: ClusterMessage = {
      type: "HEARTBEAT",
      senderId: A,
      timestampMs: stage.now,
      incarnation: self.incarnation,
      membersViewVersion: view.version,
      tableVersion: self.tableVersion,
      beat: self.beats + 1,
      dormant: false,
      suspectedNodes: [],
      importing: [],
      migrating: [],
    };
    stage.cut = () => false;
    stage.letters.splice(0);
    const { term } = self;
    const from = { cluster: stage.clusterId, from: A } as const;
    stage.deliver(stage.again({ ...from, to: "coordinator", message, call: 1, term }));
    const said = stage.letters.filter(({ to }) => to === A);
    expect(said).toMatchObject([{ call: null, message: { type: "MEMBERS_UPDATE" } }]);
  });

  it("and another one do not hear each other: they are asked about it once a heartbeat [I8]", () => {
    const stage = cluster({ partitionCount: 2, initialNodes: 2, forwardTimeoutMs: 20_000 });
    stage.cut = (from, to) => from !== "coordinator" && to !== "coordinator" && from !== "front";
    // Each has something for the other.
    for (const key of ["a", "b", "k0", "k1", "k2", "k3"])
      for (const at of [A, B]) put(stage, at, key, 1);
    stage.live(2 * stage.config.maxNoHeartbeatMs);
    const before = stage.delivered.get("PROBE") ?? 0;
    stage.live(10 * stage.config.heartbeatMs);
    const probes = (stage.delivered.get("PROBE") ?? 0) - before;
    expect(probes).toBeGreaterThan(0);
    expect(probes).toBeLessThanOrEqual(50);
    expect([stateOf(stage, A), stateOf(stage, B)]).toEqual(["active", "active"]);
  });

  it("that said it is dormant is not suspected, however long it is silent [I8]", () => {
    const stage = cluster();
    work(stage, 1_000);
    work(stage, FAST.idleAfterMs + 2_000, [A, B]);
    silence(stage, [C]);
    work(stage, 30_000, [A, B]);
    expect(stateOf(stage, C)).toBe("active");
    expect(stage.delivered.get("PROBE") ?? 0).toBe(0);
  });

  it("cannot be asked to leave: what waits for it is its own again when it is back [I7]", () => {
    const stage = cluster();
    put(stage, A, "k", 1);
    work(stage, 500);
    silence(stage, [A]);
    work(stage, 4_000, [B, C]);
    expect(ownerOf(stage)).toBeNull();
    stage.lines.splice(0);
    stage.ask({ type: "LEAVE_REQUEST", nodeId: A });
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    work(stage, 100, [B, C]);
    expect(stage.lines.join("\n")).toContain("operator: ERROR NODE_NOT_ACTIVE");
    expect(stage.lines.join("\n")).toContain("operator: ERROR PARTITION_LOST");
    stage.cut = () => false;
    work(stage, 4_000, [B, C]);
    expect(ownerOf(stage)).toBe(A);
    expect(valueAt(stage, A, "k")).toBe(1);
  });

  it("leaves as soon as it is back, when it was asked to while it joined again [I7, I11]", () => {
    const stage = cluster();
    put(stage, A, "k", 1);
    work(stage, 500);
    silence(stage, [A]);
    work(stage, 4_000, [B, C]);
    silence(stage, [], "JOIN_RESPONSE");
    work(stage, 2_000, [B, C]);
    expect(stateOf(stage, A)).toBe("joining");
    stage.ask({ type: "LEAVE_REQUEST", nodeId: A });
    work(stage, 100, [B, C]);
    expect(stateOf(stage, A)).toBe("leaving");
    stage.cut = () => false;
    work(stage, 5_000, [B, C]);
    expect(stateOf(stage, A)).toBeUndefined();
    expect([B, C]).toContain(ownerOf(stage));
    expect(valueAt(stage, ownerOf(stage) ?? A, "k")).toBe(1);
  });

  it("is given up after a wrong suspicion of everybody: all of them come back", () => {
    const stage = cluster({ suspicionTimeoutMs: 400 });
    work(stage, 1_000);
    for (const id of [A, B, C]) {
      silence(stage, [id]);
      work(stage, 4_000);
      expect(stateOf(stage, id)).toBe("dead");
      stage.cut = () => false;
      work(stage, 4_000);
    }
    for (const id of [A, B, C]) expect(stateOf(stage, id)).toBe("active");
    expect(isAcked(stage, put(stage, ownerOf(stage) ?? A, "k", 1))).toBe(true);
  });
});

describe("an operator who knows better than any vote", () => {
  it("claims a partition for a node, also without a quorum; an old epoch is refused", () => {
    const stage = cluster();
    work(stage, 500);
    silence(stage, [A, B]);
    work(stage, 10_000, [C]);
    const { epoch } = entryOf(stage)?.ruling ?? {};
    if (epoch === undefined) throw new Error("the partition has been ruled on");
    const claim = { type: "CLAIM_PARTITION", partitionId: P, nodeId: C, epoch } as const;
    stage.lines.splice(0);
    stage.ask(claim);
    work(stage, 500, [C]);
    expect(stage.lines.join("\n")).toContain("operator: PLANNED n1 to n3");
    expect(ownerOf(stage)).toBe(C);
    stage.ask(claim);
    work(stage, 500, [C]);
    expect(stage.lines.join("\n")).toContain("operator: ERROR STALE_EPOCH");
    expect(isAcked(stage, put(stage, C, "k", 1))).toBe(true);
  });

  it("evicts by force who is lost for good, and what it alone held is given up", () => {
    const stage = cluster();
    work(stage, 500);
    silence(stage, [A]);
    work(stage, 4_000, [B, C]);
    expect(ownerOf(stage)).toBeNull();
    stage.ask(evict(A));
    work(stage, 2_000, [B, C]);
    expect(stateOf(stage, A)).toBeUndefined();
    const owner = ownerOf(stage);
    expect([B, C]).toContain(owner);
    expect(entryOf(stage)?.holders).toEqual([owner]);
    expect(isAcked(stage, put(stage, owner ?? A, "k", 1))).toBe(true);
  });

  it("has who left and was destroyed before it heard so told no more [I8, sim seed 100076]", () => {
    const stage = cluster();
    silence(stage, [C]);
    stage.ask({ type: "LEAVE_REQUEST", nodeId: C });
    stage.live(1_000);
    expect(stateOf(stage, C)).toBeUndefined();
    expect(stage.coordinator.disk.cluster?.departed).toEqual([C]);
    stage.lines.splice(0);
    stage.ask({ type: "LEAVE_REQUEST", nodeId: C });
    stage.live(100);
    expect(stage.lines.join("\n")).toContain("operator: ERROR NODE_NOT_FOUND");
    stage.ask(evict(C));
    stage.live(100);
    expect(stage.coordinator.disk.cluster?.departed).toEqual([]);
    // Nothing is asked without end.
    stage.settle();
  });
});
