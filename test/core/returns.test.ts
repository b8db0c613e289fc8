/** Word comes that what made somebody wait is over: the pause that grew meanwhile is over with it. */
import { describe, expect, it } from "vitest";
import { FAST, type Config } from "../../src/core/config.ts";
import type { NodeId } from "../../src/data/ids.ts";
import type { Stage } from "../scripts/stage.ts";
import { A, B, C, P, cluster, concerns, ownerOf, stateOf, without, work } from "./trio.ts";

const tableOf = (stage: Stage, id: NodeId): number => stage.node(id).disk.self.tableVersion;
const newest = (stage: Stage): number | undefined => stage.coordinator.disk.cluster?.tableVersion;

describe("a member that was told of a new owner in vain", () => {
  /** C hears nothing and is not heard, and the longest of pauses has just begun. */
  function untold(settings: Partial<Config>, before: (stage: Stage) => void): Stage {
    const stage = cluster(settings);
    before(stage);
    let lost = 0;
    stage.cut = (from, to, { type }) => {
      if (to === C && type === "PARTITION_TABLE_UPDATE") lost = stage.now;
      return concerns([C], from, to);
    };
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    work(stage, 30_000, [A, B]);
    for (let i = 0; i < 200 && lost < stage.now - 100; i++) work(stage, 100, [A, B]);
    expect(lost).toBeGreaterThanOrEqual(stage.now - 100);
    expect(ownerOf(stage)).toBe(B);
    expect(tableOf(stage, C)).toBeLessThan(newest(stage) ?? 0);
    without(stage, []);
    return stage;
  }

  /** It says that it is there, and is told by the next pause. */
  const SOON_MS = 3 * FAST.heartbeatMs + FAST.retryMsMin + 100;

  it("is told soon after it is heard again, however long it was silent [I8, sim seed 1154399]", () => {
    const stage = untold({ suspicionTimeoutMs: 600_000 }, (whole) => work(whole, 1_000));
    expect(stateOf(stage, C)).toBe("suspect");
    work(stage, SOON_MS);
    expect(tableOf(stage, C)).toBe(newest(stage));
  });

  it("is told soon after it works again, if it was asleep and nobody missed it [I8, sim seed 1154399]", () => {
    const stage = untold({}, (whole) => work(whole, FAST.idleAfterMs + 2_000, [A, B]));
    expect(stateOf(stage, C)).toBe("active");
    work(stage, SOON_MS);
    expect(tableOf(stage, C)).toBe(newest(stage));
  });

  it("is told within two heartbeats of its hearing again, if it was heard all the time [I8]", () => {
    const stage = cluster();
    let lost = 0;
    stage.cut = (from, to, { type }) => {
      if (from !== "coordinator" || to !== C) return false;
      if (type === "PARTITION_TABLE_UPDATE") lost = stage.now;
      return true;
    };
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    work(stage, 60_000);
    for (let i = 0; i < 200 && lost < stage.now - 100; i++) work(stage, 100);
    expect(lost).toBeGreaterThanOrEqual(stage.now - 100);
    expect([stateOf(stage, C), ownerOf(stage)]).toEqual(["active", B]);
    expect(tableOf(stage, C)).toBeLessThan(newest(stage) ?? 0);
    without(stage, []);
    work(stage, 2 * FAST.heartbeatMs + FAST.retryMsMin + 100);
    expect(tableOf(stage, C)).toBe(newest(stage));
  });

  it("is not told more often for being missed again and again", () => {
    const stage = cluster();
    stage.cut = (_, to, { type }) => to === C && type === "PARTITION_TABLE_UPDATE";
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    work(stage, 10_000);
    let told = 0;
    const { cut } = stage;
    stage.cut = (from, to, message) => {
      const isCut = cut(from, to, message);
      if (isCut) told++;
      return isCut;
    };
    for (let i = 0; i < 60; i++) {
      stage.ask({
        type: "EXPLICIT_SUSPICION",
        suspectId: C,
        reason: "it does not answer",
        masterViewVersion: stage.coordinator.disk.view.version,
      });
      work(stage, 100);
    }
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThanOrEqual(6_000 / FAST.retryMsMin);
  });
});
