/** The known ways to get a move wrong, each of them tried. */
import { describe, expect, it } from "vitest";
import { DEFAULTS } from "../../../src/core/config.ts";
import { completeAt } from "../../../src/core/coordinator/wanted.ts";
import { stepNode } from "../../../src/core/node/node.ts";
import { wake } from "../../../src/core/node/state.ts";
import { NodeId, Version } from "../../../src/data/ids.ts";
import { decodeEnvelope, encodeEnvelope } from "../../../src/protocol/codec.ts";
import { envelope } from "../../protocol/samples.ts";
import { endsWell } from "../../scripts/ends-well.ts";
import { Stage } from "../../scripts/stage.ts";
import { ownerIn, P, playOf, rowsAt, SOURCE, steps, TARGET } from "./stepped.ts";

describe("known ways to get a move wrong, none of them taken:", () => {
  it("READY before the target acknowledged anything", () => {
    const play = playOf("form nodes=2", "put n1 a=1", "move 0 to n2", "hold n2>n1", "stabilize");
    for (let i = 0; i < 5; i++) play.run("advance 1000");
    play.run("stabilize");
    expect(play.stage.delivered.get("MIGRATE_DATA")).toBeGreaterThan(5);
    for (const type of ["COMPLETE", "MIGRATE_READY", "MIGRATE_FINALIZE"])
      expect(play.stage.delivered.get(type), type).toBeUndefined();
    play.run("release");
    endsWell(play);
    expect(ownerIn(play.stage)).toBe(TARGET);
  });

  it("writes between snapshot and finalize never sent", () => {
    const play = playOf("form nodes=2 chunk=1", "put n1 a=1", "put n1 b=1", "move 0 to n2");
    // Wherever the move is, something is written next: as client of the owner that was, and of the other.
    let n = 0;
    steps(play.stage, (letter) => {
      play.stage.deliver(letter);
      if (++n <= 40) play.run(`put n1 k${n}=${n}`);
    });
    expect(n).toBeGreaterThan(40);
    endsWell(play);
    expect(ownerIn(play.stage)).toBe(TARGET);
    expect(rowsAt(play.stage, TARGET).length).toBe(42);
  });

  it("nobody handles FINALIZE or CANCEL", () => {
    const moved = playOf("form nodes=2", "put n1 a=1", "move 0 to n2");
    moved.run("stabilize until MIGRATE_FINALIZE");
    moved.run("deliver MIGRATE_FINALIZE coordinator>n2");
    expect(moved.run("require n2 owner")).toBe("yes");
    moved.run("deliver MIGRATE_FINALIZE coordinator>n1");
    expect(moved.run("require n1 complete")).toBe("yes");
    endsWell(moved);

    const cancelled = playOf("form nodes=2", "put n1 a=1", "move 0 to n2");
    cancelled.run("stabilize until COMPLETE");
    cancelled.run("drop COMPLETE");
    cancelled.run("cancel 0");
    cancelled.run("stabilize");
    expect(cancelled.run("require n1 owner")).toBe("yes");
    expect(cancelled.run("require n2 none")).toBe("yes");
    endsWell(cancelled);
  });

  it("a move that involves the ruling node itself: it holds no rows, so there is none", () => {
    const to = NodeId("coordinator");
    const order = envelope({ type: "MOVE_PARTITION", partitionId: P, to });
    expect(decodeEnvelope(encodeEnvelope(order))).toMatchObject({
      ok: false,
      error: { code: "MALFORMED", data: { field: "message.to" } },
    });
    const { stage } = playOf("form nodes=2", "put n1 a=1");
    const holders = [...stage.coordinator.disk.entries.values()].flatMap((entry) => entry.holders);
    expect(holders).not.toContain(to);
    expect(stage.coordinator.rows.count(P)).toBe(0);
  });

  it("tasks over the parallel limit dropped", () => {
    const stage = new Stage({ initialNodes: 1, partitionCount: 12, maxParallelMigrations: 2 });
    stage.ask({ type: "FETCH_PARTITION_TABLE" });
    stage.settle();
    stage.ask({ type: "ADD_NODES", count: 1, region: "", weight: 1 });
    const running = () =>
      [...stage.coordinator.disk.entries.values()].filter(({ move }) => move !== null).length;
    let most = 0;
    for (let round = 0; round < 100; round++) {
      steps(stage, (letter) => {
        stage.deliver(letter);
        most = Math.max(most, running());
      });
      stage.advance(1_000);
    }
    const owners = [...stage.coordinator.disk.entries.values()].map(({ ruling }) => ruling.owner);
    expect(most, "as many as may at a time").toBe(2);
    expect(owners.filter((owner) => owner === TARGET).length, "and all of them").toBe(6);
  });

  it("no timeout, slots stuck for ever", () => {
    const play = playOf("form nodes=3", "put n1 a=1", "move 0 to n2", "hold MIGRATE_DATA");
    play.run("stabilize");
    expect(play.run("require coordinator replicating")).toBe("yes");
    for (let ms = 0; ms <= DEFAULTS.migrationTimeoutMs; ms += 1_000) {
      play.run("advance 1000");
      play.run("stabilize");
    }
    const [first] = play.stage.coordinator.disk.finished.values();
    expect(first).toMatchObject({ outcome: "failed", reason: "out of time" });
    // The next one goes where somebody answers.
    play.run("cancel 0");
    play.run("release");
    play.run("stabilize");
    play.run("move 0 to n3");
    play.settle();
    expect(ownerIn(play.stage)).toBe("n3");
    expect(rowsAt(play.stage, NodeId("n3")).length).toBe(1);
  });

  it("a late READY of attempt 1 finalizing attempt 2", () => {
    const play = playOf("form nodes=2", "put n1 a=1", "move 0 to n2");
    play.run("stabilize until MIGRATE_READY");
    play.run("delay MIGRATE_READY as late");
    play.run("advance 5");
    for (const next of ["cancel 0", "stabilize", "move 0 to n2", "stabilize until MIGRATE_DATA"])
      play.run(next);
    play.run("put n1 a=2");
    play.run("deliver late");
    expect(play.run("require coordinator replicating")).toBe("yes");
    expect(ownerIn(play.stage)).toBe(SOURCE);
    endsWell(play);
    expect(ownerIn(play.stage)).toBe(TARGET);
  });

  it("a whole partition in one message", () => {
    const puts = Array.from({ length: 9 }, (_, i) => `put n1 k${i}=${i}`);
    const play = playOf("form nodes=2 chunk=2", ...puts, "move 0 to n2");
    const sizes: number[] = [];
    steps(play.stage, (letter) => {
      if (letter.message.type === "MIGRATE_DATA") sizes.push(letter.message.chunk.length);
      play.stage.deliver(letter);
    });
    expect(Math.max(...sizes)).toBe(2);
    expect(sizes.filter((rows) => rows > 0).length).toBeGreaterThanOrEqual(5);
    endsWell(play);
  });

  it("backups never re-planned", () => {
    const stage = new Stage({ initialNodes: 3, partitionCount: 6, backupCount: 1 });
    stage.ask({ type: "FETCH_PARTITION_TABLE" });
    stage.settle();
    const complete = () => [...stage.coordinator.disk.entries.values()].map(completeAt);
    const of = (id: string): number => complete().filter(([, backup]) => backup === id).length;
    expect([of("n1"), of("n2"), of("n3")]).toEqual([2, 2, 2]);
    stage.ask({ type: "ADD_NODES", count: 1, region: "", weight: 1 });
    stage.settle();
    expect(of("n4"), "a new node takes its share").toBeGreaterThanOrEqual(1);
    stage.ask({ type: "LEAVE_REQUEST", nodeId: NodeId("n1") });
    stage.settle();
    expect(complete().flat()).not.toContain("n1");
    for (const [owner, backup, ...more] of complete()) {
      expect(backup).not.toBe(owner);
      expect([backup !== undefined, more]).toEqual([true, []]);
    }
    expect([of("n2"), of("n3"), of("n4")]).toEqual([2, 2, 2]);
  });

  it("move state only in memory", () => {
    let moved = 0;
    for (const phase of ["MIGRATE_START", "MIGRATE_DATA", "COMPLETE", "MIGRATE_READY", "HEARD"]) {
      const play = playOf("form nodes=2 chunk=1", "put n1 a=1", "put n1 b=1", "move 0 to n2");
      play.run(`stabilize until ${phase}`);
      play.stage.letters = [];
      for (const who of ["n1", "n2", "coordinator"]) play.run(`crash ${who}`);
      endsWell(play);
      if (ownerIn(play.stage) === TARGET) moved++;
    }
    expect(moved, "each goes on after everybody forgot").toBe(5);
  });

  it("rows re-stamped on arrival", () => {
    const play = playOf("form nodes=2", "put n1 a=1 @500", "delete n1 b @700", "put n2 c=1 @600");
    play.run("stabilize");
    const before = rowsAt(play.stage, SOURCE);
    expect(before.map(({ stamp }) => stamp.millis)).toEqual([500, 700, 600]);
    play.run("advance 60000");
    play.run("move 0 to n2");
    endsWell(play);
    expect(rowsAt(play.stage, TARGET)).toEqual(before);
  });

  it("a stale view with an equal version accepted", () => {
    const { stage } = playOf("form nodes=2", "put n1 a=1");
    const { disk } = stage.node(SOURCE);
    const { version, members } = disk.view;
    const told = (view: typeof disk.view) =>
      stepNode(wake(DEFAULTS, disk), {
        type: "message",
        clusterId: disk.self.clusterId,
        from: "coordinator",
        term: disk.self.term,
        message: { type: "MEMBERS_UPDATE", view, clusterTimeMs: 0 },
        call: 1,
        now: 2_000,
        random: 0.5,
      })[0].saved.view;
    const other = members.slice(0, 1);
    expect(told({ version, members: other })).toBe(disk.view);
    expect(told({ version: Version(version - 1), members: other })).toBe(disk.view);
    expect(told({ version: Version(version + 1), members: other }).members).toEqual(other);
    expect(stage.coordinator.disk.entries.get(P)?.move).toBeNull();
  });
});
